// relu behind a maximum pool instead of before it: where it is done, where it is not, and that training computes the same.
using ModelCompiler.Evaluation;
using ModelCompiler.Gradient;
using ModelCompiler.Grammar;
using ModelCompiler.Graph;
using ModelCompiler.Operators;

namespace ModelCompiler.Tests.Operators;

public class PoolBeforeReluTests
{
    [Theory]
    [InlineData("image -> relu -> maxpool(2x2)", true)]
    [InlineData("image -> conv(4, 3x3) -> relu -> maxpool(3x3, stride: 2, pad: 1)", true)]
    [InlineData("image -> relu6 -> maxpool(2x2)", false)]
    [InlineData("image -> relu -> avgpool(2x2)", false)]
    [InlineData("image -> maxpool(2x2) -> relu", false)]
    public void OnlyReluBeforeAMaximumMoves(string flow, bool moves)
    {
        var graph = Evaluate($"network Net {{\n input image: 3x8x8\n target t: class\n output y = {flow}\n loss cross_entropy(y -> flatten -> dense(3), t)\n}}\n");
        var moved = PoolBeforeRelu.Run(graph);
        Assert.Equal(moves, moved != graph);
        Assert.Equal(graph.Nodes.Length, moved.Nodes.Length);
        if (moves)
        {
            var pool = moved.Nodes.Single(n => n.Primitive == Primitives.MaxPool);
            Assert.NotEqual(Primitives.Pointwise, pool.Inputs[0].Primitive);
            Assert.Equal(Primitives.Pointwise, moved.Nodes.Single(n => n.Inputs.Contains(pool)).Primitive);
        }
    }

    [Fact]
    public void ReluThatOthersReadStays()
    {
        var graph = Evaluate("network Net {\n input image: 3x8x8\n target t: class\n r = image -> relu\n output y = concat(r -> maxpool(2x2) -> flatten, r -> flatten)\n loss cross_entropy(y -> dense(3), t)\n}\n");
        Assert.Same(graph, PoolBeforeRelu.Run(graph));
    }

    private static NetworkGraph Evaluate(string text)
    {
        var result = Evaluator.Evaluate(new SourceFile("test.cnn", text), (_, _) => null);
        Assert.Empty(result.Diagnostics.Where(d => d.Severity == Severity.Error));
        return result.Networks.Single();
    }
}
