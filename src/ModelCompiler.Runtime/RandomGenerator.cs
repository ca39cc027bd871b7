// System.Random does not promise the same numbers in the next version; training that must repeat needs one that does.
using System.Numerics;

namespace ModelCompiler.Runtime;

/// <summary>xoshiro256** (Blackman and Vigna 2018), seeded by SplitMix64. The same seed gives the same numbers everywhere.</summary>
public sealed class RandomGenerator
{
    private ulong s0;
    private ulong s1;
    private ulong s2;
    private ulong s3;

    /// <param name="stream">Generators of one seed and different streams are independent.</param>
    public RandomGenerator(ulong seed, ulong stream = 0) => Reseed(seed, stream);

    /// <summary>Begins again as a new generator would.</summary>
    public void Reseed(ulong seed, ulong stream = 0)
    {
        const ulong golden = 0x9E3779B97F4A7C15;
        var start = RandomBits.Mix(seed + golden) + stream;
        s0 = RandomBits.Mix(start + golden);
        s1 = RandomBits.Mix(start + unchecked(2 * golden));
        s2 = RandomBits.Mix(start + unchecked(3 * golden));
        s3 = RandomBits.Mix(start + unchecked(4 * golden));
    }

    public ulong NextUInt64()
    {
        var result = BitOperations.RotateLeft(s1 * 5, 7) * 9;
        var shifted = s1 << 17;
        s2 ^= s0;
        s3 ^= s1;
        s1 ^= s2;
        s0 ^= s3;
        s2 ^= shifted;
        s3 = BitOperations.RotateLeft(s3, 45);
        return result;
    }

    /// <summary>Uniform in [0, 1), a multiple of 2^-53.</summary>
    public double NextDouble() => (NextUInt64() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Uniform in [0, <paramref name="bound"/>), without bias (Lemire 2019).</summary>
    public int Next(int bound)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bound);
        var range = (ulong)bound;
        var high = Math.BigMul(NextUInt64(), range, out var low);
        if (low < range)
        {
            var threshold = unchecked(0UL - range) % range;
            while (low < threshold)
            {
                high = Math.BigMul(NextUInt64(), range, out low);
            }
        }

        return (int)high;
    }

    /// <summary>Uniform in [<paramref name="low"/>, <paramref name="high"/>).</summary>
    public float NextFloat(float low, float high) => (float)(low + ((high - low) * NextDouble()));

    /// <summary>Normal(0, 1), by Marsaglia's polar method.</summary>
    public double NextNormal()
    {
        while (true)
        {
            var u = (2 * NextDouble()) - 1;
            var v = (2 * NextDouble()) - 1;
            var square = (u * u) + (v * v);
            if (square is > 0 and < 1)
            {
                return u * Math.Sqrt(-2 * PortableMath.Log(square) / square);
            }
        }
    }

    /// <summary>Gamma(<paramref name="shape"/>, 1), by Marsaglia and Tsang 2000.</summary>
    public double NextGamma(double shape)
    {
        if (shape < 1)
        {
            // Their section 6: a draw for shape + 1, times u to the power of 1 / shape.
            var boosted = NextGamma(shape + 1);
            return boosted * PortableMath.Exp(PortableMath.Log(1 - NextDouble()) / shape);
        }

        var d = shape - (1 / 3.0);
        var c = 1 / Math.Sqrt(9 * d);
        while (true)
        {
            var x = NextNormal();
            var v = 1 + (c * x);
            if (v > 0)
            {
                v = v * v * v;
                if (PortableMath.Log(1 - NextDouble()) < (0.5 * x * x) + d - (d * v) + (d * PortableMath.Log(v)))
                {
                    return d * v;
                }
            }
        }
    }

    /// <summary>Beta(<paramref name="a"/>, <paramref name="b"/>), in 0 … 1.</summary>
    public double NextBeta(double a, double b)
    {
        var (x, y) = (NextGamma(a), NextGamma(b));
        return x + y > 0 ? x / (x + y) : NextDouble() < a / (a + b) ? 1 : 0;
    }

    /// <summary>Fisher and Yates's shuffle.</summary>
    public void Shuffle<T>(Span<T> items)
    {
        for (var i = items.Length - 1; i > 0; i--)
        {
            var j = Next(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }
}
