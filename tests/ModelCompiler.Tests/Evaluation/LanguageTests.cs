// Every form of the language, by what it makes of a small network.
using ModelCompiler.Graph;
using static ModelCompiler.Tests.Evaluation.Evaluating;

namespace ModelCompiler.Tests.Evaluation;

public class LanguageTests
{
    [Theory]
    [InlineData("1 + 2 * 3", 7)]
    [InlineData("(1 + 2) * 3", 9)]
    [InlineData("2 ^ 3 ^ 2 - 500", 12)]
    [InlineData("12 / 4", 3)]
    [InlineData("13 % 5", 3)]
    [InlineData("-3 + 8", 5)]
    [InlineData("floor_div(7, 2)", 3)]
    [InlineData("floor_div(-7, 2) + 10", 6)]
    [InlineData("ceil_div(7, 2)", 4)]
    [InlineData("round(7 / 2.0)", 4)]
    [InlineData("floor(3.9)", 3)]
    [InlineData("ceil(3.1)", 4)]
    [InlineData("sqrt(64)", 8)]
    [InlineData("log2(8)", 3)]
    [InlineData("abs(-4)", 4)]
    [InlineData("sum([1, 2, 3])", 6)]
    [InlineData("min(4, 2, 9)", 2)]
    [InlineData("max([4, 2, 9])", 9)]
    [InlineData("count([4, 2, 9])", 3)]
    [InlineData("[4, 2, 9].count", 3)]
    [InlineData("[4, 2, 9][1]", 2)]
    [InlineData("sum([i * c for i, c of enumerate([4, 2, 9])])", 20)]
    [InlineData("sum([a * b for a, b of zip([1, 2], [3, 4])])", 11)]
    [InlineData("reverse([4, 2, 9])[0]", 9)]
    [InlineData("sum(0..5)", 10)]
    [InlineData("sum([i * j for i, j of [[1, 2], [3, 4]]])", 14)]
    [InlineData("sum([i for i of 3x5x7])", 15)]
    [InlineData("[1, 2, 3, 4][1..3].count", 2)]
    [InlineData("if 2 > 1 and not (3 == 4) then 5 else 6", 5)]
    [InlineData("if 2 > 1 or 1 / 0 == 0 then 5 else 6", 5)]
    [InlineData("if 3x3 == 3x3 then 5 else 6", 5)]
    [InlineData("if \"a\" != \"b\" then 5 else 6", 5)]
    [InlineData("if 1.5 < 2 then 5 else 1 / 0", 5)]
    [InlineData("x.channels + x.height + x.width + x.rank + x.shape[2]", 25)]
    [InlineData("x.shape.count", 3)]
    public void NumbersAreCalculated(string expression, int expected) =>
        Assert.Equal(expected.ToString(System.Globalization.CultureInfo.InvariantCulture), OutputShape(Body("4x6x6", $"n = {expression}\n output y = x -> flatten -> dense(n)")));

    [Theory]
    [InlineData("x -> [conv(3, 1x1), conv(5, 1x1)] -> concat", "8x6x6")]
    [InlineData("x -> [identity, relu, tanh] -> add", "4x6x6")]
    [InlineData("[x, x] -> max", "4x6x6")]
    [InlineData("mean([x, x, x])", "4x6x6")]
    [InlineData("sum([x -> relu, x -> tanh])", "4x6x6")]
    [InlineData("concat(x, x -> relu, axis: 1)", "4x12x6")]
    [InlineData("x -> concat(x)", "8x6x6")]
    [InlineData("x -> concat([x, x])", "12x6x6")]
    [InlineData("relu(x)", "4x6x6")]
    [InlineData("x -> conv(5, 3x3, 1, same)", "5x6x6")]
    [InlineData("resize(x, 9, nearest)", "4x9x9")]
    [InlineData("x -> pad(1, reflect)", "4x8x8")]
    [InlineData("x -> gelu(tanh)", "4x6x6")]
    [InlineData("total(x, sum)", "scalar")]
    [InlineData("x -> total(sum)", "scalar")]
    [InlineData("sum([total(x, sum), mse(x, x, none) -> total(mean)])", "scalar")]
    [InlineData("x -> conv(4, 3x3) * 2", "4x2x2")]
    [InlineData("x -> conv(4, 3x3) * 0", "4x6x6")]
    [InlineData("x -> (conv(4, 3x3) -> relu) * 2 -> conv(7, 1x1)", "7x2x2")]
    [InlineData("x -> chain([conv(c, 1x1) for c of [2, 3, 5]])", "5x6x6")]
    [InlineData("x -> chain([conv(c, k) for c, k of [[2, 3x3], [9, [1, 2]]]])", "9x4x3")]
    [InlineData("x -> conv(8, [3, 1], pad: [1, 0])", "8x6x6")]
    [InlineData("x -> conv(8, 3x3, pad: same)", "8x6x6")]
    [InlineData("x + x * 0.5 - x / 2", "4x6x6")]
    [InlineData("-x ^ 2", "4x6x6")]
    [InlineData("1 / (x + 1)", "4x6x6")]
    [InlineData("x * (x -> global_avgpool)", "4x6x6")]
    [InlineData("x * (x -> conv(1, 1x1) -> sigmoid)", "4x6x6")]
    [InlineData("x[1]", "6x6")]
    [InlineData("x[1][2]", "6")]
    [InlineData("x[1..3]", "2x6x6")]
    [InlineData("if x.channels == 4 then x else x -> conv(99, 99x99)", "4x6x6")]
    [InlineData("x -> (if x.channels == 4 then relu else conv(1, 1x1))", "4x6x6")]
    [InlineData("(x -> [relu, conv(2, 1x1)])[1]", "2x6x6")]
    [InlineData("concat([t -> conv(i + 1, 1x1) for i, t of enumerate([x, x, x])])", "6x6x6")]
    [InlineData("concat([t -> s for t, s of zip([x, x], [relu, conv(3, 1x1)])])", "7x6x6")]
    public void FlowsHaveTheirShapes(string expression, string shape) => Assert.Equal(shape, OutputShape(Body("4x6x6", $"output y = {expression}")));

