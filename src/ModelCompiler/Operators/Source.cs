// The leaves of every graph: what comes from outside (images, labels) and what is learnt.
using System.Collections.Immutable;
using ModelCompiler.Graph;

namespace ModelCompiler.Operators;

internal sealed class InputPrimitive : Primitive
{
    public override string Name => "Input";

    public override Shape InferShape(ImmutableArray<Node> inputs, object? attributes) => ((InputAttributes)attributes!).Shape;

    public override bool InferBatched(ImmutableArray<Node> inputs, object? attributes) => true;

    public override ImmutableArray<Node?> Gradient(Node node, Node upstream, ImmutableArray<bool> wanted, GraphBuilder builder) => [];
}

internal sealed class ParameterPrimitive : Primitive
{
    public override string Name => "Parameter";

    public override Shape InferShape(ImmutableArray<Node> inputs, object? attributes) => ((ParameterAttributes)attributes!).Shape;

    public override ImmutableArray<Node?> Gradient(Node node, Node upstream, ImmutableArray<bool> wanted, GraphBuilder builder) => [];
}
