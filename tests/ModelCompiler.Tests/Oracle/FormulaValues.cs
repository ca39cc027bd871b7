// Formulas of the oracle, element by element.
using ModelCompiler.Graph;
using ModelCompiler.Runtime;

namespace ModelCompiler.Tests.Oracle;

internal static class FormulaValues
{
    public static double[] Evaluate(Expression formula, double[][] inputs, Shape[] shapes, Shape result, int batch, ulong seed, long step, int sample)
    {
        var element = -1;
        return Axes.Positions(result.Dimensions).Select(position =>
        {
            element++;
            return Value(
                formula,
                index => inputs[index][Axes.Index(shapes[index], position)],
                stream => RandomBits.Value(RandomBits.Key(seed, step, stream, sample), element),
                batch);
        }).ToArray();
    }

    public static double Value(Expression formula, Func<int, double> input, Func<int, double> random, int batch)
    {
        double Of(Expression part) => Value(part, input, random, batch);
        return formula switch
        {
            InputFormula i => input(i.Index),
            ConstantFormula c => c.Value,
            BatchSizeFormula => batch,
            RandomFormula r => random(r.Stream),
            UnaryFormula u => Apply(u.Function, Of(u.Operand)),
            BinaryFormula b => Apply(b.Function, Of(b.Left), Of(b.Right)),
            SelectFormula s => Of(s.Condition) != 0 ? Of(s.Then) : Of(s.Else),
            _ => throw new InvalidOperationException($"Unknown formula {formula}."),
        };
    }

    private static double Apply(UnaryFunction function, double x) => function switch
    {
        UnaryFunction.Negate => -x,
        UnaryFunction.Absolute => Math.Abs(x),
        UnaryFunction.Exp => Math.Exp(x),
        UnaryFunction.Log => Math.Log(x),
        UnaryFunction.Log1p => Log1p(x),
        UnaryFunction.SquareRoot => Math.Sqrt(x),
        UnaryFunction.ReciprocalSquareRoot => 1 / Math.Sqrt(x),
        UnaryFunction.Tanh => Math.Tanh(x),
        UnaryFunction.Sigmoid => 1 / (1 + Math.Exp(-x)),
        UnaryFunction.NormalCdf => NormalCdf(x),
        UnaryFunction.Sin => Math.Sin(x),
        UnaryFunction.Cos => Math.Cos(x),
        UnaryFunction.Atan => Math.Atan(x),
        UnaryFunction.Floor => Math.Floor(x),
        _ => throw new InvalidOperationException($"Unknown function {function}."),
    };

    private static double Apply(BinaryFunction function, double a, double b) => function switch
    {
        BinaryFunction.Add => a + b,
        BinaryFunction.Subtract => a - b,
        BinaryFunction.Multiply => a * b,
        BinaryFunction.Divide => a / b,
        BinaryFunction.Minimum => Math.Min(a, b),
        BinaryFunction.Maximum => Math.Max(a, b),
        BinaryFunction.Power => Math.Pow(a, b),
        BinaryFunction.Greater => a > b ? 1 : 0,
        BinaryFunction.GreaterOrEqual => a >= b ? 1 : 0,
        BinaryFunction.Equal => a == b ? 1 : 0,
        _ => throw new InvalidOperationException($"Unknown function {function}."),
    };

    /// <summary>Kahan's form: the rounding error of 1 + x cancels.</summary>
    private static double Log1p(double x)
    {
        var u = 1 + x;
        return u == 1 ? x : Math.Log(u) * x / (u - 1);
    }

    /// <summary>A series of terms of one sign near 0 (Abramowitz and Stegun 26.2.11), the continued fraction of the tail (26.2.14) further out.</summary>
    internal static double NormalCdf(double x)
    {
        var magnitude = Math.Abs(x);
        var density = Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI);
        if (magnitude < 3)
        {
            var (term, sum) = (x, x);
            for (var n = 1; Math.Abs(term) > 1e-18; n++)
            {
                term *= x * x / ((2 * n) + 1);
                sum += term;
            }

            return 0.5 + (density * sum);
        }

        var fraction = 0.0;
        for (var n = 100; n >= 1; n--)
        {
            fraction = n / (magnitude + fraction);
        }

        var tail = density / (magnitude + fraction);
        return x < 0 ? tail : 1 - tail;
    }
}
