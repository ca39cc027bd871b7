// Forms of other languages and libraries, each answered with the form of this one.
namespace ModelCompiler.Grammar;

internal static partial class SyntaxErrors
{
    private const string Loops = "; there are no loops: 'relu * 3' repeats a stage, and '[f(i) for i of 0..3]' makes a list";
    private const string Blocks = "; a block is declared with 'block Name(parameters) { … }'";
    private const string Networks = "; a network is declared with 'network Name { … }'";
    private const string Uses = "; another file is used with 'use \"path/file.cnn\"'";

    /// <summary>What to write in place of a word that starts statements elsewhere; empty for other words.</summary>
    private static string InsteadOf(string word) => word switch
    {
        "if" => "; 'if' is a value: 'x = if condition then a else b'",
        "for" or "while" or "foreach" or "loop" or "repeat" => Loops,
        "def" or "func" or "function" or "fn" or "fun" or "module" or "layer" or "struct" => Blocks,
        "class" or "model" or "net" or "graph" => Networks,
        "import" or "include" or "from" or "require" or "using" => Uses,
        "return" or "yield" => "; the result of a block is 'out …', of a network 'output …'",
        _ => "",
    };

    private static SyntaxError? OfElsewhere(Spot spot)
    {
        var (found, previous) = (spot.Found, spot.Previous);
        if (found is null || previous is null)
        {
            return null;
        }

        return spot.Group is null ? OfStatement(spot, found, previous) : OfGroup(spot, found, previous);
    }

    private static SyntaxError? OfGroup(Spot spot, Token found, Token previous) => spot.Group!.Kind switch
    {
        TokenKind.Parameters when found.IsSign(":") =>
            spot.Error("CNN1001", $"parameters have no types, and a default is written with '=': '{Shorten(previous.Text)} = 1'"),
        _ when found.IsSign(":") && previous.Kind == TokenKind.String => QuotedLabel(spot, previous),
        _ => null,
    };

    private static SyntaxError? OfStatement(Spot spot, Token found, Token previous)
    {
        var first = spot.First;
        if (found.IsSign(":"))
        {
            return first.IsKeyword("shared") && spot.At == 2 ? spot.Error("CNN1001", $"a shared stage is bound with '=': 'shared {Shorten(previous.Text)} = …'")
                : first.Kind == TokenKind.Keyword && first.Text is "network" or "block" && spot.At == 2
                    ? spot.Error("CNN1018", $"the body of a {first.Text} stands in braces: '{first.Text} {Shorten(previous.Text)} {{ … }}'")
                : previous.Kind == TokenKind.String ? QuotedLabel(spot, previous)
                : null;
        }

        if (spot.At == 2 && first.Kind == TokenKind.Keyword && previous.Kind == TokenKind.Name && found.Kind == TokenKind.Sign && found.Text is "-" or "."
            && previous.Span.End == found.Span.Start)
        {
            return spot.Error("CNN1001", $"names consist of letters, digits and '_': write '{Shorten(previous.Text)}_…'");
        }

        if (found.IsSign("=") && spot.At > 1)
        {
            return spot.At == 2 && first.Kind == TokenKind.Keyword && first.Text is "input" or "target" or "parameter"
                    ? spot.Error("CNN1012", $"a shape stands behind ':', as in '{first.Text} {Shorten(previous.Text)}: {(first.Text == "target" ? "class" : "3x224x224")}'")
                : first.IsKeyword("loss") ? spot.Error("CNN1012", "a loss has no name: write 'loss value'")
                : first.IsKeyword("output") && previous.Kind == TokenKind.String ? new SyntaxError("CNN1001", previous.Span, "a name has no quotes: 'output scores = …'")
                : previous.Kind == TokenKind.Name && spot.Reading.Tokens[spot.At - 2].IsSign("->")
                    ? spot.Error("CNN1012", $"a label is written with ':', as in '-> {Shorten(previous.Text)}: …'")
                : null;
        }

        if (found.IsSign(","))
        {
            return first.IsKeyword("loss") ? spot.Error("CNN1001", "a network has one loss: add several up, as in 'loss a + 0.5 * b'")
                : first.IsKeyword("output") ? spot.Error("CNN1001", "every output is a statement of its own: 'output a', and in the next line 'output b'")
                : null;
        }

        var shaped = first.Kind == TokenKind.Keyword && first.Text is "input" or "target" or "parameter";
        return found.Kind switch
        {
            TokenKind.Integer or TokenKind.Float when shaped && previous.IsSign(",") =>
                spot.Error("CNN1005", "the sizes of a shape are one word, as in 3x224x224, or a list, as in [3, h, w]"),
            TokenKind.Keyword when Keywords.Statements.Contains(found.Text) && IsValueEnd(previous) =>
                spot.Error("CNN1001", $"'{found.Text}' starts a statement of its own: begin a new line with it"),
            TokenKind.Keyword when found.Text == "for" => spot.Error("CNN1013", "'for' stands in lists only" + Loops),
            TokenKind.Keyword when shaped && found.Text == "class" && IsValueEnd(previous) => NumberedClass(spot),
            TokenKind.Float when spot.Next?.IsSign(":") == true && found.Text[0] == '.' => spot.Error(
                "CNN1019", $"a label is one name; the rest of a path comes from what it labels: '{Shorten(previous.Text)}: (a -> b)' makes {Shorten(previous.Text)}.0 and {Shorten(previous.Text)}.1"),
            _ when shaped && previous.IsKeyword("class") && found.Kind is TokenKind.Parentheses or TokenKind.Arguments or TokenKind.Index or TokenKind.List or TokenKind.Integer => NumberedClass(spot),
            TokenKind.Name when shaped && IsValueEnd(previous) && !(previous.Kind == TokenKind.Integer && found.Text[0] == 'x') =>
                spot.Error("CNN1001", $"'{Shorten(found.Text)}' has no meaning behind a shape; all numbers are floats of 32 bits"),
            TokenKind.Name when spot.Next?.IsSign("=") == true || spot.Expects("'then'") || spot.Expects("'else'") => null,
            TokenKind.Name when previous.Kind is TokenKind.Integer or TokenKind.Float && found.Text[0] != 'x' =>
                spot.Error("CNN1001", $"an operator is missing before '{Shorten(found.Text)}': a product is written '{previous.Text} * {Shorten(found.Text)}'"),
            TokenKind.Name when IsValueEnd(previous) && !(previous.Kind == TokenKind.Integer && found.Text[0] == 'x') =>
                spot.Error("CNN1001", $"an operator is missing before '{Shorten(found.Text)}'; a stage stands behind an arrow: 'x -> {Shorten(found.Text)}'"),
            _ => null,
        };
    }

    private static SyntaxError QuotedLabel(Spot spot, Token label) =>
        new("CNN1019", label.Span, "a label has no quotes, as in 'x -> conv1: conv(64, 3x3)'");

    private static SyntaxError NumberedClass(Spot spot) => spot.Error(
        "CNN1001", "the number of classes is not written here, the length of the logits tells it: 'target label: class'");

    private static bool IsValueEnd(Token token) => token.Kind is TokenKind.Name or TokenKind.Integer or TokenKind.Float or TokenKind.Dims or TokenKind.Arguments
        or TokenKind.Parentheses or TokenKind.List or TokenKind.Index || token.IsKeyword("in");
}
