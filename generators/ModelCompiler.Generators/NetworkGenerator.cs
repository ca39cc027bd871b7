// The door through which Roslyn enters: `.cnn` files in, classes and diagnostics out. Each step gives values that
// compare by content, so an edit runs again only what depends on it: one file's change recompiles
// that file and those that import it; C# edits recompile nothing.
using System.Collections.Immutable;
using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;

namespace ModelCompiler.Generators;

/// <summary>Compiles every <c>.cnn</c> file among a project's additional files to C# classes, one per network.</summary>
[Generator(LanguageNames.CSharp)]
public sealed class NetworkGenerator : IIncrementalGenerator
{
    private readonly CompileFile compile;

    public NetworkGenerator()
        : this(Compiler.Compile)
    {
    }

    internal NetworkGenerator(CompileFile compile) => this.compile = compile;

    /// <summary>Names of the steps, for tests that watch what runs again.</summary>
    public static class Steps
    {
        public const string Files = "Files";
        public const string Closures = "Closures";
        public const string Compiled = "Compiled";
        public const string Sources = "Sources";
        public const string Diagnostics = "Diagnostics";
    }

    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        var facts = context.CompilationProvider.Select((compilation, _) => ConsumerFacts.Of(compilation));
        var naming = context.AnalyzerConfigOptionsProvider.Select((options, _) => ProjectNames.Read(options))
            .Combine(facts.Select((project, _) => project.AssemblyName))
            .Select((pair, _) => NamingOptions.Of(pair.Left, pair.Right));

        var files = context.AdditionalTextsProvider
            .Where(file => file.Path.EndsWith(".cnn", StringComparison.OrdinalIgnoreCase))
            .Combine(context.AnalyzerConfigOptionsProvider)
            .Select((pair, cancellation) => ProjectFile.Read(pair.Left, pair.Right, cancellation))
            .WithTrackingName(Steps.Files);
        var tunings = context.AdditionalTextsProvider.Where(TuningText.Is).Select(TuningText.Read);
        var closures = files.Combine(files.Collect()).Combine(tunings.Collect())
            .Select((all, _) => ImportClosure.Of(all.Left.Left, all.Left.Right, all.Right))
            .WithTrackingName(Steps.Closures);
        var compiled = closures.Combine(naming)
            .Select((pair, cancellation) => CompiledFile.Of(compile, pair.Left, pair.Right, cancellation))
            .WithTrackingName(Steps.Compiled);
        var clashes = compiled.Collect().Select((all, _) => ClashingNames.Find(all));

        var sources = compiled.SelectMany((file, _) => file.Networks.Items)
            .Combine(clashes.Select((names, _) => names.Dropped))
            .Where(pair => !pair.Right.Items.Contains((pair.Left.Path, pair.Left.Name)))
            .Select((pair, _) => pair.Left)
            .Combine(facts.Select((project, _) => project.CanCompile))
            .WithTrackingName(Steps.Sources);
        context.RegisterSourceOutput(sources, (output, pair) =>
        {
            if (pair.Right)
            {
                output.AddSource(pair.Left.HintName, SourceText.From(pair.Left.Text, Encoding.UTF8));
            }
        });

        var diagnostics = compiled.Collect().Combine(clashes).Combine(facts)
            .Select((all, _) => AllDiagnostics(all.Left.Left, all.Left.Right, all.Right))
            .WithTrackingName(Steps.Diagnostics);
        context.RegisterSourceOutput(diagnostics, (output, all) =>
        {
            foreach (var diagnostic in all)
            {
                output.ReportDiagnostic(DiagnosticReporter.ToRoslyn(diagnostic));
            }
        });
    }

    /// <summary>Everything to report, once: a mistake in an imported file is found by each file that imports it.</summary>
    private static EquatableArray<DiagnosticValue> AllDiagnostics(ImmutableArray<CompiledFile> files, ClashingNames clashes, ConsumerFacts project)
    {
        var aboutProject = files.Any(file => file.Networks.Count > 0) ? HostDiagnostics.About(project) : default;
        return files.SelectMany(file => file.Diagnostics.Items).Concat(clashes.Diagnostics.Items).Concat(aboutProject.Items)
            .Distinct().ToEquatableArray();
    }
}
