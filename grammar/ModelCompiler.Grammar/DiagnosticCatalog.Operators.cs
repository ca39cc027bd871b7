// CNN2050 to CNN2069: arguments that are well formed but make no sense to the operator that got them.
using System.Collections.Immutable;

namespace ModelCompiler.Grammar;

public static partial class DiagnosticCatalog
{
    private static ImmutableArray<DiagnosticEntry> Operators() => Rows(
        new DiagnosticEntry("CNN2050", "Argument does not suit the operator", Severity.Error, "The value is of the right kind, but not together with the other arguments."));
}
