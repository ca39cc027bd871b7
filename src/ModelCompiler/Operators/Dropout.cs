// Dropout (Srivastava et al., 2014): a formula over a random number in training, nothing at all in inference. The
// number is a pure function of its place, so the gradient computes it again instead of keeping a mask.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using static ModelCompiler.Operators.Formulas;

namespace ModelCompiler.Operators;

internal sealed class DropoutPrimitive : Primitive
{
    public override string Name => "Dropout";

    public override bool HasOwnGradient => false;

    public override Shape InferShape(ImmutableArray<Node> inputs, object? attributes) => inputs[0].Shape;

    public override Node Expand(Node node, bool training, GraphBuilder builder)
    {
        var (rate, stream) = node.As<DropoutAttributes>();
        if (!training || rate == 0)
        {
            return node.Inputs[0];
        }

        var kept = new BinaryFormula(BinaryFunction.GreaterOrEqual, new RandomFormula(stream), Number(rate));
        return builder.Pointwise(Select(kept, Multiply(1 / (1 - rate), X), 0), node.Inputs[0]);
    }

    public override ImmutableArray<Node?> Gradient(Node node, Node upstream, ImmutableArray<bool> wanted, GraphBuilder builder) =>
        throw new InvalidOperationException("Dropout is differentiated through its expansion.");
}
