// Softmax and its logarithm, kept as primitives because a stable one needs the maximum first: one kernel, three passes.
using System.Collections.Immutable;
using ModelCompiler.Graph;

namespace ModelCompiler.Operators;

internal sealed class SoftmaxPrimitive : Primitive
{
    public override string Name => "Softmax";

    public override Shape InferShape(ImmutableArray<Node> inputs, object? attributes) => inputs[0].Shape;

    /// <summary>dx = y (dy - sum of dy y).</summary>
    public override ImmutableArray<Node?> Gradient(Node node, Node upstream, ImmutableArray<bool> wanted, GraphBuilder builder)
    {
        var (y, dy, sum) = (new InputFormula(0), new InputFormula(1), new InputFormula(2));
        var total = builder.Sum(builder.Pointwise(y * dy, node, upstream), [node.As<SoftmaxAttributes>().Axis], overBatch: false);
        return [builder.Pointwise(y * (dy - sum), node, upstream, total)];
    }
}

internal sealed class LogSoftmaxPrimitive : Primitive
{
    public override string Name => "LogSoftmax";

    public override Shape InferShape(ImmutableArray<Node> inputs, object? attributes) => inputs[0].Shape;

    /// <summary>dx = dy - softmax(x) · sum of dy.</summary>
    public override ImmutableArray<Node?> Gradient(Node node, Node upstream, ImmutableArray<bool> wanted, GraphBuilder builder)
    {
        var (y, dy, sum) = (new InputFormula(0), new InputFormula(1), new InputFormula(2));
        var total = builder.Sum(upstream, [node.As<SoftmaxAttributes>().Axis], overBatch: false);
        return [builder.Formula(dy - (Formulas.Exp(y) * sum), [node, upstream, total], node.Shape, node.Batched)];
    }
}
