// Every mistake an operator can find, with its exact message: what is wrong, with which shapes, and what would be right.
using ModelCompiler.Graph;
using ModelCompiler.Operators;
using ModelCompiler.Tests.Oracle;

namespace ModelCompiler.Tests.Operators;

public class ShapeErrorTests
{
    private readonly TestNetwork network = new();

    [Fact]
    public void ConvolutionOfAVector() => Expect(
        "CNN3001", null,
        "'conv' works on channels and 1 to 3 spatial axes (CxL, CxHxW, CxDxHxW), not on 400 (from 'x'); put it before 'flatten' or 'dense', or use 'reshape'",
        "conv", [Input(400)], ("channels", 8), ("kernel", 3));

    [Fact]
    public void NormalisationOfANumber() => Expect(
        "CNN3001", null, "'batchnorm' needs channels, but scalar (from 'x') is a single number", "batchnorm", [Input()]);

    [Fact]
    public void KernelLargerThanItsInput() => Expect(
        "CNN3002", "kernel",
        "'conv' with kernel 7x7 does not fit its input: 512x5x5 (from 'x') is smaller than the kernel; pad by at least 1, or use a kernel of at most 5x5",
        "conv", [Input(512, 5, 5)], ("channels", 8), ("kernel", 7));

    [Fact]
    public void DilatedKernelLargerThanItsPaddedInput() => Expect(
        "CNN3002", "kernel",
        "'conv' with kernel 3x3 (dilated to 9x9) does not fit its input: 8x5x7 (from 'x'), even padded, is smaller than the kernel; pad by at least 2, or use a kernel of at most 2x3",
        "conv", [Input(8, 5, 7)], ("channels", 8), ("kernel", 3), ("dilation", 4), ("pad", 1));

    [Fact]
    public void PoolLargerThanItsInput() => Expect(
        "CNN3002", "kernel",
        "'maxpool' with kernel 2x2 does not fit its input: 8x1x1 (from 'x') is smaller than the kernel; pad by at least 1, or use a kernel of at most 1x1",
        "maxpool", [Input(8, 1, 1)], ("kernel", 2));

    [Fact]
    public void TransposedConvolutionCroppedAway() => Expect(
        "CNN3002", "pad",
        "pad 2 crops everything: the result of 'upconv' on 8x1x1 (from 'x') would have height -1; pad by at most 1",
        "upconv", [Input(8, 1, 1)], ("channels", 8), ("kernel", 3), ("pad", 2));

    [Fact]
    public void GroupsThatDoNotDivide()
    {
        Expect(
            "CNN3003", "groups",
            "'conv' cannot split 6 input channels into 4 groups; both channel counts (6 in, 8 out) must be divisible by the groups",
            "conv", [Input(6, 5, 5)], ("channels", 8), ("kernel", 3), ("groups", 4));
        Expect(
            "CNN3003", "groups", "'groupnorm' cannot split the 6 channels of 6x5x5 (from 'x') into 4 groups", "groupnorm", [Input(6, 5, 5)], ("groups", 4));
    }

    [Fact]
    public void SumOfDifferentSizes() => Expect(
        "CNN3004", "input:1",
        "cannot add 256x28x28 (from 'x') and 256x14x14 (from 'y'): height differs (28, 14); did you mean '-> upsample(2)' for 256x14x14?",
        "add", [Input(256, 28, 28), Other(256, 14, 14)]);

    [Fact]
    public void SumOfDifferentChannels() => Expect(
        "CNN3004", "input:1",
        "cannot add 64x28x28 (from 'x') and 128x28x28 (from 'y'): the number of channels differs (64, 128); project one of them, for instance with '-> conv(64, 1x1)' on 128x28x28",
        "add", [Input(64, 28, 28), Other(128, 28, 28)]);

    [Fact]
    public void SumOfOddSizes() => Expect(
        "CNN3004", "input:1",
        "cannot add 64x28x28 (from 'x') and 64x27x28 (from 'y'): height differs (28, 27); give both the same size by pad, stride or pooling",
        "add", [Input(64, 28, 28), Other(64, 27, 28)]);

    [Fact]
    public void SumOfDifferentVectors() => Expect(
        "CNN3004", "input:1",
        "cannot add 10 (from 'x') and 12 (from 'y'): the number of features differs (10, 12); give both the same number of features, for instance with '-> dense(10)'",
        "add", [Input(10), Other(12)]);

    [Fact]
    public void VectorThatFitsNoChannels() => Expect(
        "CNN3004", "input:1",
        "cannot multiply 64x28x28 (from 'x') and 32 (from 'y'): they have three axes and one axis; a vector combines with the channels, so it needs 64 features",
        "mul", [Input(64, 28, 28), Other(32)]);

    [Fact]
    public void MapAndRows() => Expect(
        "CNN3004", "input:1",
        "cannot multiply 64x28x28 (from 'x') and 64x784 (from 'y'): they have three axes and two axes; use 'reshape' to give both the same axes",
        "mul", [Input(64, 28, 28), Other(64, 784)]);

