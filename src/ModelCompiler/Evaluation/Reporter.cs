// Collects diagnostics. A place is reported once per code: a block that is used twenty times, or by several derived
// networks, has its mistake once.
using System.Collections.Immutable;
using System.Globalization;
using ModelCompiler.Grammar;

namespace ModelCompiler.Evaluation;

internal sealed class Reporter
{
    private const int MaximumNotes = 6;
    private readonly HashSet<(string Code, string Path, TextSpan Span)> reported = new();
    private readonly List<Diagnostic> diagnostics = new();

    public int Errors { get; private set; }

    public ImmutableArray<Diagnostic> Diagnostics => ImmutableArray.CreateRange(diagnostics);

    public ErrorValue Error(string code, SourceSpan place, string message, Frame? frame = null, params DiagnosticNote[] notes)
    {
        Errors++;
        Add(code, Severity.Error, place, message, frame, notes);
        return ErrorValue.Instance;
    }

    public void Add(string code, Severity severity, SourceSpan place, string message, Frame? frame, params DiagnosticNote[] notes)
    {
        if (reported.Add((code, place.File.Path, place.Span)))
        {
            diagnostics.Add(new Diagnostic(code, severity, place, message, ImmutableArray.CreateRange(notes.Concat(Chain(frame)))));
        }
    }

    public void Add(Diagnostic diagnostic)
    {
        if (diagnostic.Severity == Severity.Error)
        {
            Errors++;
        }

        if (reported.Add((diagnostic.Code, diagnostic.Place.File.Path, diagnostic.Place.Span)))
        {
            diagnostics.Add(diagnostic);
        }
    }

    private static IEnumerable<DiagnosticNote> Chain(Frame? frame)
    {
        var count = 0;
        for (; frame is not null; frame = frame.Parent)
        {
            if (++count > MaximumNotes)
            {
                yield return new DiagnosticNote(frame.Note.Place, $"… and {frame.Depth.ToString(CultureInfo.InvariantCulture)} uses further out");
                yield break;
            }

            yield return frame.Note;
        }
    }
}
