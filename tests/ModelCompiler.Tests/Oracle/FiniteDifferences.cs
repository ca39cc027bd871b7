// Gradients of a graph against central differences of its loss, both by the oracle.
using ModelCompiler.Gradient;
using ModelCompiler.Graph;
using ModelCompiler.Operators;

namespace ModelCompiler.Tests.Oracle;

internal static class FiniteDifferences
{
    private const double Step = 1e-5;

    /// <summary>Elements tried in each parameter and input.</summary>
    private const int Probes = 12;

    /// <summary>Checks a network whose loss is the sum of <paramref name="output"/> times random coefficients.</summary>
    public static void CheckOutput(TestNetwork network, Node output, int batch, Func<Node, Random, double>? values = null)
    {
        var coefficients = network.Target("coefficients", [.. output.Shape.Dimensions]);
        var weighted = network.Builder.Pointwise(Formulas.X * Formulas.Y, output, coefficients);
        var sum = network.Builder.Sum(weighted, weighted.Shape.AllAxes(), overBatch: true);
        Check(network.Graph(output, network.Builder.Reshape(sum, Shape.Scalar)), batch, values);
    }

    /// <param name="values">Random value of one element of a leaf; standard normal by default.</param>
    public static void Check(NetworkGraph graph, int batch, Func<Node, Random, double>? values = null)
    {
        var training = Differentiation.Differentiate(graph, inputGradients: true);
        var random = new Random(7);
        var leaves = training.Graph.Nodes.Where(node => node.Attributes is InputAttributes or ParameterAttributes)
            .ToDictionary(node => node, node => Fill(node, batch, random, values ?? Normal));
        var interpreter = new Interpreter(batch, seed: 11);
        var all = interpreter.Run(training.Graph.Nodes, node => leaves[node]);
        var forward = Needed(training.Graph.Loss!);
        double Loss() => interpreter.Run(forward, node => leaves[node])[training.Graph.Loss!][0][0];

        foreach (var (node, gradient) in training.Gradients.Concat(training.InputGradients.Select(pair => (training.Graph.Inputs.Single(i => i.Name == pair.Input).Node, pair.Gradient))))
        {
            Assert.Equal(node.Shape, gradient.Shape);
            Assert.Equal(node.Batched, gradient.Batched);
            for (var probe = 0; probe < Probes; probe++)
            {
                var sample = random.Next(leaves[node].Length);
                var element = random.Next(leaves[node][sample].Length);
                var expected = Slope(Loss, leaves[node][sample], element);
                var actual = all[gradient][sample][element];
                Assert.True(
                    Math.Abs(expected - actual) <= 1e-6 * Math.Max(1, Math.Abs(expected)),
                    $"Gradient of {node.Attributes} at sample {sample}, element {element}: {actual}, by differences {expected}");
            }
        }
    }

    public static double Normal(Node node, Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    private static double Slope(Func<double> loss, double[] values, int element)
    {
        var value = values[element];
        values[element] = value + Step;
        var above = loss();
        values[element] = value - Step;
        var below = loss();
        values[element] = value;
        return (above - below) / (2 * Step);
    }

    private static double[][] Fill(Node node, int batch, Random random, Func<Node, Random, double> values) =>
        Enumerable.Range(0, node.Batched ? batch : 1)
            .Select(_ => Enumerable.Range(0, (int)node.Shape.Count).Select(_ => values(node, random)).ToArray())
            .ToArray();

    private static List<Node> Needed(Node root)
    {
        var found = new SortedDictionary<int, Node>();
        void Visit(Node node)
        {
            if (found.TryAdd(node.Id, node))
            {
                foreach (var input in node.Inputs)
                {
                    Visit(input);
                }
            }
        }

        Visit(root);
        return [.. found.Values];
    }
}
