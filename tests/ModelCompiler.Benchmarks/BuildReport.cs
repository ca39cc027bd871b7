// What a build waits for, without BenchmarkDotNet: each step of a network's way from text to an assembly, in a
// compiler that is warm.
using System.Diagnostics;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using ModelCompiler.Evaluation;
using ModelCompiler.Grammar;
using ModelCompiler.Runtime;

namespace ModelCompiler.Benchmarks;

internal static class BuildReport
{
    private const int WarmUps = 60;
    private const int Runs = 15;

    public static void Print(IEnumerable<string> networks)
    {
        Console.WriteLine("In a warm compiler, with the garbage collector that the compiler's server has:");
        Console.WriteLine();
        Console.WriteLine("| network | evaluate ms | evaluate, plan and emit ms | lines: class + kernels | C# compiler ms |");
        Console.WriteLine("| --- | --: | --: | --: | --: |");
        foreach (var network in networks)
        {
            var file = Zoo.Open(Path.Combine(AppContext.BaseDirectory, "zoo", network + ".cnn"));
            var sources = Compiler.Compile(file, Zoo.Import, new CompilerOptions("Benchmarks", "")).Networks;
            var evaluate = Median(WarmUps, () => Evaluator.Evaluate(file, Zoo.Import));
            var compile = Median(WarmUps, () => Compiler.Compile(file, Zoo.Import, new CompilerOptions("Benchmarks", "")));
            var build = Median(2, () => Build(sources.Select(s => s.Source)), runs: 3);
            Console.WriteLine(FormattableString.Invariant($"| {network} | {evaluate:F0} | {compile:F0} | {string.Join(" + ", sources.Select(s => s.Source.Count(c => c == '\n')))} | {build:F0} |"));
        }

        Console.WriteLine();
    }

    private static double Median(int warmUps, Action action, int runs = Runs)
    {
        for (var i = 0; i < warmUps; i++)
        {
            action();
        }

        return Enumerable.Range(0, runs).Select(_ =>
        {
            var start = Stopwatch.GetTimestamp();
            action();
            return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }).Order().ElementAt(runs / 2);
    }

    private static void Build(IEnumerable<string> sources)
    {
        var references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => Path.GetFileName(path).StartsWith("System.", StringComparison.Ordinal)).Append(typeof(InferenceNetwork).Assembly.Location)
            .Select(path => MetadataReference.CreateFromFile(path));
        var compilation = CSharpCompilation.Create(
            "network", sources.Select(source => CSharpSyntaxTree.ParseText(source)), references,
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, optimizationLevel: OptimizationLevel.Release, allowUnsafe: true));
        var result = compilation.Emit(new MemoryStream());
        if (!result.Success)
        {
            throw new InvalidOperationException(result.Diagnostics.First(d => d.Severity == DiagnosticSeverity.Error).ToString());
        }
    }
}

/// <summary>The networks of examples/zoo, which lie beside the program.</summary>
internal static class Zoo
{
    public static SourceFile Open(string path) => new(path, File.ReadAllText(path));

    public static SourceFile? Import(string from, string path)
    {
        var full = Path.Combine(Path.GetDirectoryName(from)!, path);
        return File.Exists(full) ? Open(full) : null;
    }
}
