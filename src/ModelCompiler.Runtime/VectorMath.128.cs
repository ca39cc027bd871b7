// VectorMath for 128-bit vectors: the text of VectorMath.512.cs with the vector type replaced, which a test checks.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ModelCompiler.Runtime;

public static partial class VectorMath
{
    /// <summary>e^x, to 2 ulp; +inf above 88.73, 0 below -104, denormals between.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Exp(Vector128<float> x)
    {
        // The constant comes first: these forms return the second operand, and so NaN, when it is NaN.
        x = Vector128.MinNative(Vector128.Create(89f), Vector128.MaxNative(Vector128.Create(-104f), x));
        var p = PowerOfE(x, out var power);

        // Two factors, because 2^n itself overflows or vanishes at the ends.
        var half = power >> 1;
        return p * PowerOfTwo(half) * PowerOfTwo(power - half);
    }

    /// <summary>e^x as a number near 1 times 2^<paramref name="power"/>; the polynomial by pairs of terms, for the reason that <see cref="NormalCdf(Vector128{float})"/> has.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> PowerOfE(Vector128<float> x, out Vector128<int> power)
    {
        var shifted = Vector128.MultiplyAddEstimate(x, Vector128.Create(1.44269504f), Vector128.Create(12582912f));
        var n = shifted - Vector128.Create(12582912f);
        var r = Vector128.MultiplyAddEstimate(n, Vector128.Create(-0.693359375f), x);
        r = Vector128.MultiplyAddEstimate(n, Vector128.Create(2.12194440e-4f), r);
        var square = r * r;
        var high = Vector128.MultiplyAddEstimate(r, Vector128.Create(0.00138124893f), Vector128.Create(0.00836973451f));
        var low = Vector128.MultiplyAddEstimate(r, Vector128.Create(0.0416684896f), Vector128.Create(0.166665122f));
        var p = Vector128.MultiplyAddEstimate(square, high, low);
        power = shifted.AsInt32() - Vector128.Create(12582912f).AsInt32();
        return Vector128.MultiplyAddEstimate(Vector128.MultiplyAddEstimate(p, r, Vector128.Create(0.49999994f)), square, r) + Vector128<float>.One;
    }

    /// <summary>2^n for n from -126 to 127; 0 for -127.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> PowerOfTwo(Vector128<int> n) => ((n + Vector128.Create(127)) << 23).AsSingle();

    /// <summary>e^x for x of at most 0, to 2 ulp; 0 below -80: neither it nor its share of a sum is then a denormal number, which takes
    /// processors many times as long.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> ExpOrZero(Vector128<float> x)
    {
        var least = Vector128.Create(-80f);
        return Vector128.ConditionalSelect(Vector128.LessThan(x, least), Vector128<float>.Zero, PowerOfE(Vector128.MaxNative(least, x), out var power) * PowerOfTwo(power));
    }

