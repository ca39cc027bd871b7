// CNN4021 and up: what a file of measured kernel choices beside a `.cnn` file gets wrong. None of it stops a build.
using System.Collections.Immutable;

namespace ModelCompiler.Grammar;

public static partial class DiagnosticCatalog
{
    private static ImmutableArray<DiagnosticEntry> Tuning() => Rows(
        new("CNN4021", "Kernel choice for a layer that has changed", Severity.Warning, "A measured choice speaks of a layer with other shapes, or of one that is gone: measure again with 'cnnc tune'."),
        new("CNN4022", "Kernel choice of another network", Severity.Warning, "A measured choice speaks of a network that the file does not have, or of a kernel that cannot compute the layer."),
        new("CNN4023", "Kernel choice not understood", Severity.Warning, "A line of a '.cnn.tune' file is not of the form that 'cnnc tune' writes."));
}
