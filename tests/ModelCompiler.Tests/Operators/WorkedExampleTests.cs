// The worked examples of the lecture decks, recomputed: convolution and pooling by hand. Decks are named by number.
using ModelCompiler.Graph;
using ModelCompiler.Tests.Oracle;

namespace ModelCompiler.Tests.Operators;

public class WorkedExampleTests
{
    private const string Picture = "1,0,0,0,0,1, 0,1,0,0,1,0, 0,0,1,1,0,0, 1,0,0,0,1,0, 0,1,0,0,1,0, 0,0,1,0,1,0";
    private const string Diagonal = "1,-1,-1, -1,1,-1, -1,-1,1";
    private const string Vertical = "-1,1,-1, -1,1,-1, -1,1,-1";

    // Deck 001, slides on 1-D convolution: what networks compute is the correlation; the deck's own values flip the kernel.
    [Theory]
    [InlineData("1,2,1", "-1,1")]
    [InlineData("0,0,1,2,1,0,0", "0,-1,-1,1,1,0")]
    public void Deck001Correlation(string signal, string expected) =>
        Equal(expected, Run("conv", [1, Count(signal)], signal, "1,-1", ("channels", 1), ("kernel", 2)));

    // Deck 001: the flipped convolution is the transposed one, whole and cropped to the valid part.
    [Theory]
    [InlineData("1,2,1", 0, "1,1,-1,-1")]
    [InlineData("1,2,1", 1, "1,-1")]
    [InlineData("0,0,1,2,1,0,0", 1, "0,1,1,-1,-1,0")]
    public void Deck001Convolution(string signal, int pad, string expected) =>
        Equal(expected, Run("upconv", [1, Count(signal)], signal, "1,-1", ("channels", 1), ("kernel", 2), ("pad", pad)));

    // Deck 001: the same with the option of the layer itself.
    [Theory]
    [InlineData("1,2,1", "1,-1")]
    [InlineData("0,0,1,2,1,0,0", "0,1,1,-1,-1,0")]
    public void Deck001FlippedKernel(string signal, string expected) =>
        Equal(expected, Run("conv", [1, Count(signal)], signal, "1,-1", ("channels", 1), ("kernel", 2), ("flip", true)));

    // Deck 004: LeNet's trainable subsampling has a coefficient and a bias for each of six maps.
    [Fact]
    public void Deck004Subsampling()
    {
        var network = new TestNetwork();
        var y = network.Apply("subsample", network.Input("x", 6, 28, 28), ("kernel", 2));
        Assert.Equal("6x14x14", y.Shape.ToString());
        Assert.Equal(12, network.Builder.Nodes.Where(node => node.Attributes is ParameterAttributes).Sum(node => node.Shape.Count));
    }

    // Deck 004: LeNet's C3 sees six maps through sixteen filters and sixty links: 6·(3·25 + 1) + 9·(4·25 + 1) + 151 numbers. Rows
    // of the table are inputs; those of the deck's text that are shifted stand as LeCun's paper has them.
    [Fact]
    public void Deck004ConnectionTable()
    {
        int[][] rows =
        [
            [0, 4, 5, 6, 9, 10, 11, 12, 14, 15],
            [0, 1, 5, 6, 7, 10, 11, 12, 13, 15],
            [0, 1, 2, 6, 7, 8, 11, 13, 14, 15],
            [1, 2, 3, 6, 7, 8, 9, 12, 14, 15],
            [2, 3, 4, 7, 8, 9, 10, 12, 13, 15],
            [3, 4, 5, 8, 9, 10, 11, 13, 14, 15],
        ];
        var connections = Enumerable.Range(0, 16).Select(map => Enumerable.Range(0, 6).Where(input => rows[input].Contains(map)).Select(input => (double)input).ToArray()).ToArray();
        var network = new TestNetwork();
        var y = network.Apply("conv", network.Input("x", 6, 14, 14), ("channels", 16), ("kernel", 5), ("connections", connections));
        Assert.Equal("16x10x10", y.Shape.ToString());
        Assert.Equal(1516, network.Builder.Nodes.Where(node => node.Attributes is ParameterAttributes).Sum(node => node.Shape.Count));
    }

    // Deck 002: the bilinear kernel of RoIAlign between four pixels, here in the middle of a picture made twice as large.
    [Fact]
    public void Deck002BilinearInterpolation() => Equal(
        "1,1.25,1.75,2, 1.5,1.75,2.25,2.5, 2.5,2.75,3.25,3.5, 3,3.25,3.75,4",
        Run("upsample", [1, 2, 2], "1,2, 3,4", "", ("factor", 2), ("mode", "linear")));

