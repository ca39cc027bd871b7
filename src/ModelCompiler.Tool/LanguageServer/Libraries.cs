// A library has blocks and no networks: its shapes are those it has where the networks of other files use it.
using System.Collections.Immutable;
using ModelCompiler.Evaluation;
using ModelCompiler.Grammar;

namespace ModelCompiler.Tool.LanguageServer;

internal static class Libraries
{
    /// <summary>Users that are evaluated to find shapes; more would keep an editor waiting.</summary>
    private const int MostUsers = 16;

    /// <summary>How deep uses of uses are followed.</summary>
    private const int MostSteps = 50;

    /// <summary>Values of the library in the order of its users' paths: of an expression, what it is for the first one.</summary>
    /// <param name="own">What the library says by itself.</param>
    public static Inspection Inspect(Workspace workspace, SourceFile library, Inspection own)
    {
        var values = own.Values.ToDictionary(value => value.Place.Span);
        var networks = own.File.Networks.ToBuilder();
        foreach (var user in Users(workspace, library).Take(MostUsers))
        {
            var seen = workspace.Compilations.InspectUse(user, workspace.Import, library);
            networks.AddRange(seen.File.Networks);
            foreach (var value in seen.Values)
            {
                if (!values.TryGetValue(value.Place.Span, out var known) || (known.Nodes.IsEmpty && !value.Nodes.IsEmpty))
                {
                    values[value.Place.Span] = value;
                }
            }
        }

        return new Inspection(
            own.File with { Networks = networks.ToImmutable() },
            [.. values.Values.OrderBy(value => value.Place.Span.Start).ThenByDescending(value => value.Place.Span.Length)]);
    }

    /// <summary>Files that use the library, directly or by way of others, and declare a network.</summary>
    private static IEnumerable<SourceFile> Users(Workspace workspace, SourceFile library)
    {
        var files = workspace.Files().OrderBy(file => file.Path, StringComparer.Ordinal).ToList();
        var reaching = new HashSet<SourceFile> { library };
        for (var (step, grown) = (0, true); step < MostSteps && grown; step++)
        {
            grown = false;
            foreach (var file in files.Where(file => !reaching.Contains(file)))
            {
                if (Imports(workspace, file).Any(reaching.Contains))
                {
                    grown |= reaching.Add(file);
                }
            }
        }

        return files.Where(file => file != library && reaching.Contains(file)
            && workspace.Compilations.Parse(file).Declarations.Any(declaration => declaration is NetworkSyntax or DerivedNetworkSyntax));
    }

    private static IEnumerable<SourceFile> Imports(Workspace workspace, SourceFile file) =>
        workspace.Compilations.Parse(file).Declarations.OfType<UseSyntax>().Select(use => workspace.Import(file.Path, use.Path)).OfType<SourceFile>();
}
