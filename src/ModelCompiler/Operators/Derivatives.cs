// The derivative of a formula is a formula. Where a function's slope can be told from its result (tanh, sigmoid,
// exp, relu) the rule says so in terms of the result, so that training keeps the output and forgets the input.
using ModelCompiler.Graph;
using static ModelCompiler.Operators.Formulas;

namespace ModelCompiler.Operators;

public static class Derivatives
{
    /// <summary>d formula / d input <paramref name="index"/>. At corners PyTorch's choice: relu'(0) = 0, |x|' = 0 at 0, equal
    /// arguments of max and min share the slope.</summary>
    public static Expression Of(Expression formula, int index) => formula switch
    {
        InputFormula input => Number(input.Index == index ? 1 : 0),
        UnaryFormula unary => Multiply(Slope(unary), Of(unary.Operand, index)),
        BinaryFormula binary when SoftplusOperand(binary) is { } u => Multiply(Sigmoid(u), Of(u, index)),
        BinaryFormula binary => OfBinary(binary, Of(binary.Left, index), Of(binary.Right, index)),
        SelectFormula select => Select(SignOfResult(select) ?? select.Condition, Of(select.Then, index), Of(select.Else, index)),
        _ => Number(0),
    };

    private static Expression Slope(UnaryFormula f)
    {
        var u = f.Operand;
        return f.Function switch
        {
            UnaryFunction.Negate => Number(-1),
            UnaryFunction.Absolute => Select(Greater(u, 0), 1, Select(Greater(0, u), -1, 0)),
            UnaryFunction.Exp => f,
            UnaryFunction.Log => Divide(1, u),
            UnaryFunction.Log1p => Divide(1, Add(1, u)),
            UnaryFunction.SquareRoot => Divide(0.5, f),
            UnaryFunction.ReciprocalSquareRoot => Multiply(-0.5, Multiply(f, Multiply(f, f))),
            UnaryFunction.Tanh => Subtract(1, Multiply(f, f)),
            UnaryFunction.Sigmoid => Multiply(f, Subtract(1, f)),
            UnaryFunction.NormalCdf => Multiply(1 / Math.Sqrt(2 * Math.PI), Exp(Multiply(-0.5, Multiply(u, u)))),
            UnaryFunction.Sin => new UnaryFormula(UnaryFunction.Cos, u),
            UnaryFunction.Cos => Apply(UnaryFunction.Negate, new UnaryFormula(UnaryFunction.Sin, u)),
            UnaryFunction.Atan => Divide(1, Add(1, Multiply(u, u))),
            UnaryFunction.Floor => Number(0),
            _ => throw new InvalidOperationException($"No derivative is known for {f.Function}."),
        };
    }

    private static Expression OfBinary(BinaryFormula f, Expression da, Expression db)
    {
        var (a, b) = (f.Left, f.Right);
        return f.Function switch
        {
            BinaryFunction.Add => Add(da, db),
            BinaryFunction.Subtract => Subtract(da, db),
            BinaryFunction.Multiply => Add(Multiply(da, b), Multiply(a, db)),
            BinaryFunction.Divide => Divide(Subtract(da, Multiply(f, db)), b),

            // Against a constant the result tells which side won; where the other one did, it is the result.
            BinaryFunction.Maximum when b is ConstantFormula => Select(Greater(f, b), InTermsOf(f, a, da), 0),
            BinaryFunction.Maximum when a is ConstantFormula => Select(Greater(f, a), InTermsOf(f, b, db), 0),
            BinaryFunction.Minimum when b is ConstantFormula => Select(Greater(b, f), InTermsOf(f, a, da), 0),
            BinaryFunction.Minimum when a is ConstantFormula => Select(Greater(a, f), InTermsOf(f, b, db), 0),
            BinaryFunction.Maximum => Select(Greater(a, b), da, Select(Greater(b, a), db, Multiply(0.5, Add(da, db)))),
            BinaryFunction.Minimum => Select(Greater(b, a), da, Select(Greater(a, b), db, Multiply(0.5, Add(da, db)))),
            BinaryFunction.Power when b is ConstantFormula { Value: 2 } => Multiply(Multiply(2, a), da),
            BinaryFunction.Power when b is ConstantFormula c => Multiply(Multiply(b, new BinaryFormula(BinaryFunction.Power, a, c.Value - 1)), da),
            BinaryFunction.Power => Multiply(f, Add(Multiply(db, new UnaryFormula(UnaryFunction.Log, a)), Divide(Multiply(b, da), a))),
            _ => Number(0),
        };
    }

    private static Expression InTermsOf(Expression result, Expression operand, Expression slope) =>
        operand is InputFormula ? slope : slope.Rewrite(part => part.Equals(operand) ? result : null);

    /// <summary>The two corners of softplus's stable form cancel, which term by term goes unnoticed at 0.</summary>
    private static Expression? SoftplusOperand(BinaryFormula f) =>
        f is { Function: BinaryFunction.Add, Left: BinaryFormula { Function: BinaryFunction.Maximum } corner } && f.Equals(Softplus(corner.Left)) ? corner.Left : null;

    /// <summary>For <c>x > 0 ? x : slope · x</c> with a positive slope: the sign of the result is the sign of x.</summary>
    private static Expression? SignOfResult(SelectFormula f) =>
        f is { Condition: BinaryFormula { Function: BinaryFunction.Greater, Right: ConstantFormula { Value: 0 } } condition }
        && f.Then.Equals(condition.Left)
        && f.Else is BinaryFormula { Function: BinaryFunction.Multiply, Left: ConstantFormula { Value: >= 0 } } scaled
        && scaled.Right.Equals(condition.Left)
            ? Greater(f, 0)
            : null;
}