    [Fact]
    public void ConcatOfDifferentSizes() => Expect(
        "CNN3005", "input:1",
        "cannot concat 256x28x28 (from 'x') and 512x14x14 (from 'y') along the number of channels: height differs (28, 14); did you mean '-> upsample(2)' for 512x14x14?",
        "concat", [Input(256, 28, 28), Other(512, 14, 14)]);

    [Fact]
    public void ConcatOfDifferentRanks() => Expect(
        "CNN3005", "input:1",
        "cannot concat 256x28x28 (from 'x') and 512 (from 'y'): they have three axes and one axis; use 'reshape' or 'flatten' to give both the same",
        "concat", [Input(256, 28, 28), Other(512)]);

    [Fact]
    public void ConcatAlongTheWrongAxis() => Expect(
        "CNN3005", "input:1",
        "cannot concat 64x28x28 (from 'x') and 32x28x28 (from 'y') along height: the number of channels differs (64, 32); join along the channels (axis: 0) or project one with '-> conv(64, 1x1)'",
        "concat", [Input(64, 28, 28), Other(32, 28, 28)], ("axis", 1));

    [Fact]
    public void DenseWithoutFlatten() => Expect(
        "CNN3006", null,
        "'dense' takes a vector or rows of features, not 16x5x5 (from 'x'); put '-> flatten' (400 features) or '-> global_avgpool' (16 features) before it",
        "dense", [Input(16, 5, 5)], ("features", 10));

    [Fact]
    public void LogitsWithoutPooling() => Expect(
        "CNN3007", "input:1",
        "the label is one class for each sample, but the logits are 10x7x7 (from 'x'): one vector of scores for each of 7x7 places; put '-> flatten -> dense(classes)' or '-> global_avgpool' before the loss, or declare the target as [class, 7, 7]",
        "cross_entropy", [Input(10, 7, 7), network.ClassTarget("label")]);

    [Fact]
    public void LabelsOfAnotherSize() => Expect(
        "CNN3007", "input:1",
        "the label has a class for each of 8x8 places, so the logits must be classes x 8x8, not 10x7x7 (from 'x'); 'pad: same' keeps the size of convolutions, '-> resize(8x8)' restores it",
        "cross_entropy", [Input(10, 7, 7), network.ClassTarget("label", 8, 8)]);

    [Fact]
    public void ErrorBetweenDifferentShapes() => Expect(
        "CNN3007", "input:1",
        "'mse' compares values of one shape, not 10 (from 'x') with 12 (from 'target'); declare the target as 10, or end the network in 12",
        "mse", [Input(10), network.Target("target", 12)]);

    [Fact]
    public void ReshapeToAnotherCount() => Expect(
        "CNN3008", "shape", "cannot reshape 16x5x5 (from 'x') with 400 elements to 20x21 with 420", "reshape", [Input(16, 5, 5)], ("shape", new[] { 20, 21 }));

    [Fact]
    public void SliceOutOfRange()
    {
        Expect(
            "CNN3009", "start", "slice starts at 16, but the number of channels of 16x5x5 (from 'x') ends at 15", "slice", [Input(16, 5, 5)], ("start", 16));
        Expect(
            "CNN3009", "count",
            "slice of 4 from 13 leaves 16x5x5 (from 'x'), where the number of channels is 16; take at most 3",
            "slice", [Input(16, 5, 5)], ("start", 13), ("count", 4));
    }

    [Fact]
    public void AxisOutOfRange() => Expect(
        "CNN3010", "axis", "axis 3 does not exist: 16x5x5 (from 'x') has three axes, 0 to 2", "softmax", [Input(16, 5, 5)], ("axis", 3));

    [Fact]
    public void LossesInTheWrongOrder()
    {
        Expect(
            "CNN3011", "input:0",
            "'cross_entropy' takes the logits first and the label second; did you mean to write them the other way round?",
            "cross_entropy", [network.ClassTarget("label"), Input(10)]);
        Expect(
            "CNN3011", "input:1",
            "'mse' compares values, but 'label' holds classes; use 'cross_entropy', or declare the target with a shape instead of 'class'",
            "mse", [Input(10), network.ClassTarget("label")]);
    }

    [Fact]
    public void TensorTooLarge()
    {
        Expect(
            "CNN3012", null,
            "'upsample' on 512x512x512 (from 'x') would make a tensor of more than 2147483647 elements; use smaller sizes",
            "upsample", [Input(512, 512, 512)], ("factor", 16384));
        Expect(
            "CNN3012", null,
            "'conv' on 16777216x3x3 (from 'x') would make a tensor of more than 2147483647 elements; use smaller sizes",
            "conv", [Input(1 << 24, 3, 3)], ("channels", 1 << 24), ("kernel", 3));
    }

