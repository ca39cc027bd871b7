// Networks of random operators with random attributes, emitted, against the oracle: outputs and all gradients. The seed is
// fixed; to look further: CNN_RANDOM_SEED=7 CNN_RANDOM_NETWORKS=500 dotnet test --filter RandomOperatorTests
using System.Globalization;
using ModelCompiler.Graph;
using ModelCompiler.Tests.Evaluation;

namespace ModelCompiler.Tests.Emission;

public class RandomOperatorTests
{
    private const string Blocks = """
        block First { out in[0] }
        block Residual(stage) { out (in -> stage) + 0.5 * in }
        block Product { out in @ (in -> transpose) }

        """;

    [Fact]
    public void AgreeWithTheOracle()
    {
        var seed = Setting("CNN_RANDOM_SEED", 1);
        var random = new Random(seed);
        var operators = new RandomOperators(random);
        var texts = Enumerable.Range(0, Setting("CNN_RANDOM_NETWORKS", 60)).Select(i => Draw(operators, random, $"Net{i}")).ToDictionary(n => n.Name, n => n.Text);

        // All in one compilation, but not more than Roslyn can hold.
        foreach (var chunk in texts.Chunk(60))
        {
            var compiled = new CompiledTexts(Blocks + string.Concat(chunk.Select(pair => pair.Value)));
            foreach (var graph in compiled.Graphs)
            {
                try
                {
                    Compare(compiled, graph, seed);
                }
                catch (Exception problem)
                {
                    Assert.Fail($"seed {seed}: {texts[graph.Name]}\n{problem.Message}");
                }
            }
        }
    }

    private static void Compare(CompiledTexts compiled, NetworkGraph graph, int seed)
    {
        foreach (var batch in new[] { 1, 3 })
        {
            using var training = compiled.Training(graph.Name, batch);
            using var inference = compiled.Inference(graph.Name, batch, training.Parameters);
            OracleComparison.Run(graph, training, inference, new Random(seed + batch));
        }
    }

    /// <summary>Up to three operators in a row, each one that the compiler takes.</summary>
    private static (string Name, string Text) Draw(RandomOperators operators, Random random, string name)
    {
        var shape = operators.Shape();
        var stages = "identity";
        var length = 1 + random.Next(3);
        var text = Text(shape, stages, name);
        for (var (added, tries) = (0, 0); added < length && tries < 40; tries++)
        {
            var next = $"{stages} -> {operators.Operator(Evaluated(text)!.Outputs[0].Node.Shape.Dimensions)}";
            var candidate = Text(shape, next, name);
            if (Evaluated(candidate) is { } graph && graph.Outputs[0].Node.Shape.Count is > 0 and < 4000)
            {
                (stages, text) = (next, candidate);
                added++;
            }
        }

        return (name, text);
    }

    private static string Text(string shape, string stages, string name)
    {
        var boxes = stages.Contains("boxes", StringComparison.Ordinal) ? "    input boxes: 3x4\n" : "";
        return $"network {name} {{\n    input x: {shape}\n{boxes}    output y = x -> {stages}\n    loss total(square(y - 0.3))\n}}\n";
    }

    /// <summary>Null where the compiler finds a mistake; it must never do anything else.</summary>
    private static NetworkGraph? Evaluated(string text)
    {
        var file = Evaluating.File(Blocks + text);
        Assert.DoesNotContain(file.Diagnostics, diagnostic => diagnostic.Code.StartsWith("CNN9", StringComparison.Ordinal));
        return file.Diagnostics.Any(diagnostic => diagnostic.Severity == Grammar.Severity.Error) ? null : file.Networks.Single();
    }

    private static int Setting(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.Integer, CultureInfo.InvariantCulture, out var value) ? value : otherwise;
}
