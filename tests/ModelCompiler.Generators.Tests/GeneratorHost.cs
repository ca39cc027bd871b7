// A project in memory: C# text, `.cnn` files and build properties, run through the generator as the
// compiler would, step by step, so that tests can look at what each edit runs again.
using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Text;
using ModelCompiler.Runtime;

namespace ModelCompiler.Generators.Tests;

internal sealed class GeneratorHost
{
    public static readonly CSharpCompilationOptions Optimized =
        new(OutputKind.DynamicallyLinkedLibrary, optimizationLevel: OptimizationLevel.Release, allowUnsafe: true);

    private static readonly ImmutableArray<MetadataReference> Platform =
        ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => Path.GetFileName(path) is var name && (name.StartsWith("System.", StringComparison.Ordinal) || name is "netstandard.dll" or "mscorlib.dll"))
            .Select(path => (MetadataReference)MetadataReference.CreateFromFile(path)).ToImmutableArray();

    private readonly Dictionary<string, AdditionalText> files = [];
    private GeneratorDriver driver;

    public GeneratorHost(CompileFile? compile = null, CSharpCompilationOptions? options = null, bool runtime = true, string? rootNamespace = "Shop.Vision")
    {
        var references = runtime ? Platform.Add(MetadataReference.CreateFromFile(typeof(NetworkInfo).Assembly.Location)) : Platform;
        Compilation = CSharpCompilation.Create("shop", [CSharpSyntaxTree.ParseText("class Program;")], references, options ?? Optimized);
        var generator = compile is null ? new NetworkGenerator() : new NetworkGenerator(compile);
        driver = CSharpGeneratorDriver.Create(
            [generator.AsSourceGenerator()],
            optionsProvider: new Properties(rootNamespace),
            driverOptions: new GeneratorDriverOptions(IncrementalGeneratorOutputKind.None, trackIncrementalGeneratorSteps: true));
    }

    public CSharpCompilation Compilation { get; set; }

    /// <summary>The consumer's compilation together with what the last run generated.</summary>
    public Compilation Generated { get; private set; } = null!;

    /// <summary>Adds or replaces a file; paths are inside the project.</summary>
    public GeneratorHost With(string path, string text)
    {
        var full = "/project/" + path;
        var file = new TextFile(full, text);
        driver = files.TryGetValue(full, out var old) ? driver.ReplaceAdditionalText(old, file) : driver.AddAdditionalTexts([file]);
        files[full] = file;
        return this;
    }

    public GeneratorRunResult Run()
    {
        driver = driver.RunGeneratorsAndUpdateCompilation(Compilation, out var generated, out _);
        Generated = generated;
        return driver.GetRunResult().Results.Single();
    }

    private sealed class TextFile(string path, string text) : AdditionalText
    {
        public override string Path { get; } = path;

        public override SourceText GetText(CancellationToken cancellationToken = default) => SourceText.From(text);
    }

    private sealed class Properties(string? rootNamespace) : AnalyzerConfigOptionsProvider
    {
        public override AnalyzerConfigOptions GlobalOptions { get; } = new Values(rootNamespace);

        public override AnalyzerConfigOptions GetOptions(SyntaxTree tree) => GlobalOptions;

        public override AnalyzerConfigOptions GetOptions(AdditionalText textFile) => GlobalOptions;
    }

    private sealed class Values(string? rootNamespace) : AnalyzerConfigOptions
    {
        public override bool TryGetValue(string key, out string value)
        {
            value = key switch { "build_property.RootNamespace" => rootNamespace ?? "", "build_property.ProjectDir" => "/project/", _ => "" };
            return value.Length > 0;
        }
    }
}
