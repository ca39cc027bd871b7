// The functions that activations and losses need and hardware lacks, for 512-bit vectors. The files for 256 and
// 128 bits are this one with the vector type replaced (a test compares them): generated kernels exist in three
// widths, and one text keeps their results alike. Polynomials are minimax fits made for these ranges.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ModelCompiler.Runtime;

public static partial class VectorMath
{
    /// <summary>e^x, to 2 ulp; +inf above 88.73, 0 below -104, denormals between.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Exp(Vector512<float> x)
    {
        // The constant comes first: these forms return the second operand, and so NaN, when it is NaN.
        x = Vector512.MinNative(Vector512.Create(89f), Vector512.MaxNative(Vector512.Create(-104f), x));
        var p = PowerOfE(x, out var power);

        // Two factors, because 2^n itself overflows or vanishes at the ends.
        var half = power >> 1;
        return p * PowerOfTwo(half) * PowerOfTwo(power - half);
    }

    /// <summary>e^x as a number near 1 times 2^<paramref name="power"/>; the polynomial by pairs of terms, for the reason that <see cref="NormalCdf(Vector512{float})"/> has.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> PowerOfE(Vector512<float> x, out Vector512<int> power)
    {
        var shifted = Vector512.MultiplyAddEstimate(x, Vector512.Create(1.44269504f), Vector512.Create(12582912f));
        var n = shifted - Vector512.Create(12582912f);
        var r = Vector512.MultiplyAddEstimate(n, Vector512.Create(-0.693359375f), x);
        r = Vector512.MultiplyAddEstimate(n, Vector512.Create(2.12194440e-4f), r);
        var square = r * r;
        var high = Vector512.MultiplyAddEstimate(r, Vector512.Create(0.00138124893f), Vector512.Create(0.00836973451f));
        var low = Vector512.MultiplyAddEstimate(r, Vector512.Create(0.0416684896f), Vector512.Create(0.166665122f));
        var p = Vector512.MultiplyAddEstimate(square, high, low);
        power = shifted.AsInt32() - Vector512.Create(12582912f).AsInt32();
        return Vector512.MultiplyAddEstimate(Vector512.MultiplyAddEstimate(p, r, Vector512.Create(0.49999994f)), square, r) + Vector512<float>.One;
    }

    /// <summary>2^n for n from -126 to 127; 0 for -127.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> PowerOfTwo(Vector512<int> n) => ((n + Vector512.Create(127)) << 23).AsSingle();

    /// <summary>e^x for x of at most 0, to 2 ulp; 0 below -80: neither it nor its share of a sum is then a denormal number, which takes
    /// processors many times as long.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> ExpOrZero(Vector512<float> x)
    {
        var least = Vector512.Create(-80f);
        return Vector512.ConditionalSelect(Vector512.LessThan(x, least), Vector512<float>.Zero, PowerOfE(Vector512.MaxNative(least, x), out var power) * PowerOfTwo(power));
    }

