// What a machine without AVX-512, or without AVX2, would run: the marked tests again, in processes with these switched off.
using System.Diagnostics;
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
        var start = new ProcessStartInfo("dotnet", ["exec", typeof(Program).Assembly.Location, $"{widest}"]) { RedirectStandardOutput = true };
        start.Environment[switchedOff] = "0";
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{switchedOff}=0: {output}");
    }
}
