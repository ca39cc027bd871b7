// Initial weights must have the same bits on every platform, and Math.Log is whatever the system's C library
// makes of it. Addition, multiplication, division and square root are exact by IEEE 754; these build on them.
namespace ModelCompiler.Runtime;

internal static class PortableMath
{
    /// <summary>Natural logarithm of a positive, finite, normal number, to about 1e-15 relative.</summary>
    public static double Log(double x)
    {
        var bits = BitConverter.DoubleToInt64Bits(x);
        var exponent = (int)((bits >> 52) & 0x7FF) - 1023;
        var mantissa = BitConverter.Int64BitsToDouble((bits & 0x000F_FFFF_FFFF_FFFF) | 0x3FF0_0000_0000_0000);
        if (mantissa > 1.4142135623730951)
        {
            mantissa /= 2;
            exponent++;
        }

        // ln m = 2 atanh(s), |s| <= 0.1716: the odd series loses a factor 34 each term.
        var s = (mantissa - 1) / (mantissa + 1);
        var square = s * s;
        var sum = 0.0;
        for (var k = 21; k >= 1; k -= 2)
        {
            sum = (sum * square) + (1.0 / k);
        }

        return (2 * s * sum) + (exponent * 0.6931471805599453);
    }

    /// <summary>e to the power of <paramref name="x"/>, to about 1e-13 relative; 0 where that is below 1e-300.</summary>
    public static double Exp(double x)
    {
        if (x < -690)
        {
            return 0;
        }

        // x = k ln 2 + r, |r| <= 0.35: 17 terms of the series are enough.
        var k = Math.Floor((x / 0.6931471805599453) + 0.5);
        var r = x - (k * 0.6931471805599453);
        var sum = 1.0;
        for (var n = 17; n >= 1; n--)
        {
            sum = 1 + (sum * r / n);
        }

        return sum * BitConverter.Int64BitsToDouble(((long)k + 1023) << 52);
    }
}
