// One primitive for everything that works element by element: its formula is an attribute, its gradient the
// formula's derivative.
using System.Collections.Immutable;
using ModelCompiler.Graph;

namespace ModelCompiler.Operators;

internal sealed class PointwisePrimitive : Primitive
{
    public override string Name => "Pointwise";

    public override Shape InferShape(ImmutableArray<Node> inputs, object? attributes) =>
        ((PointwiseAttributes)attributes!).Shape ?? inputs.Aggregate(Shape.Scalar, (shape, input) => Broadcast(shape, input.Shape));

    public override bool InferBatched(ImmutableArray<Node> inputs, object? attributes) =>
        ((PointwiseAttributes)attributes!).Batched || base.InferBatched(inputs, attributes);

    public override ImmutableArray<Node?> Gradient(Node node, Node upstream, ImmutableArray<bool> wanted, GraphBuilder builder) =>
        node.Inputs.Select((input, i) => wanted[i] ? InputGradient(node, upstream, i, builder) : null).ToImmutableArray();

    private static Node? InputGradient(Node node, Node upstream, int index, GraphBuilder builder)
    {
        var formula = node.As<PointwiseAttributes>().Formula;
        var (y, dy) = (new InputFormula(node.Inputs.Length), new InputFormula(node.Inputs.Length + 1));
        var slope = Derivatives.Of(formula, index);

        // Prefer the result over the input where that keeps no more values alive.
        var fromResult = slope.Rewrite(part => part.Equals(formula) && part is not InputFormula ? y : null);
        if (Formulas.InputsOf(fromResult).Length <= Formulas.InputsOf(slope).Length)
        {
            slope = fromResult;
        }

        var gradient = Formulas.Multiply(slope, dy);
        if (gradient is ConstantFormula)
        {
            return null;
        }

        var spread = builder.Formula(gradient, node.Inputs.Add(node).Add(upstream), node.Shape, node.Batched);
        return Unbroadcast(spread, node.Inputs[index], builder);
    }

    /// <summary>Sums the gradient over what the input was repeated along.</summary>
    private static Node Unbroadcast(Node gradient, Node input, GraphBuilder builder)
    {
        var repeated = gradient.Shape.AllAxes().Where(axis => input.Shape.Rank == 0 || input.Shape[axis] == 1).ToImmutableArray();
        return builder.Reshape(builder.Sum(gradient, repeated, overBatch: !input.Batched), input.Shape);
    }

    private static Shape Broadcast(Shape a, Shape b)
    {
        if (a.Rank == 0 || b.Rank == 0)
        {
            return a.Rank == 0 ? b : a;
        }

        return a.Equals(b) ? a : new Shape(a.Dimensions.Select((size, axis) => Math.Max(size, b[axis])).ToImmutableArray());
    }
}
