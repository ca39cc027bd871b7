// A mistake (or a piece of advice) as a value: what, where, how severe. Hosts (generator, command line,
// language server) turn it into their own kind of report; nothing here knows Roslyn.
using System.Collections.Immutable;

namespace ModelCompiler.Grammar;

public enum Severity
{
    /// <summary>A hint that teaches; shown in editors, not counted by a build.</summary>
    Info,
    Warning,
    Error,
}

/// <summary>Another place that explains a diagnostic: where a shape came from, who used a block.</summary>
public sealed record DiagnosticNote(SourceSpan Place, string Message);

/// <summary>One report. Code ranges: CNN1xxx syntax, 2xxx names and arguments, 3xxx shapes, 4xxx advice,
/// 5xxx budgets and files, 9xxx a fault of the compiler itself.</summary>
/// <param name="Code">For instance <c>CNN3002</c>.</param>
/// <param name="Place">The argument or word at fault, not the whole statement.</param>
/// <param name="Message">What is wrong, with the shapes, and what would be right. One sentence, no full stop.</param>
/// <param name="Notes">Places that led here, nearest first.</param>
public sealed record Diagnostic(string Code, Severity Severity, SourceSpan Place, string Message, ImmutableArray<DiagnosticNote> Notes)
{
    public Diagnostic(string code, Severity severity, SourceSpan place, string message)
        : this(code, severity, place, message, ImmutableArray<DiagnosticNote>.Empty)
    {
    }

    /// <summary>MSBuild's form: <c>path(line,column): error CNN3002: message</c>.</summary>
    public override string ToString()
    {
        var start = Place.Start;
        var severity = Severity switch { Severity.Error => "error", Severity.Warning => "warning", _ => "info" };
        return FormattableString.Invariant($"{Place.File.Path}({start.Line + 1},{start.Column + 1}): {severity} {Code}: {Message}");
    }
}
