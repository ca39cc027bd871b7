// Puts a file into the usual form without taking the author's layout away: statements are indented by their depth and
// continued lines move along; between words there is one space or none. Where an author aligned things (before '->' and
// comments, after commas, the lines of a long statement) the alignment stays.
using System.Text;

namespace ModelCompiler.Grammar;

public static class CnnFormatter
{
    private const int Step = 4;

    /// <summary>The file in its usual form, every comment kept; formatting that again changes nothing. Null when the file has
    /// mistakes of syntax: what is not understood is not moved.</summary>
    public static string? Format(SourceFile source)
    {
        if (!CnnParser.Parse(source).Diagnostics.IsEmpty)
        {
            return null;
        }

        var pieces = FormatPieces.Read(source);
        var writer = new Writer(source);
        for (var i = 0; i < pieces.Count; i++)
        {
            writer.Write(pieces[i], i == 0 ? null : pieces[i - 1]);
        }

        return writer.Finish();
    }

    private sealed class Writer
    {
        private readonly SourceFile source;
        private readonly StringBuilder text = new();
        private readonly string newLine;

        /// <summary>Columns of the statement being written: as it was, and as it is now.</summary>
        private int oldColumn;
        private int newColumn;

        /// <summary>Whether the line holds nothing but comments so far.</summary>
        private bool onlyComments = true;

        public Writer(SourceFile source)
        {
            this.source = source;
            newLine = source.Text.Contains("\r\n") ? "\r\n" : "\n";
        }

        public string Finish() => text.Append(newLine).ToString();

        public void Write(Piece piece, Piece? previous)
        {
            if (piece.StartsStatement && piece.Role != PieceRole.Comment)
            {
                oldColumn = Indentation(piece.Span.Start);
                newColumn = piece.Depth * Step;
            }

            if (previous is not null && Breaks(piece, previous))
            {
                BreakLine(piece, previous);
                onlyComments = true;
            }
            else if (previous is not null)
            {
                text.Append(' ', Gap(piece, previous));
            }

            text.Append(piece.Text);
            onlyComments &= piece.Role == PieceRole.Comment;
        }

        /// <summary>Whether a piece starts a line: when it did, and when it is a statement that shared its line with another,
        /// unless the whole body stands on one line.</summary>
        private bool Breaks(Piece piece, Piece previous)
        {
            if (EndsLine(previous))
            {
                return true;
            }

            var wasFirst = source.Locate(previous.Span.End).Line < source.Locate(piece.Span.Start).Line;
            return piece.Role switch
            {
                PieceRole.BodyOpen => false,
                PieceRole.Comment => wasFirst,
                _ => wasFirst || (piece.StartsStatement && !piece.OneLine && !onlyComments),
            };
        }

        private static bool EndsLine(Piece piece) =>
            piece.Role == PieceRole.Comment && piece.Text.StartsWith("//", StringComparison.Ordinal);

        private void BreakLine(Piece piece, Piece previous)
        {
            var blank = BlankLineBetween(previous, piece) && previous.Role != PieceRole.BodyOpen && piece.Role != PieceRole.BodyClose;
            text.Append(newLine).Append(blank ? newLine : "");
            if (piece.StartsStatement)
            {
                text.Append(' ', piece.Depth * Step);
                return;
            }

            var least = piece.Role is PieceRole.Close or PieceRole.SquareClose ? 0 : Step;
            text.Append(' ', newColumn + Math.Max(least, Column(piece.Span.Start) - oldColumn));
        }

        private bool BlankLineBetween(Piece previous, Piece piece) =>
            source.Locate(piece.Span.Start).Line - source.Locate(previous.Span.End).Line > 1;

        /// <summary>Spaces between two pieces of a line.</summary>
        private int Gap(Piece piece, Piece previous)
        {
            var written = WrittenGap(previous, piece);
            if (piece.Role == PieceRole.Comment)
            {
                return EndsLine(piece) ? Math.Max(1, written) : Math.Min(1, written);
            }

            if (previous.Role == PieceRole.Comment)
            {
                return Math.Min(1, written);
            }

            var leadingPoint = piece.Text.Length > 1 && piece.Text[0] == '.' && piece.Role == PieceRole.Word;
            if (previous.Role == PieceRole.Range && leadingPoint)
            {
                return 1;
            }

            if (piece.Role is PieceRole.Comma or PieceRole.Colon or PieceRole.Dot or PieceRole.Range or PieceRole.Close
                    or PieceRole.CallOpen or PieceRole.IndexOpen or PieceRole.NumberOpen
                || previous.Role is PieceRole.Dot or PieceRole.Range or PieceRole.Prefix or PieceRole.RoundOpen or PieceRole.CallOpen
                    or PieceRole.IndexOpen or PieceRole.NumberOpen)
            {
                return 0;
            }

            if (previous.Role == PieceRole.SquareOpen || piece.Role == PieceRole.SquareClose)
            {
                return Math.Min(1, written);
            }

            var mayAlign = piece.Text == "->" || previous.Role == PieceRole.Comma;
            return mayAlign ? Math.Max(1, written) : 1;
        }

        /// <summary>Spaces the author left, when both stand on one line.</summary>
        private int WrittenGap(Piece previous, Piece piece)
        {
            var gap = piece.Span.Start - previous.Span.End;
            return gap > 0 && source.Locate(piece.Span.Start).Line == source.Locate(previous.Span.End).Line ? gap : 0;
        }

        /// <summary>Column of a place, tabs counted as far as the next multiple of four.</summary>
        private int Column(int at)
        {
            var column = 0;
            for (var i = source.LineStart(source.Locate(at).Line); i < at; i++)
            {
                column = source.Text[i] == '\t' ? (column / Step + 1) * Step : column + 1;
            }

            return column;
        }

        private int Indentation(int at)
        {
            var end = source.LineStart(source.Locate(at).Line);
            while (end < at && source.Text[end] is ' ' or '\t')
            {
                end++;
            }

            return Column(end);
        }
    }
}
