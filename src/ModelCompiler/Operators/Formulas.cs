// Writing and rewriting formulas. The constructors here simplify while they build, so that a derivative comes
// out as a person would write it and the emitter has no pass of its own for that.
using System.Collections.Immutable;
using ModelCompiler.Graph;

namespace ModelCompiler.Operators;

public static class Formulas
{
    public static readonly Expression X = new InputFormula(0);

    public static readonly Expression Y = new InputFormula(1);

    public static Expression Input(int index) => new InputFormula(index);

    public static Expression Number(double value) => new ConstantFormula(value);

    public static Expression Apply(UnaryFunction function, Expression u) => (function, u) switch
    {
        (UnaryFunction.Negate, ConstantFormula c) => Number(-c.Value),
        (UnaryFunction.Negate, UnaryFormula { Function: UnaryFunction.Negate } inner) => inner.Operand,
        _ => new UnaryFormula(function, u),
    };

    public static Expression Apply(BinaryFunction function, Expression a, Expression b) => function switch
    {
        BinaryFunction.Add => Add(a, b),
        BinaryFunction.Subtract => Subtract(a, b),
        BinaryFunction.Multiply => Multiply(a, b),
        BinaryFunction.Divide => Divide(a, b),
        _ => new BinaryFormula(function, a, b),
    };

    public static Expression Add(Expression a, Expression b) => (a, b) switch
    {
        (ConstantFormula x, ConstantFormula y) => Number(x.Value + y.Value),
        (ConstantFormula { Value: 0 }, _) => b,
        (_, ConstantFormula { Value: 0 }) => a,
        (_, UnaryFormula { Function: UnaryFunction.Negate } negated) => Subtract(a, negated.Operand),
        _ => a + b,
    };

    public static Expression Subtract(Expression a, Expression b) => (a, b) switch
    {
        (ConstantFormula x, ConstantFormula y) => Number(x.Value - y.Value),
        (ConstantFormula { Value: 0 }, _) => Apply(UnaryFunction.Negate, b),
        (_, ConstantFormula { Value: 0 }) => a,
        (_, UnaryFormula { Function: UnaryFunction.Negate } negated) => Add(a, negated.Operand),
        _ => a - b,
    };

    public static Expression Multiply(Expression a, Expression b) => (a, b) switch
    {
        (ConstantFormula x, ConstantFormula y) => Number(x.Value * y.Value),
        (ConstantFormula { Value: 0 }, _) or (_, ConstantFormula { Value: 1 }) => a,
        (_, ConstantFormula { Value: 0 }) or (ConstantFormula { Value: 1 }, _) => b,
        (ConstantFormula { Value: -1 }, _) => Apply(UnaryFunction.Negate, b),
        (_, ConstantFormula { Value: -1 }) => Apply(UnaryFunction.Negate, a),
        (_, ConstantFormula) => Multiply(b, a),
        (ConstantFormula x, BinaryFormula { Function: BinaryFunction.Multiply, Left: ConstantFormula y } inner) =>
            Multiply(Number(x.Value * y.Value), inner.Right),
        (_, SelectFormula gate) when IsGate(gate) => new SelectFormula(gate.Condition, Multiply(a, gate.Then), gate.Else),
        (SelectFormula gate, _) when IsGate(gate) => new SelectFormula(gate.Condition, Multiply(gate.Then, b), gate.Else),
        _ => a * b,
    };

    /// <summary>1 where all of its conditions hold, else 0.</summary>
    private static bool IsGate(Expression formula) =>
        formula is SelectFormula { Else: ConstantFormula { Value: 0 } } select && (select.Then is ConstantFormula { Value: 1 } || IsGate(select.Then));

    public static Expression Divide(Expression a, Expression b) => (a, b) switch
    {
        (ConstantFormula { Value: 0 }, _) or (_, ConstantFormula { Value: 1 }) => a,
        (ConstantFormula x, ConstantFormula y) when y.Value != 0 => Number(x.Value / y.Value),
        _ => a / b,
    };

    public static Expression Select(Expression condition, Expression then, Expression otherwise) => condition switch
    {
        _ when then.Equals(otherwise) => then,
        ConstantFormula c => c.Value != 0 ? then : otherwise,
        _ => new SelectFormula(condition, then, otherwise),
    };

    public static Expression Max(Expression a, Expression b) => new BinaryFormula(BinaryFunction.Maximum, a, b);

    public static Expression Min(Expression a, Expression b) => new BinaryFormula(BinaryFunction.Minimum, a, b);

    public static Expression Greater(Expression a, Expression b) => new BinaryFormula(BinaryFunction.Greater, a, b);

    public static Expression Exp(Expression u) => new UnaryFormula(UnaryFunction.Exp, u);

    public static Expression Tanh(Expression u) => new UnaryFormula(UnaryFunction.Tanh, u);

    public static Expression Sigmoid(Expression u) => new UnaryFormula(UnaryFunction.Sigmoid, u);

    public static Expression Absolute(Expression u) => new UnaryFormula(UnaryFunction.Absolute, u);

    /// <summary>ln(1 + e^x) without overflow: max(x, 0) + ln(1 + e^-|x|).</summary>
    public static Expression Softplus(Expression u) => Max(u, 0) + new UnaryFormula(UnaryFunction.Log1p, Exp(-Absolute(u)));

    /// <summary>The same formula with <paramref name="change"/> tried on every part, outermost first; null leaves a part alone.</summary>
    public static Expression Rewrite(this Expression formula, Func<Expression, Expression?> change) => change(formula) ?? formula switch
    {
        UnaryFormula u => Apply(u.Function, u.Operand.Rewrite(change)),
        BinaryFormula b => Apply(b.Function, b.Left.Rewrite(change), b.Right.Rewrite(change)),
        SelectFormula s => Select(s.Condition.Rewrite(change), s.Then.Rewrite(change), s.Else.Rewrite(change)),
        _ => formula,
    };

    /// <summary>Numbers of the inputs that the formula mentions, in order.</summary>
    public static ImmutableArray<int> InputsOf(Expression formula)
    {
        var found = new SortedSet<int>();
        formula.Rewrite(part =>
        {
            if (part is InputFormula input)
            {
                found.Add(input.Index);
            }

            return null;
        });
        return [.. found];
    }

    public static bool Mentions<T>(this Expression formula)
        where T : Expression => formula switch
    {
        T => true,
        UnaryFormula u => u.Operand.Mentions<T>(),
        BinaryFormula b => b.Left.Mentions<T>() || b.Right.Mentions<T>(),
        SelectFormula s => s.Condition.Mentions<T>() || s.Then.Mentions<T>() || s.Else.Mentions<T>(),
        _ => false,
    };
}
