// Characters to tokens, in one pass without backtracking: a megabyte of garbage costs no more than a megabyte of
// network. What is no word of the language becomes a bad token that carries its own diagnostic, to be reported when
// its statement is; so a statement with three wrong arrows is reported once.
using System.Collections.Immutable;
using System.Globalization;

namespace ModelCompiler.Grammar;

internal sealed class Lexis
{
    private static readonly string[] Signs =
    {
        "->", "==", "!=", "<=", ">=", "..", "+", "-", "*", "/", "%", "@", "^", "<", ">", "=", ",", ":", ".", "(", ")", "[", "]", "{", "}",
    };

    private readonly SourceFile source;
    private readonly string text;
    private readonly ImmutableArray<Token>.Builder tokens = ImmutableArray.CreateBuilder<Token>();
    private readonly ImmutableArray<TextSpan>.Builder comments = ImmutableArray.CreateBuilder<TextSpan>();
    private Diagnostic? openComment;
    private bool startsLine = true;
    private int at;

    private Lexis(SourceFile source)
    {
        this.source = source;
        text = source.Text;
    }

    /// <param name="Comments">The parser skips them, the formatter keeps them.</param>
    /// <param name="OpenComment">The diagnostic of a comment that runs to the end of the file.</param>
    public readonly record struct Result(ImmutableArray<Token> Tokens, ImmutableArray<TextSpan> Comments, Diagnostic? OpenComment);

    public static Result Read(SourceFile source)
    {
        var lexis = new Lexis(source);
        while (lexis.at < lexis.text.Length)
        {
            lexis.ReadOne();
        }

        return new Result(lexis.tokens.ToImmutable(), lexis.comments.ToImmutable(), lexis.openComment);
    }

    internal static bool IsNameStart(char c) => c is >= 'a' and <= 'z' or >= 'A' and <= 'Z' or '_';

    internal static bool IsDigit(char c) => c is >= '0' and <= '9';

    internal static bool IsNamePart(char c) => IsNameStart(c) || IsDigit(c);

    private char Peek(int ahead = 0) => at + ahead < text.Length ? text[at + ahead] : '\0';

    private void ReadOne()
    {
        var c = text[at];
        if (c is '\n' or '\r')
        {
            startsLine = true;
            at++;
        }
        else if (c is ' ' or '\t' or '\f' or '\v' || (c == '\uFEFF' && at == 0))
        {
            at++;
        }
        else if (c == '/' && Peek(1) is '/' or '*')
        {
            ReadComment();
        }
        else if (IsNameStart(c))
        {
            var end = at;
            while (end < text.Length && IsNamePart(text[end]))
            {
                end++;
            }

            var word = text.Substring(at, end - at);
            Add(Keywords.All.Contains(word) ? TokenKind.Keyword : TokenKind.Name, end);
        }
        else if (IsDigit(c) || (c == '.' && IsDigit(Peek(1))))
        {
            ReadNumber();
        }
        else if (c == '"')
        {
            ReadString();
        }
        else if (UnknownText.At(text, at) is { } unknown)
        {
            AddBad("CNN1002", at + unknown.Length, unknown.Message);
        }
        else
        {
            var sign = Signs.First(s => string.CompareOrdinal(text, at, s, 0, s.Length) == 0);
            Add(TokenKind.Sign, at + sign.Length);
        }
    }

    private void ReadComment()
    {
        var start = at;
        if (Peek(1) == '/')
        {
            while (at < text.Length && text[at] is not ('\n' or '\r'))
            {
                at++;
            }
        }
        else
        {
            var close = text.IndexOf("*/", at + 2, StringComparison.Ordinal);
            at = close < 0 ? text.Length : close + 2;
            if (close < 0)
            {
                openComment = new Diagnostic(
                    "CNN1004", Severity.Error, Place(start, start + 2), "this comment is not closed: '*/' is missing before the end of the file");
            }
        }

        comments.Add(TextSpan.FromBounds(start, at));
        startsLine |= text.IndexOf('\n', start, at - start) >= 0;
    }

