// From "this token, and what was expected there" to a sentence that helps. The grammar itself knows no messages; the
// mistakes people really make are recognised here, one rule each, the most specific first.
namespace ModelCompiler.Grammar;

internal readonly record struct SyntaxError(string Code, TextSpan Span, string Message);

internal static class SyntaxErrors
{
    /// <param name="group">The bracket group whose inside was read, or null for a whole statement.</param>
    public static SyntaxError Explain(Reading reading, Token? group)
    {
        if (reading.Fault is { } fault)
        {
            return new SyntaxError(fault.Code, fault.Span, fault.Message);
        }

        var tokens = reading.Tokens;
        var at = reading.Furthest;
        var found = at < tokens.Length ? tokens[at] : null;
        var previous = at > 0 ? tokens[at - 1] : null;
        var next = at + 1 < tokens.Length ? tokens[at + 1] : null;
        var place = found?.Span ?? EndOf(previous, group);

        SyntaxError Error(string code, string message) => new(code, place, message);

        if (group is null && at <= 1 && tokens[0].Kind == TokenKind.Keyword && tokens.Length > 1 && tokens[1].IsSign("="))
        {
            return new SyntaxError("CNN1010", tokens[0].Span, Reserved(tokens[0]));
        }

        if (group is null && at == 0)
        {
            return Error("CNN1013", NotAStatement(tokens[0]));
        }

        if (group is null && at == 1 && tokens[0].Kind == TokenKind.Name && Expects(reading, "'='"))
        {
            return NotABinding(tokens[0], found, next);
        }

        if (reading.Expected.Contains(Expectation.Name))
        {
            return found?.Kind == TokenKind.Keyword && !found.IsKeyword("of")
                ? Error("CNN1010", Reserved(found))
                : Error("CNN1001", $"a name is missing after {Describe(previous, group)}{Found(found, group)}");
        }

        if (found?.IsSign("=") == true && !Expects(reading, "'='"))
        {
            return Error("CNN1012", IsArgumentName(reading, group, at)
                ? $"an argument is named with ':', as in '{previous!.Text}: …'"
                : "'=' cannot stand inside a value: to compare write '=='; to bind a name start a new line");
        }

        var missing = new[] { "'then'", "'else'" }.FirstOrDefault(word => Expects(reading, word));
        if (missing is not null)
        {
            return Error("CNN1011", $"{missing} is missing {Before(found, group)}: write 'if condition then value else value'");
        }

        if (reading.Expected.Contains(Expectation.Value))
        {
            return MissingValue(place, previous, found, group);
        }

        if (found?.IsSign(":") == true && !Expects(reading, "':'"))
        {
            return Error("CNN1019", "a label stands at the start of a stage, as in 'x -> conv1: conv(64, 3x3)'; put a labelled part of a formula in parentheses");
        }

        if (previous?.Kind == TokenKind.Integer && found?.Kind == TokenKind.Name && found.Text[0] == 'x')
        {
            return Error("CNN1005", "dims are written without spaces, as in 3x3; with names or arithmetic write a list, as in [3, k]");
        }

        if (group?.Kind == TokenKind.Parentheses && found?.IsSign(",") == true)
        {
            return Error("CNN1001", "a list stands in square brackets: [a, b]");
        }

        if (Expects(reading, "'of'") && found?.IsKeyword("in") == true)
        {
            return Error("CNN1001", "write 'of' here, as in '[f(i) for i of 0..n]'");
        }

        if (found is { Kind: TokenKind.Float } && found.Text[0] == '.' && found.Span.Start == previous?.Span.End)
        {
            return Error("CNN1001", $"an element is taken with brackets: [{found.Text.Substring(1)}]");
        }

        if (next?.IsSign("=") == true && found!.Kind == TokenKind.Name)
        {
            return Error("CNN1001", $"'{found.Text} = …' is a statement of its own and starts on a new line");
        }

        return Error("CNN1001", $"expected {Wanted(reading, group)} but found {Describe(found, group)}");
    }

    private static SyntaxError MissingValue(TextSpan place, Token? previous, Token? found, Token? group)
    {
        var after = previous is null ? group is null ? "" : $" after '{group.Text}'" : $" after {Describe(previous, null)}";
        if (found?.IsKeyword("if") == true)
        {
            return new SyntaxError("CNN1001", place, $"an 'if'{after} stands in parentheses: '(if … then … else …)'");
        }

        if (found?.IsKeyword("class") == true)
        {
            return new SyntaxError("CNN1010", place, "'class' stands only in the shape of a target, as in 'target label: class'");
        }

        if (found?.Kind == TokenKind.Keyword && found.Text is not ("then" or "else" or "and" or "or" or "for" or "of"))
        {
            return new SyntaxError("CNN1010", place, Reserved(found));
        }

        return new SyntaxError("CNN1009", place, $"a value is missing{after}{Found(found, group)}");
    }

    private static string NotAStatement(Token token) => token.Kind switch
    {
        TokenKind.Keyword => $"a statement cannot start with '{token.Text}'",
        _ => $"a statement starts with a name and '=', or with a word such as 'input', 'output', 'out' or 'loss', not with {Describe(token, null)}",
    };