    [Fact]
    public void StagesAreValues()
    {
        var graph = Body("4x6x6", """
            unit = conv(4, 3x3, pad: 1) -> relu
             act = [relu, tanh]
             pool = maxpool
             output y = x -> unit -> unit -> act[1] -> pool(2x2)
            """);
        Assert.Equal(["conv1", "relu1", "conv2", "relu2", "tanh1", "maxpool1"], LayerPaths(graph));
    }

    [Fact]
    public void ASharedStageHasOneSetOfWeights()
    {
        var graph = Body("4x6x6", """
            shared head = conv(4, 3x3, pad: 1) -> relu -> conv(4, 1x1)
             output y = (x -> head) + (x -> relu -> head)
            """);
        Assert.Equal(["head.0.weight", "head.0.bias", "head.2.weight", "head.2.bias"], ParameterNames(graph));
        Assert.Equal(4, graph.Nodes.Count(node => node.Primitive.Name == "Convolution"));
        Assert.Equal(["head.0", "head.1", "head.2"], LayerPaths(Body("4x6x6", "shared head = conv(4, 3x3, pad: 1) -> relu -> conv(4, 1x1)\n output y = x -> head\n output z = x -> head")));
    }

    [Fact]
    public void ASharedBlockRunsForShapesThatDifferInSpaceOnly()
    {
        var graph = Network("""
            block Head(n) { out in -> conv(8, 3x3, pad: 1) -> relu -> last: conv(n, 1x1) }
            network N {
                input a: 4x8x8
                input b: 4x4x4
                shared head = Head(3)
                output p = a -> head
                output q = b -> head
            }
            """);
        Assert.Equal(["head.conv1.weight", "head.conv1.bias", "head.last.weight", "head.last.bias"], ParameterNames(graph));
        Assert.Equal(["3x8x8", "3x4x4"], graph.Outputs.Select(output => output.Node.Shape.ToString()));
    }

    [Fact]
    public void BlocksTakeTensorsStagesAndLists()
    {
        var graph = Network("""
            block Gate(by) { out in * (by -> sigmoid) }
            block Wrap(unit, width = 8, act = relu) { out in -> unit(width) -> act }
            block Plain(width) { out in -> conv(width, 3x3, pad: 1) }
            block Both { out in[0] + in[1], in[0] * in[1] }
            network N {
                input x: 8x6x6
                main = x -> Wrap(Plain, act: tanh)
                sum, product = [main, x -> Gate(main)] -> Both
                output sum
                output product
            }
            """);
        Assert.Equal(["sum", "product"], graph.Outputs.Select(output => output.Name));
        Assert.Contains("wrap1.plain1.conv1.weight", ParameterNames(graph));
        Assert.Contains("wrap1.tanh1", LayerPaths(graph));
    }

    [Fact]
    public void RecursionEndsBecauseNamesAreLazy()
    {
        var graph = Network("""
            block Level(channels, depth) {
                skip = in -> conv(channels, 3x3, pad: 1)
                deep = skip -> maxpool(2x2) -> Level(2 * channels, depth - 1) -> upsample(2)
                out if depth == 0 then skip else concat(skip, deep)
            }
            network N { input x: 3x16x16
                        output y = x -> Level(4, 3) }
            """);
        Assert.Equal("60x16x16", OutputShape(graph));
        Assert.Equal(
            ["level1.conv1.weight", "level1.level1.conv1.weight", "level1.level1.level1.conv1.weight", "level1.level1.level1.level1.conv1.weight"],
            ParameterNames(graph).Where(name => name.EndsWith("weight", StringComparison.Ordinal)));
    }