    /// <summary>ln x, to 2 ulp; -inf at 0, NaN below.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Log(Vector128<float> x)
    {
        var tiny = Vector128.LessThan(x, Vector128.Create(1.17549435e-38f));
        var scaled = Vector128.ConditionalSelect(tiny, x * Vector128.Create(8388608f), x);

        // scaled = 2^e * m with m in [sqrt(1/2), sqrt(2)).
        var bits = scaled.AsInt32() - Vector128.Create(0x3f3504f3);
        var e = Vector128.ConvertToSingle(bits >> 23) - Vector128.ConditionalSelect(tiny, Vector128.Create(23f), Vector128<float>.Zero);
        var f = ((bits & Vector128.Create(0x7fffff)) + Vector128.Create(0x3f3504f3)).AsSingle() - Vector128<float>.One;
        var p = Vector128.MultiplyAddEstimate(f, Vector128.Create(0.0675756484f), Vector128.Create(-0.116943337f));
        p = Vector128.MultiplyAddEstimate(p, f, Vector128.Create(0.118935138f));
        p = Vector128.MultiplyAddEstimate(p, f, Vector128.Create(-0.124030843f));
        p = Vector128.MultiplyAddEstimate(p, f, Vector128.Create(0.142185539f));
        p = Vector128.MultiplyAddEstimate(p, f, Vector128.Create(-0.166680902f));
        p = Vector128.MultiplyAddEstimate(p, f, Vector128.Create(0.200021669f));
        p = Vector128.MultiplyAddEstimate(p, f, Vector128.Create(-0.250000089f));
        p = Vector128.MultiplyAddEstimate(p, f, Vector128.Create(0.333333105f));
        var square = f * f;
        var low = Vector128.MultiplyAddEstimate(e, Vector128.Create(-2.12194440e-4f), p * f * square);
        low = Vector128.MultiplyAddEstimate(square, Vector128.Create(-0.5f), low);
        var result = Vector128.MultiplyAddEstimate(e, Vector128.Create(0.693359375f), f + low);

        // +inf and NaN stay as they are.
        result = Vector128.ConditionalSelect(Vector128.LessThan(x, Vector128.Create(float.PositiveInfinity)), result, x);
        result = Vector128.ConditionalSelect(Vector128.LessThan(x, Vector128<float>.Zero), Vector128.Create(float.NaN), result);
        return Vector128.ConditionalSelect(Vector128.Equals(x, Vector128<float>.Zero), Vector128.Create(float.NegativeInfinity), result);
    }

    /// <summary>ln(1 + x), to 3 ulp, also near 0; -inf at -1, NaN below.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Log1p(Vector128<float> x)
    {
        var sum = Vector128<float>.One + x;
        var lost = x - (sum - Vector128<float>.One);
        var log = Log(sum);

        // The rounding error of the sum, put back to first order; not where the sum is 0 or infinite.
        var result = Vector128.ConditionalSelect(
            Vector128.LessThan(sum, Vector128.Create(1e30f)) & Vector128.GreaterThan(sum, Vector128<float>.Zero), log + (lost / sum), log);
        return Vector128.ConditionalSelect(Vector128.Equals(sum, Vector128<float>.One), x, result);
    }

    /// <summary>Hyperbolic tangent, to 2 ulp.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Tanh(Vector128<float> x)
    {
        var magnitude = Vector128.Abs(x);
        var square = x * x;
        var p = Vector128.MultiplyAddEstimate(square, Vector128.Create(0.00214753952f), Vector128.Create(-0.00818267744f));
        p = Vector128.MultiplyAddEstimate(p, square, Vector128.Create(0.0217029676f));
        p = Vector128.MultiplyAddEstimate(p, square, Vector128.Create(-0.0539472029f));
        p = Vector128.MultiplyAddEstimate(p, square, Vector128.Create(0.133332103f));
        p = Vector128.MultiplyAddEstimate(p, square, Vector128.Create(-0.333333313f));
        var near = Vector128.MultiplyAddEstimate(p * square, x, x);
        var far = Vector128<float>.One - (Vector128.Create(2f) / (Exp(magnitude + magnitude) + Vector128<float>.One));
        var result = Vector128.ConditionalSelect(Vector128.LessThan(magnitude, Vector128.Create(0.625f)), near, far);
        return Vector128.ConditionalSelect(Vector128.Create(-0f), x, result);
    }

    /// <summary>1 / (1 + e^-x), to 3 ulp.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Sigmoid(Vector128<float> x)
    {
        var e = Exp(-Vector128.Abs(x));
        var numerator = Vector128.ConditionalSelect(Vector128.LessThan(x, Vector128<float>.Zero), e, Vector128<float>.One);
        return numerator / (Vector128<float>.One + e);
    }

