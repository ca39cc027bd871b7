// Kernels with sixteen samples side by side keep a sum for each of them; the sum over a batch is that over the lanes.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ModelCompiler.Runtime;

/// <summary>Used by generated code.</summary>
public static unsafe class SampleLanes
{
    /// <summary>to[i] = the sum of lanes[16 · i … 16 · i + 15], for i below <paramref name="count"/>. Additions have one order on every
    /// processor: lanes four apart first, then neighbours.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add(float* lanes, int count, float* to)
    {
        var i = 0;
        for (; Sse3.IsSupported && i <= count - 4; i += 4, lanes += 64)
        {
            var first = Sse3.HorizontalAdd(FourOf(lanes), FourOf(lanes + 16));
            var second = Sse3.HorizontalAdd(FourOf(lanes + 32), FourOf(lanes + 48));
            *(Vector128<float>*)(to + i) = Sse3.HorizontalAdd(first, second);
        }

        for (; i < count; i++, lanes += 16)
        {
            var four = FourOf(lanes);
            to[i] = four[0] + four[1] + (four[2] + four[3]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> FourOf(float* lanes) => *(Vector128<float>*)lanes + *(Vector128<float>*)(lanes + 4) + (*(Vector128<float>*)(lanes + 8) + *(Vector128<float>*)(lanes + 12));
}
