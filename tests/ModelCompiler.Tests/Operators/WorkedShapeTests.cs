// The shapes, parameter counts, costs and receptive fields that the lecture decks work out. Decks are named by number.
using ModelCompiler.Advice;
using ModelCompiler.Graph;
using ModelCompiler.Tests.Evaluation;

namespace ModelCompiler.Tests.Operators;

public class WorkedShapeTests
{
    [Theory]
    [InlineData("deck 002: 32, kernel 5", "3x32x32", "conv(5, 5x5)", "5x28x28", 380)]
    [InlineData("deck 002: the same with stride 3", "3x32x32", "conv(5, 5x5, stride: 3)", "5x10x10", 380)]
    [InlineData("deck 002: 7, kernel 3, stride 1", "1x7x7", "conv(1, 3x3)", "1x5x5", 10)]
    [InlineData("deck 002: 7, kernel 3, stride 2", "1x7x7", "conv(1, 3x3, stride: 2)", "1x3x3", 10)]
    [InlineData("deck 002: 7, kernel 3, stride 3 is no integer, the floor is 2", "1x7x7", "conv(1, 3x3, stride: 3)", "1x2x2", 10)]
    [InlineData("deck 003: padding keeps 7 (the slide says 5)", "1x7x7", "conv(1, 3x3, pad: 1)", "1x7x7", 10)]
    [InlineData("deck 003: six filters of 3x5x5", "3x32x32", "conv(6, 5x5)", "6x28x28", 456)]
    [InlineData("deck 000: 3-D", "1x5x5x5", "conv(1, 3)", "1x3x3x3", 28)]
    [InlineData("deck 003: overlapping pooling", "1x7x7", "maxpool(3x3, stride: 2)", "1x3x3", 0)]
    [InlineData("deck 002: pooling halves", "64x224x224", "maxpool(2x2)", "64x112x112", 0)]
    [InlineData("deck 002: two layers of 4, 12 + 5", "2", "dense(4) -> relu -> dense(1)", "1", 17)]
    [InlineData("deck 002: three layers", "2", "dense(4) -> relu -> dense(4) -> relu -> dense(3)", "3", 47)]
    [InlineData("deck 002: an image through dense layers", "99750", "dense(1000) -> relu -> dense(1000) -> relu -> dense(1000) -> relu -> dense(3)", "3", 101_756_003)]
    [InlineData("deck 002: AlexNet conv1", "3x227x227", "conv(96, 11x11, stride: 4)", "96x55x55", 34_944)]
    [InlineData("deck 002: AlexNet pool1", "96x55x55", "maxpool(3x3, stride: 2)", "96x27x27", 0)]
    [InlineData("deck 002: AlexNet conv2 needs its padding", "96x27x27", "conv(256, 5x5, pad: 2)", "256x27x27", 614_656)]
    [InlineData("deck 003: AlexNet conv2 in two towers", "96x27x27", "conv(256, 5x5, pad: 2, groups: 2)", "256x27x27", 307_456)]
    [InlineData("deck 002: AlexNet conv3", "256x13x13", "conv(384, 3x3, pad: 1)", "384x13x13", 885_120)]
    [InlineData("deck 002: AlexNet FC6 as a convolution", "256x6x6", "conv(4096, 6x6)", "4096x1x1", 37_752_832)]
    [InlineData("deck 002: AlexNet FC6", "256x6x6", "flatten -> dense(4096)", "4096", 37_752_832)]
    [InlineData("deck 002: three channels to eight", "3x12x12", "conv(8, 3x3, bias: false)", "8x10x10", 216)]
    [InlineData("deck 002: the same, separable, 27 + 24", "3x12x12", "depthwise(3x3, bias: false) -> conv(8, 1x1, bias: false)", "8x10x10", 51)]
    [InlineData("deck 002: image gradient, two filters", "1x400x600", "conv(2, 3x3, pad: 1)", "2x400x600", 20)]
    [InlineData("deck 004: LeNet C1", "1x32x32", "conv(6, 5x5)", "6x28x28", 156)]
    [InlineData("deck 004: LeNet C5", "16x5x5", "conv(120, 5x5)", "120x1x1", 48_120)]
    [InlineData("deck 004: LeNet F6", "120", "dense(84)", "84", 10_164)]
    [InlineData("deck 002: RPN on a 640x480 image at stride 32", "512x20x15", "[conv(1, 1x1), conv(4, 1x1)] -> concat", "5x20x15", 2565)]
    public void ShapesAndParameters(string source, string input, string layers, string output, long parameters)
    {
        var graph = Evaluating.Body(input == "99750" ? "[99750]" : input.Contains('x') ? input : $"[{input}]", $"output y = x -> {layers}");
        Assert.Equal((source, output, parameters), (source, Evaluating.OutputShape(graph), Evaluating.ParameterCount(graph)));
    }

    // Deck 002: multiply-adds of a 3x3 layer on 14x14x512, whole and separable.
    [Theory]
    [InlineData("conv(512, 3x3, pad: 1, bias: false)", 462_422_016)]
    [InlineData("depthwise(3x3, pad: 1, bias: false) -> conv(512, 1x1, bias: false)", 52_283_392)]
    public void Deck002SeparableCosts(string layers, long macs)
    {
        var graph = Evaluating.Body("512x14x14", $"output y = x -> {layers}");
        Assert.Equal(macs, graph.Nodes.Sum(node => node.Primitive.Macs(node)));
    }

    // Receptive field and jump at the end of a stack.
    [Theory]
    [InlineData("deck 002: two 3x3", "1x99x99", "conv(1, 3x3) -> relu -> conv(1, 3x3)", 5, 1)]
    [InlineData("deck 002: three 3x3", "1x99x99", "conv(1, 3x3) -> conv(1, 3x3) -> conv(1, 3x3)", 7, 1)]
    [InlineData("deck 004: LeNet S4", "1x32x32", "conv(6, 5x5) -> tanh -> avgpool(2x2) -> conv(16, 5x5) -> tanh -> avgpool(2x2)", 16, 4)]
    [InlineData("deck 004: LeNet C5", "1x36x36", "conv(6, 5x5) -> avgpool(2x2) -> conv(16, 5x5) -> avgpool(2x2) -> conv(120, 5x5)", 32, 4)]
    [InlineData("deck 002: AlexNet conv2", "3x227x227", "conv(96, 11x11, stride: 4) -> maxpool(3x3, stride: 2) -> conv(256, 5x5, pad: 2)", 51, 8)]
    [InlineData("deck 001: dilated stack", "1x99", "conv(1, 3) -> conv(1, 3, dilation: 2) -> conv(1, 3, dilation: 4)", 15, 1)]
    [InlineData("deck 001: dilated pairs", "1x99", "conv(1, 2) -> conv(1, 2, dilation: 2) -> conv(1, 2, dilation: 4) -> conv(1, 2, dilation: 8)", 16, 1)]
    public void ReceptiveFields(string source, string input, string layers, int size, int jump)
    {
        var graph = Evaluating.Body(input, $"output y = x -> {layers}");
        var field = ReceptiveField.Of(graph)[graph.Outputs[0].Node];
        Assert.Equal((source, size, jump), (source, field.Size[0], field.Jump[0]));
    }
}
