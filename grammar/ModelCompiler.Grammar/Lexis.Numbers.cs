// Numbers and dims. What clings together is one word, right or wrong: a slip such as 3xk is answered as a whole.
using System.Collections.Immutable;
using System.Globalization;

namespace ModelCompiler.Grammar;

internal sealed partial class Lexis
{
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
        return word.All(c => IsDigit(c) || c is 'x' or 'X') && IsDigit(word[word.Length - 1]) && word.IndexOf("xx", StringComparison.OrdinalIgnoreCase) < 0
            ? $"{start}: dims are written with a small x, as in {Shorten(word.ToLowerInvariant())}"
            : word.IndexOf('x') > 0
            ? $"{start}: a dims literal has whole numbers only, as in 3x3; with names or arithmetic write a list, as in [3, k]; names do not start with a digit"
            : $"{start}: write 64, 0.5 or 1e-5; names do not start with a digit";
    }
}