    /// <summary>A statement that starts with a name but does not go on with '='.</summary>
    private static SyntaxError NotABinding(Token first, Token? second, Token? third)
    {
        SyntaxError Error(string message) => new("CNN1013", first.Span, message);

        return second switch
        {
            { Kind: TokenKind.Name or TokenKind.String } when Closest(first.Text) is { } keyword =>
                Error($"'{Shorten(first.Text)}' starts no statement; did you mean '{keyword}'?"),
            { Kind: TokenKind.Name } when third?.IsSign("=") == true =>
                Error($"'{Shorten(first.Text)}' starts no statement; a name is bound without a word before it: '{Shorten(second.Text)} = …'"),
            { Kind: TokenKind.Name } => Error($"'{Shorten(first.Text)}' starts no statement"),
            { Kind: TokenKind.Sign, Text: "==" } =>
                new SyntaxError("CNN1012", second.Span, $"'==' compares: a name is bound with '=', as in '{Shorten(first.Text)} = …'"),
            { Kind: TokenKind.Sign } when third?.IsSign("=") == true && Precedence.IsInfix(second) =>
                new SyntaxError("CNN1012", third.Span, $"names never change their value: bind the new value to a new name, as in 'y = {Shorten(first.Text)} {second.Text} …'"),
            { Kind: TokenKind.Sign, Text: ":" } =>
                Error($"a name is bound with '=', as in '{Shorten(first.Text)} = …'; only 'input', 'target' and 'parameter' take a shape after ':'"),
            _ => Error("this value goes nowhere: bind it to a name ('x = …'), or make it a result with 'out', 'output' or 'loss'"),
        };
    }

    private static string Reserved(Token token) => $"'{token.Text}' is a word of the language and cannot be used as a name";

    private static bool IsArgumentName(Reading reading, Token? group, int at) =>
        group?.Kind == TokenKind.Arguments && at >= 1 && reading.Tokens[at - 1].Kind == TokenKind.Name && (at == 1 || reading.Tokens[at - 2].IsSign(","));

    private static bool Expects(Reading reading, string words) => reading.Expected.Any(expectation => expectation.Words == words && !expectation.Weak);

    private static string Found(Token? found, Token? group) => found is null && group is null ? "" : $": found {Describe(found, group)}";

    private static string Before(Token? found, Token? group) => found is null && group is null ? "at the end" : $"before {Describe(found, group)}";

    private static TextSpan EndOf(Token? previous, Token? group) =>
        group is null ? new TextSpan(previous!.Span.End, 0) : new TextSpan(group.Span.End - 1, 1);

    private static string Describe(Token? token, Token? group) => token switch
    {
        null when group is not null => $"'{Closing(group)}'",
        null => "the end of the statement",
        { Kind: TokenKind.Name } => $"the name '{Shorten(token.Text)}'",
        { Kind: TokenKind.Integer or TokenKind.Float } => $"the number {Shorten(token.Text)}",
        { Kind: TokenKind.Dims } => $"the dims {Shorten(token.Text)}",
        { Kind: TokenKind.String } => "a string",
        _ => $"'{token.Text}'",
    };

    private static string Shorten(string word) => word.Length <= 40 ? word : word.Substring(0, 40) + "…";

    private static string Closing(Token group) => group.Text switch { "(" => ")", "[" => "]", _ => "}" };

    private static string Wanted(Reading reading, Token? group)
    {
        var end = group is null ? "the end of the statement" : $"'{Closing(group)}'";
        var strong = reading.Expected.Where(expectation => !expectation.Weak).Select(expectation => expectation == Expectation.End ? end : expectation.Words);
        var words = strong.Distinct().OrderBy(word => word == end).ThenBy(word => word, StringComparer.Ordinal).ToList();
        if (words.Count == 1 && words[0] == end && reading.Expected.Count > 1)
        {
            words.Insert(0, "an operator");
        }

        return words.Count == 1 ? words[0] : string.Join(", ", words.Take(words.Count - 1)) + " or " + words[words.Count - 1];
    }

    private static string? Closest(string word) =>
        Keywords.Statements.Where(keyword => Distance(word, keyword) <= (word.Length < 5 ? 1 : 2)).OrderBy(keyword => Distance(word, keyword))
            .ThenBy(keyword => keyword, StringComparer.Ordinal).FirstOrDefault();

    /// <summary>Levenshtein's distance; words much longer than any keyword are far without counting.</summary>
    private static int Distance(string left, string right)
    {
        if (Math.Abs(left.Length - right.Length) > 2)
        {
            return int.MaxValue;
        }

        var row = Enumerable.Range(0, right.Length + 1).ToArray();
        for (var i = 1; i <= left.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= right.Length; j++)
            {
                var above = row[j];
                row[j] = Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (left[i - 1] == right[j - 1] ? 0 : 1));
                diagonal = above;
            }
        }

        return row[right.Length];
    }
}
