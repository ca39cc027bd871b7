// Text to running objects: compiles a `.cnn` text, its C# with Roslyn, and makes inference and training objects,
// so that what users run is compared with the oracle.
using System.Collections.Immutable;
using System.Reflection;
using System.Runtime.Loader;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using ModelCompiler.Evaluation;
using ModelCompiler.Grammar;
using ModelCompiler.Graph;
using ModelCompiler.Runtime;

namespace ModelCompiler.Tests.Emission;

internal sealed class CompiledText
{
    private static readonly Lazy<MetadataReference[]> References = new(() =>
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(p => Path.GetFileName(p) is "System.Private.CoreLib.dll" or "System.Runtime.dll" or "System.Runtime.Intrinsics.dll" or "System.Collections.dll")
            .Select(p => (MetadataReference)MetadataReference.CreateFromFile(p)),
        MetadataReference.CreateFromFile(typeof(InferenceNetwork).Assembly.Location),
    ]);

    private readonly Type type;

    public CompiledText(string text, string? network = null, bool inputGradients = true, ImportResolver? import = null, Planning.Tuning? tuning = null)
    {
        var evaluated = Evaluator.Evaluate(new SourceFile("test.cnn", text), import ?? ((_, _) => null));
        var errors = evaluated.Diagnostics.Where(d => d.Severity == Severity.Error).ToList();
        Assert.True(errors.Count == 0, string.Join("\n", errors));
        Graph = evaluated.Networks.Single(n => network is null || n.Name == network);
        Sources = Compiler.Emit(Graph, new CompilerOptions("Emitted", "", inputGradients, Tuning: tuning));
        Image = Compile(Sources);
        type = new AssemblyLoadContext(null, isCollectible: true).LoadFromStream(new MemoryStream(Image)).GetType("Emitted." + Graph.Name)!;
    }

    public NetworkGraph Graph { get; }

    public ImmutableArray<EmittedNetwork> Sources { get; }

    /// <summary>The assembly, for counts on real IL.</summary>
    public byte[] Image { get; }

    /// <summary>The assembly that emitted sources make.</summary>
    public static byte[] Compile(IEnumerable<EmittedNetwork> sources)
    {
        var image = new MemoryStream();
        var result = Compilation(sources).Emit(image);
        Assert.True(result.Success, string.Join("\n", result.Diagnostics.Where(d => d.Severity == DiagnosticSeverity.Error).Take(10)));
        return image.ToArray();
    }

    public static CSharpCompilation Compilation(IEnumerable<EmittedNetwork> sources) => CSharpCompilation.Create(
        "Emitted" + Guid.NewGuid().ToString("N"),
        sources.Select(s => CSharpSyntaxTree.ParseText(s.Source)),
        References.Value,
        new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, allowUnsafe: true, optimizationLevel: OptimizationLevel.Release));

    public InferenceNetwork Inference(int batch = 1, int threads = 1, ParameterSet? parameters = null) =>
        (InferenceNetwork)Activator.CreateInstance(type, batch, threads, parameters)!;

    public TrainingNetwork Training(int batch, int threads = 1, ParameterSet? parameters = null, Optimizer? optimizer = null, ulong seed = 1) =>
        (TrainingNetwork)Activator.CreateInstance(type.GetNestedType("Training")!, batch, threads, parameters, optimizer, seed)!;
}