    /// <summary>The distribution function Φ of the standard normal distribution, to 1.2e-7 absolute (2 ulp of results near 1); 0 below -10. Its polynomials are evaluated by pairs
    /// of terms: with one term after another a processor would wait for each, and hold too few vectors at a time to do something else meanwhile.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> NormalCdf(Vector128<float> x)
    {
        // Φ(-a) = 2^-h: h is smooth and needed ever less exactly. At the bound it is 127, for which the power of two below is 0.
        var a = Vector128.MinNative(Vector128.Create(9.979955f), Vector128.Abs(x));
        var a2 = a * a;
        var first = Vector128.MultiplyAddEstimate(a, Vector128.Create(1.15110576f), Vector128<float>.One);
        var second = Vector128.MultiplyAddEstimate(a, Vector128.Create(0.0525050275f), Vector128.Create(0.459204912f));
        var third = Vector128.MultiplyAddEstimate(a, Vector128.Create(0.00014586834f), Vector128.Create(-0.00707546948f));
        var fourth = Vector128.MultiplyAddEstimate(a, Vector128.Create(-3.86208994e-05f), Vector128.Create(0.000182548334f));
        var high = Vector128.MultiplyAddEstimate(a2, Vector128.MultiplyAddEstimate(a2, Vector128.Create(2.77206163e-06f), fourth), third);
        var h = Vector128.MultiplyAddEstimate(a2 * a2, high, Vector128.MultiplyAddEstimate(a2, second, first));

        // 2^-h = 2^n * 2^r with |r| <= 0.5.
        var shifted = Vector128.Create(12582912f) - h;
        var r = Vector128.Create(12582912f) - shifted - h;
        var low = Vector128.MultiplyAddEstimate(r, Vector128.Create(0.240226477f), Vector128.Create(0.693147182f));
        var middle = Vector128.MultiplyAddEstimate(r, Vector128.Create(0.00961843692f), Vector128.Create(0.0555033237f));
        var last = Vector128.MultiplyAddEstimate(r, Vector128.Create(0.00015353362f), Vector128.Create(0.00133988750f));
        var square = r * r;
        var p = Vector128.MultiplyAddEstimate(Vector128.MultiplyAddEstimate(square, Vector128.MultiplyAddEstimate(square, last, middle), low), r, Vector128<float>.One);

        // PowerOfTwo of n, with its two sums as one (0x4b400000 are the bits of 12582912): another one takes 6 % of GELU's time.
        var tail = p * ((shifted.AsInt32() + Vector128.Create(127 - 0x4b400000)) << 23).AsSingle();
        return Vector128.ConditionalSelect(Vector128.LessThan(x, Vector128<float>.Zero), tail, Vector128<float>.One - tail);
    }

    /// <summary>Sine of an angle in radians, to 3 ulp (near its zeros to 2e-8 absolute).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Sin(Vector128<float> x) => SinOfQuarters(x, 0);

    /// <summary>Cosine of an angle in radians, to 3 ulp (near its zeros to 2e-8 absolute).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Cos(Vector128<float> x) => SinOfQuarters(x, 1);

    /// <summary>Arc tangent in radians, to 3 ulp.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Atan(Vector128<float> x)
    {
        var magnitude = Vector128.Abs(x);
        var large = Vector128.GreaterThan(magnitude, Vector128.Create(2.41421356f));
        var middle = Vector128.GreaterThan(magnitude, Vector128.Create(0.414213562f));
        var numerator = Vector128.ConditionalSelect(large, Vector128.Create(-1f), Vector128.ConditionalSelect(middle, magnitude - Vector128<float>.One, magnitude));
        var denominator = Vector128.ConditionalSelect(large, magnitude, Vector128.ConditionalSelect(middle, magnitude + Vector128<float>.One, Vector128<float>.One));
        var offset = Vector128.ConditionalSelect(large, Vector128.Create(1.57079633f), Vector128.ConditionalSelect(middle, Vector128.Create(0.785398163f), Vector128<float>.Zero));
        var t = numerator / denominator;
        var square = t * t;
        var p = Vector128.MultiplyAddEstimate(square, Vector128.Create(-0.0608345233f), Vector128.Create(0.105960011f));
        p = Vector128.MultiplyAddEstimate(p, square, Vector128.Create(-0.142438486f));
        p = Vector128.MultiplyAddEstimate(p, square, Vector128.Create(0.199984893f));
        p = Vector128.MultiplyAddEstimate(p, square, Vector128.Create(-0.333333164f));
        // What the offset, pi / 2 or pi / 4, lost in rounding comes back with the small terms.
        var result = offset + Vector128.MultiplyAddEstimate(offset, Vector128.Create(-2.78275e-08f), Vector128.MultiplyAddEstimate(p * square, t, t));
        return Vector128.ConditionalSelect(Vector128.Create(-0f), x, result);
    }

