// What one core of this machine can do at most: multiply-adds in registers, and bytes read from memory one after
// another. Measured at the time of asking, since clocks and neighbours change.
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace ModelCompiler.Tool;

/// <param name="Gflops">Billion operations per second of one core, two for each multiply-add, in the widest vectors.</param>
/// <param name="GigabytesPerSecond">Read by one core from a buffer of <paramref name="Bytes"/>.</param>
internal sealed record MachineLimits(double Gflops, double GigabytesPerSecond, long Bytes)
{
    private const int Turns = 200_000;
    private const long LeastBytes = 16 << 10;
    private const long MostBytes = 512L << 20;

    /// <param name="bytes">What a run touches: a network that fits into a cache is bound by that cache.</param>
    public static MachineLimits Measure(long bytes, TimeSpan time)
    {
        bytes = Math.Clamp(bytes / 512 * 512, LeastBytes, MostBytes);
        return new MachineLimits(Best(time / 2, MultiplyAdds), Best(time / 2, new Buffer(bytes).Read), bytes);
    }

    /// <summary>The highest rate of all runs: what disturbs can only slow down.</summary>
    private static double Best(TimeSpan time, Func<double> run)
    {
        var (best, total) = (0.0, Stopwatch.StartNew());
        for (var round = 0; round < 3 || total.Elapsed < time; round++)
        {
            var start = Stopwatch.GetTimestamp();
            var billions = run() / 1e9;
            best = Math.Max(best, billions / Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        return best;
    }

    /// <summary>Twelve sums are more than the latency of a multiply-add times two units; written once for each width, because
    /// a vector that the hardware lacks is split in two.</summary>
    private static double MultiplyAdds() =>
        Vector512.IsHardwareAccelerated ? MultiplyAdds512() : Vector256.IsHardwareAccelerated ? MultiplyAdds256() : MultiplyAdds128();

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double MultiplyAdds512()
    {
        Vector512<float> a = default, b = default, c = default, d = default, e = default, f = default, g = default, h = default, i = default, j = default, k = default, l = default;
        var (x, y) = (Vector512.Create(0.5f), Vector512.Create(1f));
        for (var turn = 0; turn < Turns; turn++)
        {
            a = Vector512.FusedMultiplyAdd(a, x, y); b = Vector512.FusedMultiplyAdd(b, x, y); c = Vector512.FusedMultiplyAdd(c, x, y);
            d = Vector512.FusedMultiplyAdd(d, x, y); e = Vector512.FusedMultiplyAdd(e, x, y); f = Vector512.FusedMultiplyAdd(f, x, y);
            g = Vector512.FusedMultiplyAdd(g, x, y); h = Vector512.FusedMultiplyAdd(h, x, y); i = Vector512.FusedMultiplyAdd(i, x, y);
            j = Vector512.FusedMultiplyAdd(j, x, y); k = Vector512.FusedMultiplyAdd(k, x, y); l = Vector512.FusedMultiplyAdd(l, x, y);
        }

        return Operations(Vector512.Sum(a + b + c + d + e + f + g + h + i + j + k + l), 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double MultiplyAdds256()
    {
        Vector256<float> a = default, b = default, c = default, d = default, e = default, f = default, g = default, h = default, i = default, j = default, k = default, l = default;
        var (x, y) = (Vector256.Create(0.5f), Vector256.Create(1f));
        for (var turn = 0; turn < Turns; turn++)
        {
            a = Vector256.FusedMultiplyAdd(a, x, y); b = Vector256.FusedMultiplyAdd(b, x, y); c = Vector256.FusedMultiplyAdd(c, x, y);
            d = Vector256.FusedMultiplyAdd(d, x, y); e = Vector256.FusedMultiplyAdd(e, x, y); f = Vector256.FusedMultiplyAdd(f, x, y);
            g = Vector256.FusedMultiplyAdd(g, x, y); h = Vector256.FusedMultiplyAdd(h, x, y); i = Vector256.FusedMultiplyAdd(i, x, y);
            j = Vector256.FusedMultiplyAdd(j, x, y); k = Vector256.FusedMultiplyAdd(k, x, y); l = Vector256.FusedMultiplyAdd(l, x, y);
        }

        return Operations(Vector256.Sum(a + b + c + d + e + f + g + h + i + j + k + l), 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double MultiplyAdds128()
    {
        Vector128<float> a = default, b = default, c = default, d = default, e = default, f = default, g = default, h = default, i = default, j = default, k = default, l = default;
        var (x, y) = (Vector128.Create(0.5f), Vector128.Create(1f));
        for (var turn = 0; turn < Turns; turn++)
        {
            a = Vector128.MultiplyAddEstimate(a, x, y); b = Vector128.MultiplyAddEstimate(b, x, y); c = Vector128.MultiplyAddEstimate(c, x, y);
            d = Vector128.MultiplyAddEstimate(d, x, y); e = Vector128.MultiplyAddEstimate(e, x, y); f = Vector128.MultiplyAddEstimate(f, x, y);
            g = Vector128.MultiplyAddEstimate(g, x, y); h = Vector128.MultiplyAddEstimate(h, x, y); i = Vector128.MultiplyAddEstimate(i, x, y);
            j = Vector128.MultiplyAddEstimate(j, x, y); k = Vector128.MultiplyAddEstimate(k, x, y); l = Vector128.MultiplyAddEstimate(l, x, y);
        }

        return Operations(Vector128.Sum(a + b + c + d + e + f + g + h + i + j + k + l), 4);
    }

    /// <param name="sum">Used, so that nothing is left out.</param>
    private static double Operations(float sum, int width) => sum > 0 ? 2.0 * 12 * width * Turns : 0;

    private sealed class Buffer(long bytes)
    {
        /// <summary>Written once: pages that nobody wrote are all the same page of zeros.</summary>
        private readonly float[] data = Enumerable.Repeat(1f, (int)(bytes / sizeof(float))).ToArray();

        /// <summary>Bytes read; small buffers several times, so that a run is long enough for the clock.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public double Read()
        {
            var times = (int)Math.Max(1, (4 << 20) / bytes);
            ref var first = ref MemoryMarshal.GetArrayDataReference(data);
            Vector512<float> a = default, b = default;
            for (var time = 0; time < times; time++)
            {
                for (nuint i = 0; i + 127 < (nuint)data.Length; i += 128)
                {
                    a += Vector512.LoadUnsafe(ref first, i) + Vector512.LoadUnsafe(ref first, i + 32) + Vector512.LoadUnsafe(ref first, i + 64) + Vector512.LoadUnsafe(ref first, i + 96);
                    b += Vector512.LoadUnsafe(ref first, i + 16) + Vector512.LoadUnsafe(ref first, i + 48) + Vector512.LoadUnsafe(ref first, i + 80) + Vector512.LoadUnsafe(ref first, i + 112);
                }
            }

            return Vector512.Sum(a + b) >= 0 ? (double)bytes * times : 0;
        }
    }
}
