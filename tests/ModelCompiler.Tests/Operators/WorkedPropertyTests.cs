// What the lecture decks say of layers in general: convolution is a banded matrix, it commutes with translation, linear
// layers in a row are one, and a temperature flattens a softmax.
using ModelCompiler.Graph;
using ModelCompiler.Tests.Evaluation;
using ModelCompiler.Tests.Oracle;

namespace ModelCompiler.Tests.Operators;

public class WorkedPropertyTests
{
    // Decks 000, 001, 002: y = Wx, where row i of W holds the kernel from column i on.
    [Fact]
    public void ConvolutionIsABandedMatrix()
    {
        var graph = Evaluating.Body("1x9", "output y = x -> conv(1, 3, bias: false)");
        var kernel = Weights(graph, "conv1.weight");
        var x = Draw(9, 5);
        var product = Enumerable.Range(0, 7).Select(row => Enumerable.Range(0, 9).Sum(column => column - row is >= 0 and < 3 ? kernel[column - row] * x[column] : 0));
        Assert.Equal(product, Run(graph, x));
    }

    // Decks 000, 004: f(shift x) = shift f(x), here with edges that meet.
    [Fact]
    public void ConvolutionCommutesWithTranslation()
    {
        var graph = Evaluating.Body("2x7x6", "output y = x -> conv(3, 3x3, pad: 1, pad_mode: circular) -> relu");
        var x = Draw(2 * 7 * 6, 6);
        Assert.Equal(Shift(Run(graph, x)), Run(graph, Shift(x)));

        static double[] Shift(double[] maps) =>
            [.. Enumerable.Range(0, maps.Length).Select(i => maps[(i / 42 * 42) + (((i % 42 / 6) + 2) % 7 * 6) + (((i % 6) + 5) % 6)])];
    }

    // Deck 003: y = W2 W1 x. Two dense layers, and two convolutions of kernels 3 and 1, with nothing between them are one.
    [Fact]
    public void LinearLayersInARowAreOne()
    {
        var graph = Evaluating.Body("[5]", "output y = x -> dense(4, bias: false) -> dense(3, bias: false)");
        var (first, second) = (Weights(graph, "dense1.weight"), Weights(graph, "dense2.weight"));
        var x = Draw(5, 7);
        double Element(int row, int column) => Enumerable.Range(0, 4).Sum(k => second[(row * 4) + k] * first[(k * 5) + column]);
        Assert.Equal(Enumerable.Range(0, 3).Select(row => Enumerable.Range(0, 5).Sum(column => Element(row, column) * x[column])), Run(graph, x));
    }

    // Deck 002: exp(5) / exp(1) = 54.6; at a temperature of 5, exp(1) / exp(0.2) = 2.2.
    [Theory]
    [InlineData(1, 54.6)]
    [InlineData(5, 2.2)]
    public void TemperatureFlattensASoftmax(int temperature, double ratio)
    {
        var p = Run(Evaluating.Body("[2]", $"output y = x -> softmax(temperature: {temperature})"), [5, 1]);
        Assert.Equal(ratio, p[0] / p[1], 0.05);
        Assert.Equal(1, p.Sum(), 1e-12);
    }

    // Deck 002: FC is a convolution as large as its input, and a 1x1 convolution is FC at every place.
    [Fact]
    public void DenseLayersAreConvolutions()
    {
        var x = Draw(3 * 4 * 5, 8);
        var dense = Evaluating.Body("3x4x5", "output y = x -> flatten -> layer: dense(6)");
        var whole = Evaluating.Body("3x4x5", "output y = x -> layer: conv(6, 4x5)");
        Assert.Equal(Run(dense, x), Run(whole, x));
        var pointwise = Evaluating.Body("3x4x5", "output y = x -> layer: conv(6, 1x1)");
        var places = Evaluating.Body("3x4x5", "output y = x -> tokens -> layer: dense(6) -> transpose");
        Assert.Equal(Run(places, x), Run(pointwise, x));
    }

    private static double[] Run(NetworkGraph graph, double[] x) =>
        new Interpreter(1).Run(graph.Nodes, node => [node.Attributes is ParameterAttributes p ? Draw((int)node.Shape.Count, p.Name.Length) : x])[graph.Outputs[0].Node][0];

    private static double[] Weights(NetworkGraph graph, string name)
    {
        var node = graph.Parameters.Single(parameter => parameter.As<ParameterAttributes>().Name == name);
        return Draw((int)node.Shape.Count, name.Length);
    }

    /// <summary>Small whole numbers, of which sums and products are exact.</summary>
    private static double[] Draw(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (double)random.Next(-9, 10))];
    }
}
