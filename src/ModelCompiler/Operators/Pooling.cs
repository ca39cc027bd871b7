// Window reductions: maximum and average over sliding windows, and their gradients.
using System.Collections.Immutable;
using ModelCompiler.Graph;

namespace ModelCompiler.Operators;

internal sealed class MaxPoolPrimitive : Primitive
{
    public override string Name => "MaxPool";

    public override Shape InferShape(ImmutableArray<Node> inputs, object? attributes) =>
        Shape.Of(inputs[0].Shape.Channels, ((MaxPoolAttributes)attributes!).Window.OutputSizes(inputs[0].Shape.Spatial));

    public override bool HasOwnGradient => false;

    /// <summary>In training with the winners beside it: the gradient needs no more of x.</summary>
    public override Node? Expand(Node node, bool training, GraphBuilder builder) => training
        ? builder.Add(Primitives.MaxPool, node.Attributes, node.Inputs[0], builder.Add(Primitives.MaxPoolWinners, node.Attributes, node.Inputs[0])) : null;

    public override ImmutableArray<Node?> Gradient(Node node, Node upstream, ImmutableArray<bool> wanted, GraphBuilder builder) =>
        [builder.Add(Primitives.MaxPoolGradient, new MaxPoolGradientAttributes(node.As<MaxPoolAttributes>().Window, node.Inputs[0].Shape), node.Inputs[1], upstream), null];

    public override Window? Window(Node node) => node.As<MaxPoolAttributes>().Window;
}

internal sealed class MaxPoolWinnersPrimitive : Primitive
{
    public override string Name => "MaxPoolWinners";

    public override Shape InferShape(ImmutableArray<Node> inputs, object? attributes) => Primitives.MaxPool.InferShape(inputs, attributes);

    public override ImmutableArray<Node?> Gradient(Node node, Node upstream, ImmutableArray<bool> wanted, GraphBuilder builder) => [null];

    public override Window? Window(Node node) => node.As<MaxPoolAttributes>().Window;
}

internal sealed class MaxPoolGradientPrimitive : Primitive
{
    public override string Name => "MaxPoolGradient";

    public override Shape InferShape(ImmutableArray<Node> inputs, object? attributes) => ((MaxPoolGradientAttributes)attributes!).InputShape;

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
