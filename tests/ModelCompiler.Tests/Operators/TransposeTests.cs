// A transposed convolution is, to the element, the transpose of the matrix that the convolution is: both are written out
// by probing with unit vectors, over strides, padding, output padding, dilation, groups and up to three axes.
using ModelCompiler.Graph;
using ModelCompiler.Operators;
using ModelCompiler.Tests.Oracle;

namespace ModelCompiler.Tests.Operators;

public class TransposeTests
{
    [Theory]
    [InlineData("5", "3", "2", "1", "0", "1", 1)]
    [InlineData("4", "2", "3", "0", "2", "1", 2)]
    [InlineData("4,3", "3,2", "2,1", "1,0", "1,0", "1,2", 1)]
    [InlineData("3,3", "3,3", "1,2", "2,1", "0,1", "2,1", 2)]
    [InlineData("1,1", "2,3", "2,2", "0,1", "0,1", "1,1", 1)]
    [InlineData("2,3,2", "2,2,3", "1,2,2", "0,1,1", "0,1,0", "2,1,1", 2)]
    public void AreTransposed(string size, string kernel, string stride, string pad, string outputPad, string dilation, int groups)
    {
        const int Inputs = 4;
        const int Outputs = 6;
        int[] Of(string text) => text.Split(',').Select(int.Parse).ToArray();

        // y = upconv(x) has 6 channels; the convolution with the same weights takes them back to 4.
        var up = new TestNetwork();
        var y = up.Apply(
            "upconv", up.Input("x", [Inputs, .. Of(size)]), ("channels", Outputs), ("kernel", Of(kernel)), ("stride", Of(stride)), ("pad", Of(pad)), ("output_pad", Of(outputPad)),
            ("dilation", Of(dilation)), ("groups", groups), ("bias", false));
        var down = new TestNetwork();
        var z = down.Apply(
            "conv", down.Input("x", [.. y.Shape.Dimensions]), ("channels", Inputs), ("kernel", Of(kernel)), ("stride", Of(stride)), ("pad", Of(pad)), ("dilation", Of(dilation)),
            ("groups", groups), ("bias", false));
        Assert.Equal(Shape.Of([Inputs, .. Of(size)]), z.Shape);

        var random = new Random(3);
        var weights = Enumerable.Range(0, (int)Weight(up).Shape.Count).Select(_ => random.NextDouble() - 0.5).ToArray();
        Assert.Equal(Weight(up).Shape, Weight(down).Shape);
        var (upwards, downwards) = (Matrix(up, y, weights), Matrix(down, z, weights));
        Assert.Equal(upwards.Length, downwards[0].Length);
        for (var i = 0; i < upwards.Length; i++)
        {
            for (var j = 0; j < upwards[i].Length; j++)
            {
                Assert.Equal(upwards[i][j], downwards[j][i], 1e-12);
            }
        }
    }

    private static Node Weight(TestNetwork network) => network.Builder.Nodes.Single(node => node.Attributes is ParameterAttributes);

    /// <summary>Row i: what becomes of the i-th unit vector.</summary>
    private static double[][] Matrix(TestNetwork network, Node output, double[] weights)
    {
        var input = network.Builder.Nodes.Single(node => node.Primitive == Primitives.Input);
        var count = (int)input.Shape.Count;
        var units = Enumerable.Range(0, count).Select(i => Enumerable.Range(0, count).Select(j => i == j ? 1.0 : 0).ToArray()).ToArray();
        return new Interpreter(batch: count).Run(network.Builder.Nodes, node => node == input ? units : [weights])[output];
    }
}
