// Asking for memory before it is needed: what processors fetch ahead by themselves ends with the page and leaves out what is written.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace ModelCompiler.Runtime;

internal static unsafe class Streaming
{
    /// <summary>In floats, 4 KiB, as in emitted kernels.</summary>
    private const int Ahead = 1024;

    /// <summary>For what a loop over <paramref name="address"/> reads or writes a little later; it may be beyond the end.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Ask(float* address)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch0(address + Ahead);
        }
    }
}
