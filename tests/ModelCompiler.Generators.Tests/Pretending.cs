// Compilers that stop early, for tests of what the host does with a compiler's answers.
using System.Collections.Immutable;
using ModelCompiler.Evaluation;
using ModelCompiler.Grammar;
using ModelCompiler.Graph;

namespace ModelCompiler.Generators.Tests;

internal static class Pretending
{
    /// <summary>An empty class for every <c>network NAME</c>; no diagnostics.</summary>
    public static CompilationResult Names(SourceFile file, ImportResolver imports, CompilerOptions options)
    {
        var names = CnnParser.Parse(file).File.Declarations.OfType<NetworkSyntax>().Select(network => network.Name.Text);
        return new CompilationResult(names.Select(name => Class(name, "", options)).ToImmutableArray(), []);
    }

    /// <summary>The diagnostics of evaluation, and the graph of each network as a comment with a line directive.</summary>
    public static CompilationResult Graphs(SourceFile file, ImportResolver imports, CompilerOptions options)
    {
        var evaluated = Evaluator.Evaluate(file, imports);
        return new CompilationResult(
            evaluated.Networks.Select(network => Class(network.Name, $"#line {network.Place.Line} \"{file.Path}\"\n/* {GraphText.Write(network)} */\n", options)).ToImmutableArray(),
            evaluated.Diagnostics);
    }

    private static EmittedNetwork Class(string name, string text, CompilerOptions options) =>
        new(name, options.HintPrefix + name + ".g.cs", $"namespace {options.Namespace};\n{text}class {name};\n");
}
