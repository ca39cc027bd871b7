// Collects diagnostics. A place is reported once per code: a block that is used twenty times, or by several derived
// networks, has its mistake once.
using System.Collections.Immutable;
using ModelCompiler.Grammar;

namespace ModelCompiler.Evaluation;

internal sealed class Reporter
{
    private const int MaximumDiagnostics = 100;
    private const int MaximumNotes = 6;
    private const int MaximumUses = 3;
    private readonly HashSet<(string Code, string Path, TextSpan Span)> reported = new();
    private readonly List<Diagnostic> diagnostics = new();

    public int Errors { get; private set; }

    /// <summary>True when further mistakes are not shown.</summary>
    public bool Full => diagnostics.Count >= MaximumDiagnostics;

    public ImmutableArray<Diagnostic> Diagnostics => ImmutableArray.CreateRange(diagnostics);

    public ErrorValue Error(string code, SourceSpan place, string message, Frame? frame = null, params DiagnosticNote[] notes)
    {
        Errors++;
        Add(code, Severity.Error, place, message + Uses(frame, place.File), frame, notes);
        return ErrorValue.Instance;
    }

    public void Add(string code, Severity severity, SourceSpan place, string message, Frame? frame, params DiagnosticNote[] notes) =>
        Keep(new Diagnostic(code, severity, place, message, ImmutableArray.CreateRange(notes.Concat(Chain(frame)))));

    public void Add(Diagnostic diagnostic)
    {
        if (diagnostic.Severity == Severity.Error)
        {
            Errors++;
        }

        Keep(diagnostic);
    }

    private void Keep(Diagnostic diagnostic)
    {
        if (diagnostics.Count <= MaximumDiagnostics && reported.Add((diagnostic.Code, diagnostic.Place.File.Path, diagnostic.Place.Span)))
        {
            diagnostics.Add(diagnostics.Count < MaximumDiagnostics
                ? diagnostic
                : new Diagnostic("CNN5003", Severity.Info, diagnostic.Place, "there are more mistakes than are shown; correct these first"));
        }
    }

    /// <summary>The chain of uses in the message itself, because builds print no notes.</summary>
    private static string Uses(Frame? frame, SourceFile file)
    {
        var uses = Frames(frame).Take(MaximumUses + 1).Select(use => use.Text(file)).ToList();
        var more = uses.Count > MaximumUses ? ", …" : "";
        return uses.Count == 0 ? "" : $" (in {string.Join(", in ", uses.Take(MaximumUses))}{more})";
    }

    private static IEnumerable<DiagnosticNote> Chain(Frame? frame) => Frames(frame).Take(MaximumNotes).Select(use => use.Note);

    /// <summary>From the nearest use outwards; the uses of a recursion, which are at one place, count once.</summary>
    private static IEnumerable<Frame> Frames(Frame? frame)
    {
        Frame? previous = null;
        for (; frame is not null; frame = frame.Parent)
        {
            if (previous is null || !previous.Place.Equals(frame.Place))
            {
                yield return frame;
            }

            previous = frame;
        }
    }
}
