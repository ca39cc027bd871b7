// What a schedule asks about the machine it runs on: where one way to compute a layer suits some processors and another one others, both are
// emitted. The answer is the same for the whole process, and no result depends on it.
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ModelCompiler.Runtime;

internal static class Machine
{
    /// <summary>A switch of <see cref="AppContext"/> that decides instead, if it is set before the first network is made.</summary>
    private const string Switch = "ModelCompiler.KeepsFilters";

    /// <summary>The first four letters of GenuineIntel.</summary>
    private const int Genu = 0x756e6547;

    /// <summary>As in <see cref="CompiledNetwork"/>. Filters are kept but on Intel processors with AVX-512: servers nearly all, whose memory gives a core 11 to 14 GB/s
    /// where others get 25 and more. The figures are in docs/kernels.md.</summary>
    public static bool KeepsFilters { get; } = AppContext.TryGetSwitch(Switch, out var keeps) ? keeps : !(Vector512.IsHardwareAccelerated && IsIntel);

    private static bool IsIntel => X86Base.IsSupported && X86Base.CpuId(0, 0).Ebx == Genu;
}
