// Names of layers, the names of their weights in files.
using static ModelCompiler.Tests.Evaluation.Evaluating;

namespace ModelCompiler.Tests.Evaluation;

public class LayerPathTests
{
    [Fact]
    public void AutomaticNamesCountInTheOrderOfTheText()
    {
        // The output needs `late` first, and still `early` is conv1.
        var graph = Body("2x8x8", "early = x -> conv(2, 1x1)\n late = x -> conv(2, 3x3, pad: 1)\n output y = late + early");
        Assert.Equal(["2x2x3x3", "2x2x1x1"], graph.Layers.Where(layer => layer.Operator == "conv").Select(layer => layer.Parameters[0].Shape.ToString()));
        Assert.Equal(["conv2", "conv1", "add1"], LayerPaths(graph));
    }

    [Theory]
    [InlineData("conv(2, 1x1) -> relu -> conv(2, 1x1)", "conv1 relu1 conv2")]
    [InlineData("first: conv(2, 1x1) -> conv(2, 1x1)", "first conv2")]
    [InlineData("conv2: conv(2, 1x1) -> conv(2, 1x1)", "conv2 conv3")]
    [InlineData("seq: (conv(2, 1x1) -> relu -> conv(2, 1x1))", "seq.0 seq.1 seq.2")]
    [InlineData("seq: (conv(2, 1x1) -> (relu -> conv(2, 1x1)))", "seq.0 seq.1 seq.2")]
    [InlineData("seq: (conv(2, 1x1))", "seq.0")]
    [InlineData("seq: conv(2, 1x1)", "seq")]
    [InlineData("seq: (c: conv(2, 1x1) -> relu -> conv(2, 1x1))", "seq.c seq.1 seq.2")]
    [InlineData("seq: conv(2, 1x1) * 2", "seq.0 seq.1")]
    [InlineData("seq: conv(2, 1x1) * 1", "seq.0")]
    [InlineData("seq: (conv(2, 1x1) -> relu) * 2", "seq.0 seq.1 seq.2 seq.3")]
    [InlineData("seq: (conv(2, 1x1) -> conv(2, 1x1) * 2)", "seq.0 seq.1 seq.2")]
    [InlineData("conv(2, 1x1) * 2 -> conv(2, 1x1)", "conv1 conv2 conv3")]
    [InlineData("(conv(2, 1x1) -> relu) * 2", "conv1 relu1 conv2 relu2")]
    [InlineData("seq: chain([conv(2, 1x1), relu])", "seq.0 seq.1")]
    [InlineData("chain([c{i}: conv(2, 1x1) for i of 1..3])", "c1 c2")]
    [InlineData("seq: chain([c{i}: conv(2, 1x1) for i of 1..3])", "seq.c1 seq.c2")]
    [InlineData("seq: checkpoint(conv(2, 1x1))", "seq")]
    [InlineData("seq: checkpoint(conv(2, 1x1) -> relu)", "seq.0 seq.1")]
    [InlineData("seq: (checkpoint(conv(2, 1x1) -> relu) -> conv(2, 1x1))", "seq.0 seq.1 seq.2")]
    [InlineData("seq: checkpoint(Two) * 2", "seq.0.conv1 seq.0.c seq.1.conv1 seq.1.c")]
    [InlineData("seq: checkpoint(Two * 2)", "seq.0.conv1 seq.0.c seq.1.conv1 seq.1.c")]
    [InlineData("checkpoint(unit) -> checkpoint(unit)", "conv1 relu1 conv2 relu2")]
    [InlineData("branches: [conv(2, 1x1), conv(2, 1x1) -> relu] -> add", "branches.0 branches.1.0 branches.1.1 add1")]
    [InlineData("[conv(2, 1x1), conv(2, 1x1) -> relu] -> add", "conv1 conv2 relu1 add1")]
    [InlineData("seq: ([conv(2, 1x1), relu] -> add -> conv(2, 1x1))", "seq.0.0 seq.0.1 seq.1 seq.2")]
    [InlineData("unit -> unit", "conv1 relu1 conv2 relu2")]
    [InlineData("seq: unit", "seq.0 seq.1")]
    [InlineData("seq: (unit -> unit)", "seq.0 seq.1 seq.2 seq.3")]
    [InlineData("Two -> Two", "two1.conv1 two1.c two2.conv1 two2.c")]
    [InlineData("layer1: Two * 2", "layer1.0.conv1 layer1.0.c layer1.1.conv1 layer1.1.c")]
    [InlineData("_: (conv(2, 1x1) -> relu)", "0 1")]
    [InlineData("a: Numbered -> Numbered", "a.0 a.1 numbered2.0 numbered2.1")]
    [InlineData("seq: (Numbered * 2 -> conv(2, 1x1))", "seq.0.0 seq.0.1 seq.1.0 seq.1.1 seq.2")]
    [InlineData("seq: Wrapped * 2", "seq.0.conv1 seq.0.c seq.1.conv1 seq.1.c")]
    [InlineData("outer: (inner: (conv(2, 1x1) -> relu) -> conv(2, 1x1))", "outer.inner.0 outer.inner.1 outer.1")]
    [InlineData("outer: (inner: conv(2, 1x1))", "outer.inner")]
    public void PathsAreThoseOfPyTorch(string stages, string paths)
    {
        var graph = Network($"block Two {{ out in -> conv(2, 1x1) -> c: conv(2, 1x1) }}\nblock Numbered {{ out in -> _: (conv(2, 1x1) -> relu) }}\nblock Wrapped {{ out in -> _: Two }}\nnetwork N {{\n input x: 2x8x8\n unit = conv(2, 1x1) -> relu\n _u = x -> unit\n output y = x -> {stages}\n}}");
        Assert.Equal(paths, string.Join(' ', LayerPaths(graph)));
    }

    [Fact]
    public void ComprehensionsCountTheirItems()
    {
        var graph = Body("2x8x8", "maps = [x -> conv(i, 1x1) for i of 1..4]\n output y = concat(maps)");
        Assert.Equal(["conv1", "conv2", "conv3", "concat1"], LayerPaths(graph));
        Assert.Equal(["1x2x1x1", "2x2x1x1", "3x2x1x1"], graph.Layers.Where(layer => layer.Operator == "conv").Select(layer => layer.Parameters[0].Shape.ToString()));
    }

    [Fact]
    public void ABlockDoesNotCountWhatAnIfLeavesOut()
    {
        var graph = Network("""
            block Unit(project) {
                skip = if project then in -> conv(2, 1x1) else in
                out skip + (in -> conv(2, 3x3, pad: 1))
            }
            network N { input x: 2x8x8
                        output y = x -> Unit(false) -> Unit(true) }
            """);
        Assert.Equal(["unit1.conv1.weight", "unit2.conv1.weight", "unit2.conv2.weight"], ParameterNames(graph).Where(name => name.EndsWith("weight", StringComparison.Ordinal)));
    }

    [Fact]
    public void LabelledCallsOfTensorsAreNamed()
    {
        var graph = Body("2x8x8", "output y = joined: concat(x, x -> relu)");
        Assert.Equal(["relu1", "joined"], LayerPaths(graph));
    }
}
