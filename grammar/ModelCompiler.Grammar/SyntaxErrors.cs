// From "this token, and what was expected there" to a sentence that helps. The grammar itself knows no messages; the
// mistakes people really make are recognised here, one rule each, the most specific first.
namespace ModelCompiler.Grammar;

internal readonly record struct SyntaxError(string Code, TextSpan Span, string Message);

internal static partial class SyntaxErrors
{
    /// <summary>The place a parser got to: the token at fault, its neighbours, what was expected instead.</summary>
    /// <param name="Group">The bracket group whose inside was read, or null for a whole statement.</param>
    private sealed record Spot(Reading Reading, Token? Group)
    {
        public int At => Reading.Furthest;

        public Token First => Reading.Tokens[0];

        public Token? Found => TokenAt(At);

        public Token? Previous => TokenAt(At - 1);

        public Token? Next => TokenAt(At + 1);

        /// <summary>The token at fault, or where something is missing: the closing bracket, the end of the statement.</summary>
        public TextSpan Place => Found?.Span
            ?? (Group is null ? new TextSpan(Previous!.Span.End, 0) : new TextSpan(Group.Span.End - 1, 1));

        public bool Expects(Expectation expectation) => Reading.Expected.Contains(expectation);

        public bool Expects(string words) => Expects(new Expectation(words));

        public SyntaxError Error(string code, string message) => new(code, Place, message);

        private Token? TokenAt(int index) => index >= 0 && index < Reading.Tokens.Length ? Reading.Tokens[index] : null;
    }

    /// <param name="group">The bracket group whose inside was read, or null for a whole statement.</param>
    public static SyntaxError Explain(Reading reading, Token? group)
    {
        if (reading.Fault is { } fault)
        {
            return new SyntaxError(fault.Code, fault.Span, fault.Message);
        }

        var spot = new Spot(reading, group);
        return OfStart(spot) ?? OfElsewhere(spot) ?? OfMissing(spot) ?? OfConfusion(spot)
            ?? spot.Error("CNN1001", $"expected {Wanted(spot)} but found {Describe(spot.Found, group)}");
    }

    /// <summary>Mistakes in the first words of a statement.</summary>
    private static SyntaxError? OfStart(Spot spot)
    {
        if (spot.Group is not null || spot.At > 1)
        {
            return null;
        }

        var second = spot.At == 1 ? spot.Found : spot.Next;
        if (spot.First.Kind == TokenKind.Keyword && second?.IsSign("=") == true)
        {
            return new SyntaxError("CNN1010", spot.First.Span, Reserved(spot.First));
        }

        if (spot.At == 0)
        {
            return spot.Error("CNN1013", NotAStatement(spot.First));
        }

        return spot.First.Kind == TokenKind.Name && spot.Expects("'='") ? NotABinding(spot.First, spot.Found, spot.Next) : null;
    }

    /// <summary>Something has to stand here and does not: a name, a value, a part of 'if'.</summary>
    private static SyntaxError? OfMissing(Spot spot)
    {
        var found = spot.Found;
        if (spot.Expects(Expectation.Name))
        {
            return found?.Kind == TokenKind.Keyword && !found.IsKeyword("of")
                ? spot.Error("CNN1010", Reserved(found))
                : spot.Error("CNN1001", $"a name is missing{After(spot)}{Found(spot)}");
        }

        if (found?.IsSign("=") == true && !spot.Expects("'='"))
        {
            return spot.Error("CNN1012", IsArgumentName(spot)
                ? $"an argument is named with ':', as in '{Shorten(spot.Previous!.Text)}: …'"
                : "'=' cannot stand inside a value: to compare write '=='; to bind a name start a new line");
        }

        if (new[] { "'then'", "'else'" }.FirstOrDefault(spot.Expects) is { } word)
        {
            var before = found is null && spot.Group is null ? "at the end" : $"before {Describe(found, spot.Group)}";
            return spot.Error("CNN1011", $"{word} is missing {before}: write 'if condition then value else value'");
        }

        return spot.Expects(Expectation.Value) ? MissingValue(spot) : null;
    }

