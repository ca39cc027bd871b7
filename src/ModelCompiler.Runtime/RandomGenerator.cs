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
