// Characters to tokens, in one pass without backtracking: a megabyte of garbage costs no more than a megabyte of
// network. What is no word of the language becomes a bad token that carries its own diagnostic, to be reported when
// its statement is; so a statement with three wrong arrows is reported once.
using System.Collections.Immutable;

namespace ModelCompiler.Grammar;

internal sealed partial class Lexis
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
