// Where a statement ends. There is no sign for it: a line goes on when it cannot end where it does, or when the next
// line cannot start a statement.
using System.Collections.Immutable;

namespace ModelCompiler.Grammar;

internal static class Continuation
{
    private static readonly ImmutableHashSet<string> Infix = ImmutableHashSet.Create(
        "->", "+", "-", "*", "/", "%", "@", "^", "==", "!=", "<", "<=", ">", ">=", "=", ",", ":", ".", "..");

    private static readonly ImmutableHashSet<string> InfixWords = ImmutableHashSet.Create("then", "else", "and", "or", "for", "of");

    private static readonly ImmutableHashSet<string> OpenWords = InfixWords.Union(Keywords.Statements).Union(new[] { "if", "not" });

    /// <summary>Whether the line that starts at <paramref name="at"/> continues the statement that ends, so far, with
    /// <paramref name="last"/>.</summary>
    public static bool Joins(Token last, ImmutableArray<Token> tokens, int at)
    {
        var next = tokens[at];
        if (next.Kind == TokenKind.Sign ? Infix.Contains(next.Text) : next.Kind == TokenKind.Keyword && InfixWords.Contains(next.Text))
        {
            return true;
        }

        var unfinished = last.Kind == TokenKind.Sign ? Infix.Contains(last.Text) : last.Kind == TokenKind.Keyword && OpenWords.Contains(last.Text);
        return unfinished && !next.IsSign("}") && !StartsStatement(tokens, at);
    }

    /// <summary>Whether a line clearly starts a statement: <c>a =</c>, <c>a, b =</c>, or one of the words that only start
    /// statements (which may also be labels: <c>block: conv(64, 3x3)</c>).</summary>
    public static bool StartsStatement(ImmutableArray<Token> tokens, int at)
    {
        var token = tokens[at];
        if (token.Kind == TokenKind.Keyword)
        {
            return Keywords.Statements.Contains(token.Text) && !IsLabel(tokens, at);
        }

        while (token.Kind == TokenKind.Name && at + 1 < tokens.Length && !tokens[at + 1].StartsLine)
        {
            if (tokens[at + 1].IsSign("="))
            {
                return true;
            }

            if (!tokens[at + 1].IsSign(",") || at + 2 == tokens.Length || tokens[at + 2].StartsLine)
            {
                return false;
            }

            at += 2;
            token = tokens[at];
        }

        return false;
    }

    public static bool StartsDeclaration(ImmutableArray<Token> tokens, int at) =>
        tokens[at] is { Kind: TokenKind.Keyword, Text: "block" or "network" or "use" } && !IsLabel(tokens, at);

    private static bool IsLabel(ImmutableArray<Token> tokens, int at) =>
        at + 1 < tokens.Length && (tokens[at + 1].IsSign(":") || (tokens[at + 1].IsSign("{") && tokens[at + 1].Span.Start == tokens[at].Span.End));
}
