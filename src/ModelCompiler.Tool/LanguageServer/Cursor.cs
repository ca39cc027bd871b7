// Where the cursor stands while a statement is being typed. There is no tree of an unfinished statement, so the words
// before the cursor, as the compiler's lexer reads them, tell what may come next.
using ModelCompiler.Grammar;

namespace ModelCompiler.Tool.LanguageServer;

internal enum CursorPlace
{
    /// <summary>In a comment, a string or a number: nothing to propose.</summary>
    Text,

    /// <summary>Between the quotes of a <c>use</c>.</summary>
    ImportPath,

    /// <summary>Behind a dot.</summary>
    Member,

    /// <summary>At the start of a line.</summary>
    Statement,

    /// <summary>Behind an arrow.</summary>
    Stage,
    Value,
}

/// <summary>The call that the cursor stands in.</summary>
/// <param name="Argument">Index of the argument under the cursor.</param>
/// <param name="ArgumentName">Its name, when that is written.</param>
/// <param name="Named">Names of the arguments before it.</param>
/// <param name="Applied">Whether a tensor flows into the call.</param>
internal sealed record CallAtCursor(Token Callee, int Argument, string? ArgumentName, IReadOnlyCollection<string> Named, bool Applied);

/// <param name="Word">The part of a word before the cursor and the rest behind it; empty between words.</param>
internal sealed record Cursor(CursorPlace Place, TextSpan Word, CallAtCursor? Call)
{
    public static Cursor At(SourceFile source, int offset)
    {
        var words = Lexis.Read(source);
        var nothing = new Cursor(CursorPlace.Text, new TextSpan(offset, 0), null);
        if (words.Comments.Any(comment => comment.Start < offset && (offset < comment.End || source.Text[comment.Start + 1] == '/') && offset <= comment.End))
        {
            return nothing;
        }

        var tokens = words.Tokens;
        var last = tokens.Length - 1;
        while (last >= 0 && tokens[last].Span.Start >= offset)
        {
            last--;
        }

        var word = new TextSpan(offset, 0);
        if (last >= 0 && offset <= tokens[last].Span.End)
        {
            switch (tokens[last].Kind)
            {
                case TokenKind.String or TokenKind.Bad when tokens[last].Text[0] == '"':
                    return InString(source, offset, last > 0 && tokens[last - 1].IsKeyword("use") ? tokens[last] : null) ?? nothing;
                case TokenKind.Name or TokenKind.Keyword:
                    word = tokens[last--].Span;
                    break;
                case TokenKind.Integer or TokenKind.Float or TokenKind.Dims or TokenKind.Bad:
                    return nothing;
            }
        }

        var before = last >= 0 ? tokens[last] : null;
        var call = FindCall(tokens, last);
        var place = before is null ? CursorPlace.Statement
            : before.IsSign(".") ? CursorPlace.Member
            : before.IsSign("->") ? CursorPlace.Stage
            : call is null && StartsLine(source, word.Start) && !OpensValue(before) ? CursorPlace.Statement
            : CursorPlace.Value;
        return new Cursor(place, word, call);
    }

    private static Cursor? InString(SourceFile source, int offset, Token? path)
    {
        var closed = path is { Kind: TokenKind.String };
        return path is null || (closed && offset == path.Span.End)
            ? null
            : new Cursor(CursorPlace.ImportPath, TextSpan.FromBounds(path.Span.Start + 1, path.Span.End - (closed ? 1 : 0)), null);
    }

    private static bool StartsLine(SourceFile source, int at) =>
        string.IsNullOrWhiteSpace(source.Text[source.LineStart(source.Locate(at).Line)..at]);

    /// <summary>Whether the line above goes on: it ends with a sign that something must follow.</summary>
    private static bool OpensValue(Token token) => token.Kind == TokenKind.Sign && token.Text is not (")" or "]" or "}" or "{");

    /// <summary>Walks back to the bracket around the cursor; the start of a statement ends the search.</summary>
    private static CallAtCursor? FindCall(IReadOnlyList<Token> tokens, int last)
    {
        var (depth, commas, start) = (0, 0, -1);
        var named = new HashSet<string>(StringComparer.Ordinal);
        for (var at = last; at >= 0; at--)
        {
            var token = tokens[at];
            switch (token.Kind == TokenKind.Sign ? token.Text : "")
            {
                case ")" or "]" or "}":
                    depth++;
                    break;
                case "(" when depth == 0:
                    var callee = at > 0 && tokens[at - 1].Kind == TokenKind.Name && !token.StartsLine ? tokens[at - 1] : null;
                    return callee is null ? null : new CallAtCursor(callee, commas, NameAt(tokens, start < 0 ? at + 1 : start, last), named, IsApplied(tokens, at - 1));
                case "[" or "{" when depth == 0:
                    return null;
                case "(" or "[" or "{":
                    depth--;
                    break;
                case "," when depth == 0:
                    commas++;
                    start = start < 0 ? at + 1 : start;
                    break;
                case ":" when depth == 0 && commas > 0 && at > 0 && NameAt(tokens, at - 1, last) is { } name:
                    named.Add(name);
                    break;
            }

            if (token.StartsLine && token.Kind == TokenKind.Keyword && Keywords.Statements.Contains(token.Text))
            {
                return null;
            }
        }

        return null;
    }

    private static string? NameAt(IReadOnlyList<Token> tokens, int at, int last) =>
        at < last && tokens[at].Kind is TokenKind.Name or TokenKind.Keyword && tokens[at + 1].IsSign(":") ? tokens[at].Text : null;

    /// <summary>Whether an arrow stands before the callee, or before its label.</summary>
    private static bool IsApplied(IReadOnlyList<Token> tokens, int callee)
    {
        var before = callee > 1 && tokens[callee - 1].IsSign(":") ? callee - 3 : callee - 1;
        return before >= 0 && tokens[before].IsSign("->");
    }
}
