// Pooling of regions, the one step of two-stage detectors that depends on data for where it looks. Boxes get no
// gradient, as in the papers: the corners of a maximum jump, and those of a mean are decided by another part of the network.
using System.Collections.Immutable;
using ModelCompiler.Graph;

namespace ModelCompiler.Operators;

/// <summary>Inputs (x, boxes): C x H x W and N x 4; the result is C x N x Rows x Columns, channels first as kernels have them.
/// For the gradient (x, boxes, dy), with the shape of x.</summary>
/// <param name="Scale">Elements of x per unit of the boxes' coordinates.</param>
public sealed record RegionPoolAttributes(int Rows, int Columns, double Scale);

/// <summary>Inputs (x, boxes): C x H x W and N x 4; the result is C x N x Rows x Columns, channels first as kernels have them.
/// For the gradient (boxes, dy).</summary>
/// <param name="Scale">Elements of x per unit of the boxes' coordinates.</param>
/// <param name="Samples">Along each side of a bin.</param>
/// <param name="Aligned">Whether coordinates are those of areas, whose middle is half an element from their edge.</param>
public sealed record RegionAlignAttributes(int Rows, int Columns, double Scale, int Samples, bool Aligned, Shape InputShape);

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

internal sealed class RegionAlignPrimitive : Primitive
{
    public override string Name => "RegionAlign";

    public override Shape InferShape(ImmutableArray<Node> inputs, object? attributes)
    {
        var align = (RegionAlignAttributes)attributes!;
        return Shape.Of(inputs[0].Shape.Channels, inputs[1].Shape[0], align.Rows, align.Columns);
    }

    public override ImmutableArray<Node?> Gradient(Node node, Node upstream, ImmutableArray<bool> wanted, GraphBuilder builder) =>
        [wanted[0] ? builder.Add(Primitives.RegionAlignGradient, node.Attributes, node.Inputs[1], upstream) : null, null];
}

internal sealed class RegionAlignGradientPrimitive : Primitive
{
    public override string Name => "RegionAlignGradient";

    public override Shape InferShape(ImmutableArray<Node> inputs, object? attributes) => ((RegionAlignAttributes)attributes!).InputShape;

    public override ImmutableArray<Node?> Gradient(Node node, Node upstream, ImmutableArray<bool> wanted, GraphBuilder builder) =>
        throw new InvalidOperationException("The gradient of a region alignment is differentiated by nothing in the language.");
}