    /// <summary>x to the power y, to 2 ulp, with the special cases of <see cref="MathF.Pow"/>.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static Vector128<float> Pow(Vector128<float> x, Vector128<float> y)
    {
        var infinity = Vector128.Create(float.PositiveInfinity);
        if (!Vector128.LessThanAll(x, infinity) || !Vector128.GreaterThanAll(x, Vector128<float>.Zero) || !Vector128.LessThanAll(Vector128.Abs(y), infinity))
        {
            return PowOfSpecial(x, y);
        }

        // x = 2^e (1 + f) as in Log. The exponent y log2 x needs more digits than a float has: as many as it has before the point.
        var tiny = Vector128.LessThan(x, Vector128.Create(1.17549435e-38f));
        var bits = Vector128.ConditionalSelect(tiny, x * Vector128.Create(8388608f), x).AsInt32() - Vector128.Create(0x3f3504f3);
        var e = Vector128.ConvertToSingle(bits >> 23) - Vector128.ConditionalSelect(tiny, Vector128.Create(23f), Vector128<float>.Zero);
        var f = ((bits & Vector128.Create(0x7fffff)) + Vector128.Create(0x3f3504f3)).AsSingle() - Vector128<float>.One;
        var low = Vector128.WidenLower(y) * LogarithmBase2(Vector128.WidenLower(e), Vector128.WidenLower(f));
        var high = Vector128.WidenUpper(y) * LogarithmBase2(Vector128.WidenUpper(e), Vector128.WidenUpper(f));
        low = Vector128.Min(Vector128.Create(200.0), Vector128.Max(Vector128.Create(-200.0), low));
        high = Vector128.Min(Vector128.Create(200.0), Vector128.Max(Vector128.Create(-200.0), high));
        var lowWhole = Vector128.Floor(low + Vector128.Create(0.5));
        var highWhole = Vector128.Floor(high + Vector128.Create(0.5));
        var n = Vector128.ConvertToInt32(Vector128.Narrow(lowWhole, highWhole));
        var part = Exp(Vector128.Narrow((low - lowWhole) * Vector128.Create(0.6931471805599453), (high - highWhole) * Vector128.Create(0.6931471805599453)));
        var half = n >> 1;
        return part * PowerOfTwo(half) * PowerOfTwo(n - half);
    }

