// What a machine without AVX-512, or without AVX2, would run: the marked tests again, in processes with these switched off.
using System.Runtime.Intrinsics.X86;

namespace ModelCompiler.Tests.Kernels;

/// <summary>A test that <see cref="HardwareTests"/> repeats on lesser hardware.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class OnEveryHardwareAttribute : Attribute;

public class HardwareTests
{
    [Fact]
    public void KernelsWorkOnLesserHardware()
    {
        if (Avx512F.IsSupported)
        {
            Run(256, "DOTNET_EnableAVX512");
        }

        Run(128, "DOTNET_EnableAVX2");
    }

    private static void Run(int widest, string switchedOff)
    {
        var (exitCode, output) = Program.RunAgain([$"{widest}"], (switchedOff, "0"));
        Assert.True(exitCode == 0, $"{switchedOff}=0: {output}");
    }
}
