// Many small networks of one text in one compilation: Roslyn takes most of the time of such tests.
using System.Runtime.Loader;
using ModelCompiler.Graph;
using ModelCompiler.Runtime;
using ModelCompiler.Tests.Evaluation;

namespace ModelCompiler.Tests.Emission;

internal sealed class CompiledTexts
{
    private readonly System.Reflection.Assembly assembly;

    public CompiledTexts(string text)
    {
        var evaluated = Evaluating.File(text);
        var errors = evaluated.Diagnostics.Where(d => d.Severity == Grammar.Severity.Error).ToList();
        Assert.True(errors.Count == 0, string.Join("\n", errors.Take(10)));
        Graphs = [.. evaluated.Networks];
        var sources = Graphs.SelectMany(graph => Compiler.Emit(graph, new CompilerOptions("Emitted", "", InputGradients: true, LineDirectives: false)));
        assembly = new AssemblyLoadContext(null, isCollectible: true).LoadFromStream(new MemoryStream(CompiledText.Compile(sources)));
    }

    public IReadOnlyList<NetworkGraph> Graphs { get; }

    public InferenceNetwork Inference(string name, int batch, ParameterSet? parameters = null) =>
        (InferenceNetwork)Activator.CreateInstance(assembly.GetType("Emitted." + name)!, batch, 1, parameters)!;

    public TrainingNetwork Training(string name, int batch) =>
        (TrainingNetwork)Activator.CreateInstance(assembly.GetType("Emitted." + name)!.GetNestedType("Training")!, batch, 1, null, null, 1UL)!;
}
