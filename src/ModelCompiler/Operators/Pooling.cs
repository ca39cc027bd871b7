// Window reductions: maximum and average over sliding windows, and their gradients.
using System.Collections.Immutable;
using ModelCompiler.Graph;

namespace ModelCompiler.Operators;

internal sealed class MaxPoolPrimitive : Primitive
{
    public override string Name => "MaxPool";

    public override Shape InferShape(ImmutableArray<Node> inputs, object? attributes) =>
        Shape.Of(inputs[0].Shape.Channels, ((MaxPoolAttributes)attributes!).Window.OutputSizes(inputs[0].Shape.Spatial));

    public override ImmutableArray<Node?> Gradient(Node node, Node upstream, ImmutableArray<bool> wanted, GraphBuilder builder) =>
        [builder.Add(Primitives.MaxPoolGradient, node.Attributes, node.Inputs[0], upstream)];

    public override Window? Window(Node node) => node.As<MaxPoolAttributes>().Window;
}

internal sealed class MaxPoolGradientPrimitive : Primitive
{
    public override string Name => "MaxPoolGradient";

    public override Shape InferShape(ImmutableArray<Node> inputs, object? attributes) => inputs[0].Shape;

    public override ImmutableArray<Node?> Gradient(Node node, Node upstream, ImmutableArray<bool> wanted, GraphBuilder builder) =>
        throw new InvalidOperationException("The gradient of a max pooling is differentiated by nothing in the language.");
}

internal sealed class AveragePoolPrimitive : Primitive
{
    public override string Name => "AveragePool";

    public override Shape InferShape(ImmutableArray<Node> inputs, object? attributes) =>
        Shape.Of(inputs[0].Shape.Channels, ((AveragePoolAttributes)attributes!).Window.OutputSizes(inputs[0].Shape.Spatial));

    public override ImmutableArray<Node?> Gradient(Node node, Node upstream, ImmutableArray<bool> wanted, GraphBuilder builder) =>
        [builder.Add(Primitives.AveragePoolGradient, node.Attributes, upstream)];

    public override Window? Window(Node node) => node.As<AveragePoolAttributes>().Window;
}

internal sealed class AveragePoolGradientPrimitive : Primitive
{
    public override string Name => "AveragePoolGradient";

    public override Shape InferShape(ImmutableArray<Node> inputs, object? attributes) => ((AveragePoolAttributes)attributes!).InputShape;

    public override ImmutableArray<Node?> Gradient(Node node, Node upstream, ImmutableArray<bool> wanted, GraphBuilder builder) =>
        [builder.Add(Primitives.AveragePool, node.Attributes, upstream)];
}
