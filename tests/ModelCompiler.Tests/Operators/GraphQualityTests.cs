// What the differentiated graph looks like, not only what it computes: values that training need not keep, passes
// over the data that need not happen.
using ModelCompiler.Gradient;
using ModelCompiler.Graph;
using ModelCompiler.Operators;
using ModelCompiler.Tests.Oracle;

namespace ModelCompiler.Tests.Operators;

public class GraphQualityTests
{
    /// <summary>The slope comes from the result, so the value before the activation is free to go.</summary>
    [Theory]
    [InlineData("relu")]
    [InlineData("leaky_relu")]
    [InlineData("tanh")]
    [InlineData("sigmoid")]
    [InlineData("exp")]
    [InlineData("sqrt")]
    public void ActivationsKeepTheirResultOnly(string name)
    {
        var network = new TestNetwork();
        var x = network.Apply("conv", network.Input("x", 3, 4, 4), ("channels", 2), ("kernel", 1));
        var training = Differentiate(network, network.Apply(name, x));
        var convolution = training.Graph.Nodes.Single(node => node.Primitive == Primitives.Convolution);
        Assert.Single(training.Graph.Nodes, node => node.Inputs.Contains(convolution));
    }

    [Fact]
    public void BatchNormReadsTheDataTwiceForItsGradient()
    {
        var network = new TestNetwork();
        var training = Differentiate(network, network.Apply("batchnorm", network.Apply("tanh", network.Input("x", 3, 4, 4))));
        var reductions = training.Graph.Nodes.Where(node => node.Primitive == Primitives.Reduce && node.Inputs[0].Shape.Rank == 3).ToList();

        // Mean and variance forwards, two sums backwards; the fifth is the loss.
        Assert.Equal(5, reductions.Count);
    }

    [Theory]
    [InlineData(24, false)]
    [InlineData(23, true)]
    public void WideningConvolutionsDoWithoutTheGradientAndTheStatisticsOfTheirNorm(int channels, bool needsIt)
    {
        var network = new TestNetwork();
        var wide = network.Apply("conv", network.Apply("tanh", network.Input("x", 4, 16, 16)), ("channels", channels), ("kernel", 1), ("bias", false));
        var training = Differentiate(network, network.Apply("tanh", network.Apply("batchnorm", wide)));
        Assert.Equal(needsIt, training.Graph.Nodes.Any(node => BatchNormPrimitive.PartsOfGradient(node) is not null));

        // Nor are its statistics made of what it stores: normalized at once, that has one reader.
        var convolution = training.Graph.Nodes.First(node => node.Primitive == Primitives.Convolution);
        Assert.Equal(needsIt, training.Graph.Nodes.Count(node => node.Inputs.Contains(convolution)) > 1);
    }

    [Fact]
    public void CrossEntropyNeedsNoReductionOverClasses()
    {
        var network = new TestNetwork();
        var x = network.Input("x", 10);
        var loss = network.Apply("cross_entropy", [x, network.ClassTarget("label")]);
        var graph = Differentiation.Differentiate(network.Graph(x, loss), inputGradients: true).Graph;
        var reduction = Assert.Single(graph.Nodes, node => node.Primitive == Primitives.Reduce);
        Assert.Equal(graph.Loss, reduction);
    }

    [Fact]
    public void InferenceHasNoLossTargetsOrDropout()
    {
        var network = new TestNetwork();
        var x = network.Apply("dropout", network.Apply("batchnorm", network.Input("x", 3, 4, 4)));
        var logits = network.Apply("dense", network.Apply("flatten", x), ("features", 2));
        var loss = network.Apply("cross_entropy", [logits, network.ClassTarget("label")]);
        var graph = Lowering.ForInference(network.Graph(logits, loss));
        Assert.DoesNotContain(graph.Nodes, node => node.Primitive == Primitives.BatchNorm || node.Primitive == Primitives.Dropout);
        Assert.DoesNotContain(graph.Nodes, node => node.Primitive == Primitives.LogSoftmax);
        Assert.DoesNotContain(graph.Nodes, node => node.Attributes is PointwiseAttributes a && a.Formula.Mentions<RandomFormula>());
        Assert.Equal(graph.Nodes.Select((_, i) => i), graph.Nodes.Select(node => node.Id));
    }

    [Fact]
    public void AParameterThatTheLossDoesNotSeeHasAGradientOfZeros()
    {
        var network = new TestNetwork();
        var x = network.Input("x", 4);
        var unseen = network.Apply("dense", x, ("features", 3));
        var loss = network.Apply("mse", [network.Apply("dense", x, ("features", 2)), network.Target("t", 2)]);
        var training = Differentiation.Differentiate(network.Graph(unseen, loss));
        var values = new Interpreter(2).Run(training.Graph.Nodes, node => Enumerable.Range(0, node.Batched ? 2 : 1).Select(_ => Enumerable.Repeat(1.0, (int)node.Shape.Count).ToArray()).ToArray());
        var gradients = training.Gradients.ToDictionary(pair => pair.Parameter.As<ParameterAttributes>().Name, pair => values[pair.Gradient][0]);
        Assert.Equal(4, gradients.Count);
        Assert.All(gradients["dense1.weight"], value => Assert.Equal(0, value));
        Assert.All(gradients["dense2.weight"], value => Assert.NotEqual(0, value));
    }

    [Fact]
    public void ALayerUsedTwiceUpdatesItsStatisticsInTurn()
    {
        var network = new TestNetwork();
        var norm = network.Apply("batchnorm", network.Input("x", 2), ("label", "norm"), ("momentum", 0.5));
        var again = network.Apply("batchnorm", norm, ("label", "norm"), ("momentum", 0.5));
        var training = Differentiate(network, again);
        var mean = training.Graph.Updates.Single(update => update.Parameter.As<ParameterAttributes>().Name == "norm.running_mean");
        var values = new Interpreter(2).Run(training.Graph.Nodes, node => node.Batched ? [[1, 2], [3, 6]] : [Enumerable.Repeat(1.0, (int)node.Shape.Count).ToArray()]);

        // Batch means 2 and 4, then those of a normalised batch shifted by the bias of 1: 1 and 1.
        Assert.Equal([(0.5 * ((0.5 * 1) + (0.5 * 2))) + (0.5 * 1), (0.5 * ((0.5 * 1) + (0.5 * 4))) + (0.5 * 1)], values[mean.Value][0], new Close());
    }

    [Fact]
    public void NetworkWithoutLossIsRefused()
    {
        var network = new TestNetwork();
        Assert.Throws<ArgumentException>(() => Differentiation.Differentiate(network.Graph(network.Apply("relu", network.Input("x", 3)))));
    }

    private static TrainingGraph Differentiate(TestNetwork network, Node output)
    {
        var loss = network.Builder.Sum(output, output.Shape.AllAxes(), overBatch: true);
        return Differentiation.Differentiate(network.Graph([], network.Builder.Reshape(loss, Shape.Scalar)), inputGradients: true);
    }

    private sealed class Close : IEqualityComparer<double>
    {
        public bool Equals(double a, double b) => Math.Abs(a - b) < 1e-9;

        public int GetHashCode(double value) => 0;
    }
}