    // Deck 001 says [0,1,-1,0] for stride 2, one too many: floor((7 - 2) / 2) + 1 = 3 values. Kernel written flipped.
    [Fact]
    public void Deck001StridedConvolution() =>
        Equal("0,1,-1", Run("conv", [1, 7], "0,0,1,2,1,0,0", "-1,1", ("channels", 1), ("kernel", 2), ("stride", 2)));

    // Deck 002: a 6x6 picture under two filters, at strides 1, 2 and 3.
    [Theory]
    [InlineData(Diagonal, 1, "3,-1,-3,-1, -3,1,0,-3, -3,-3,0,1, 3,-2,-2,-1")]
    [InlineData(Vertical, 1, "-1,-1,-1,-1, -1,-1,-2,1, -1,-1,-2,1, -1,0,-4,3")]
    [InlineData(Diagonal, 2, "3,-3, -3,0")]
    [InlineData(Vertical, 2, "-1,-1, -1,-2")]
    [InlineData(Diagonal, 3, "3,-1, 3,-1")]
    [InlineData(Vertical, 3, "-1,-1, -1,3")]
    public void Deck002Filters(string filter, int stride, string expected) =>
        Equal(expected, Run("conv", [1, 6, 6], Picture, filter, ("channels", 1), ("kernel", 3), ("stride", stride)));

    // Deck 002: 2x2 maxima of both results.
    [Theory]
    [InlineData("3,-1,-3,-1, -3,1,0,-3, -3,-3,0,1, 3,-2,-2,-1", "3,0, 3,1")]
    [InlineData("-1,-1,-1,-1, -1,-1,-2,1, -1,-1,-2,1, -1,0,-4,3", "-1,1, 0,3")]
    public void Deck002MaxPooling(string map, string expected) => Equal(expected, Run("maxpool", [1, 4, 4], map, "", ("kernel", 2)));

    // Deck 001, the cs231n demonstration: 5x5x3, pad 1, stride 2, two filters of 3x3x3.
    [Fact]
    public void Deck001Demonstration() => Equal(
        "0,6,6, -5,6,8, -6,-7,-3, -6,-5,-2, -1,2,2, -3,3,-1",
        Run(
            "conv",
            [3, 5, 5],
            "2,2,1,1,1, 1,1,2,0,0, 0,2,1,2,0, 0,2,2,2,1, 1,2,1,0,1," + "2,1,0,2,0, 1,1,1,1,2, 1,2,1,0,1, 1,2,1,2,0, 2,0,2,1,2,"
            + "0,0,2,2,2, 2,1,2,0,0, 1,1,1,0,0, 2,0,2,2,2, 1,2,0,1,2",
            "0,1,-1, 0,0,0, 1,1,-1, -1,1,-1, 1,-1,-1, 1,1,-1, 0,-1,0, 0,0,0, 0,1,0,"
            + "-1,0,1, 1,-1,-1, 0,0,1, 1,0,1, -1,-1,-1, 0,-1,1, 1,0,0, 1,0,-1, 0,0,0",
            "1,0",
            ("channels", 2),
            ("kernel", 3),
            ("stride", 2),
            ("pad", 1)));

    // Decks 002 and 003: the 4x4 grid of the pooling slides. Deck 003's average of 4 in the corner is 3.25.
    [Theory]
    [InlineData("maxpool", "6,8, 3,4")]
    [InlineData("avgpool", "3.25,5.25, 1.75,2")]
    [InlineData("sumpool", "13,21, 7,8")]
    public void Deck003Pooling(string name, string expected) => Equal(expected, Run(name, [1, 4, 4], "1,1,2,4, 5,6,7,8, 3,2,1,0, 1,1,3,4", "", ("kernel", 2)));

    // Deck 002: the same grid, global average (shown as 3.1).
    [Fact]
    public void Deck002GlobalAverage() => Equal("3.0625", Run("global_avgpool", [1, 4, 4], "1,1,2,4, 5,6,7,8, 3,2,1,0, 1,1,3,4", ""));

    // Deck 002: nearest-neighbour unpooling.
    [Fact]
    public void Deck002Unpooling() =>
        Equal("8,8,6,6, 8,8,6,6, 4,4,3,3, 4,4,3,3", Run("upsample", [1, 2, 2], "8,6, 4,3", "", ("factor", 2)));