    /// <summary>ln x, to 2 ulp; -inf at 0, NaN below.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Log(Vector512<float> x)
    {
        var tiny = Vector512.LessThan(x, Vector512.Create(1.17549435e-38f));
        var scaled = Vector512.ConditionalSelect(tiny, x * Vector512.Create(8388608f), x);

        // scaled = 2^e * m with m in [sqrt(1/2), sqrt(2)).
        var bits = scaled.AsInt32() - Vector512.Create(0x3f3504f3);
        var e = Vector512.ConvertToSingle(bits >> 23) - Vector512.ConditionalSelect(tiny, Vector512.Create(23f), Vector512<float>.Zero);
        var f = ((bits & Vector512.Create(0x7fffff)) + Vector512.Create(0x3f3504f3)).AsSingle() - Vector512<float>.One;
        var p = Vector512.MultiplyAddEstimate(f, Vector512.Create(0.0675756484f), Vector512.Create(-0.116943337f));
        p = Vector512.MultiplyAddEstimate(p, f, Vector512.Create(0.118935138f));
        p = Vector512.MultiplyAddEstimate(p, f, Vector512.Create(-0.124030843f));
        p = Vector512.MultiplyAddEstimate(p, f, Vector512.Create(0.142185539f));
        p = Vector512.MultiplyAddEstimate(p, f, Vector512.Create(-0.166680902f));
        p = Vector512.MultiplyAddEstimate(p, f, Vector512.Create(0.200021669f));
        p = Vector512.MultiplyAddEstimate(p, f, Vector512.Create(-0.250000089f));
        p = Vector512.MultiplyAddEstimate(p, f, Vector512.Create(0.333333105f));
        var square = f * f;
        var low = Vector512.MultiplyAddEstimate(e, Vector512.Create(-2.12194440e-4f), p * f * square);
        low = Vector512.MultiplyAddEstimate(square, Vector512.Create(-0.5f), low);
        var result = Vector512.MultiplyAddEstimate(e, Vector512.Create(0.693359375f), f + low);

        // +inf and NaN stay as they are.
        result = Vector512.ConditionalSelect(Vector512.LessThan(x, Vector512.Create(float.PositiveInfinity)), result, x);
        result = Vector512.ConditionalSelect(Vector512.LessThan(x, Vector512<float>.Zero), Vector512.Create(float.NaN), result);
        return Vector512.ConditionalSelect(Vector512.Equals(x, Vector512<float>.Zero), Vector512.Create(float.NegativeInfinity), result);
    }

    /// <summary>ln(1 + x), to 3 ulp, also near 0; -inf at -1, NaN below.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Log1p(Vector512<float> x)
    {
        var sum = Vector512<float>.One + x;
        var lost = x - (sum - Vector512<float>.One);
        var log = Log(sum);

        // The rounding error of the sum, put back to first order; not where the sum is 0 or infinite.
        var result = Vector512.ConditionalSelect(
            Vector512.LessThan(sum, Vector512.Create(1e30f)) & Vector512.GreaterThan(sum, Vector512<float>.Zero), log + (lost / sum), log);
        return Vector512.ConditionalSelect(Vector512.Equals(sum, Vector512<float>.One), x, result);
    }

    /// <summary>Hyperbolic tangent, to 2 ulp.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Tanh(Vector512<float> x)
    {
        var magnitude = Vector512.Abs(x);
        var square = x * x;
        var p = Vector512.MultiplyAddEstimate(square, Vector512.Create(0.00214753952f), Vector512.Create(-0.00818267744f));
        p = Vector512.MultiplyAddEstimate(p, square, Vector512.Create(0.0217029676f));
        p = Vector512.MultiplyAddEstimate(p, square, Vector512.Create(-0.0539472029f));
        p = Vector512.MultiplyAddEstimate(p, square, Vector512.Create(0.133332103f));
        p = Vector512.MultiplyAddEstimate(p, square, Vector512.Create(-0.333333313f));
        var near = Vector512.MultiplyAddEstimate(p * square, x, x);
        var far = Vector512<float>.One - (Vector512.Create(2f) / (Exp(magnitude + magnitude) + Vector512<float>.One));
        var result = Vector512.ConditionalSelect(Vector512.LessThan(magnitude, Vector512.Create(0.625f)), near, far);
        return Vector512.ConditionalSelect(Vector512.Create(-0f), x, result);
    }

    /// <summary>1 / (1 + e^-x), to 3 ulp.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Sigmoid(Vector512<float> x)
    {
        var e = Exp(-Vector512.Abs(x));
        var numerator = Vector512.ConditionalSelect(Vector512.LessThan(x, Vector512<float>.Zero), e, Vector512<float>.One);
        return numerator / (Vector512<float>.One + e);
    }