    [Fact]
    public void FreeParametersHaveTheirPathAndStart()
    {
        var graph = Network("""
            block Scale { parameter gain: in.channels, init: ones
                          out in * gain }
            network N {
                input x: 4x6
                parameter table: [4, 6], init: normal(0.02)
                parameter fixed: 4x6, init: constant(3), trainable: false
                output y = x + table + fixed -> Scale -> scaled: Scale
            }
            """);
        var parameters = graph.Parameters.Select(node => node.As<ParameterAttributes>()).ToDictionary(parameter => parameter.Name);
        Assert.Equal(["table", "fixed", "scale1.gain", "scaled.gain"], parameters.Keys);
        Assert.Equal((InitializerKind.Normal, 0.02), (parameters["table"].Initializer.Kind, parameters["table"].Initializer.Value));
        Assert.False(parameters["fixed"].Trainable);
        Assert.Equal((InitializerKind.Constant, 1.0), (parameters["scale1.gain"].Initializer.Kind, parameters["scale1.gain"].Initializer.Value));
    }

    [Fact]
    public void ALossIsAWeightedSum()
    {
        var graph = Network("""
            network N {
                input x: 4x6x6
                target label: class
                target mask: [class, 6, 6]
                target value: 3
                output logits = x -> flatten -> dense(5)
                loss 0.5 * cross_entropy(logits, label) + cross_entropy(x, mask) + 2 * (logits -> dense(3) -> mse(value))
            }
            """);
        Assert.Equal("scalar", graph.Loss!.Shape.ToString());
        Assert.False(graph.Loss.Batched);
        Assert.Equal(["scalar", "6x6", "3"], graph.Targets.Select(target => target.Node.Shape.ToString()));
        Assert.Equal([true, true, false], graph.Targets.Select(target => target.Node.As<InputAttributes>().IsClass));
    }

    [Fact]
    public void OutputsAreNamedByTheirBindingOrANumber()
    {
        var graph = Body("4", "y = x -> relu\n output y\n output x -> tanh\n output x -> sigmoid\n output z = y");
        Assert.Equal(["y", "output", "output2", "z"], graph.Outputs.Select(output => output.Name));
    }

    [Fact]
    public void OnlyWhatIsNeededIsBuilt()
    {
        var file = File("network N {\n input x: 4x6x6\n unused = x -> conv(9, 3x3)\n output y = x -> conv(2, 3x3)\n}");
        Assert.Equal(["conv1.weight", "conv1.bias"], ParameterNames(file.Networks[0]));
        Assert.Equal("CNN4004", Assert.Single(file.Diagnostics).Code);
    }

    [Fact]
    public void WhatNothingNeedsDoesNotCountInNames()
    {
        var file = File("network N {\n input x: 4x6x6\n unused = x -> relu -> conv(9, 3x3)\n output y = x -> relu -> conv(2, 3x3)\n}");
        Assert.Equal(["relu1", "conv1"], LayerPaths(file.Networks[0]));
    }

    [Fact]
    public void DerivedNetworksAndTemplates()
    {
        var file = File("""
            network Base(width, classes = 10) { input x: 8
                                                output y = x -> dense(width) -> relu -> dense(classes) }
            network Small = Base(4)
            network Large = Base(64, classes: 100)
            network Same = Large
            """);
        Assert.Empty(file.Diagnostics);
        Assert.Equal(["Small", "Large", "Same"], file.Networks.Select(network => network.Name));
        Assert.Equal(["10", "100", "100"], file.Networks.Select(OutputShape));
    }

    [Fact]
    public void FilesUseOtherFilesRelativeToThemselves()
    {
        var graph = Network(
            "use \"blocks.cnn\"\nnetwork N { input x: 3x8x8\n output y = x -> Unit(width) -> Mine }\nblock Mine { out in -> tanh }",
            ("blocks.cnn", "use \"deep.cnn\"\nwidth = 2 * start\nblock Unit(c) { out in -> Mine(c) }"),
            ("deep.cnn", "start = 3\nblock Mine(c) { out in -> conv(c, 3x3) -> relu }"));
        Assert.Equal("6x6x6", OutputShape(graph));
        Assert.Equal(["unit1.mine1.conv1", "unit1.mine1.relu1", "mine1.tanh1"], LayerPaths(graph));
    }

    [Fact]
    public void ThreeRanksOfSpaceHaveOneWord()
    {
        Assert.Equal("8x98", OutputShape(Body("4x100", "output y = x -> conv(8, 3)")));
        Assert.Equal("8x98x98", OutputShape(Body("4x100x100", "output y = x -> conv(8, 3)")));
        Assert.Equal("8x8x18x18", OutputShape(Body("4x10x20x20", "output y = x -> conv(8, 3)")));
    }

    [Fact]
    public void TextOfAGraphIsStable() => Assert.Equal(
        """
        network N
          x = Input : 2x4x4
          c.weight = Parameter FanInUniform(1) : 3x2x3x3, one for all samples
          c.bias = Parameter FanInUniform(1) : 3, one for all samples
          c = Convolution(x, c.weight, c.bias) kernel 3x3 pad 1x1 : 3x4x4
          mul1 = Pointwise(c) Multiply(x0, 2) : 3x4x4
          output y = mul1

        """, GraphText.Write(Body("2x4x4", "output y = 2 * (x -> c: conv(3, 3x3, pad: 1))")).Replace("Multiply(2, x0)", "Multiply(x0, 2)"), ignoreLineEndingDifferences: true);
}
