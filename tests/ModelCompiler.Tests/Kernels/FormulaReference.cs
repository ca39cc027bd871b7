// Formulas in double precision, as plain as can be.
using ModelCompiler.Graph;

namespace ModelCompiler.Tests.Kernels;

public static class FormulaReference
{
    public static double Evaluate(Expression formula, Func<int, double> input, double batch = 1, Func<int, double>? random = null)
    {
        double Of(Expression e) => Evaluate(e, input, batch, random);
        return formula switch
        {
            InputFormula i => input(i.Index),
            ConstantFormula c => c.Value,
            BatchSizeFormula => batch,
            RandomFormula r => random!(r.Stream),
            SelectFormula s => Of(s.Condition) != 0 ? Of(s.Then) : Of(s.Else),
            UnaryFormula u => Unary(u.Function, Of(u.Operand)),
            BinaryFormula b => Binary(b.Function, Of(b.Left), Of(b.Right)),
            _ => throw new ArgumentException(formula.ToString()),
        };
    }

    /// <summary>The number that stream, sample and element get, from the key.</summary>
    public static double Random(uint key, long element)
    {
        var h = key ^ unchecked((uint)element * 0x9E3779B9u);
        h ^= h >> 16;
        h = unchecked(h * 0x7feb352du);
        h ^= h >> 15;
        h = unchecked(h * 0x846ca68bu);
        h ^= h >> 16;
        return (h >> 8) / 16777216.0;
    }

    private static double Unary(UnaryFunction function, double x) => function switch
    {
        UnaryFunction.Negate => -x,
        UnaryFunction.Absolute => Math.Abs(x),
        UnaryFunction.Exp => Math.Exp(x),
        UnaryFunction.Log => Math.Log(x),
        UnaryFunction.Log1p => Math.Log(1 + x),
        UnaryFunction.SquareRoot => Math.Sqrt(x),
        UnaryFunction.ReciprocalSquareRoot => 1 / Math.Sqrt(x),
        UnaryFunction.Tanh => Math.Tanh(x),
        UnaryFunction.Sigmoid => 1 / (1 + Math.Exp(-x)),
        UnaryFunction.Erf => Erf(x),
        UnaryFunction.Sin => Math.Sin(x),
        UnaryFunction.Cos => Math.Cos(x),
        UnaryFunction.Atan => Math.Atan(x),
        UnaryFunction.Floor => Math.Floor(x),
        _ => throw new ArgumentException(function.ToString()),
    };

    private static double Binary(BinaryFunction function, double x, double y) => function switch
    {
        BinaryFunction.Add => x + y,
        BinaryFunction.Subtract => x - y,
        BinaryFunction.Multiply => x * y,
        BinaryFunction.Divide => x / y,
        BinaryFunction.Minimum => Math.Min(x, y),
        BinaryFunction.Maximum => Math.Max(x, y),
        BinaryFunction.Power => Math.Pow(x, y),
        BinaryFunction.Greater => x > y ? 1 : 0,
        BinaryFunction.GreaterOrEqual => x >= y ? 1 : 0,
        BinaryFunction.Equal => x == y ? 1 : 0,
        _ => throw new ArgumentException(function.ToString()),
    };

    /// <summary>Abramowitz and Stegun 7.1.6: a series of positive terms.</summary>
    public static double Erf(double x)
    {
        if (double.IsNaN(x) || Math.Abs(x) > 6)
        {
            return double.IsNaN(x) ? x : Math.Sign(x);
        }

        var term = x;
        var sum = x;
        for (var n = 1; n < 200; n++)
        {
            term *= 2 * x * x / ((2 * n) + 1);
            sum += term;
        }

        return 2 / Math.Sqrt(Math.PI) * Math.Exp(-x * x) * sum;
    }
}
