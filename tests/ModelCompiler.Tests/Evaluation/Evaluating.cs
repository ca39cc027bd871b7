// Short ways to evaluate a text in tests.
using ModelCompiler.Evaluation;
using ModelCompiler.Grammar;
using ModelCompiler.Graph;

namespace ModelCompiler.Tests.Evaluation;

internal static class Evaluating
{
    public static EvaluatedFile File(string text, params (string Path, string Text)[] others) => Evaluator.Evaluate(
        new SourceFile("test.cnn", text),
        (_, path) => others.Where(other => other.Path == path).Select(other => new SourceFile(other.Path, other.Text)).FirstOrDefault());

    /// <summary>The only network of a text without mistakes.</summary>
    public static NetworkGraph Network(string text, params (string Path, string Text)[] others)
    {
        var file = File(text, others);
        var errors = file.Diagnostics.Where(diagnostic => diagnostic.Severity == Severity.Error).ToList();
        Assert.True(errors.Count == 0, string.Join("\n", errors));
        return Assert.Single(file.Networks);
    }

    /// <summary>A network with an input <c>x</c> of the given shape around the given statements.</summary>
    public static NetworkGraph Body(string shape, string statements) => Network($"network N {{\n input x: {shape}\n {statements}\n}}");

    public static string[] ParameterNames(NetworkGraph graph) => graph.Parameters.Select(node => node.As<ParameterAttributes>().Name).ToArray();

    public static string[] LayerPaths(NetworkGraph graph) => graph.Layers.Select(layer => layer.Path).ToArray();

    public static string OutputShape(NetworkGraph graph) => graph.Outputs[0].Node.Shape.ToString();

    public static long ParameterCount(NetworkGraph graph) =>
        graph.Parameters.Where(node => node.As<ParameterAttributes>().Trainable).Sum(node => node.Shape.Count);

    /// <summary>Errors only, as <c>line,column CODE message</c>.</summary>
    public static string[] Errors(string text, params (string Path, string Text)[] others) => File(text, others).Diagnostics
        .Where(diagnostic => diagnostic.Severity == Severity.Error)
        .Select(diagnostic => $"{diagnostic.Place.Line},{diagnostic.Place.Start.Column + 1} {diagnostic.Code} {diagnostic.Message}")
        .ToArray();
}
