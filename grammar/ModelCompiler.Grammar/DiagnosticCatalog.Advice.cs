// CNN4xxx: warnings and hints that teach.
using System.Collections.Immutable;

namespace ModelCompiler.Grammar;

public static partial class DiagnosticCatalog
{
    private static ImmutableArray<DiagnosticEntry> Advice() => Rows(
        new DiagnosticEntry("CNN4003", "Stride leaves elements unused", Severity.Warning, "The stride does not divide the input, so its last rows or columns are never read."));
}