    /// <summary>The distribution function Φ of the standard normal distribution, to 1.2e-7 absolute (2 ulp of results near 1); 0 below -10. Its polynomials are evaluated by pairs
    /// of terms: with one term after another a processor would wait for each, and hold too few vectors at a time to do something else meanwhile.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> NormalCdf(Vector512<float> x)
    {
        // Φ(-a) = 2^-h: h is smooth and needed ever less exactly. At the bound it is 127, for which the power of two below is 0.
        var a = Vector512.MinNative(Vector512.Create(9.979955f), Vector512.Abs(x));
        var a2 = a * a;
        var first = Vector512.MultiplyAddEstimate(a, Vector512.Create(1.15110576f), Vector512<float>.One);
        var second = Vector512.MultiplyAddEstimate(a, Vector512.Create(0.0525050275f), Vector512.Create(0.459204912f));
        var third = Vector512.MultiplyAddEstimate(a, Vector512.Create(0.00014586834f), Vector512.Create(-0.00707546948f));
        var fourth = Vector512.MultiplyAddEstimate(a, Vector512.Create(-3.86208994e-05f), Vector512.Create(0.000182548334f));
        var high = Vector512.MultiplyAddEstimate(a2, Vector512.MultiplyAddEstimate(a2, Vector512.Create(2.77206163e-06f), fourth), third);
        var h = Vector512.MultiplyAddEstimate(a2 * a2, high, Vector512.MultiplyAddEstimate(a2, second, first));

        // 2^-h = 2^n * 2^r with |r| <= 0.5.
        var shifted = Vector512.Create(12582912f) - h;
        var r = Vector512.Create(12582912f) - shifted - h;
        var low = Vector512.MultiplyAddEstimate(r, Vector512.Create(0.240226477f), Vector512.Create(0.693147182f));
        var middle = Vector512.MultiplyAddEstimate(r, Vector512.Create(0.00961843692f), Vector512.Create(0.0555033237f));
        var last = Vector512.MultiplyAddEstimate(r, Vector512.Create(0.00015353362f), Vector512.Create(0.00133988750f));
        var square = r * r;
        var p = Vector512.MultiplyAddEstimate(Vector512.MultiplyAddEstimate(square, Vector512.MultiplyAddEstimate(square, last, middle), low), r, Vector512<float>.One);

        // PowerOfTwo of n, with its two sums as one (0x4b400000 are the bits of 12582912): another one takes 6 % of GELU's time.
        var tail = p * ((shifted.AsInt32() + Vector512.Create(127 - 0x4b400000)) << 23).AsSingle();
        return Vector512.ConditionalSelect(Vector512.LessThan(x, Vector512<float>.Zero), tail, Vector512<float>.One - tail);
    }

    /// <summary>Sine of an angle in radians, to 3 ulp (near its zeros to 2e-8 absolute).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Sin(Vector512<float> x) => SinOfQuarters(x, 0);

    /// <summary>Cosine of an angle in radians, to 3 ulp (near its zeros to 2e-8 absolute).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Cos(Vector512<float> x) => SinOfQuarters(x, 1);

    /// <summary>Arc tangent in radians, to 3 ulp.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Atan(Vector512<float> x)
    {
        var magnitude = Vector512.Abs(x);
        var large = Vector512.GreaterThan(magnitude, Vector512.Create(2.41421356f));
        var middle = Vector512.GreaterThan(magnitude, Vector512.Create(0.414213562f));
        var numerator = Vector512.ConditionalSelect(large, Vector512.Create(-1f), Vector512.ConditionalSelect(middle, magnitude - Vector512<float>.One, magnitude));
        var denominator = Vector512.ConditionalSelect(large, magnitude, Vector512.ConditionalSelect(middle, magnitude + Vector512<float>.One, Vector512<float>.One));
        var offset = Vector512.ConditionalSelect(large, Vector512.Create(1.57079633f), Vector512.ConditionalSelect(middle, Vector512.Create(0.785398163f), Vector512<float>.Zero));
        var t = numerator / denominator;
        var square = t * t;
        var p = Vector512.MultiplyAddEstimate(square, Vector512.Create(-0.0608345233f), Vector512.Create(0.105960011f));
        p = Vector512.MultiplyAddEstimate(p, square, Vector512.Create(-0.142438486f));
        p = Vector512.MultiplyAddEstimate(p, square, Vector512.Create(0.199984893f));
        p = Vector512.MultiplyAddEstimate(p, square, Vector512.Create(-0.333333164f));
        // What the offset, pi / 2 or pi / 4, lost in rounding comes back with the small terms.
        var result = offset + Vector512.MultiplyAddEstimate(offset, Vector512.Create(-2.78275e-08f), Vector512.MultiplyAddEstimate(p * square, t, t));
        return Vector512.ConditionalSelect(Vector512.Create(-0f), x, result);
    }

