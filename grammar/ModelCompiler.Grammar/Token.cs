// The words of a file. Brackets that belong together become one token (a group) whose inside is parsed on its own,
// so the grammar never has to search for a partner and a mistake stays inside the bracket it was made in.
using System.Collections.Immutable;

namespace ModelCompiler.Grammar;

internal enum TokenKind
{
    Name,
    Keyword,
    Integer,
    Float,
    Dims,
    String,

    /// <summary>An operator or punctuation, brackets included until <see cref="Layout"/> has paired them.</summary>
    Sign,

    /// <summary>Text that is no word of the language; <see cref="Token.Value"/> is the diagnostic.</summary>
    Bad,

    /// <summary><c>( … )</c> around a value.</summary>
    Parentheses,

    /// <summary><c>( … )</c> after a value: a call.</summary>
    Arguments,

    /// <summary><c>( … )</c> after the name of a block or network.</summary>
    Parameters,

    /// <summary><c>[ … ]</c> around values.</summary>
    List,

    /// <summary><c>[ … ]</c> after a value.</summary>
    Index,

    /// <summary><c>{ … }</c> after a label.</summary>
    Number,
}

/// <param name="Text">As written; of a group, its opening bracket.</param>
/// <param name="Value">Of a number its value, of a string its text, of bad text its diagnostic.</param>
internal sealed record Token(TokenKind Kind, string Text, TextSpan Span, bool StartsLine, object? Value = null)
{
    /// <summary>Of a group, the tokens between its brackets.</summary>
    public ImmutableArray<Token> Inside { get; init; } = ImmutableArray<Token>.Empty;

    /// <summary>Of a group, what its inside was parsed to; null when that failed.</summary>
    public object? Content { get; set; }

    public bool IsSign(string text) => Kind == TokenKind.Sign && Text == text;

    public bool IsKeyword(string text) => Kind == TokenKind.Keyword && Text == text;

    public bool IsGroup => Kind >= TokenKind.Parentheses;
}

internal static class Keywords
{
    /// <summary>Words that start a statement or declaration.</summary>
    public static readonly ImmutableHashSet<string> Statements =
        ImmutableHashSet.Create("use", "block", "network", "input", "target", "parameter", "shared", "output", "out", "loss");

    public static readonly ImmutableHashSet<string> All = Statements.Union(
        new[] { "in", "class", "if", "then", "else", "for", "of", "and", "or", "not", "true", "false" });
}