    private void ReadString()
    {
        var end = at + 1;
        while (end < text.Length && text[end] is not ('"' or '\n' or '\r'))
        {
            end++;
        }

        if (end == text.Length || text[end] != '"')
        {
            AddBad("CNN1003", end, "this string is not closed: '\"' is missing before the end of the line");
            return;
        }

        Add(TokenKind.String, end + 1, text.Substring(at + 1, end - at - 1));
    }

    private void ReadNumber()
    {
        var end = NumberEnd();
        var word = text.Substring(at, end - at);
        if (word.IndexOf('x') >= 0 && word.Split('x') is var sizes && sizes.All(size => size.Length > 0 && size.All(IsDigit)))
        {
            if (sizes.All(size => int.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out _)))
            {
                Add(TokenKind.Dims, end, sizes.Select(size => int.Parse(size, NumberStyles.None, CultureInfo.InvariantCulture)).ToImmutableArray());
                return;
            }

            AddBad("CNN1006", end, $"a size in '{Shorten(word)}' is too large: at most {int.MaxValue}");
        }
        else if (word.All(IsDigit))
        {
            if (long.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var integer))
            {
                Add(TokenKind.Integer, end, integer);
                return;
            }

            AddBad("CNN1006", end, $"the integer {Shorten(word)} is too large: at most {long.MaxValue}");
        }
        else if (IsFloat(word))
        {
            if (double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && !double.IsInfinity(value))
            {
                Add(TokenKind.Float, end, value);
                return;
            }

            AddBad("CNN1006", end, $"the number {Shorten(word)} is too large");
        }
        else
        {
            AddBad("CNN1005", end, MalformedNumber(word));
        }
    }

    /// <summary>Everything that clings to the number is read with it, so that <c>3xk</c> or <c>1.2.3</c> is one mistake; a
    /// range (<c>0..n</c>) and a member do not cling.</summary>
    private int NumberEnd()
    {
        var end = at;
        var canHaveExponent = true;
        while (end < text.Length)
        {
            var c = text[end];
            var next = end + 1 < text.Length ? text[end + 1] : '\0';
            var fraction = c == '.' && IsDigit(next) && (end == at || text[end - 1] != '.');
            var exponentSign = c is '+' or '-' && canHaveExponent && IsDigit(next) && text[end - 1] is 'e' or 'E';
            if (!IsNamePart(c) && !fraction && !exponentSign)
            {
                break;
            }

            canHaveExponent &= c != 'x' && !exponentSign;
            end++;
        }

        return end;
    }

    private static bool IsFloat(string word)
    {
        var i = 0;
        int Digits()
        {
            var start = i;
            while (i < word.Length && IsDigit(word[i]))
            {
                i++;
            }

            return i - start;
        }

        Digits();
        if (i < word.Length && word[i] == '.')
        {
            i++;
            if (Digits() == 0)
            {
                return false;
            }
        }

        if (i < word.Length && word[i] is 'e' or 'E')
        {
            i++;
            if (i < word.Length && word[i] is '+' or '-')
            {
                i++;
            }

            if (Digits() == 0)
            {
                return false;
            }
        }

        return i == word.Length;
    }

    private static string MalformedNumber(string word)
    {
        var start = $"'{Shorten(word)}' is not a number";
        return word.IndexOf('x') > 0
            ? $"{start}: a dims literal has whole numbers only, as in 3x3; with names or arithmetic write a list, as in [3, k]"
            : $"{start}: write 64, 0.5 or 1e-5";
    }

    private static string Shorten(string word) => word.Length <= 40 ? word : word.Substring(0, 40) + "…";

    private void Add(TokenKind kind, int end, object? value = null)
    {
        tokens.Add(new Token(kind, text.Substring(at, end - at), TextSpan.FromBounds(at, end), startsLine, value));
        startsLine = false;
        at = end;
    }

    private void AddBad(string code, int end, string message) =>
        Add(TokenKind.Bad, end, new Diagnostic(code, Severity.Error, Place(at, end), message));

    private SourceSpan Place(int start, int end) => new(source, TextSpan.FromBounds(start, end));
}
