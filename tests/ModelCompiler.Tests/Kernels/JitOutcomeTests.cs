// What the JIT itself says it did with the code of the published networks: with a method that it finds too large it gives up
// optimising, in silence, and a kernel runs ten times slower. Whether it does depends on the method alone, and not on how
// fast a machine is or on how often something was called: methods are compiled ahead, without tiers.
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Loader;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using ModelCompiler.Kernels;

namespace ModelCompiler.Tests.Kernels;

public partial class JitOutcomeTests
{
    private const string Namespace = "Emitted";

    /// <summary>Bytes of IL from which on a method is compiled: the JIT stops at 60,000.</summary>
    private const int LeastIl = 1_000;

    /// <summary>Five bytes of IL each (clrconfig: DEFAULT_MIN_OPTS_CODE_SIZE).</summary>
    private const int TooManyStatements = 15_000;

    [Fact]
    public void EveryMethodOfTheZooKeepsTheBudget()
    {
        foreach (var assembly in ZooAssembly.All)
        {
            MethodSize.AssertWithinBudget(assembly.Image);
            var sizes = MethodSize.Of(assembly.Image).ToDictionary(m => m.Name, m => m.IlBytes);
            Assert.All(assembly.Characters, method => Assert.InRange(sizes[method.Key], 1, method.Value / 2));
        }
    }

    /// <summary>Steps of networks are compiled with the widest vectors that there are.</summary>
    [Fact]
    public void EveryMethodOfTheZooIsOptimized()
    {
        (Isa Isa, bool Exists, string? SwitchedOff)[] sets =
        [
            (Isa.Avx512, Vector512.IsHardwareAccelerated, null), (Isa.Avx2, Vector256.IsHardwareAccelerated, "DOTNET_EnableAVX512"), (Isa.Vector128, true, "DOTNET_EnableAVX2"),
        ];
        foreach (var (isa, exists, switchedOff) in sets.Where(set => set.Exists))
        {
            var outcomes = Compile(switchedOff, [.. ZooAssembly.All.Where(a => a.Isa == isa || (a.Isa is null && isa == sets.First(s => s.Exists).Isa)).Select(a => a.Image)]);
            Assert.True(outcomes.Count >= 50, $"Only {outcomes.Count} methods were compiled for {isa.Suffix} bits.");
            Assert.All(outcomes, o => Assert.Equal("FullOpts", o.Tier));
        }
    }

    /// <summary>Else the tests above could not fail.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("[System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.AggressiveOptimization)] ")]
    public void AMethodThatIsTooLargeIsSeen(string attribute)
    {
        static string Statements(int count) => string.Concat(Enumerable.Repeat("x += y;", count));
        var source = $"namespace Emitted; static class Some {{ {attribute}static int Huge(int x, int y) {{ {Statements(TooManyStatements)} return x; }} static int Large(int x, int y) {{ {Statements(LeastIl)} return x; }} }}";
        var compilation = CSharpCompilation.Create(
            "Huge", [CSharpSyntaxTree.ParseText(source)], [MetadataReference.CreateFromFile(typeof(object).Assembly.Location)],
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, optimizationLevel: OptimizationLevel.Release));
        using var image = new MemoryStream();
        Assert.True(compilation.Emit(image).Success);

        var outcomes = Compile(null, image.ToArray());
        Assert.Equal(["Huge", "Large"], outcomes.Select(o => o.Method).Order(StringComparer.Ordinal));
        Assert.Contains("MinOpts", outcomes.Single(o => o.Method == "Huge").Tier, StringComparison.Ordinal);
        Assert.Equal("FullOpts", outcomes.Single(o => o.Method == "Large").Tier);
        Assert.Throws<Xunit.Sdk.AllException>(() => MethodSize.AssertWithinBudget(image.ToArray()));
    }

    /// <summary>In the child process: compiles the larger methods of some assemblies.</summary>
    internal static void Prepare(IEnumerable<string> paths)
    {
        const BindingFlags declared = BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        var methods = paths.SelectMany(path => new AssemblyLoadContext(path).LoadFromAssemblyPath(path).GetTypes()).SelectMany(t => t.GetMethods(declared).Concat<MethodBase>(t.GetConstructors(declared)))
            .Where(m => m.GetMethodBody()?.GetILAsByteArray()?.Length >= LeastIl && m.DeclaringType!.Namespace == Namespace).ToList();
        Parallel.ForEach(methods, m => RuntimeHelpers.PrepareMethod(m.MethodHandle));
        Console.WriteLine(methods.Count);
    }

    /// <param name="switchedOff">Instructions that the process does without; null for none.</param>
    private static List<JitOutcome> Compile(string? switchedOff, params byte[][] images)
    {
        var folder = Directory.CreateTempSubdirectory("modelcompiler-").FullName;
        try
        {
            var (assemblies, log) = (images.Select((_, i) => Path.Combine(folder, $"emitted{i}.dll")).ToArray(), Path.Combine(folder, "jit.txt"));
            for (var i = 0; i < images.Length; i++)
            {
                File.WriteAllBytes(assemblies[i], images[i]);
            }

            (string, string)[] without = switchedOff is null ? [] : [(switchedOff, "0")];
            var (exitCode, output) = Program.RunAgain(
                [Program.Prepare, .. assemblies], [("DOTNET_JitStdOutFile", log), ("DOTNET_JitDisasmSummary", "1"), ("DOTNET_TieredCompilation", "0"), .. without]);
            Assert.True(exitCode == 0, output);
            var outcomes = File.ReadLines(log).Select(line => Line().Match(line)).Where(m => m.Success)
                .Select(m => new JitOutcome(m.Groups["name"].Value, m.Groups["tier"].Value)).ToList();
            Assert.Equal(output.Trim(), $"{outcomes.Count}");
            return outcomes;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>For instance: <c>12: JIT compiled Emitted.V512:Direct_1(ptr,int) [FullOpts, IL size=116, code size=120]</c>; of a
    /// method that is too large <c>[Tier-0 switched MinOpts, IL size=…</c>.</summary>
    [GeneratedRegex(@"JIT compiled Emitted\.[^:]+:(?<name>\.?\w+)\(.*\[(?<tier>[^,\]]+), IL size")]
    private static partial Regex Line();
}

internal sealed record JitOutcome(string Method, string Tier);
