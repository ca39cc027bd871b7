// Short words for the nodes that gradients and composed operators are made of.
using System.Collections.Immutable;
using ModelCompiler.Graph;

namespace ModelCompiler.Operators;

public static class BuilderExtensions
{
    /// <summary>Element by element; the shape is the broadcast of the inputs'.</summary>
    public static Node Pointwise(this GraphBuilder builder, Expression formula, params Node[] inputs) =>
        builder.Add(Primitives.Pointwise, new PointwiseAttributes(formula), inputs);

    /// <summary>A value that is the same everywhere.</summary>
    public static Node Fill(this GraphBuilder builder, Expression value, Shape shape) =>
        builder.Add(Primitives.Pointwise, new PointwiseAttributes(value, shape));

    /// <summary>Reduced axes keep size 1. Nothing is added where there is nothing to reduce.</summary>
    public static Node Reduce(this GraphBuilder builder, ReduceKind kind, Node x, ImmutableArray<int> axes, bool overBatch)
    {
        axes = axes.Where(axis => x.Shape[axis] != 1).ToImmutableArray();
        overBatch &= x.Batched;
        return axes.IsEmpty && !overBatch ? x : builder.Add(Primitives.Reduce, new ReduceAttributes(kind, axes, overBatch), x);
    }

    public static Node Sum(this GraphBuilder builder, Node x, ImmutableArray<int> axes, bool overBatch) =>
        builder.Reduce(ReduceKind.Sum, x, axes, overBatch);

    public static Node Mean(this GraphBuilder builder, Node x, ImmutableArray<int> axes, bool overBatch) =>
        builder.Reduce(ReduceKind.Mean, x, axes, overBatch);

    public static Node Reshape(this GraphBuilder builder, Node x, Shape shape) =>
        x.Shape.Equals(shape) ? x : builder.Add(Primitives.Reshape, new ReshapeAttributes(shape), x);

    public static Node Slice(this GraphBuilder builder, Node x, int axis, int start, int count) =>
        start == 0 && count == x.Shape[axis] ? x : builder.Add(Primitives.Slice, new SliceAttributes(axis, start, count), x);

    /// <summary>A vector of C numbers as C x 1 x 1 …, ready to broadcast over <paramref name="rank"/> axes.</summary>
    public static Node AsChannels(this GraphBuilder builder, Node vector, int rank) =>
        builder.Reshape(vector, Shape.Of(vector.Shape[0], ImmutableArray.CreateRange(Enumerable.Repeat(1, rank - 1))));

    /// <summary>Every axis but the channels.</summary>
    public static ImmutableArray<int> SpatialAxes(this Shape shape) => ImmutableArray.CreateRange(Enumerable.Range(1, shape.Rank - 1));

    public static ImmutableArray<int> AllAxes(this Shape shape) => ImmutableArray.CreateRange(Enumerable.Range(0, shape.Rank));
}
