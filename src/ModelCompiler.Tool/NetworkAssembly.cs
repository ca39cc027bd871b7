// A network compiled in process: the C# that the generator would emit, built with optimisation, loaded, and
// handed out as the library's base classes, so that any network can be run without knowing it.
using System.Collections.Immutable;
using System.Reflection;
using System.Runtime.Loader;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using ModelCompiler.Graph;
using ModelCompiler.Planning;
using ModelCompiler.Runtime;

namespace ModelCompiler.Tool;

internal sealed class NetworkAssembly : IDisposable
{
    private const string Namespace = "Compiled";

    private readonly AssemblyLoadContext context = new("network", isCollectible: true);
    private readonly Type type;

    private NetworkAssembly(string name, MemoryStream image)
    {
        type = context.LoadFromStream(image).GetTypes().First(t => t.Name == name && t.IsSubclassOf(typeof(InferenceNetwork)));
    }

    /// <summary>Compiles one network of the file; diagnostics go to the error stream, errors end the command.</summary>
    public static NetworkAssembly Compile(Session session, string path, string? wanted, bool inputGradients = false, bool strict = false)
    {
        var options = new CompilerOptions(Namespace, "", inputGradients, LineDirectives: false, Tuning: CnnFiles.Tuning(path), Strict: strict);
        var result = Compiler.Compile(CnnFiles.Read(path), CnnFiles.Import, options);
        CnnFiles.Report(session.Errors, result.Diagnostics);
        var name = CnnFiles.Pick(path, result.Networks.Select(source => source.Name).Distinct().ToImmutableArray(), wanted);
        return new NetworkAssembly(name, Build(name, result.Networks.Where(source => source.Name == name)));
    }

    /// <summary>A network as it was planned.</summary>
    /// <param name="training">Null to do without its training.</param>
    public static NetworkAssembly Of(NetworkGraph graph, Plan inference, Plan? training) =>
        new(graph.Name, Build(graph.Name, Compiler.Emit(graph, inference, training, new CompilerOptions(Namespace, "", LineDirectives: false))));

    public NetworkInfo Info => (NetworkInfo)type.GetProperty("Info", BindingFlags.Public | BindingFlags.Static)!.GetValue(null)!;

    private Type TrainingType => type.GetNestedTypes().FirstOrDefault(t => t.IsSubclassOf(typeof(TrainingNetwork)))
        ?? throw new ToolException($"network '{type.Name}' has no loss, so it cannot be trained");

    public InferenceNetwork CreateInference(int batch, int threads) => (InferenceNetwork)Create(type, batch, threads);

    public TrainingNetwork CreateTraining(int batch, int threads) => (TrainingNetwork)Create(TrainingType, batch, threads);

    public void Dispose() => context.Unload();

    private static object Create(Type type, int batch, int threads)
    {
        var constructor = type.GetConstructors().MaxBy(c => c.GetParameters().Length)!;
        var arguments = constructor.GetParameters().Select(p => p.Name switch { "batch" => batch, "threads" => threads, _ => Type.Missing }).ToArray();
        return constructor.Invoke(BindingFlags.OptionalParamBinding | BindingFlags.DoNotWrapExceptions, null, arguments, null);
    }

    private static MemoryStream Build(string name, IEnumerable<EmittedNetwork> sources)
    {
        var compilation = CSharpCompilation.Create(
            "network",
            sources.Select(source => CSharpSyntaxTree.ParseText(source.Source, new CSharpParseOptions(LanguageVersion.Latest), source.HintName)),
            References(),
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, optimizationLevel: OptimizationLevel.Release, allowUnsafe: true));
        var image = new MemoryStream();
        var emitted = compilation.Emit(image);
        if (!emitted.Success)
        {
            var first = emitted.Diagnostics.First(d => d.Severity == DiagnosticSeverity.Error);
            throw new ToolException($"the compiler emitted code for '{name}' that does not compile; please report it with the file: {first}");
        }

        image.Position = 0;
        return image;
    }

    private static IEnumerable<MetadataReference> References() =>
        ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => Path.GetFileName(path).StartsWith("System.", StringComparison.Ordinal))
            .Append(typeof(InferenceNetwork).Assembly.Location)
            .Select(path => MetadataReference.CreateFromFile(path));
}
