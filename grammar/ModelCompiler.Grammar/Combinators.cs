// The few parsers that look at a token; everything else in the grammar is composed of these with Sprache. Each of
// them notes what it expected, which is all that error messages are made of.
using Sprache;

namespace ModelCompiler.Grammar;

internal static class Combinators
{
    public static Parser<Token> Sign(string text, bool weak = false) =>
        Match(token => token.IsSign(text), new Expectation($"'{text}'", weak));

    public static Parser<Token> Keyword(string text) =>
        Match(token => token.IsKeyword(text), new Expectation($"'{text}'"));

    /// <summary>A literal: part of "a value" to whoever reads the message.</summary>
    public static Parser<Token> Literal(TokenKind kind) => Match(token => token.Kind == kind, Expectation.Value);

    public static Parser<Token> ValueWord(string text) => Match(token => token.IsKeyword(text), Expectation.Value);

    /// <summary>A bracket group as a value of its own, its inside parsed before.</summary>
    public static Parser<Token> Group(TokenKind kind, Expectation expectation) => Match(token => token.Kind == kind, expectation);

    /// <summary>One token that passes the test.</summary>
    public static Parser<Token> Match(Func<Token, bool> test, Expectation expectation) => input =>
    {
        var at = (TokenInput)input;
        if (!at.AtEnd && test(at.Token))
        {
            return Result.Success(at.Token, at.Advance());
        }

        at.Reading.Expect(at.Position, expectation);
        return Failure<Token>(input);
    };

    /// <summary>A word that a colon or a computed number follows: only then it is a label, or the name of an argument.</summary>
    public static Parser<Token> LabelWord(Expectation expectation) => input =>
    {
        var at = (TokenInput)input;
        if (!at.AtEnd && at.Token.Kind is TokenKind.Name or TokenKind.Keyword
            && at.Next is { } next && (next.IsSign(":") || next.Kind == TokenKind.Number))
        {
            return Result.Success(at.Token, at.Advance());
        }

        at.Reading.Expect(at.Position, expectation);
        return Failure<Token>(input);
    };

    /// <summary>The end of the slice or group.</summary>
    public static Parser<T> ThenEnd<T>(this Parser<T> parser) =>
        from value in parser
        from end in End
        select value;

    private static readonly Parser<bool> End = input =>
    {
        var at = (TokenInput)input;
        if (at.AtEnd)
        {
            return Result.Success(true, input);
        }

        at.Reading.Expect(at.Position, Expectation.End);
        return Failure<bool>(input);
    };

    /// <summary>Fails with a mistake of its own, whatever else was expected.</summary>
    public static Parser<T> Fault<T>(string code, TextSpan span, string message) => input =>
    {
        ((TokenInput)input).Reading.Fault ??= (code, span, message);
        return Failure<T>(input);
    };

    /// <summary>One or more, with commas between them and perhaps one after the last.</summary>
    public static Parser<IEnumerable<T>> CommaSeparated<T>(this Parser<T> item) =>
        from items in item.DelimitedBy(Comma)
        from trailing in Comma.Optional()
        select items;

    private static readonly Parser<Token> Comma = Sign(",");

    private static IResult<T> Failure<T>(IInput input) => Result.Failure<T>(input, "", Array.Empty<string>());
}