    [Fact]
    public void MatricesThatDoNotFit()
    {
        Expect(
            "CNN3013", "input:1",
            "cannot multiply 196x64 (from 'x') @ 196x64 (from 'y'): the left has 64 columns, the right 196 rows; did you mean '-> transpose' behind the right one?",
            "matmul", [Input(196, 64), Other(196, 64)]);
        Expect(
            "CNN3013", "input:1",
            "cannot multiply 2x3x4 (from 'x') @ 5x4x3 (from 'y'): the leading axes are 2 and 5, and must be equal",
            "matmul", [Input(2, 3, 4), Other(5, 4, 3)]);
        Expect(
            "CNN3013", "input:1",
            "a matrix product needs two or more axes, as many on both sides, not 2x3x4 (from 'x') @ 4 (from 'y'); use 'reshape'",
            "matmul", [Input(2, 3, 4), Other(4)]);
    }

    [Fact]
    public void RearrangementsThatDoNotDivide()
    {
        Expect(
            "CNN3003", "heads", "'attention' cannot split the 10 features of 4x10 (from 'x') into 3 heads", "attention", [Input(4, 10)], ("heads", 3));
        Expect(
            "CNN3003", "factor", "'pixel_shuffle' cannot split the 6 channels of 6x2x2 (from 'x') into parts of 4; make them a multiple of 4", "pixel_shuffle", [Input(6, 2, 2)]);
        Expect(
            "CNN3003", "parts", "'split' cannot cut the number of channels of 6x2x2 (from 'x') into 4 equal parts; use 'slice' for uneven ones", "split", [Input(6, 2, 2)], ("parts", 4));
        Expect(
            "CNN3010", "order", "'order' names each axis at most once, and 6x2 (from 'x') has two axes, 0 to 1", "permute", [Input(6, 2)], ("order", new double[] { 1, 1 }));
        Expect(
            "CNN3005", "input:1", "'stack' joins tensors of one shape, not 6x2 (from 'x') and 6x3 (from 'y')", "stack", [Input(6, 2), Other(6, 3)]);
    }

    [Fact]
    public void PoolPaddingBeyondHalfOfTheKernel() => Expect(
        "CNN2050", "pad",
        "pad 2 is more than half of the kernel 3x3 of 'maxpool': windows would hold nothing but padding; pad by at most 1",
        "maxpool", [Input(8, 9, 9)], ("kernel", 3), ("pad", 2));

    [Fact]
    public void MirrorBeyondThePicture() => Expect(
        "CNN2050", "pad_mode",
        "pad 4 with pad_mode reflect needs more than height 4 of 8x4x4 (from 'x') has; pad by at most 3",
        "conv", [Input(8, 4, 4)], ("channels", 4), ("kernel", 3), ("pad", 4), ("pad_mode", "reflect"));

    [Theory]
    [InlineData("have 1 rows, and there are 2 filters; write one list for each", 1, "0")]
    [InlineData("leave a filter without any input; give every filter at least one", 1, "0;")]
    [InlineData("name channels from 0 to 3 only, as 4x9x9 (from 'x') has 4", 1, "0;4")]
    [InlineData("stand in for groups; leave groups out", 2, "0;1")]
    public void ConnectionsThatDoNotFit(string problem, int groups, string table) => Expect(
        "CNN2050", "connections",
        "the connections of 'conv' " + problem,
        "conv",
        [Input(4, 9, 9)],
        ("channels", 2),
        ("kernel", 3),
        ("groups", groups),
        ("connections", table.Split(';').Select(row => row.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(double.Parse).ToArray()).ToArray()));

    [Fact]
    public void ValuesAsTheLabelOfAMargin() => Expect(
        "CNN3007", "input:1",
        "the label of 'multi_margin' is a class, and 10 (from 'target') holds values; declare its target as 'class'",
        "multi_margin", [Input(10), network.Target("target", 10)]);

    [Fact]
    public void OutputPaddingBeyondTheStride() => Expect(
        "CNN2050", "output_pad",
        "output_pad 2 must be smaller than the stride 2 or the dilation 1",
        "upconv", [Input(8, 9, 9)], ("channels", 4), ("kernel", 3), ("stride", 2), ("output_pad", 2));

    [Theory]
    [InlineData("7", 3, 3, 0, "CNN4003 stride: stride 3 leaves 1 of 7 positions unused: (7 - 3) / 3 is not whole")]
    [InlineData("224", 7, 2, 3, null)]
    [InlineData("56", 1, 2, 0, null)]
    public void StrideThatLeavesElementsUnused(string length, int kernel, int stride, int pad, string? advice)
    {
        network.Apply("conv", Input(1, int.Parse(length)), ("channels", 1), ("kernel", kernel), ("stride", stride), ("pad", pad));
        Assert.Equal(advice is not null ? [advice] : [], network.Advice);
    }

    private Node Input(params int[] shape) => network.Input("x", shape);

    private Node Other(params int[] shape) => network.Input("y", shape);

    private void Expect(string code, string? argument, string message, string name, Node[] inputs, params (string, object)[] arguments)
    {
        var error = Assert.Throws<OperatorException>(() => network.Apply(name, inputs, arguments));
        Assert.Equal((code, argument, message), (error.Code, error.Argument, error.Message));
    }
}