    /// <summary>x to the power y, to 2 ulp, with the special cases of <see cref="MathF.Pow"/>.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static Vector512<float> Pow(Vector512<float> x, Vector512<float> y)
    {
        var infinity = Vector512.Create(float.PositiveInfinity);
        if (!Vector512.LessThanAll(x, infinity) || !Vector512.GreaterThanAll(x, Vector512<float>.Zero) || !Vector512.LessThanAll(Vector512.Abs(y), infinity))
        {
            return PowOfSpecial(x, y);
        }

        // x = 2^e (1 + f) as in Log. The exponent y log2 x needs more digits than a float has: as many as it has before the point.
        var tiny = Vector512.LessThan(x, Vector512.Create(1.17549435e-38f));
        var bits = Vector512.ConditionalSelect(tiny, x * Vector512.Create(8388608f), x).AsInt32() - Vector512.Create(0x3f3504f3);
        var e = Vector512.ConvertToSingle(bits >> 23) - Vector512.ConditionalSelect(tiny, Vector512.Create(23f), Vector512<float>.Zero);
        var f = ((bits & Vector512.Create(0x7fffff)) + Vector512.Create(0x3f3504f3)).AsSingle() - Vector512<float>.One;
        var low = Vector512.WidenLower(y) * LogarithmBase2(Vector512.WidenLower(e), Vector512.WidenLower(f));
        var high = Vector512.WidenUpper(y) * LogarithmBase2(Vector512.WidenUpper(e), Vector512.WidenUpper(f));
        low = Vector512.Min(Vector512.Create(200.0), Vector512.Max(Vector512.Create(-200.0), low));
        high = Vector512.Min(Vector512.Create(200.0), Vector512.Max(Vector512.Create(-200.0), high));
        var lowWhole = Vector512.Floor(low + Vector512.Create(0.5));
        var highWhole = Vector512.Floor(high + Vector512.Create(0.5));
        var n = Vector512.ConvertToInt32(Vector512.Narrow(lowWhole, highWhole));
        var part = Exp(Vector512.Narrow((low - lowWhole) * Vector512.Create(0.6931471805599453), (high - highWhole) * Vector512.Create(0.6931471805599453)));
        var half = n >> 1;
        return part * PowerOfTwo(half) * PowerOfTwo(n - half);
    }

