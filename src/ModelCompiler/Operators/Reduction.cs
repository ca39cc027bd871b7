// Sums, means and maxima along axes, over the batch too where asked.
using System.Collections.Immutable;
using ModelCompiler.Graph;

namespace ModelCompiler.Operators;

internal sealed class ReducePrimitive : Primitive
{
    public override string Name => "Reduce";

    public override Shape InferShape(ImmutableArray<Node> inputs, object? attributes) =>
        ((ReduceAttributes)attributes!).Axes.Aggregate(inputs[0].Shape, (shape, axis) => shape.With(axis, 1));

    public override bool InferBatched(ImmutableArray<Node> inputs, object? attributes) =>
        inputs[0].Batched && !((ReduceAttributes)attributes!).OverBatch;

    /// <summary>A maximum shares its gradient among equals, as PyTorch's amax.</summary>
    public override ImmutableArray<Node?> Gradient(Node node, Node upstream, ImmutableArray<bool> wanted, GraphBuilder builder)
    {
        var attributes = node.As<ReduceAttributes>();
        var x = node.Inputs[0];
        if (attributes.Kind == ReduceKind.Max)
        {
            var isMaximum = new BinaryFormula(BinaryFunction.Equal, Formulas.X, Formulas.Y);
            var count = builder.Sum(builder.Pointwise(isMaximum, x, node), attributes.Axes, attributes.OverBatch);
            return [builder.Pointwise(Formulas.Select(isMaximum, Formulas.Input(2) / Formulas.Input(3), 0), x, node, upstream, count)];
        }

        var share = Formulas.Divide(Formulas.X, attributes.Kind == ReduceKind.Sum ? 1 : Count(node));
        return [builder.Formula(share, [upstream], x.Shape, x.Batched)];
    }

    public override Window? Window(Node node)
    {
        var shape = node.Inputs[0].Shape;
        var axes = node.As<ReduceAttributes>().Axes;
        if (shape.Rank < 2)
        {
            return null;
        }

        var kernel = shape.Spatial.Select((size, i) => axes.Contains(i + 1) ? size : 1).ToImmutableArray();
        var ones = kernel.Select(_ => 1).ToImmutableArray();
        var zeros = kernel.Select(_ => 0).ToImmutableArray();
        return new Window(kernel, ones, zeros, zeros, ones);
    }

    /// <summary>How many elements meet in one of the result.</summary>
    private static Expression Count(Node node)
    {
        var elements = Formulas.Number(node.Inputs[0].Shape.Count / node.Shape.Count);
        return node.As<ReduceAttributes>().OverBatch ? Formulas.Multiply(elements, new BatchSizeFormula()) : elements;
    }
}
