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
    public void Read() => file = Zoo.Open(Path.Combine(AppContext.BaseDirectory, "zoo", Network + ".cnn"));

    [Benchmark]
    public EvaluatedFile Evaluate() => Evaluator.Evaluate(file, Zoo.Import);

    /// <summary>Lines of C# are the result, so that nothing is left out.</summary>
    [Benchmark]
    public int Compile() => Compiler.Compile(file, Zoo.Import, new CompilerOptions("Benchmarks", "")).Networks.Sum(n => n.Source.Count(c => c == '\n'));
}
