// Every code the compiler can report, in one table: hosts register their severities from it, the documentation has
// a page for each row, and a test keeps rows, pages and provoking tests in step. One file per range of codes.
using System.Collections.Immutable;

namespace ModelCompiler.Grammar;

/// <summary>What a code stands for, whatever the place it is reported at.</summary>
/// <param name="Code">For instance <c>CNN1003</c>.</param>
/// <param name="Title">A few words, as an editor's error list shows them.</param>
/// <param name="Severity">The severity unless a project sets another one.</param>
/// <param name="Meaning">One sentence: what is wrong and what would be right.</param>
public sealed record DiagnosticEntry(string Code, string Title, Severity Severity, string Meaning);

public static partial class DiagnosticCatalog
{
    /// <summary>All rows, ascending by code.</summary>
    public static ImmutableArray<DiagnosticEntry> All { get; } =
        Syntax().AddRange(Names()).AddRange(Operators()).AddRange(Shapes()).AddRange(Advice()).AddRange(Tuning()).AddRange(Budgets()).AddRange(Hosts()).AddRange(Faults())
            .Sort((left, right) => string.CompareOrdinal(left.Code, right.Code));

    /// <summary>The row of a code, or null when no such code exists.</summary>
    public static DiagnosticEntry? Find(string code) => All.FirstOrDefault(entry => entry.Code == code);

    private static ImmutableArray<DiagnosticEntry> Rows(params DiagnosticEntry[] rows) => ImmutableArray.Create(rows);
}
