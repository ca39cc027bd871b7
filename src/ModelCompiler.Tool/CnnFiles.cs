// `.cnn` files on disk: reading them, finding what they import, and picking one of their networks.
using System.Collections.Immutable;
using ModelCompiler.Evaluation;
using ModelCompiler.Grammar;
using ModelCompiler.Graph;
using ModelCompiler.Planning;

namespace ModelCompiler.Tool;

internal static class CnnFiles
{
    /// <summary>Files beyond this are no networks; the parser would refuse them anyway.</summary>
    private const long LargestFile = 16 << 20;

    public static SourceFile Read(string path)
    {
        if (Directory.Exists(path))
        {
            throw new ToolException($"'{path}' is a folder, not a .cnn file");
        }

        if (!File.Exists(path))
        {
            throw new ToolException($"there is no file '{path}'");
        }

        if (new FileInfo(path).Length > LargestFile)
        {
            throw new ToolException($"'{path}' is too large for a .cnn file");
        }

        return new SourceFile(path, File.ReadAllText(path));
    }

    /// <summary>The measured choices beside a file; null where there are none.</summary>
    public static Tuning? Tuning(string path) => File.Exists(path + Planning.Tuning.Extension) ? Planning.Tuning.Read(Read(path + Planning.Tuning.Extension)) : null;

    /// <summary>Imports are relative to the file that names them.</summary>
    public static SourceFile? Import(string fromPath, string importPath)
    {
        var path = Path.Combine(Path.GetDirectoryName(fromPath) ?? "", importPath);
        return File.Exists(path) ? Read(path) : null;
    }

    /// <summary>One network of the file as a graph. Diagnostics go to the error stream; errors end the command.</summary>
    public static NetworkGraph Evaluate(Session session, string path, string? name)
    {
        var evaluated = Evaluator.Evaluate(Read(path), Import);
        Report(session.Errors, evaluated.Diagnostics);
        var names = evaluated.Networks.Select(network => network.Name).ToImmutableArray();
        return evaluated.Networks[names.IndexOf(Pick(path, names, name))];
    }

    /// <summary>The network meant: the one named, the only one, or the one named as the file (<c>resnet18.cnn</c>: <c>ResNet18</c>).</summary>
    public static string Pick(string path, ImmutableArray<string> names, string? wanted)
    {
        if (names.Length == 0)
        {
            throw new ToolException($"'{path}' has no network that needs no arguments");
        }

        if (wanted is not null)
        {
            return names.Contains(wanted) ? wanted : throw new ToolException($"'{path}' has no network '{wanted}'; it has {string.Join(", ", names)}");
        }

        var fileName = Path.GetFileNameWithoutExtension(path).Replace("_", "").Replace("-", "");
        return names.Length == 1 ? names[0]
            : names.FirstOrDefault(name => name.Equals(fileName, StringComparison.OrdinalIgnoreCase))
            ?? throw new ToolException($"'{path}' has several networks: choose with --network one of {string.Join(", ", names)}");
    }

    /// <summary>Prints warnings and errors; throws when there is an error.</summary>
    public static void Report(TextWriter writer, ImmutableArray<Diagnostic> diagnostics)
    {
        foreach (var diagnostic in diagnostics.Where(d => d.Severity > Severity.Info))
        {
            writer.WriteLine(diagnostic);
        }

        if (diagnostics.Any(d => d.Severity == Severity.Error))
        {
            throw new DiagnosticsException();
        }
    }
}
