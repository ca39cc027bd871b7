// How long a build waits: text to graph, graph to C#, for networks up to two hundred layers.
using BenchmarkDotNet.Attributes;
using ModelCompiler.Evaluation;
using ModelCompiler.Grammar;

namespace ModelCompiler.Benchmarks;

[MemoryDiagnoser]
public class CompilerBenchmarks
{
    private SourceFile file = null!;

    [Params("resnet18", "resnet152", "densenet201")]
    public string Network { get; set; } = "";

    [GlobalSetup]
    public void Read() => file = Open(Path.Combine(AppContext.BaseDirectory, "zoo", Network + ".cnn"));

    [Benchmark]
    public EvaluatedFile Evaluate() => Evaluator.Evaluate(file, Import);

    /// <summary>Lines of C# are the result, so that nothing is left out.</summary>
    [Benchmark]
    public int Compile() => Compiler.Compile(file, Import, new CompilerOptions("Benchmarks", "")).Networks.Sum(n => n.Source.Count(c => c == '\n'));

    private static SourceFile Open(string path) => new(path, File.ReadAllText(path));

    private static SourceFile? Import(string from, string path)
    {
        var full = Path.Combine(Path.GetDirectoryName(from)!, path);
        return File.Exists(full) ? Open(full) : null;
    }
}
