// What the generator knows of one `.cnn` file, as plain values: its text, and what it imports. A record of
// values is equal whenever the text is, which is what lets every later step stay cached.
using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using ModelCompiler.Grammar;

namespace ModelCompiler.Generators;

/// <summary>A `.cnn` file of the project.</summary>
/// <param name="Path">As the build gave it; absolute, as a rule.</param>
/// <param name="Imports">Full paths of the files named in its <c>use</c> declarations.</param>
/// <param name="Declared">Names of its networks and where they are written.</param>
/// <param name="Settings">What the project says about it.</param>
internal sealed record ProjectFile(
    string Path, string Text, EquatableArray<string> Imports, EquatableArray<DeclaredNetwork> Declared, FileSettings Settings)
{
    public static ProjectFile Read(AdditionalText file, AnalyzerConfigOptionsProvider options, CancellationToken cancellation)
    {
        var source = new SourceFile(file.Path, file.GetText(cancellation)?.ToString() ?? "");
        var settings = FileSettings.Read(options, file);
        return FaultBarrier.Run(() => Scan(source, settings), _ => new ProjectFile(source.Path, source.Text, default, default, settings));
    }

    private static ProjectFile Scan(SourceFile source, FileSettings settings)
    {
        var declarations = CnnParser.Parse(source).File.Declarations;
        return new ProjectFile(
            source.Path,
            source.Text,
            declarations.OfType<UseSyntax>().Select(use => ImportPath.Resolve(source.Path, use.Path)).ToEquatableArray(),
            declarations.Select(NameOf).Where(name => name is not null)
                .Select(name => new DeclaredNetwork(name!.Text, Place.Of(new SourceSpan(source, name.Span)))).ToEquatableArray(),
            settings);
    }

    private static NameSyntax? NameOf(DeclarationSyntax declaration) => declaration switch
    {
        NetworkSyntax network => network.Name,
        DerivedNetworkSyntax network => network.Name,
        _ => null,
    };
}

internal sealed record DeclaredNetwork(string Name, Place Place);

/// <summary>Measured choices of kernels: the file of the same name beside a `.cnn` file, with one more extension.</summary>
internal sealed record TuningText(string Path, string Text)
{
    public static bool Is(AdditionalText file) => file.Path.EndsWith(".cnn" + Planning.Tuning.Extension, StringComparison.OrdinalIgnoreCase);

    public static TuningText Read(AdditionalText file, CancellationToken cancellation) => new(file.Path, file.GetText(cancellation)?.ToString() ?? "");

    public bool IsOf(ProjectFile file) =>
        string.Equals(ImportPath.Normalize(Path), ImportPath.Normalize(file.Path + Planning.Tuning.Extension), StringComparison.Ordinal);
}

/// <summary>A file together with the files it imports, directly or not, and its measured choices: everything its networks depend on.</summary>
internal sealed record ImportClosure(ProjectFile File, EquatableArray<ProjectFile> Imports, TuningText? Tuning)
{
    public static ImportClosure Of(ProjectFile file, ImmutableArray<ProjectFile> all, ImmutableArray<TuningText> tunings)
    {
        var byPath = all.GroupBy(f => ImportPath.Normalize(f.Path), StringComparer.Ordinal)
            .ToDictionary(same => same.Key, same => same.First(), StringComparer.Ordinal);
        var seen = new HashSet<string>(StringComparer.Ordinal) { ImportPath.Normalize(file.Path) };
        var found = new List<ProjectFile>();
        var open = new Queue<string>(file.Imports);
        while (open.Count > 0)
        {
            var path = open.Dequeue();
            if (seen.Add(path) && byPath.TryGetValue(path, out var import))
            {
                found.Add(import);
                foreach (var next in import.Imports)
                {
                    open.Enqueue(next);
                }
            }
        }

        return new ImportClosure(file, found.ToEquatableArray(), tunings.FirstOrDefault(tuning => tuning.IsOf(file)));
    }

    /// <summary>The text of an import, or null when the project has no such file.</summary>
    public SourceFile? Resolve(string fromPath, string importPath)
    {
        var path = ImportPath.Resolve(fromPath, importPath);
        var match = Imports.Append(File).FirstOrDefault(f => ImportPath.Normalize(f.Path) == path);
        return match is null ? null : new SourceFile(match.Path, match.Text);
    }
}
