// CNN5010 and up: budgets of the evaluation, and the files of a project (the parser's own limits are CNN5001 to CNN5009).
using System.Collections.Immutable;

namespace ModelCompiler.Grammar;

public static partial class DiagnosticCatalog
{
    private static ImmutableArray<DiagnosticEntry> Budgets() => Rows(
        new DiagnosticEntry("CNN5010", "Blocks nested too deeply", Severity.Error, "Blocks are used inside blocks without end."),
        new DiagnosticEntry("CNN5011", "Values nested too deeply", Severity.Error, "Values lead to one another through thousands of names."),
        new DiagnosticEntry("CNN5012", "Too many steps", Severity.Error, "Evaluating the network takes more steps than any network needs."),
        new DiagnosticEntry("CNN5013", "Too many operations", Severity.Error, "The network has more than 100,000 operations."),
        new DiagnosticEntry("CNN5014", "List too long", Severity.Error, "A list, range or repetition has more than 10,000 items."),
        new DiagnosticEntry("CNN5015", "Network too large", Severity.Error, "One sample needs more memory than emitted code can address."),
        new DiagnosticEntry("CNN5020", "File not found", Severity.Error, "There is no such file among the files of the project."),
        new DiagnosticEntry("CNN5021", "Files use each other", Severity.Error, "Files use each other in a circle."),
        new DiagnosticEntry("CNN5022", "File with mistakes", Severity.Error, "The file that is used has mistakes of its own."),
        new DiagnosticEntry("CNN5023", "Too many files", Severity.Error, "The file leads to more than 500 files, or through more than 50 one after another."));
}