    // log2(2^e (1 + f)) for f in [-0.3, 0.42], to 1e-12: the series of the area tangent in f / (2 + f).
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<double> LogarithmBase2(Vector128<double> e, Vector128<double> f)
    {
        var s = f / (f + Vector128.Create(2.0));
        var square = s * s;
        var p = Vector128.MultiplyAddEstimate(square, Vector128.Create(1 / 15.0), Vector128.Create(1 / 13.0));
        p = Vector128.MultiplyAddEstimate(p, square, Vector128.Create(1 / 11.0));
        p = Vector128.MultiplyAddEstimate(p, square, Vector128.Create(1 / 9.0));
        p = Vector128.MultiplyAddEstimate(p, square, Vector128.Create(1 / 7.0));
        p = Vector128.MultiplyAddEstimate(p, square, Vector128.Create(1 / 5.0));
        p = Vector128.MultiplyAddEstimate(p, square, Vector128.Create(1 / 3.0));
        p = Vector128.MultiplyAddEstimate(p, square, Vector128.Create(1.0));
        return Vector128.MultiplyAddEstimate(p * s, Vector128.Create(2.885390081777927), e);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Vector128<float> PowOfSpecial(Vector128<float> x, Vector128<float> y)
    {
        var result = x;
        for (var i = 0; i < Vector128<float>.Count; i++)
        {
            result = result.WithElement(i, MathF.Pow(x[i], y[i]));
        }

        return result;
    }

    /// <summary>Uniform numbers in [0, 1), multiples of 2^-24: a hash of the key and the element's number (the integer mixer
    /// that Chris Wellons published as lowbias32).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Uniform(Vector128<uint> key, Vector128<uint> element)
    {
        var h = key ^ (element * Vector128.Create(0x9E3779B9u));
        h ^= h >> 16;
        h *= Vector128.Create(0x7feb352du);
        h ^= h >> 15;
        h *= Vector128.Create(0x846ca68bu);
        h ^= h >> 16;
        return Vector128.ConvertToSingle((h >> 8).AsInt32()) * Vector128.Create(5.9604645e-08f);
    }

    // sin(x + quarters * pi / 2).
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> SinOfQuarters(Vector128<float> x, int quarters)
    {
        if (!Vector128.LessThanOrEqualAll(Vector128.Abs(x), Vector128.Create(8192f)))
        {
            return SinOfLarge(x, quarters);
        }

        // Pi / 2 in four parts, the first three so short that their products with n are exact.
        var shifted = Vector128.MultiplyAddEstimate(x, Vector128.Create(0.636619772f), Vector128.Create(12582912f));
        var n = shifted - Vector128.Create(12582912f);
        var r = Vector128.MultiplyAddEstimate(n, Vector128.Create(-1.5703125f), x);
        r = Vector128.MultiplyAddEstimate(n, Vector128.Create(-4.83751297e-04f), r);
        r = Vector128.MultiplyAddEstimate(n, Vector128.Create(-7.54953362e-08f), r);
        r = Vector128.MultiplyAddEstimate(n, Vector128.Create(-2.56334407e-12f), r);
        var square = r * r;
        var sin = Vector128.MultiplyAddEstimate(square, Vector128.Create(2.71735917e-06f), Vector128.Create(-0.000198392343f));
        sin = Vector128.MultiplyAddEstimate(sin, square, Vector128.Create(0.00833332911f));
        sin = Vector128.MultiplyAddEstimate(sin, square, Vector128.Create(-0.166666672f));
        sin = Vector128.ConditionalSelect(Vector128.Equals(r, Vector128<float>.Zero), r, Vector128.MultiplyAddEstimate(sin * square, r, r));
        var cos = Vector128.MultiplyAddEstimate(square, Vector128.Create(-2.72013978e-07f), Vector128.Create(2.47994139e-05f));
        cos = Vector128.MultiplyAddEstimate(cos, square, Vector128.Create(-0.00138888834f));
        cos = Vector128.MultiplyAddEstimate(cos, square, Vector128.Create(0.0416666679f));
        cos = Vector128.MultiplyAddEstimate(cos, square, Vector128.Create(-0.5f));
        cos = Vector128.MultiplyAddEstimate(cos, square, Vector128<float>.One);
        var quarter = shifted.AsInt32() + Vector128.Create(quarters);
        var odd = Vector128.Equals(quarter & Vector128<int>.One, Vector128<int>.One).AsSingle();
        var sign = ((quarter & Vector128.Create(2)) << 30).AsSingle();
        return Vector128.ConditionalSelect(odd, cos, sin) ^ sign;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Vector128<float> SinOfLarge(Vector128<float> x, int quarters)
    {
        var result = x;
        for (var i = 0; i < Vector128<float>.Count; i++)
        {
            result = result.WithElement(i, (float)(quarters == 0 ? Math.Sin(x[i]) : Math.Cos(x[i])));
        }

        return result;
    }
}
