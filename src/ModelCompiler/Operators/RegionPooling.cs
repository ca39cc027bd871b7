// Pooling of regions, the one step of two-stage detectors that depends on data for where it looks. Boxes get no
// gradient, as in the papers: the corners of a maximum jump.
using System.Collections.Immutable;
using ModelCompiler.Graph;

namespace ModelCompiler.Operators;

/// <summary>Inputs (x, boxes): C x H x W and N x 4; the result is C x N x Rows x Columns, channels first as kernels have them.
/// For the gradient (x, boxes, dy), with the shape of x.</summary>
/// <param name="Scale">Elements of x per unit of the boxes' coordinates.</param>
public sealed record RegionPoolAttributes(int Rows, int Columns, double Scale);

internal sealed class RegionPoolPrimitive : Primitive
{
    public override string Name => "RegionPool";

    public override Shape InferShape(ImmutableArray<Node> inputs, object? attributes)
    {
        var (rows, columns, _) = (RegionPoolAttributes)attributes!;
        return Shape.Of(inputs[0].Shape.Channels, inputs[1].Shape[0], rows, columns);
    }

    public override ImmutableArray<Node?> Gradient(Node node, Node upstream, ImmutableArray<bool> wanted, GraphBuilder builder) =>
        [wanted[0] ? builder.Add(Primitives.RegionPoolGradient, node.Attributes, node.Inputs[0], node.Inputs[1], upstream) : null, null];
}

internal sealed class RegionPoolGradientPrimitive : Primitive
{
    public override string Name => "RegionPoolGradient";

    public override Shape InferShape(ImmutableArray<Node> inputs, object? attributes) => inputs[0].Shape;

    public override ImmutableArray<Node?> Gradient(Node node, Node upstream, ImmutableArray<bool> wanted, GraphBuilder builder) =>
        throw new InvalidOperationException("The gradient of a region pooling is differentiated by nothing in the language.");
}
