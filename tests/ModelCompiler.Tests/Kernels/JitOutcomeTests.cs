// What the JIT itself says it did with the kernels of the published networks: with a method that it finds too large it gives up
// optimising, in silence, and the kernel runs ten times slower.
using System.Diagnostics;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Loader;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using ModelCompiler.Planning;
using ModelCompiler.Tests.Evaluation;

namespace ModelCompiler.Tests.Kernels;

public partial class JitOutcomeTests
{
    /// <summary>Of the JIT (clrconfig: DEFAULT_MIN_OPTS_CODE_SIZE): 60,000 bytes of IL.</summary>
    private const int TooManyStatements = 20_000;

    /// <summary>All kernels of the zoo in one assembly, which is also smaller than each by itself: published networks share most.</summary>
    [Fact]
    public void EveryKernelOfTheZooIsOptimized()
    {
        var networks = ((System.Collections.IEnumerable)ZooTests.Files).Cast<object[]>().Select(row => ZooTests.Evaluate((string)row[0])).ToList();
        var plans = networks.Select(n => Planner.ForInference(n)).Concat(networks.Where(n => n.Loss is not null).Select(n => Planner.ForTraining(n, inputGradients: false)));
        var compiled = new CompiledKernels(plans.SelectMany(p => p.Prepare.Concat(p.Steps)).Select(s => s.Kernel).ToList());
        MethodSize.AssertWithinBudget(compiled.Image);

        var outcomes = Compile(compiled.Image);
        Assert.True(outcomes.Count > 500, $"Only {outcomes.Count} methods were compiled.");
        Assert.All(outcomes, o => Assert.Equal("FullOpts", o.Tier));
    }

    /// <summary>Else the test above could not fail.</summary>
    [Fact]
    public void AMethodThatIsTooLargeIsSeen()
    {
        var statements = string.Concat(Enumerable.Repeat("x += y;", TooManyStatements));
        var source = $"namespace Emitted; static class K{Widest} {{ [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.AggressiveOptimization)] static int Huge(int x, int y) {{ {statements} return x; }} }}";
        var compilation = CSharpCompilation.Create(
            "Huge", [CSharpSyntaxTree.ParseText(source)], [MetadataReference.CreateFromFile(typeof(object).Assembly.Location)],
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, optimizationLevel: OptimizationLevel.Release));
        using var image = new MemoryStream();
        Assert.True(compilation.Emit(image).Success);
        Assert.Equal(new JitOutcome("Huge", "MinOpts"), Assert.Single(Compile(image.ToArray())));
        Assert.Throws<Xunit.Sdk.AllException>(() => MethodSize.AssertWithinBudget(image.ToArray()));
    }

    private static int Widest => Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : 128;

    /// <summary>In the child process: compiles what this machine would run.</summary>
    internal static void Prepare(string path)
    {
        var kernels = new AssemblyLoadContext("kernels").LoadFromAssemblyPath(path).GetType($"Emitted.K{Widest}")!;
        foreach (var method in kernels.GetMethods(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
            .Where(m => m.MethodImplementationFlags.HasFlag(MethodImplAttributes.AggressiveOptimization)))
        {
            RuntimeHelpers.PrepareMethod(method.MethodHandle);
        }
    }

    private static List<JitOutcome> Compile(byte[] image)
    {
        var folder = Directory.CreateTempSubdirectory("modelcompiler-").FullName;
        var (assembly, log) = (Path.Combine(folder, "kernels.dll"), Path.Combine(folder, "jit.txt"));
        File.WriteAllBytes(assembly, image);
        var start = new ProcessStartInfo("dotnet", ["exec", typeof(Program).Assembly.Location, Program.Prepare, assembly]) { RedirectStandardOutput = true };
        start.Environment["DOTNET_JitStdOutFile"] = log;
        start.Environment["DOTNET_JitDisasmSummary"] = "1";
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, output);
        var outcomes = File.ReadLines(log).Select(line => Line().Match(line)).Where(m => m.Success).Select(m => new JitOutcome(m.Groups["name"].Value, m.Groups["tier"].Value)).ToList();
        Directory.Delete(folder, recursive: true);
        return outcomes;
    }

    /// <summary>For instance: <c>12: JIT compiled Emitted.K512:Direct_1(ptr,int) [FullOpts, IL size=116, code size=120]</c>.</summary>
    [GeneratedRegex(@"JIT compiled Emitted\.K\d+:(?<name>\w+)\(.*\) \[(?<tier>[^,\]]+)")]
    private static partial Regex Line();
}

internal sealed record JitOutcome(string Method, string Tier);
