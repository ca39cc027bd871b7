// Data movement: the values stay, their places change. Each one's gradient is another of the family.
using System.Collections.Immutable;
using ModelCompiler.Graph;

namespace ModelCompiler.Operators;

internal sealed class ReshapePrimitive : Primitive
{
    public override string Name => "Reshape";

    public override Shape InferShape(ImmutableArray<Node> inputs, object? attributes) => ((ReshapeAttributes)attributes!).Shape;

    public override ImmutableArray<Node?> Gradient(Node node, Node upstream, ImmutableArray<bool> wanted, GraphBuilder builder) =>
        [builder.Reshape(upstream, node.Inputs[0].Shape)];
}

internal sealed class ConcatPrimitive : Primitive
{
    public override string Name => "Concat";

    public override Shape InferShape(ImmutableArray<Node> inputs, object? attributes)
    {
        var axis = ((ConcatAttributes)attributes!).Axis;
        return inputs[0].Shape.With(axis, inputs.Sum(input => input.Shape[axis]));
    }

    public override ImmutableArray<Node?> Gradient(Node node, Node upstream, ImmutableArray<bool> wanted, GraphBuilder builder)
    {
        var axis = node.As<ConcatAttributes>().Axis;
        var gradients = ImmutableArray.CreateBuilder<Node?>();
        var start = 0;
        foreach (var input in node.Inputs)
        {
            gradients.Add(wanted[gradients.Count] ? builder.Slice(upstream, axis, start, input.Shape[axis]) : null);
            start += input.Shape[axis];
        }

        return gradients.ToImmutable();
    }
}

internal sealed class SlicePrimitive : Primitive
{
    public override string Name => "Slice";

    public override Shape InferShape(ImmutableArray<Node> inputs, object? attributes)
    {
        var (axis, _, count) = (SliceAttributes)attributes!;
        return inputs[0].Shape.With(axis, count);
    }

    public override ImmutableArray<Node?> Gradient(Node node, Node upstream, ImmutableArray<bool> wanted, GraphBuilder builder)
    {
        var (axis, start, count) = node.As<SliceAttributes>();
        return [builder.Add(Primitives.Pad, new PadAttributes(axis, start, node.Inputs[0].Shape[axis] - start - count), upstream)];
    }
}

internal sealed class PadPrimitive : Primitive
{
    public override string Name => "Pad";

    public override Shape InferShape(ImmutableArray<Node> inputs, object? attributes)
    {
        var (axis, before, after) = (PadAttributes)attributes!;
        return inputs[0].Shape.With(axis, inputs[0].Shape[axis] + before + after);
    }

    public override ImmutableArray<Node?> Gradient(Node node, Node upstream, ImmutableArray<bool> wanted, GraphBuilder builder)
    {
        var (axis, before, after) = node.As<PadAttributes>();
        return [builder.Add(Primitives.Pad, new PadAttributes(axis, -before, -after), upstream)];
    }
}

internal sealed class TransposePrimitive : Primitive
{
    public override string Name => "Transpose";

    public override Shape InferShape(ImmutableArray<Node> inputs, object? attributes) =>
        new(((TransposeAttributes)attributes!).Permutation.Select(axis => inputs[0].Shape[axis]).ToImmutableArray());

    public override ImmutableArray<Node?> Gradient(Node node, Node upstream, ImmutableArray<bool> wanted, GraphBuilder builder)
    {
        var permutation = node.As<TransposeAttributes>().Permutation;
        return [builder.Transpose(upstream, permutation.Select((_, axis) => permutation.IndexOf(axis)).ToImmutableArray())];
    }
}
