// Convolution for any number of spatial axes, and its two gradients. The three are closed under
// differentiation: each one's gradients are the other two, so a transposed convolution costs nothing extra.
using System.Collections.Immutable;
using ModelCompiler.Graph;

namespace ModelCompiler.Operators;

internal sealed class ConvolutionPrimitive : Primitive
{
    public override string Name => "Convolution";

    public override Shape InferShape(ImmutableArray<Node> inputs, object? attributes) =>
        Shape.Of(inputs[1].Shape[0], ((ConvolutionAttributes)attributes!).Window.OutputSizes(inputs[0].Shape.Spatial));

    public override ImmutableArray<Node?> Gradient(Node node, Node upstream, ImmutableArray<bool> wanted, GraphBuilder builder)
    {
        var (window, groups) = node.As<ConvolutionAttributes>();
        if (NormalizedConvolution.Gradient(node, upstream, wanted, builder) is { } normalized)
        {
            return normalized;
        }

        var (x, w) = (node.Inputs[0], node.Inputs[1]);
        var gradients = ImmutableArray.Create<Node?>(
            wanted[0] ? builder.Add(Primitives.ConvolutionInputGradient, new ConvolutionInputGradientAttributes(window, groups, x.Shape), upstream, w) : null,
            wanted[1] ? builder.Add(Primitives.ConvolutionWeightGradient, new ConvolutionWeightGradientAttributes(window, groups, w.Shape), x, upstream) : null);
        return node.Inputs.Length == 2
            ? gradients
            : gradients.Add(wanted[2] ? builder.Reshape(builder.Sum(upstream, node.Shape.SpatialAxes(), overBatch: true), node.Inputs[2].Shape) : null);
    }

    public override long Macs(Node node) => node.Shape.Count * (node.Inputs[1].Shape.Count / node.Shape.Channels);

    public override Window? Window(Node node) => node.As<ConvolutionAttributes>().Window;
}

internal sealed class ConvolutionInputGradientPrimitive : Primitive
{
    public override string Name => "ConvolutionInputGradient";

    public override Shape InferShape(ImmutableArray<Node> inputs, object? attributes) => ((ConvolutionInputGradientAttributes)attributes!).InputShape;

    public override ImmutableArray<Node?> Gradient(Node node, Node upstream, ImmutableArray<bool> wanted, GraphBuilder builder)
    {
        var (window, groups, _) = node.As<ConvolutionInputGradientAttributes>();
        var (dy, w) = (node.Inputs[0], node.Inputs[1]);
        return
        [
            wanted[0] ? builder.Add(Primitives.Convolution, new ConvolutionAttributes(window, groups), upstream, w) : null,
            wanted[1] ? builder.Add(Primitives.ConvolutionWeightGradient, new ConvolutionWeightGradientAttributes(window, groups, w.Shape), upstream, dy) : null,
        ];
    }

    public override long Macs(Node node) => node.Inputs[0].Shape.Count * (node.Inputs[1].Shape.Count / node.Inputs[0].Shape.Channels);
}

internal sealed class ConvolutionWeightGradientPrimitive : Primitive
{
    public override string Name => "ConvolutionWeightGradient";

    public override Shape InferShape(ImmutableArray<Node> inputs, object? attributes) => ((ConvolutionWeightGradientAttributes)attributes!).WeightShape;

    public override bool InferBatched(ImmutableArray<Node> inputs, object? attributes) => false;

    public override ImmutableArray<Node?> Gradient(Node node, Node upstream, ImmutableArray<bool> wanted, GraphBuilder builder)
    {
        var (window, groups, _) = node.As<ConvolutionWeightGradientAttributes>();
        var (x, dy) = (node.Inputs[0], node.Inputs[1]);
        return
        [
            wanted[0] ? builder.Add(Primitives.ConvolutionInputGradient, new ConvolutionInputGradientAttributes(window, groups, x.Shape), dy, upstream) : null,
            wanted[1] ? builder.Add(Primitives.Convolution, new ConvolutionAttributes(window, groups), x, upstream) : null,
        ];
    }

    public override long Macs(Node node) => node.Inputs[1].Shape.Count * (node.Shape.Count / node.Shape.Channels);
}
