// The oracle against PyTorch: outputs, loss, every gradient, running statistics.
using ModelCompiler.Gradient;
using ModelCompiler.Graph;
using ModelCompiler.Tests.Oracle;

namespace ModelCompiler.Tests.Operators;

public class PyTorchTests
{
    [Theory]
    [InlineData("lenet5_tanh", "lenet5", "lenet5_tanh")]
    [InlineData("lenet5_relu", "lenet5", "lenet5_relu")]
    [InlineData("residual", "residual", "residual1")]
    [InlineData("residual", "residual", "residual2", "residual1.buffers")]
    public void TrainingStep(string network, string weights, string step, params string[] buffers)
    {
        var training = Differentiation.Differentiate(Golden.Network(network), inputGradients: true);
        var values = Run(training.Graph, weights, step, buffers);

        foreach (var (name, expected) in Golden.Read(step + ".output"))
        {
            Golden.Equal(expected, values[training.Graph.Outputs.Single(output => output.Name == name).Node]);
        }

        var expectedGradients = Golden.Read(step + ".gradient");
        Golden.Equal(expectedGradients["loss"], values[training.Graph.Loss!]);
        Assert.Equal(expectedGradients.Count - 1, training.Gradients.Length + training.InputGradients.Length);
        foreach (var (parameter, gradient) in training.Gradients)
        {
            Golden.Equal(expectedGradients[parameter.As<ParameterAttributes>().Name], values[gradient]);
        }

        foreach (var (input, gradient) in training.InputGradients)
        {
            Golden.Equal(expectedGradients["input." + input], values[gradient]);
        }
    }

    [Theory]
    [InlineData("residual1")]
    [InlineData("residual2", "residual1.buffers")]
    public void RunningStatistics(string step, params string[] buffers)
    {
        var training = Differentiation.Differentiate(Golden.Network("residual"));
        var values = Run(training.Graph, "residual", step, buffers);
        var expected = Golden.Read(step + ".buffers");
        Assert.Equal(expected.Count, training.Graph.Updates.Length);
        foreach (var update in training.Graph.Updates)
        {
            Golden.Equal(expected[update.Parameter.As<ParameterAttributes>().Name], values[update.Value]);
        }
    }

    [Fact]
    public void InferenceUsesRunningStatistics()
    {
        var graph = Lowering.ForInference(Golden.Network("residual"));
        var values = Run(graph, "residual", "residual_inference", "residual2.buffers");
        Golden.Equal(Golden.Read("residual_inference.output")["logits"], values[graph.Outputs.Single().Node]);
        Assert.Empty(graph.Targets);
        Assert.Null(graph.Loss);
    }

    /// <param name="buffers">Files whose tensors replace those of the weights.</param>
    private static Dictionary<Node, double[][]> Run(NetworkGraph graph, string weights, string step, params string[] buffers)
    {
        var files = new[] { Golden.Read(step + ".input"), Golden.Read(weights + ".weights") }.Concat(buffers.Select(Golden.Read)).ToArray();
        var batch = (int)files[0]["image"].Shape[0];
        return new Interpreter(batch).Run(graph.Nodes, node => Golden.Leaf(node, files));
    }
}
