// Figures of the lecture decks about whole networks: sizes of maps, memory, parameters of dense layers. Decks are named by number.
using ModelCompiler.Graph;
using ModelCompiler.Tests.Evaluation;

namespace ModelCompiler.Tests.Operators;

public class WorkedFigureTests
{
    // Deck 003, the caption of AlexNet's figure. Its 253,440 for the first map is the paper's misprint: 96 x 55 x 55 are 290,400.
    [Fact]
    public void Deck003SizesOfAlexNetsMaps() => Assert.Equal(
        [290_400, 186_624, 64_896, 64_896, 43_264, 4096, 4096, 1000],
        Sizes("alexnet_ungrouped.cnn", "conv", "dense"));

    // Deck 003: 48.6 MB of VGG-16's convolutions leave one layer out; all thirteen hold 51.7 MiB.
    [Fact]
    public void Deck003MemoryOfVgg16() => Assert.Equal(51.7, Sizes("vgg16.cnn", "conv").Sum() * 4 / 1048576.0, 0.05);

    // Deck 002: 7x7x(5B + C) with B = 3, and 1,470 numbers as YOLO had them.
    [Fact]
    public void Deck002AnswersOfYolo()
    {
        Assert.Equal(1470, ZooTests.Evaluate("yolo_v1.cnn").Outputs[0].Node.Shape.Count);
        Assert.Equal("35x7x7", Evaluating.OutputShape(Zoo("yolo_v1.cnn", "YoloV1(boxes: 3)")));
    }

    // Table 1 of Szegedy et al. as it was published, without batch norm and heads, with biases (deck 002 has the paper's sum, 6.8 million).
    [Fact]
    public void Deck002ParametersOfGoogLeNet() => Assert.Equal(6_998_552, Evaluating.ParameterCount(Zoo("googlenet_module.cnn", """
        {
            input image: 3x224x224
            maps = image -> conv(64, 7x7, stride: 2, pad: 3) -> relu -> maxpool(3x3, stride: 2, pad: 1)
                -> Unit(64, 1x1) -> Unit(192, 3x3) -> maxpool(3x3, stride: 2, pad: 1)
                -> Inception(64, 96, 128, 16, 32, 32) -> Inception(128, 128, 192, 32, 96, 64) -> maxpool(3x3, stride: 2, pad: 1)
                -> Inception(192, 96, 208, 16, 48, 64) -> Inception(160, 112, 224, 24, 64, 64) -> Inception(128, 128, 256, 24, 64, 64)
                -> Inception(112, 144, 288, 32, 64, 64) -> Inception(256, 160, 320, 32, 128, 128) -> maxpool(3x3, stride: 2, pad: 1)
                -> Inception(256, 160, 320, 32, 128, 128) -> Inception(384, 192, 384, 48, 128, 128)
            output logits = maps -> global_avgpool -> dense(1000)
        }
        """)));

    [Theory]
    [InlineData("deck 000: a unit that sees 200x200 grey pixels", "1x200x200", "flatten -> dense(1, bias: false)", 40_000)]
    [InlineData("deck 001: the same in colour", "3x200x200", "flatten -> dense(1, bias: false)", 120_000)]
    [InlineData("deck 004: C1 as a dense layer", "1x32x32", "flatten -> dense(4704)", 4_821_600)]
    [InlineData("deck 002: one 7x7", "1x9x9", "conv(1, 7x7, bias: false)", 49)]
    [InlineData("deck 002: three 3x3 that see as much", "1x9x9", "(conv(1, 3x3, bias: false) -> relu) * 3", 27)]
    [InlineData("deck 002: AlexNet FC7, 17 million", "4096", "dense(4096)", 16_781_312)]
    public void Parameters(string source, string input, string layers, long parameters) =>
        Assert.Equal((source, parameters), (source, Evaluating.ParameterCount(Evaluating.Body(input.Contains('x') ? input : $"[{input}]", $"output y = x -> {layers}"))));

    [Theory]
    [InlineData("deck 002: 200 channels of 400x400, 122 MiB", "3x400x400", "conv(200, 3x3, pad: 1)", 32_000_000)]
    [InlineData("deck 002: windows of 3x3 in 6x6 (its formula gives 9)", "1x6x6", "conv(1, 3x3)", 16)]
    [InlineData("deck 002: two objects of 20 classes", "1024", "dense(2 * (20 + 4))", 48)]
    public void Elements(string source, string input, string layers, long elements) =>
        Assert.Equal((source, elements), (source, Evaluating.Body(input.Contains('x') ? input : $"[{input}]", $"output y = x -> {layers}").Outputs[0].Node.Shape.Count));

    private static long[] Sizes(string file, params string[] operators) =>
        [.. ZooTests.Evaluate(file).Layers.Where(layer => operators.Contains(layer.Operator)).Select(layer => layer.Output.Shape.Count)];

    private static NetworkGraph Zoo(string file, string network) =>
        ZooTests.Evaluate(new Grammar.SourceFile("test.cnn", $"use \"{file}\"\nnetwork Test {(network.StartsWith('{') ? network : "= " + network)}"));
}
