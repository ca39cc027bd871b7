// Fully connected layers: a matrix product over the last axis, and its two gradients.
using System.Collections.Immutable;
using ModelCompiler.Graph;

namespace ModelCompiler.Operators;

internal sealed class DensePrimitive : Primitive
{
    public override string Name => "Dense";

    public override Shape InferShape(ImmutableArray<Node> inputs, object? attributes) =>
        inputs[0].Shape.With(inputs[0].Shape.Rank - 1, inputs[1].Shape[0]);

    public override ImmutableArray<Node?> Gradient(Node node, Node upstream, ImmutableArray<bool> wanted, GraphBuilder builder)
    {
        var (x, w) = (node.Inputs[0], node.Inputs[1]);
        var rows = ImmutableArray.CreateRange(Enumerable.Range(0, node.Shape.Rank - 1));
        var gradients = ImmutableArray.Create<Node?>(
            wanted[0] ? builder.Add(Primitives.DenseInputGradient, null, upstream, w) : null,
            wanted[1] ? builder.Add(Primitives.DenseWeightGradient, null, x, upstream) : null);
        return node.Inputs.Length == 2
            ? gradients
            : gradients.Add(wanted[2] ? builder.Reshape(builder.Sum(upstream, rows, overBatch: true), node.Inputs[2].Shape) : null);
    }

    public override long Macs(Node node) => node.Shape.Count * node.Inputs[1].Shape[1];
}

internal sealed class DenseInputGradientPrimitive : Primitive
{
    public override string Name => "DenseInputGradient";

    public override Shape InferShape(ImmutableArray<Node> inputs, object? attributes) =>
        inputs[0].Shape.With(inputs[0].Shape.Rank - 1, inputs[1].Shape[1]);

    public override ImmutableArray<Node?> Gradient(Node node, Node upstream, ImmutableArray<bool> wanted, GraphBuilder builder) =>
    [
        wanted[0] ? builder.Add(Primitives.Dense, null, upstream, node.Inputs[1]) : null,
        wanted[1] ? builder.Add(Primitives.DenseWeightGradient, null, upstream, node.Inputs[0]) : null,
    ];

    public override long Macs(Node node) => node.Shape.Count * node.Inputs[1].Shape[0];
}

internal sealed class DenseWeightGradientPrimitive : Primitive
{
    public override string Name => "DenseWeightGradient";

    public override Shape InferShape(ImmutableArray<Node> inputs, object? attributes) =>
        Shape.Of(inputs[1].Shape[inputs[1].Shape.Rank - 1], inputs[0].Shape[inputs[0].Shape.Rank - 1]);

    public override bool InferBatched(ImmutableArray<Node> inputs, object? attributes) => false;

    public override ImmutableArray<Node?> Gradient(Node node, Node upstream, ImmutableArray<bool> wanted, GraphBuilder builder) =>
    [
        wanted[0] ? builder.Add(Primitives.DenseInputGradient, null, node.Inputs[1], upstream) : null,
        wanted[1] ? builder.Add(Primitives.Dense, null, node.Inputs[0], upstream) : null,
    ];

    public override long Macs(Node node) => node.Inputs[0].Shape.Count * node.Shape[0];
}
