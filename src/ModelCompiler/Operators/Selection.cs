// Elements found by their places: gathering and scattering along an axis, the places of maxima and of the largest k.
// Places are numbers of the graph like all others, so that networks may compute them, show them and take them in.
using System.Collections.Immutable;
using ModelCompiler.Graph;

namespace ModelCompiler.Operators;

/// <summary>Inputs (x, places), equal in shape but along <paramref name="Axis"/>, or any number of places there.</summary>
public sealed record GatherAttributes(int Axis);

/// <summary>Inputs (values, places) of one shape; <paramref name="Size"/> is that of the result along <paramref name="Axis"/>.</summary>
public sealed record ScatterAttributes(int Axis, int Size);

/// <summary>The places of the <paramref name="Count"/> largest elements along <paramref name="Axis"/>.</summary>
public sealed record TopPlacesAttributes(int Axis, int Count);

internal sealed class GatherPrimitive : Primitive
{
    public override string Name => "Gather";

    public override Shape InferShape(ImmutableArray<Node> inputs, object? attributes) => inputs[1].Shape;

    public override ImmutableArray<Node?> Gradient(Node node, Node upstream, ImmutableArray<bool> wanted, GraphBuilder builder)
    {
        var axis = node.As<GatherAttributes>().Axis;
        return [builder.Add(Primitives.Scatter, new ScatterAttributes(axis, node.Inputs[0].Shape[axis]), upstream, node.Inputs[1]), null];
    }
}

internal sealed class ScatterPrimitive : Primitive
{
    public override string Name => "Scatter";

    public override Shape InferShape(ImmutableArray<Node> inputs, object? attributes)
    {
        var (axis, size) = (ScatterAttributes)attributes!;
        return inputs[0].Shape.With(axis, size);
    }

    public override ImmutableArray<Node?> Gradient(Node node, Node upstream, ImmutableArray<bool> wanted, GraphBuilder builder) =>
        [builder.Add(Primitives.Gather, new GatherAttributes(node.As<ScatterAttributes>().Axis), upstream, node.Inputs[1]), null];
}

internal sealed class TopPlacesPrimitive : Primitive
{
    public override string Name => "TopPlaces";

    public override Shape InferShape(ImmutableArray<Node> inputs, object? attributes)
    {
        var (axis, count) = (TopPlacesAttributes)attributes!;
        return inputs[0].Shape.With(axis, count);
    }

    /// <summary>Places jump; they have no slope.</summary>
    public override ImmutableArray<Node?> Gradient(Node node, Node upstream, ImmutableArray<bool> wanted, GraphBuilder builder) => [null];
}

internal sealed class MaxPoolPlacesPrimitive : Primitive
{
    public override string Name => "MaxPoolPlaces";

    public override Shape InferShape(ImmutableArray<Node> inputs, object? attributes) =>
        Shape.Of(inputs[0].Shape.Channels, ((MaxPoolAttributes)attributes!).Window.OutputSizes(inputs[0].Shape.Spatial));

    public override ImmutableArray<Node?> Gradient(Node node, Node upstream, ImmutableArray<bool> wanted, GraphBuilder builder) => [null];

    public override Window? Window(Node node) => node.As<MaxPoolAttributes>().Window;
}
