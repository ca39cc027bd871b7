// CNN9xxx: a fault of the compiler itself.
using System.Collections.Immutable;

namespace ModelCompiler.Grammar;

public static partial class DiagnosticCatalog
{
    private static ImmutableArray<DiagnosticEntry> Faults() => Rows(
        new DiagnosticEntry("CNN9001", "Fault of the compiler", Severity.Error, "The compiler itself failed."));
}
