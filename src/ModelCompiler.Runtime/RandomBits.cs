// Dropout's random numbers: a pure function of where they are used, so that forward and backward agree, and
// the number of threads does not matter.
namespace ModelCompiler.Runtime;

/// <summary>Counter-based random numbers.</summary>
public static class RandomBits
{
    private const ulong Golden64 = 0x9E3779B97F4A7C15;
    private const uint Golden32 = 0x9E3779B9;

    /// <summary>The key of one sample's numbers.</summary>
    /// <param name="stream">A number of its own for each use in the network.</param>
    public static uint Key(ulong seed, long step, int stream, long sample)
    {
        var hash = Mix(seed + Golden64);
        hash = Mix(hash + Golden64 + (ulong)step);
        hash = Mix(hash + Golden64 + (uint)stream);
        hash = Mix(hash + Golden64 + (ulong)sample);
        return (uint)(hash >> 32);
    }

    /// <summary>The number at <paramref name="element"/>, uniform in [0, 1), a multiple of 2^-24.</summary>
    public static float Value(uint key, int element)
    {
        // Wellons' lowbias32: https://nullprogram.com/blog/2018/07/31/
        var x = key ^ (unchecked((uint)element) * Golden32);
        x ^= x >> 16;
        x *= 0x7FEB352D;
        x ^= x >> 15;
        x *= 0x846CA68B;
        x ^= x >> 16;
        return (x >> 8) * (1.0f / (1 << 24));
    }

    /// <summary>The finaliser of SplitMix64 (Steele, Lea and Flood 2014).</summary>
    internal static ulong Mix(ulong x)
    {
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }
}
