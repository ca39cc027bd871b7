// Operators from loose to tight, and the fold of a flat row of operands into a tree. One table and one stack instead of
// a parser per level: eleven nested parsers for every bracket would be eleven times the stack.
using Sprache;

namespace ModelCompiler.Grammar;

/// <summary>A value with the signs before it: <c>not -x</c>.</summary>
internal readonly record struct Operand(IEnumerable<Token> Prefixes, ExpressionSyntax Value);

internal readonly record struct InfixOperand(Token Sign, Operand Operand);

internal static class Precedence
{
    private const int NotLevel = 3;
    private const int ComparisonLevel = 4;
    private const int RangeLevel = 5;
    private const int NegateLevel = 8;
    private const int PowerLevel = 9;

    private static readonly Dictionary<string, (int Level, BinaryOperator Operator)> Infix = new()
    {
        ["or"] = (1, BinaryOperator.Or),
        ["and"] = (2, BinaryOperator.And),
        ["=="] = (ComparisonLevel, BinaryOperator.Equal),
        ["!="] = (ComparisonLevel, BinaryOperator.NotEqual),
        ["<"] = (ComparisonLevel, BinaryOperator.Less),
        ["<="] = (ComparisonLevel, BinaryOperator.LessOrEqual),
        [">"] = (ComparisonLevel, BinaryOperator.Greater),
        [">="] = (ComparisonLevel, BinaryOperator.GreaterOrEqual),
        ["+"] = (6, BinaryOperator.Add),
        ["-"] = (6, BinaryOperator.Subtract),
        ["*"] = (7, BinaryOperator.Multiply),
        ["/"] = (7, BinaryOperator.Divide),
        ["%"] = (7, BinaryOperator.Remainder),
        ["@"] = (7, BinaryOperator.MatrixProduct),
        ["^"] = (PowerLevel, BinaryOperator.Power),
    };

    public static bool IsPrefix(Token token) => token.IsSign("-") || token.IsKeyword("not");

    public static bool IsInfix(Token token) =>
        token.Kind is TokenKind.Sign or TokenKind.Keyword && (token.Text == ".." || Infix.ContainsKey(token.Text));

    /// <summary>The tree of a row of operands; fails where comparisons or ranges are chained.</summary>
    public static Parser<ExpressionSyntax> Combine(Operand first, IEnumerable<InfixOperand> rest)
    {
        var values = new Stack<ExpressionSyntax>();
        var waiting = new Stack<(Token Sign, int Level, bool Prefix)>();
        Push(first, values, waiting);
        foreach (var (sign, operand) in rest)
        {
            var level = sign.Text == ".." ? RangeLevel : Infix[sign.Text].Level;
            while (waiting.Count > 0 && (waiting.Peek().Level > level || (waiting.Peek().Level == level && level != PowerLevel)))
            {
                var previous = waiting.Peek();
                if (previous.Level == level && level is ComparisonLevel or RangeLevel)
                {
                    return Chained(previous.Sign, sign);
                }

                Apply(values, waiting.Pop());
            }

            waiting.Push((sign, level, false));
            Push(operand, values, waiting);
        }

        while (waiting.Count > 0)
        {
            Apply(values, waiting.Pop());
        }

        return Parse.Return(values.Pop());
    }

    private static Parser<ExpressionSyntax> Chained(Token first, Token second) => Combinators.Fault<ExpressionSyntax>(
        "CNN1017",
        second.Span,
        second.Text == ".."
            ? "a range has one start and one end: '0..n'"
            : $"'{first.Text}' and '{second.Text}' cannot be chained: write 'a {first.Text} b and b {second.Text} c'");

    private static void Push(Operand operand, Stack<ExpressionSyntax> values, Stack<(Token Sign, int Level, bool Prefix)> waiting)
    {
        foreach (var prefix in operand.Prefixes)
        {
            waiting.Push((prefix, prefix.Text == "-" ? NegateLevel : NotLevel, true));
        }

        values.Push(operand.Value);
    }

    private static void Apply(Stack<ExpressionSyntax> values, (Token Sign, int Level, bool Prefix) operation)
    {
        var right = values.Pop();
        if (operation.Prefix)
        {
            var kind = operation.Level == NegateLevel ? UnaryOperator.Negate : UnaryOperator.Not;
            values.Push(new UnaryExpression(kind, right, operation.Sign.Span.Through(right.Span)));
            return;
        }

        var left = values.Pop();
        var span = left.Span.Through(right.Span);
        values.Push(operation.Sign.Text == ".."
            ? new RangeExpression(left, right, span)
            : new BinaryExpression(Infix[operation.Sign.Text].Operator, left, right, operation.Sign.Span, span));
    }
}
