// Every network becomes a class of the project's namespace, so two files must not declare the same name.
// The first file in the order of paths keeps it; C#'s own errors about doubled members never appear.
using System.Collections.Immutable;
using ModelCompiler.Grammar;

namespace ModelCompiler.Generators;

/// <param name="Dropped">Path and name of each network that gets no class.</param>
internal sealed record ClashingNames(EquatableArray<(string Path, string Name)> Dropped, EquatableArray<DiagnosticValue> Diagnostics)
{
    public static ClashingNames Find(ImmutableArray<CompiledFile> files)
    {
        var dropped = new List<(string, string)>();
        var diagnostics = new List<DiagnosticValue>();
        var declared = files.OrderBy(file => file.Path, StringComparer.Ordinal).SelectMany(file => file.Places.Items);

        // File names on some systems, and hint names everywhere, do not tell upper from lower case.
        foreach (var same in declared.GroupBy(network => network.Name, StringComparer.OrdinalIgnoreCase))
        {
            var first = same.First();
            foreach (var later in same.Skip(1))
            {
                dropped.Add((later.Place.Path, later.Name));
                diagnostics.Add(new DiagnosticValue(
                    HostDiagnostics.ClashingNetworks,
                    Severity.Error,
                    later.Place,
                    $"a network '{first.Name}' is declared in '{first.Place.Path}' already; both would become the same class: rename one of them",
                    new[] { new NoteValue(first.Place, "declared here first") }.ToEquatableArray()));
            }
        }

        return new ClashingNames(dropped.ToEquatableArray(), diagnostics.ToEquatableArray());
    }

}
