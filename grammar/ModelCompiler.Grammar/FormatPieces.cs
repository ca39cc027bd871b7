// A file as the formatter sees it: words and comments in the order of the text, each knowing what it does and how deep it
// stands. Made from the same slices the parser reads, so both agree on where statements end.
using System.Collections.Immutable;

namespace ModelCompiler.Grammar;

internal enum PieceRole
{
    Word,
    Infix,
    Prefix,
    Comma,
    Colon,
    Dot,
    Range,

    /// <summary>An opening bracket that stands on its own, or at the value it belongs to.</summary>
    RoundOpen,
    CallOpen,
    SquareOpen,
    IndexOpen,
    NumberOpen,
    Close,
    SquareClose,
    BodyOpen,
    BodyClose,
    Comment,
}

/// <param name="Depth">Bodies around it.</param>
/// <param name="StartsStatement">Whether a statement, head or closing brace starts here.</param>
/// <param name="OneLine">Whether it stands in (or closes) a body that the author wrote on one line.</param>
internal sealed record Piece(string Text, TextSpan Span, PieceRole Role, int Depth, bool StartsStatement, bool OneLine);

internal sealed class FormatPieces
{
    private readonly SourceFile source;
    private readonly List<Piece> pieces = new();
    private readonly Stack<bool> oneLine = new();
    private bool startsStatement;

    private FormatPieces(SourceFile source) => this.source = source;

    public static IReadOnlyList<Piece> Read(SourceFile source)
    {
        var words = Lexis.Read(source);
        var slices = Layout.Read(source, words.Tokens);
        var reader = new FormatPieces(source);
        for (var i = 0; i < slices.Length; i++)
        {
            reader.Add(slices[i], slices, i);
        }

        return reader.WithComments(words.Comments);
    }

    private void Add(Slice slice, ImmutableArray<Slice> slices, int at)
    {
        if (slice.Kind == SliceKind.BodyEnd)
        {
            var depth = oneLine.Count - 1;
            startsStatement = true;
            Add(slice.Brace!, PieceRole.BodyClose, depth);
            oneLine.Pop();
            return;
        }

        startsStatement = true;
        AddAll(slice.Tokens);
        if (slice.Kind == SliceKind.BodyStart)
        {
            Add(slice.Brace!, PieceRole.BodyOpen, oneLine.Count);
            var end = EndOfBody(slices, at).Span.Start;
            oneLine.Push(source.Locate(slice.Brace!.Span.Start).Line == source.Locate(end).Line);
        }
    }

    private static Token EndOfBody(ImmutableArray<Slice> slices, int start)
    {
        var depth = 0;
        var at = start;
        do
        {
            depth += slices[at].Kind == SliceKind.BodyStart ? 1 : slices[at].Kind == SliceKind.BodyEnd ? -1 : 0;
            at++;
        }
        while (depth > 0);
        return slices[at - 1].Brace!;
    }

    /// <summary>Adds tokens and the insides of their brackets; their depth is limited, since the file was parsed before.</summary>
    private void AddAll(ImmutableArray<Token> tokens)
    {
        foreach (var token in tokens)
        {
            if (!token.IsGroup)
            {
                Add(token, Role(token), oneLine.Count);
                continue;
            }

            var last = new TextSpan(token.Span.End - 1, 1);
            var closes = token.Kind == TokenKind.List ? PieceRole.SquareClose : PieceRole.Close;
            Add(token with { Span = new TextSpan(token.Span.Start, 1) }, Opening(token.Kind), oneLine.Count);
            AddAll(token.Inside);
            Add(new Token(TokenKind.Sign, source.Text.Substring(last.Start, 1), last, StartsLine: false), closes, oneLine.Count);
        }
    }

    private static PieceRole Opening(TokenKind kind) => kind switch
    {
        TokenKind.Arguments or TokenKind.Parameters => PieceRole.CallOpen,
        TokenKind.List => PieceRole.SquareOpen,
        TokenKind.Index => PieceRole.IndexOpen,
        TokenKind.Number => PieceRole.NumberOpen,
        _ => PieceRole.RoundOpen,
    };

    private PieceRole Role(Token token) => token.Kind != TokenKind.Sign ? PieceRole.Word : token.Text switch
    {
        "," => PieceRole.Comma,
        ":" => PieceRole.Colon,
        "." => PieceRole.Dot,
        ".." => PieceRole.Range,
        "-" when !startsStatement && !EndsValue(pieces[pieces.Count - 1]) => PieceRole.Prefix,
        _ => PieceRole.Infix,
    };

    private static bool EndsValue(Piece piece) => piece.Role is PieceRole.Close or PieceRole.SquareClose
        || (piece.Role == PieceRole.Word && (!Keywords.All.Contains(piece.Text) || piece.Text is "in" or "true" or "false"));

    private void Add(Token token, PieceRole role, int depth)
    {
        var inOneLine = oneLine.Count > 0 && oneLine.Peek();
        pieces.Add(new Piece(token.Text, token.Span, role, depth, startsStatement, inOneLine));
        startsStatement = false;
    }

    /// <summary>Merges the comments in. A brace that opens a body goes before the comments that stand between it and its
    /// head, since it moves to the line of the head.</summary>
    private IReadOnlyList<Piece> WithComments(ImmutableArray<TextSpan> comments)
    {
        var merged = new List<Piece>();
        var next = 0;
        foreach (var piece in pieces)
        {
            while (piece.Role != PieceRole.BodyOpen && next < comments.Length && comments[next].Start < piece.Span.Start)
            {
                AddComment(merged, comments[next++], piece);
            }

            merged.Add(piece);
        }

        while (next < comments.Length)
        {
            AddComment(merged, comments[next++], null);
        }

        return merged;
    }

    private void AddComment(List<Piece> merged, TextSpan comment, Piece? before)
    {
        var text = source.Text.Substring(comment.Start, comment.Length).TrimEnd();
        var depth = before is null ? 0 : before.Role == PieceRole.BodyClose ? before.Depth + 1 : before.Depth;
        merged.Add(new Piece(
            text, comment, PieceRole.Comment, depth, before is null || before.StartsStatement, before?.OneLine == true));
    }
}
