// Numbers that the compiler knows: tables of positions, fixed filters, class weights. And values that pass forwards
// but send no gradient back, which is also where a network says what numbers from outside it can bear.
using System.Collections.Immutable;
using ModelCompiler.Graph;

namespace ModelCompiler.Operators;

/// <summary>Row-major values of a node without inputs.</summary>
public sealed class ConstantAttributes(Shape shape, ImmutableArray<float> values) : IEquatable<ConstantAttributes>
{
    public Shape Shape { get; } = shape;

    public ImmutableArray<float> Values { get; } = values;

    public bool Equals(ConstantAttributes? other) => other is not null && Shape.Equals(other.Shape) && Values.AsSpan().SequenceEqual(other.Values.AsSpan());

    public override bool Equals(object? obj) => Equals(obj as ConstantAttributes);

    public override int GetHashCode() => Values.Aggregate(Shape.GetHashCode(), (hash, value) => unchecked((hash * 31) + value.GetHashCode()));

    public override string ToString() => $"{Values.Length} numbers";
}

/// <summary>What numbers that come from outside must be for a node to make sense of them; checked before a run writes anything.</summary>
/// <param name="Places">Above 0: whole numbers from 0 to one below this.</param>
/// <param name="Width">Above 0: rows of x1, y1, x2, y2 with 0 ≤ x1 ≤ x2 ≤ Width and 0 ≤ y1 ≤ y2 ≤ Height.</param>
public sealed record ValueLimits(int Places, double Width, double Height);

/// <summary>Detach (x): x itself, without a gradient.</summary>
public sealed record DetachAttributes(ValueLimits? Limits);

internal sealed class ConstantPrimitive : Primitive
{
    public override string Name => "Constant";

    public override Shape InferShape(ImmutableArray<Node> inputs, object? attributes) => ((ConstantAttributes)attributes!).Shape;

    public override ImmutableArray<Node?> Gradient(Node node, Node upstream, ImmutableArray<bool> wanted, GraphBuilder builder) => [];
}

internal sealed class DetachPrimitive : Primitive
{
    public override string Name => "Detach";

    public override Shape InferShape(ImmutableArray<Node> inputs, object? attributes) => inputs[0].Shape;

    /// <summary>A node of its own in training: what it is differentiated as must not be what its input is differentiated as.</summary>
    public override Node Expand(Node node, bool training, GraphBuilder builder) =>
        training ? builder.Pointwise(Formulas.X, node.Inputs[0]) : node.Inputs[0];

    public override ImmutableArray<Node?> Gradient(Node node, Node upstream, ImmutableArray<bool> wanted, GraphBuilder builder) => [null];
}

internal static class Constants
{
    public static Node Constant(this GraphBuilder builder, Shape shape, IEnumerable<double> values) =>
        builder.Add(Primitives.Constant, new ConstantAttributes(shape, ImmutableArray.CreateRange(values.Select(value => (float)value))));

    /// <summary>0, 1, 2, … along one axis of <paramref name="rank"/>, size 1 along the others.</summary>
    public static Node Ramp(this GraphBuilder builder, int count, int axis, int rank) => builder.AlongAxis(Enumerable.Range(0, count).Select(i => (double)i), axis, rank);

    /// <summary>Numbers along one axis of <paramref name="rank"/>, size 1 along the others.</summary>
    public static Node AlongAxis(this GraphBuilder builder, IEnumerable<double> numbers, int axis, int rank)
    {
        var values = numbers.ToArray();
        return builder.Constant(new Shape(Messages.Repeat(1, rank).SetItem(axis, values.Length)), values);
    }

    public static Node Detach(this GraphBuilder builder, Node x, ValueLimits? limits = null) => builder.Add(Primitives.Detach, new DetachAttributes(limits), x);
}
