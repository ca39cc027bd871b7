// Signs that other languages and word processors have and this one has not: each is answered with what to write.
using System.Collections.Immutable;
using System.Globalization;

namespace ModelCompiler.Grammar;

internal readonly record struct UnknownText(int Length, string Message)
{
    private const string Known = "+-*/%@^<>=,:.()[]{}\"";

    // Longer signs first, since "=>" starts with a sign that is known.
    private static readonly ImmutableArray<(string Sign, string Advice)> Advice = ImmutableArray.Create(
        ("=>", "the arrow is written '->'"),
        ("|>", "the arrow is written '->'"),
        (":=", "a name is bound with '='"),
        ("\\", "a line goes on with the next one by itself, when that starts with '->' or another sign"),
        ("**", "a power is written '^', as in 2 ^ 3"),
        ("&&", "write 'and'"),
        ("||", "write 'or'"),
        ("...", "a range is written '0..n', n excluded"),
        ("→", "the arrow is written '->'"),
        ("⇒", "the arrow is written '->'"),
        ("×", "dims are written with the letter x, as in 3x3, and products with '*'"),
        ("·", "a product is written '*'"),
        ("÷", "a quotient is written '/'"),
        ("−", "this is not the minus of the keyboard: write '-'"),
        ("–", "this is a dash, not a minus: write '-'"),
        ("—", "this is a dash, not a minus: write '-'"),
        ("≤", "write '<='"),
        ("≥", "write '>='"),
        ("≠", "write '!='"),
        ("…", "a range is written '0..n'"),
        ("“", "strings stand in straight quotes: \"…\""),
        ("”", "strings stand in straight quotes: \"…\""),
        ("„", "strings stand in straight quotes: \"…\""),
        ("‘", "strings stand in straight double quotes: \"…\""),
        ("’", "strings stand in straight double quotes: \"…\""),
        ("'", "strings stand in double quotes: \"…\""),
        ("`", "strings stand in double quotes: \"…\""),
        (";", "a statement ends with its line"),
        ("#", "a comment starts with '//'"),
        ("!", "write 'not'"),
        ("&", "write 'and'"),
        ("|", "write 'or'"),
        ("?", "a choice is written 'if c then a else b'"),
        ("\u00A0", "this is a no-break space: write an ordinary one"));

    /// <summary>The unknown text at a place, or null when a word of the language starts there. Strangers that stand side by
    /// side are one mistake.</summary>
    public static UnknownText? At(string text, int at)
    {
        foreach (var (sign, advice) in Advice)
        {
            var operatorFollows = sign == "!" && at + 1 < text.Length && text[at + 1] == '=';
            if (text[at] == sign[0] && !operatorFollows && string.CompareOrdinal(text, at, sign, 0, sign.Length) == 0)
            {
                return new UnknownText(sign.Length, $"{Describe(text, at, sign.Length)} is not a sign of the language: {advice}");
            }
        }

        var end = at;
        while (end < text.Length && IsStranger(text[end]))
        {
            end++;
        }

        if (end == at)
        {
            return null;
        }

        var first = char.IsSurrogatePair(text, at) ? 2 : 1;
        return new UnknownText(end - at, char.IsLetter(text, at)
            ? $"{Describe(text, at, first)} cannot stand here: names consist of the letters a to z and A to Z, digits and '_'"
            : $"{Describe(text, at, first)} is not a sign of the language");
    }

    private static bool IsStranger(char c) =>
        c is not (' ' or '\t' or '\f' or '\v' or '\r' or '\n' or '!') && !Lexis.IsNamePart(c) && Known.IndexOf(c) < 0;

    private static string Describe(string text, int at, int length)
    {
        var category = CharUnicodeInfo.GetUnicodeCategory(text, at);
        var visible = category is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.SpaceSeparator
            or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Surrogate
            or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned);
        return visible
            ? $"'{text.Substring(at, length)}'"
            : FormattableString.Invariant($"the character U+{(int)text[at]:X4}");
    }
}
