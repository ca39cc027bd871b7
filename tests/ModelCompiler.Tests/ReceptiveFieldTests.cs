// Receptive fields of published networks, as (size, jump); the numbers follow from the layer tables of the papers.
using System.Collections.Immutable;
using ModelCompiler.Advice;
using ModelCompiler.Grammar;
using ModelCompiler.Graph;
using ModelCompiler.Operators;

namespace ModelCompiler.Tests;

public class ReceptiveFieldTests
{
    /// <summary>A chain of windows over a plane: kernel, stride, pad and dilation of each.</summary>
    private static List<(int Size, int Jump)> Fields(int plane, int axes, params (int Kernel, int Stride, int Pad, int Dilation)[] windows)
    {
        var builder = new GraphBuilder();
        var shape = Shape.Of(1, Enumerable.Repeat(plane, axes).ToImmutableArray());
        var input = builder.Add(Primitives.Input, new InputAttributes("image", shape, false, false));
        var chain = new List<Node> { input };
        foreach (var (kernel, stride, pad, dilation) in windows)
        {
            ImmutableArray<int> All(int value) => Enumerable.Repeat(value, axes).ToImmutableArray();
            var window = new Window(All(kernel), All(stride), All(pad), All(pad), All(dilation));
            chain.Add(builder.Add(Primitives.MaxPool, new MaxPoolAttributes(window), chain[^1]));
        }

        var fields = ReceptiveField.Of(Network(builder, input, chain[^1]));
        return chain.Skip(1).Select(node => fields[node]).Select(field => (field.Size[0], field.Jump[0])).ToList();
    }

    private static NetworkGraph Network(GraphBuilder builder, Node input, Node output) => new(
        "Chain", new SourceSpan(new SourceFile("chain.cnn", ""), default), builder.Nodes.ToImmutableArray(),
        [new NamedNode("image", input)], [], [new NamedNode("output", output)], null, [], []);

    [Fact]
    public void LeNet5() // LeCun et al. 1998: S4 and C5
    {
        var fields = Fields(32, 2, (5, 1, 0, 1), (2, 2, 0, 1), (5, 1, 0, 1), (2, 2, 0, 1), (5, 1, 0, 1));

        Assert.Equal((16, 4), fields[3]);
        Assert.Equal((32, 4), fields[4]);
    }

    [Fact]
    public void AlexNet() // Krizhevsky et al. 2012: conv1, pool1, conv2, pool2, conv3, conv4, conv5, pool5
    {
        var fields = Fields(227, 2, (11, 4, 0, 1), (3, 2, 0, 1), (5, 1, 2, 1), (3, 2, 0, 1), (3, 1, 1, 1), (3, 1, 1, 1), (3, 1, 1, 1), (3, 2, 0, 1));

        Assert.Equal([(11, 4), (19, 8), (51, 8), (67, 16), (99, 16), (131, 16), (163, 16), (195, 32)], fields);
    }

    [Fact]
    public void Vgg16() // Simonyan and Zisserman 2014: conv5_3, pool5, FC6
    {
        var stages = new[] { 2, 2, 3, 3, 3 }.SelectMany(n => Enumerable.Repeat((3, 1, 1, 1), n).Append((2, 2, 0, 1))).Append((7, 1, 0, 1));

        var fields = Fields(224, 2, stages.ToArray());

        Assert.Equal((196, 16), fields[^3]);
        Assert.Equal((212, 32), fields[^2]);
        Assert.Equal(404, fields[^1].Size);
    }

    [Fact]
    public void DilatedStacks() // Lea et al. 2017 (kernel 3), van den Oord et al. 2016 (kernel 2)
    {
        Assert.Equal(15, Fields(64, 1, (3, 1, 0, 1), (3, 1, 0, 2), (3, 1, 0, 4))[^1].Size);
        Assert.Equal(16, Fields(64, 1, (2, 1, 0, 1), (2, 1, 0, 2), (2, 1, 0, 4), (2, 1, 0, 8))[^1].Size);
    }

    [Fact]
    public void AStackOfHundredSmallKernelsSees201() =>
        Assert.Equal((201, 1), Fields(300, 2, Enumerable.Repeat((3, 1, 1, 1), 100).ToArray())[^1]);

    [Fact]
    public void FlattenSeesAllThatItsInputSees() // VGG's FC6 written with flatten: 212 + 6 * 32
    {
        var builder = new GraphBuilder();
        var input = builder.Add(Primitives.Input, new InputAttributes("image", Shape.Of(1, 12, 8), false, false));
        var window = new Window([3, 3], [2, 2], [1, 1], [1, 1], [1, 1]);
        var pooled = builder.Add(Primitives.MaxPool, new MaxPoolAttributes(window), input);
        var flat = builder.Add(Primitives.Reshape, new ReshapeAttributes(Shape.Of(24)), pooled);

        var field = ReceptiveField.Of(Network(builder, input, flat))[flat];

        Assert.Equal([3 + (5 * 2), 3 + (3 * 2)], field.Size.ToArray());
        Assert.Equal([0, 0], field.Jump.ToArray());
    }

    [Fact]
    public void AnAdditionSeesWhatItsLargerBranchSees()
    {
        var builder = new GraphBuilder();
        var input = builder.Add(Primitives.Input, new InputAttributes("image", Shape.Of(1, 9), false, false));
        var wide = builder.Add(Primitives.MaxPool, new MaxPoolAttributes(new Window([5], [1], [2], [2], [1])), input);
        var sum = builder.Add(Primitives.Pointwise, new PointwiseAttributes(new InputFormula(0) + new InputFormula(1)), input, wide);

        Assert.Equal([5], ReceptiveField.Of(Network(builder, input, sum))[sum].Size.ToArray());
    }
}
