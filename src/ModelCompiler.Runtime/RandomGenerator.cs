// System.Random does not promise the same numbers in the next version; training that must repeat needs one that does.
using System.Numerics;

namespace ModelCompiler.Runtime;

/// <summary>xoshiro256** (Blackman and Vigna 2018), seeded by SplitMix64. The same seed gives the same numbers everywhere.</summary>
public sealed class RandomGenerator
{
    private readonly ulong[] state = new ulong[4];

    /// <param name="stream">Generators of one seed and different streams are independent.</param>
    public RandomGenerator(ulong seed, ulong stream = 0)
    {
        var mixer = RandomBits.Mix(seed + 0x9E3779B97F4A7C15) + stream;
        for (var i = 0; i < state.Length; i++)
        {
            mixer += 0x9E3779B97F4A7C15;
            state[i] = RandomBits.Mix(mixer);
        }
    }

    public ulong NextUInt64()
    {
        var result = BitOperations.RotateLeft(state[1] * 5, 7) * 9;
        var shifted = state[1] << 17;
        state[2] ^= state[0];
        state[3] ^= state[1];
        state[1] ^= state[2];
        state[0] ^= state[3];
        state[2] ^= shifted;
        state[3] = BitOperations.RotateLeft(state[3], 45);
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

    /// <summary>The four words of the state, for checkpoints.</summary>
    public ulong[] Save() => (ulong[])state.Clone();

    /// <summary>Continues where <see cref="Save"/> was called.</summary>
    public void Restore(ReadOnlySpan<ulong> saved)
    {
        if (saved.Length != state.Length || saved.IndexOfAnyExcept(0UL) < 0)
        {
            throw new ArgumentException("the state of a generator is four words, not all 0.", nameof(saved));
        }

        saved.CopyTo(state);
    }
}
