// A diagnostic as plain values. Roslyn's own Diagnostic does not compare by value and would keep whole
// syntax trees alive between builds, so it is made only at the moment of reporting.
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;
using ModelCompiler.Grammar;
using LinePosition = Microsoft.CodeAnalysis.Text.LinePosition;
using TextSpan = Microsoft.CodeAnalysis.Text.TextSpan;

namespace ModelCompiler.Generators;

/// <summary>A place in a `.cnn` file; lines and columns count from zero.</summary>
internal sealed record Place(string Path, int Start, int Length, int StartLine, int StartColumn, int EndLine, int EndColumn)
{
    public static Place Of(SourceSpan span) => new(
        span.File.Path, span.Span.Start, span.Span.Length, span.Start.Line, span.Start.Column, span.End.Line, span.End.Column);

    public Location ToLocation() => Location.Create(
        Path, new TextSpan(Start, Length), new LinePositionSpan(new LinePosition(StartLine, StartColumn), new LinePosition(EndLine, EndColumn)));
}

/// <param name="Place">Null for what concerns the whole project.</param>
internal sealed record DiagnosticValue(string Code, Severity Severity, Place? Place, string Message, EquatableArray<NoteValue> Notes)
{
    public static DiagnosticValue Of(Grammar.Diagnostic diagnostic) => new(
        diagnostic.Code,
        diagnostic.Severity,
        Generators.Place.Of(diagnostic.Place),
        diagnostic.Message,
        diagnostic.Notes.Select(note => new NoteValue(Generators.Place.Of(note.Place), note.Message)).ToEquatableArray());
}

internal sealed record NoteValue(Place Place, string Message);
