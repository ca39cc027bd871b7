// Arithmetic on numbers, as in C# with three differences: `^` is power, integers that do not divide are a mistake (half
// a channel does not exist), and nothing overflows silently.
using System.Globalization;
using ModelCompiler.Grammar;

namespace ModelCompiler.Evaluation;

internal static class NumberArithmetic
{
    /// <summary>The result, or what is wrong.</summary>
    public static (Value? Value, string? Problem) Calculate(BinaryOperator sign, Value left, Value right)
    {
        try
        {
            return left is IntegerValue a && right is IntegerValue b
                ? Integers(sign, a.Number, b.Number)
                : Floats(sign, ArgumentKinds.Number(left)!.Value, ArgumentKinds.Number(right)!.Value);
        }
        catch (OverflowException)
        {
            return (null, $"the result of {left.Text} {Sign(sign)} {right.Text} is too large for an integer of 64 bits");
        }
    }

    public static string Sign(BinaryOperator sign) => sign switch
    {
        BinaryOperator.Add => "+",
        BinaryOperator.Subtract => "-",
        BinaryOperator.Multiply => "*",
        BinaryOperator.Divide => "/",
        BinaryOperator.Remainder => "%",
        BinaryOperator.Power => "^",
        BinaryOperator.MatrixProduct => "@",
        BinaryOperator.Equal => "==",
        BinaryOperator.NotEqual => "!=",
        BinaryOperator.Less => "<",
        BinaryOperator.LessOrEqual => "<=",
        BinaryOperator.Greater => ">",
        BinaryOperator.GreaterOrEqual => ">=",
        BinaryOperator.And => "and",
        _ => "or",
    };

    private static (Value?, string?) Integers(BinaryOperator sign, long a, long b)
    {
        if (sign is BinaryOperator.Divide or BinaryOperator.Remainder && b == 0)
        {
            return (null, $"{Text(a)} is divided by zero");
        }

        if (sign == BinaryOperator.Divide && a % b != 0)
        {
            return (null, $"{Text(a)} / {Text(b)} is not a whole number; use floor_div({Text(a)}, {Text(b)}), or {Text(a)} / {Text(b)}.0 for a fraction");
        }

        return sign switch
        {
            BinaryOperator.Add => (new IntegerValue(checked(a + b)), null),
            BinaryOperator.Subtract => (new IntegerValue(checked(a - b)), null),
            BinaryOperator.Multiply => (new IntegerValue(checked(a * b)), null),
            BinaryOperator.Divide => (new IntegerValue(checked(a / b)), null),
            BinaryOperator.Remainder => (new IntegerValue(b == -1 ? 0 : a % b), null),
            BinaryOperator.Power => Power(a, b),
            _ => (new BooleanValue(Compare(sign, a.CompareTo(b))), null),
        };
    }

    private static (Value?, string?) Floats(BinaryOperator sign, double a, double b) => sign switch
    {
        BinaryOperator.Add => Finite(a + b),
        BinaryOperator.Subtract => Finite(a - b),
        BinaryOperator.Multiply => Finite(a * b),
        BinaryOperator.Divide or BinaryOperator.Remainder when b == 0 => (null, $"{Text(a)} is divided by zero"),
        BinaryOperator.Divide => Finite(a / b),
        BinaryOperator.Remainder => Finite(a % b),
        BinaryOperator.Power => Finite(Math.Pow(a, b)),
        _ => (new BooleanValue(Compare(sign, a.CompareTo(b))), null),
    };

    private static (Value?, string?) Power(long a, long b)
    {
        if (b < 0)
        {
            return a == 0 ? (null, "0 has no negative powers") : Finite(Math.Pow(a, b));
        }

        long result = 1;
        for (; b > 0; b >>= 1)
        {
            if ((b & 1) == 1)
            {
                result = checked(result * a);
            }

            a = b > 1 ? checked(a * a) : a;
        }

        return (new IntegerValue(result), null);
    }

    private static bool Compare(BinaryOperator sign, int order) => sign switch
    {
        BinaryOperator.Equal => order == 0,
        BinaryOperator.NotEqual => order != 0,
        BinaryOperator.Less => order < 0,
        BinaryOperator.LessOrEqual => order <= 0,
        BinaryOperator.Greater => order > 0,
        _ => order >= 0,
    };

    private static (Value?, string?) Finite(double result) => double.IsNaN(result) || double.IsInfinity(result)
        ? (null, "the result is not a finite number")
        : (new FloatValue(result), null);

    private static string Text(double number) => number.ToString("R", CultureInfo.InvariantCulture);

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
