// Picking by class, the one operation that cross entropy needs beyond softmax and arithmetic.
using System.Collections.Immutable;
using ModelCompiler.Graph;

namespace ModelCompiler.Operators;

internal sealed class GatherClassPrimitive : Primitive
{
    public override string Name => "GatherClass";

    public override Shape InferShape(ImmutableArray<Node> inputs, object? attributes) => new(inputs[0].Shape.Spatial);

    public override ImmutableArray<Node?> Gradient(Node node, Node upstream, ImmutableArray<bool> wanted, GraphBuilder builder) =>
        [builder.Add(Primitives.ScatterClass, new ScatterClassAttributes(node.Inputs[0].Shape[0], node.As<GatherClassAttributes>().Ignored), upstream, node.Inputs[1]), null];
}

internal sealed class ScatterClassPrimitive : Primitive
{
    public override string Name => "ScatterClass";

    public override Shape InferShape(ImmutableArray<Node> inputs, object? attributes) =>
        Shape.Of(((ScatterClassAttributes)attributes!).Classes, inputs[0].Shape.Dimensions);

    public override ImmutableArray<Node?> Gradient(Node node, Node upstream, ImmutableArray<bool> wanted, GraphBuilder builder) =>
        [builder.Add(Primitives.GatherClass, new GatherClassAttributes(node.As<ScatterClassAttributes>().Ignored), upstream, node.Inputs[1]), null];
}
