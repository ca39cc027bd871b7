// CNN5010 and up: budgets of the evaluation, and the files of a project (the parser's own limits are CNN5001 to CNN5009).
using System.Collections.Immutable;

namespace ModelCompiler.Grammar;

public static partial class DiagnosticCatalog
{
    private static ImmutableArray<DiagnosticEntry> Budgets() => Rows();
}