    // Deck 002: [0,a,b,c,d,0] under [x,y,z], forwards and transposed, with a…d = 1…4 and xyz = 1, 2, 3.
    [Fact]
    public void Deck002TransposedConvolution()
    {
        Equal("8,14,20,11", Run("conv", [1, 6], "0,1,2,3,4,0", "1,2,3", ("channels", 1), ("kernel", 3)));
        Equal("1,4,10,16,17,12", Run("upconv", [1, 4], "1,2,3,4", "1,2,3", ("channels", 1), ("kernel", 3)));
    }

    // Deck 000: a 3x3 input becomes 5x5 under stride 2, pad 1 (the deck writes i' = 5 for the input).
    [Fact]
    public void Deck000TransposedConvolution() => Equal(
        "1,2,1,2,1, 2,4,2,4,2, 1,2,1,2,1, 2,4,2,4,2, 1,2,1,2,1",
        Run("upconv", [1, 3, 3], Ones(9), Ones(9), ("channels", 1), ("kernel", 3), ("stride", 2), ("pad", 1)));

    // Deck 002: softmax cross entropy of scores that overflow a naive e^x.
    [Theory]
    [InlineData(0, 534.7)]
    [InlineData(1, 0)]
    [InlineData(2, 375.95)]
    public void Deck002CrossEntropy(int label, double expected)
    {
        var network = new TestNetwork();
        var loss = network.Apply("cross_entropy", [network.Input("x", 3), network.ClassTarget("label")]);
        var values = new Interpreter(1).Run(network.Builder.Nodes, node => node.Shape.Rank == 1 ? [[-96.8, 437.9, 61.95]] : [[label]]);
        Assert.Equal(expected, values[loss][0][0], 1e-9);
    }

    // Deck 004: C1 of LeNet-5 without shared weights has 122,304 of them, (25 + 1) · 6 at each of 28x28 places.
    [Fact]
    public void Deck004WithoutSharedWeights()
    {
        var network = new TestNetwork();
        var y = network.Apply("locally_connected", network.Input("x", 1, 32, 32), ("channels", 6), ("kernel", 5));
        Assert.Equal(Shape.Of(6, 28, 28), y.Shape);
        Assert.Equal(122304, network.Builder.Nodes.Where(node => node.Attributes is ParameterAttributes).Sum(node => node.Shape.Count));
    }

    // A transposed convolution is the transpose of the convolution: <conv(x), y> = <x, upconv(y)> for all x and y.
    [Fact]
    public void TransposedConvolutionIsTheTranspose()
    {
        var random = new Random(3);
        string Draw(int count) => string.Join(",", Enumerable.Range(0, count).Select(_ => random.Next(-9, 10)));
        var (x, y, w) = (Draw(2 * 7 * 6), Draw(3 * 4 * 3), Draw(3 * 2 * 9));
        (string, object)[] window = [("kernel", 3), ("stride", 2), ("pad", 1)];
        var forward = Run("conv", [2, 7, 6], x, w, [("channels", 3), .. window]);
        var backward = Run("upconv", [3, 4, 3], y, w, [("channels", 2), ("output_pad", new[] { 0, 1 }), .. window]);
        Assert.Equal(Dot(forward, Numbers(y)), Dot(backward, Numbers(x)));

        static double Dot(double[] a, double[] b) => a.Zip(b, (p, q) => p * q).Sum();
    }

    private static double[] Run(string name, int[] shape, string input, string weight, params (string, object)[] arguments) =>
        Run(name, shape, input, weight, "", arguments);

    private static double[] Run(string name, int[] shape, string input, string weight, string bias, params (string, object)[] arguments)
    {
        var network = new TestNetwork();
        (string, object)[] all = weight.Length > 0 ? [.. arguments, ("bias", bias.Length > 0)] : arguments;
        var y = network.Apply(name, network.Input("x", shape), all);
        return new Interpreter(1).Run(network.Builder.Nodes, Leaf)[y][0];

        double[][] Leaf(Node node) => node.Attributes is ParameterAttributes p ? [Numbers(p.Name.EndsWith("bias", StringComparison.Ordinal) ? bias : weight)] : [Numbers(input)];
    }

    private static void Equal(string expected, double[] actual) => Assert.Equal(Numbers(expected), actual);

    private static string Ones(int count) => string.Join(",", Enumerable.Repeat("1", count));

    private static int Count(string numbers) => Numbers(numbers).Length;

    private static double[] Numbers(string text) => text.Split(',').Select(number => double.Parse(number, System.Globalization.CultureInfo.InvariantCulture)).ToArray();
}
