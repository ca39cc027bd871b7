// The brackets of the layout: what kind each one is, which one closes which, and what is wrong when none does.
using System.Collections.Immutable;

namespace ModelCompiler.Grammar;

internal sealed partial class Layout
{
    private bool IsHead => current.Count > 0 && open.Count == 0 && current[0].Kind == TokenKind.Keyword
        && current[0].Text is "block" or "network" && !binds;

    /// <summary>Names of a destructuring binding that goes on in the next line.</summary>
    private bool AwaitsName => current[0].Kind == TokenKind.Name && current[current.Count - 1].IsSign(",") && !binds;

    /// <summary>Two words and no <c>=</c>, as other languages have it: <c>class Foo {</c>, or <c>blok Foo {</c>.</summary>
    private bool LooksLikeHead => current.Count > 1 && !binds
        && current[0].Kind is TokenKind.Name or TokenKind.Keyword && current[1].Kind == TokenKind.Name;

    /// <summary>Whether a bracket here would belong to the value before it, on the same line.</summary>
    private bool FollowsValue => current.Count > 0 && !tokens[at].StartsLine
        && current[current.Count - 1] is { Kind: TokenKind.Name or TokenKind.Parentheses or TokenKind.Arguments or TokenKind.List or TokenKind.Index }
            or { Kind: TokenKind.Keyword, Text: "in" };

    private TokenKind RoundKind() => IsHead && current.Count == 2 ? TokenKind.Parameters : FollowsValue ? TokenKind.Arguments : TokenKind.Parentheses;

    private TokenKind SquareKind() => FollowsValue ? TokenKind.Index : TokenKind.List;

    private void Open(Token token, TokenKind kind)
    {
        open.Push(new OpenBracket(token, kind, current));
        current = ImmutableArray.CreateBuilder<Token>();
        if (open.Count > Limits.Depth)
        {
            problem ??= Error("CNN5001", token.Span, $"brackets nest more than {Limits.Depth} deep here: bind inner parts to names");
        }
    }

    private void OpenBrace(Token token)
    {
        var previous = current.Count > 0 ? current[current.Count - 1] : null;
        var endsLine = at + 1 == tokens.Length || tokens[at + 1].StartsLine;
        if (!IsHead && previous is { Kind: TokenKind.Name or TokenKind.Keyword } && previous.Span.End == token.Span.Start)
        {
            Open(token, TokenKind.Number);
        }
        else if (open.Count == 0 && (IsHead || endsLine || LooksLikeHead))
        {
            var head = current.Count > 0 ? current[0] : token;
            if (bodies.Count == Limits.NestedBlocks)
            {
                tooManyBodies = true;
                problem ??= Error("CNN5001", token.Span, $"blocks nest more than {Limits.NestedBlocks} deep here");
            }

            Flush(SliceKind.BodyStart, token);
            bodies.Push(new OpenBody(token, head));
        }
        else
        {
            problem ??= Error("CNN1001", token.Span, "'{' opens the body of a block or network, or the number of a label; lists are written [a, b]");
            Open(token, TokenKind.Number);
        }
    }

    private void Close(Token token)
    {
        if (!open.Has(Partner(token)))
        {
            problem ??= Error("CNN1008", token.Span, open.Count == 0
                ? $"this '{token.Text}' closes nothing"
                : $"this '{token.Text}' does not close the '{open.Peek().Token.Text}' in {PlaceInWords(open.Peek().Token)}: expected '{Partner(open.Peek().Token)}'");
            return;
        }

        if (Partner(open.Peek().Token) != token.Text)
        {
            var inner = open.Peek().Token;
            problem ??= Error(
                "CNN1008", token.Span, $"'{Partner(inner)}' is missing before this '{token.Text}', for the '{inner.Text}' in {PlaceInWords(inner)}");
        }

        while (Partner(open.Peek().Token) != token.Text)
        {
            CloseTop(token);
        }

        CloseTop(token);
    }

    private void CloseTop(Token close)
    {
        var bracket = open.Pop();
        var group = new Token(bracket.Kind, bracket.Token.Text, bracket.Token.Span.Through(close.Span), bracket.Token.StartsLine)
        {
            Inside = current.ToImmutable(),
        };
        groups.Add(group);
        current = bracket.Outside;
        current.Add(group);
    }

    private void CloseBody(Token token)
    {
        Flush(SliceKind.Statement);
        if (bodies.Count == 0)
        {
            if (strayBrace && !token.StartsLine)
            {
                return;
            }

            strayBrace = true;
            slices.Add(new Slice(
                SliceKind.Statement, ImmutableArray.Create(token), ImmutableArray<Token>.Empty, null, Error("CNN1008", token.Span, "this '}' closes nothing")));
            return;
        }

        EndBody(token);
    }

    private void EndBody(Token token)
    {
        bodies.Pop();
        slices.Add(new Slice(SliceKind.BodyEnd, ImmutableArray<Token>.Empty, ImmutableArray<Token>.Empty, token, null));
    }

    private string PlaceInWords(Token token)
    {
        var place = source.Locate(token.Span.Start);
        return FormattableString.Invariant($"line {place.Line + 1}, column {place.Column + 1}");
    }

    private static string Partner(Token token) => token.Text switch { "(" => ")", "[" => "]", "{" => "}", ")" => "(", "]" => "[", _ => "{" };
}