    // log2(2^e (1 + f)) for f in [-0.3, 0.42], to 1e-12: the series of the area tangent in f / (2 + f).
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<double> LogarithmBase2(Vector512<double> e, Vector512<double> f)
    {
        var s = f / (f + Vector512.Create(2.0));
        var square = s * s;
        var p = Vector512.MultiplyAddEstimate(square, Vector512.Create(1 / 15.0), Vector512.Create(1 / 13.0));
        p = Vector512.MultiplyAddEstimate(p, square, Vector512.Create(1 / 11.0));
        p = Vector512.MultiplyAddEstimate(p, square, Vector512.Create(1 / 9.0));
        p = Vector512.MultiplyAddEstimate(p, square, Vector512.Create(1 / 7.0));
        p = Vector512.MultiplyAddEstimate(p, square, Vector512.Create(1 / 5.0));
        p = Vector512.MultiplyAddEstimate(p, square, Vector512.Create(1 / 3.0));
        p = Vector512.MultiplyAddEstimate(p, square, Vector512.Create(1.0));
        return Vector512.MultiplyAddEstimate(p * s, Vector512.Create(2.885390081777927), e);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Vector512<float> PowOfSpecial(Vector512<float> x, Vector512<float> y)
    {
        var result = x;
        for (var i = 0; i < Vector512<float>.Count; i++)
        {
            result = result.WithElement(i, MathF.Pow(x[i], y[i]));
        }

        return result;
    }

    /// <summary>Uniform numbers in [0, 1), multiples of 2^-24: a hash of the key and the element's number (the integer mixer
    /// that Chris Wellons published as lowbias32).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Uniform(Vector512<uint> key, Vector512<uint> element)
    {
        var h = key ^ (element * Vector512.Create(0x9E3779B9u));
        h ^= h >> 16;
        h *= Vector512.Create(0x7feb352du);
        h ^= h >> 15;
        h *= Vector512.Create(0x846ca68bu);
        h ^= h >> 16;
        return Vector512.ConvertToSingle((h >> 8).AsInt32()) * Vector512.Create(5.9604645e-08f);
    }

    // sin(x + quarters * pi / 2).
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> SinOfQuarters(Vector512<float> x, int quarters)
    {
        if (!Vector512.LessThanOrEqualAll(Vector512.Abs(x), Vector512.Create(8192f)))
        {
            return SinOfLarge(x, quarters);
        }

        // Pi / 2 in four parts, the first three so short that their products with n are exact.
        var shifted = Vector512.MultiplyAddEstimate(x, Vector512.Create(0.636619772f), Vector512.Create(12582912f));
        var n = shifted - Vector512.Create(12582912f);
        var r = Vector512.MultiplyAddEstimate(n, Vector512.Create(-1.5703125f), x);
        r = Vector512.MultiplyAddEstimate(n, Vector512.Create(-4.83751297e-04f), r);
        r = Vector512.MultiplyAddEstimate(n, Vector512.Create(-7.54953362e-08f), r);
        r = Vector512.MultiplyAddEstimate(n, Vector512.Create(-2.56334407e-12f), r);
        var square = r * r;
        var sin = Vector512.MultiplyAddEstimate(square, Vector512.Create(2.71735917e-06f), Vector512.Create(-0.000198392343f));
        sin = Vector512.MultiplyAddEstimate(sin, square, Vector512.Create(0.00833332911f));
        sin = Vector512.MultiplyAddEstimate(sin, square, Vector512.Create(-0.166666672f));
        sin = Vector512.ConditionalSelect(Vector512.Equals(r, Vector512<float>.Zero), r, Vector512.MultiplyAddEstimate(sin * square, r, r));
        var cos = Vector512.MultiplyAddEstimate(square, Vector512.Create(-2.72013978e-07f), Vector512.Create(2.47994139e-05f));
        cos = Vector512.MultiplyAddEstimate(cos, square, Vector512.Create(-0.00138888834f));
        cos = Vector512.MultiplyAddEstimate(cos, square, Vector512.Create(0.0416666679f));
        cos = Vector512.MultiplyAddEstimate(cos, square, Vector512.Create(-0.5f));
        cos = Vector512.MultiplyAddEstimate(cos, square, Vector512<float>.One);
        var quarter = shifted.AsInt32() + Vector512.Create(quarters);
        var odd = Vector512.Equals(quarter & Vector512<int>.One, Vector512<int>.One).AsSingle();
        var sign = ((quarter & Vector512.Create(2)) << 30).AsSingle();
        return Vector512.ConditionalSelect(odd, cos, sin) ^ sign;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Vector512<float> SinOfLarge(Vector512<float> x, int quarters)
    {
        var result = x;
        for (var i = 0; i < Vector512<float>.Count; i++)
        {
            result = result.WithElement(i, (float)(quarters == 0 ? Math.Sin(x[i]) : Math.Cos(x[i])));
        }

        return result;
    }
}
