// Tokens to statements: which lines belong together, which bracket belongs to which. It runs before the grammar
// because a parser without error recovery needs somebody who says where the next statement starts: whatever is wrong
// inside one slice, the next one is read afresh. Nothing here recurses.
using System.Collections.Immutable;

namespace ModelCompiler.Grammar;

internal enum SliceKind
{
    Statement,

    /// <summary>The head of a block or network; its opening brace is <see cref="Slice.Brace"/>.</summary>
    BodyStart,

    BodyEnd,
}

/// <summary>One statement, head, or closing brace.</summary>
/// <param name="Groups">The bracket groups of the slice, innermost first.</param>
/// <param name="Problem">What is wrong with its brackets or words; the grammar does not look at such a slice.</param>
internal sealed record Slice(SliceKind Kind, ImmutableArray<Token> Tokens, ImmutableArray<Token> Groups, Token? Brace, Diagnostic? Problem);

internal sealed partial class Layout
{
    private readonly SourceFile source;
    private readonly ImmutableArray<Token> tokens;
    private readonly BracketBalance balance;
    private readonly ImmutableArray<Slice>.Builder slices = ImmutableArray.CreateBuilder<Slice>();
    private readonly ImmutableArray<Token>.Builder groups = ImmutableArray.CreateBuilder<Token>();
    private readonly OpenBrackets open = new();
    private readonly Stack<OpenBody> bodies = new();
    private ImmutableArray<Token>.Builder current = ImmutableArray.CreateBuilder<Token>();
    private Diagnostic? problem;

    /// <summary>Whether the slice has its <c>=</c>: what follows is a value.</summary>
    private bool binds;

    /// <summary>Whether the token before was a brace that closes nothing; a row of them is one mistake.</summary>
    private bool strayBrace;

    /// <summary>Whether bodies nested too deep: then a missing brace is not worth a second report.</summary>
    private bool tooManyBodies;
    private int at;

    private Layout(SourceFile source, ImmutableArray<Token> tokens)
    {
        this.source = source;
        this.tokens = tokens;
        balance = new BracketBalance(tokens);
    }

    private readonly record struct OpenBody(Token Brace, Token Head);

    public static ImmutableArray<Slice> Read(SourceFile source, ImmutableArray<Token> tokens)
    {
        var layout = new Layout(source, tokens);
        for (layout.at = 0; layout.at < tokens.Length; layout.at++)
        {
            layout.ReadOne(tokens[layout.at]);
        }

        layout.ReadEnd();
        return layout.slices.ToImmutable();
    }

    private void ReadOne(Token token)
    {
        if (token.StartsLine)
        {
            BreakLine(token);
        }

        if (token.Kind == TokenKind.Bad)
        {
            problem ??= (Diagnostic)token.Value!;
        }

        switch (token.Kind == TokenKind.Sign ? token.Text : "")
        {
            case "(" or "[":
                Open(token, token.Text == "(" ? RoundKind() : SquareKind());
                break;
            case "{":
                OpenBrace(token);
                break;
            case ")" or "]":
                Close(token);
                break;
            case "}" when open.Has("{"):
                Close(token);
                break;
            case "}":
                CloseBody(token);
                break;
            default:
                binds |= open.Count == 0 && token.IsSign("=");
                current.Add(token);
                break;
        }
    }

    // ---- lines ---------------------------------------------------------------------------------------

    private void BreakLine(Token token)
    {
        if (open.Count > 0)
        {
            if (EndsOpenBrackets(token))
            {
                Flush(SliceKind.Statement);
            }
        }
        else if (current.Count > 0 && !Continuation.Joins(current[current.Count - 1], tokens, at) && !(token.IsSign("{") && IsHead) && !AwaitsName)
        {
            Flush(SliceKind.Statement);
        }

        if (open.Count == 0 && current.Count == 0 && LeavesBodyOpen(token))
        {
            ReportOpenBody(bodies.Peek());
            EndBody(token);
        }
    }

    /// <summary>Inside brackets lines do not count, unless a bracket is missing: a line that clearly starts a statement
    /// then says so.</summary>
    private bool EndsOpenBrackets(Token token)
    {
        if (!Continuation.StartsStatement(tokens, at))
        {
            return false;
        }

        var outermost = open.Outermost;
        var start = outermost.Outside.Count > 0 ? outermost.Outside[0] : outermost.Token;
        return token.Kind == TokenKind.Keyword || !balance.IsClosed(outermost.Token)
            || (outermost.Kind != TokenKind.Parameters && Indentation(token) <= Indentation(start));
    }

    /// <summary>When a brace is missing somewhere, a declaration that stands no deeper than the one around it says where.</summary>
    private bool LeavesBodyOpen(Token token) =>
        bodies.Count > 0 && balance.LacksBrace && Continuation.StartsDeclaration(tokens, at) && Indentation(token) <= Indentation(bodies.Peek().Head);

    /// <summary>Blanks at the start of the line that a token stands on; beyond a hundred they are not counted, since they are
    /// counted again for every line after it.</summary>
    private int Indentation(Token token)
    {
        var start = source.LineStart(source.Locate(token.Span.Start).Line);
        var end = start;
        while (source.Text[end] is ' ' or '\t' && end - start < 100)
        {
            end++;
        }

        return end - start;
    }

    // ---- ends ----------------------------------------------------------------------------------------

    private void ReadEnd()
    {
        Flush(SliceKind.Statement);
        if (bodies.Count > 0 && !tooManyBodies)
        {
            ReportOpenBody(bodies.Peek());
        }

        while (bodies.Count > 0)
        {
            EndBody(new Token(TokenKind.Sign, "}", new TextSpan(source.Text.Length, 0), StartsLine: false));
        }
    }

    private void ReportOpenBody(OpenBody body)
    {
        var report = Error("CNN1007", body.Brace.Span, "this '{' is not closed: '}' is missing after the last statement of the body");
        slices.Add(new Slice(SliceKind.Statement, ImmutableArray.Create(body.Brace), ImmutableArray<Token>.Empty, null, report));
    }

    private void Flush(SliceKind kind, Token? brace = null)
    {
        if (open.Count > 0)
        {
            var bracket = open.Outermost;
            problem ??= Error("CNN1007", bracket.Token.Span, $"this '{bracket.Token.Text}' is not closed: '{Partner(bracket.Token)}' is missing{InComment(bracket.Token)}");
            current = bracket.Outside;
            current.Add(bracket.Token);
            open.Clear();
        }

        if (current.Count > 0 || problem is not null || kind != SliceKind.Statement)
        {
            slices.Add(new Slice(kind, current.ToImmutable(), groups.ToImmutable(), brace, problem));
        }

        strayBrace &= current.Count == 0;
        current.Clear();
        groups.Clear();
        problem = null;
        binds = false;
    }

    /// <summary>A partner may have got lost in a comment: in Python <c>//</c> divides.</summary>
    private string InComment(Token bracket)
    {
        var end = source.Text.IndexOf('\n', bracket.Span.End);
        var rest = source.Text.Substring(bracket.Span.End, (end < 0 ? source.Text.Length : end) - bracket.Span.End);
        var comment = rest.IndexOf("//", StringComparison.Ordinal);
        return comment > 0 && rest.IndexOf('"') < 0 && rest.IndexOf(Partner(bracket), comment, StringComparison.Ordinal) > 0
            ? "; '//' starts a comment, and a quotient rounded down is floor_div(a, b)"
            : "";
    }

    private Diagnostic Error(string code, TextSpan span, string message) => new(code, Severity.Error, new SourceSpan(source, span), message);
}
