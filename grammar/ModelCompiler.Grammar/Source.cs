// Where text lives. Every later stage speaks of places as a SourceSpan, so a mistake found ten stages
// on can still be reported at the exact line and column of the `.cnn` file it was made in.
namespace ModelCompiler.Grammar;

/// <summary>A half-open range of characters [Start, End) of one file.</summary>
public readonly record struct TextSpan(int Start, int Length)
{
    public int End => Start + Length;

    public static TextSpan FromBounds(int start, int end) => new(start, Math.Max(0, end - start));

    /// <summary>The smallest span that covers both.</summary>
    public TextSpan Through(TextSpan other) => FromBounds(Math.Min(Start, other.Start), Math.Max(End, other.End));
}

/// <summary>A zero-based line and column (editors show both plus one).</summary>
public readonly record struct LinePosition(int Line, int Column);

/// <summary>The text of one `.cnn` file and the table of its lines.</summary>
public sealed class SourceFile
{
    private readonly int[] lineStarts;

    public SourceFile(string path, string text)
    {
        Path = path;
        Text = text;
        var starts = new List<int> { 0 };
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\n' || (text[i] == '\r' && (i + 1 == text.Length || text[i + 1] != '\n')))
            {
                starts.Add(i + 1);
            }
        }

        lineStarts = starts.ToArray();
    }

    /// <summary>The path as the build knows it; diagnostics print it unchanged.</summary>
    public string Path { get; }

    public string Text { get; }

    public int LineCount => lineStarts.Length;

    /// <summary>Line and column of a character offset; offsets outside the text are clamped into it.</summary>
    public LinePosition Locate(int offset)
    {
        offset = Math.Min(Math.Max(offset, 0), Text.Length);
        var line = Array.BinarySearch(lineStarts, offset);
        if (line < 0)
        {
            line = ~line - 1;
        }

        return new LinePosition(line, offset - lineStarts[line]);
    }

    /// <summary>Character offset of the first character of a zero-based line.</summary>
    public int LineStart(int line) => lineStarts[Math.Min(Math.Max(line, 0), lineStarts.Length - 1)];
}

/// <summary>A span together with the file it belongs to.</summary>
public readonly record struct SourceSpan(SourceFile File, TextSpan Span)
{
    public LinePosition Start => File.Locate(Span.Start);

    public LinePosition End => File.Locate(Span.End);

    /// <summary>One-based line number, as messages say it.</summary>
    public int Line => Start.Line + 1;
}