    private static SyntaxError MissingValue(Spot spot) => spot.Found switch
    {
        { Kind: TokenKind.Keyword, Text: "if" } => spot.Error("CNN1001", $"an 'if'{After(spot)} stands in parentheses: '(if … then … else …)'"),
        { Kind: TokenKind.Keyword, Text: "class" } =>
            spot.Error("CNN1010", "'class' stands only in the shape of a target, as in 'target label: class'"),
        { Kind: TokenKind.Keyword, Text: not ("then" or "else" or "and" or "or" or "for" or "of") } => spot.Error("CNN1010", Reserved(spot.Found)),
        _ => spot.Error("CNN1009", $"a value is missing{After(spot)}{Found(spot)}"),
    };

    /// <summary>What belongs to another form, or to another language.</summary>
    private static SyntaxError? OfConfusion(Spot spot)
    {
        var (previous, found) = (spot.Previous, spot.Found);
        return found switch
        {
            { Kind: TokenKind.Sign, Text: ":" } when !spot.Expects("':'") => spot.Error(
                "CNN1019", "a label stands at the start of a stage, as in 'x -> conv1: conv(64, 3x3)'; put a labelled part of a formula in parentheses"),
            { Kind: TokenKind.Name } when previous?.Kind == TokenKind.Integer && found.Text[0] == 'x' =>
                spot.Error("CNN1005", "dims are written without spaces, as in 3x3; with names or arithmetic write a list, as in [3, k]"),
            { Kind: TokenKind.Sign, Text: "," } when spot.Group?.Kind == TokenKind.Parentheses =>
                spot.Error("CNN1001", "a list stands in square brackets: [a, b]"),
            { Kind: TokenKind.Keyword, Text: "in" } when spot.Expects("'of'") =>
                spot.Error("CNN1001", "write 'of' here, as in '[f(i) for i of 0..n]'"),
            { Kind: TokenKind.Float } when found.Text[0] == '.' && found.Span.Start == previous?.Span.End =>
                spot.Error("CNN1001", $"an element is taken with brackets: [{Shorten(found.Text.Substring(1))}]"),
            { Kind: TokenKind.Name } when spot.Next?.IsSign("=") == true =>
                spot.Error("CNN1001", $"'{Shorten(found.Text)} = …' is a statement of its own and starts on a new line"),
            _ => null,
        };
    }

    private static string NotAStatement(Token token) => token.Kind switch
    {
        TokenKind.Keyword => $"a statement cannot start with '{token.Text}'{InsteadOf(token.Text)}",
        _ => $"a statement starts with a name and '=', or with a word such as 'input', 'output', 'out' or 'loss', not with {Describe(token, null)}",
    };

    /// <summary>A statement that starts with a name but does not go on with '='.</summary>
    private static SyntaxError NotABinding(Token first, Token? second, Token? third)
    {
        SyntaxError Error(string message) => new("CNN1013", first.Span, message);

        return second switch
        {
            null or { Kind: not TokenKind.Sign } when InsteadOf(first.Text) is { Length: > 0 } instead =>
                Error($"'{first.Text}' starts no statement{instead}"),
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

    private static bool IsArgumentName(Spot spot) => spot.Group?.Kind == TokenKind.Arguments && spot.Previous?.Kind == TokenKind.Name
        && (spot.At == 1 || spot.Reading.Tokens[spot.At - 2].IsSign(","));

    /// <summary>The word that something is missing behind.</summary>
    private static string After(Spot spot) => spot.Previous is { } previous ? $" after {Describe(previous, null)}"
        : spot.Group is null ? "" : $" after '{spot.Group.Text}'";

    private static string Found(Spot spot) => spot.Found is null && spot.Group is null ? "" : $": found {Describe(spot.Found, spot.Group)}";

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

    private static string Wanted(Spot spot)
    {
        var end = spot.Group is null ? "the end of the statement" : $"'{Closing(spot.Group)}'";
        var words = spot.Reading.Expected.Where(expectation => !expectation.Weak)
            .Select(expectation => expectation == Expectation.End ? end : expectation.Words)
            .Distinct().OrderBy(word => word == end).ThenBy(word => word, StringComparer.Ordinal).ToList();
        if (words.Count == 1 && words[0] == end && spot.Reading.Expected.Count > 1)
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
