// Short words for the nodes that gradients and composed operators are made of.
using System.Collections.Immutable;
using ModelCompiler.Graph;

namespace ModelCompiler.Operators;

public static class BuilderExtensions
{
    /// <summary>Element by element; the shape is the broadcast of the inputs'.</summary>
    public static Node Pointwise(this GraphBuilder builder, Expression formula, params Node[] inputs) =>
        builder.Add(Primitives.Pointwise, new PointwiseAttributes(formula), inputs);

    /// <summary>A value that is the same everywhere.</summary>
    public static Node Fill(this GraphBuilder builder, Expression value, Shape shape, bool batched = false) =>
        builder.Add(Primitives.Pointwise, new PointwiseAttributes(value, shape, batched));

    /// <summary>Element by element with a given shape, in the shortest form: values that are the same everywhere move into the
    /// formula, inputs that it does not mention go, and a formula that is one of its inputs is that input.</summary>
    public static Node Formula(this GraphBuilder builder, Expression formula, ImmutableArray<Node> inputs, Shape shape, bool batched)
    {
        formula = formula.Rewrite(part => part is InputFormula input ? FillOf(inputs[input.Index]) : null);
        if (formula is InputFormula only && inputs[only.Index].Shape.Equals(shape) && inputs[only.Index].Batched == batched)
        {
            return inputs[only.Index];
        }

        var used = Formulas.InputsOf(formula);
        var renumbered = formula.Rewrite(part => part is InputFormula input ? new InputFormula(used.IndexOf(input.Index)) : null);
        var kept = used.Select(i => inputs[i]).ToImmutableArray();
        var needsShape = !kept.Any(input => input.Shape.Equals(shape));
        return builder.Add(
            Primitives.Pointwise, new PointwiseAttributes(renumbered, needsShape ? shape : null, batched && !kept.Any(input => input.Batched)), kept);
    }

    /// <summary>The formula of a value that is the same everywhere; null for others.</summary>
    private static Expression? FillOf(Node node) =>
        node.Inputs.IsEmpty && node.Attributes is PointwiseAttributes fill && !fill.Formula.Mentions<RandomFormula>() ? fill.Formula : null;

    /// <summary>Reduced axes keep size 1. Nothing is added where there is nothing to reduce.</summary>
    public static Node Reduce(this GraphBuilder builder, ReduceKind kind, Node x, ImmutableArray<int> axes, bool overBatch)
    {
        axes = axes.Where(axis => x.Shape[axis] != 1).ToImmutableArray();
        overBatch &= x.Batched;
        return axes.IsEmpty && !overBatch ? x : builder.Add(Primitives.Reduce, new ReduceAttributes(kind, axes, overBatch), x);
    }

    public static Node Sum(this GraphBuilder builder, Node x, ImmutableArray<int> axes, bool overBatch)
    {
        // Of all classes, one holds something and no other.
        if (x.Attributes is ScatterClassAttributes { Ignored: null } && axes.SequenceEqual([0]) && !overBatch)
        {
            return builder.Reshape(x.Inputs[0], x.Shape.With(0, 1));
        }

        return builder.Reduce(ReduceKind.Sum, x, axes, overBatch);
    }

    public static Node Mean(this GraphBuilder builder, Node x, ImmutableArray<int> axes, bool overBatch) =>
        builder.Reduce(ReduceKind.Mean, x, axes, overBatch);

    public static Node Reshape(this GraphBuilder builder, Node x, Shape shape) =>
        x.Shape.Equals(shape) ? x
        : FillOf(x) is { } value ? builder.Fill(value, shape, x.Batched)
        : builder.Add(Primitives.Reshape, new ReshapeAttributes(shape), x);

    public static Node Slice(this GraphBuilder builder, Node x, int axis, int start, int count) =>
        start == 0 && count == x.Shape[axis] ? x : builder.Add(Primitives.Slice, new SliceAttributes(axis, start, count), x);

    /// <summary>The given slices of an axis; neighbours that stay neighbours are one.</summary>
    public static IEnumerable<Node> Slices(this GraphBuilder builder, Node x, int axis, IEnumerable<int> places)
    {
        var (start, count) = (0, 0);
        foreach (var place in places)
        {
            if (count > 0 && place == start + count)
            {
                count++;
                continue;
            }

            if (count > 0)
            {
                yield return builder.Slice(x, axis, start, count);
            }

            (start, count) = (place, 1);
        }

        if (count > 0)
        {
            yield return builder.Slice(x, axis, start, count);
        }
    }

    /// <summary>Axis i of the result is axis <paramref name="permutation"/>[i] of x.</summary>
    public static Node Transpose(this GraphBuilder builder, Node x, ImmutableArray<int> permutation)
    {
        // Moving axes of size 1 about moves no element.
        var moving = permutation.Where(axis => x.Shape[axis] != 1);
        return moving.SequenceEqual(moving.OrderBy(axis => axis))
            ? builder.Reshape(x, new Shape(permutation.Select(axis => x.Shape[axis]).ToImmutableArray()))
            : builder.Add(Primitives.Transpose, new TransposeAttributes(permutation), x);
    }

    public static Node Concat(this GraphBuilder builder, int axis, ImmutableArray<Node> parts) =>
        parts.Length == 1 ? parts[0] : builder.Add(Primitives.Concat, new ConcatAttributes(axis), parts);

    /// <summary>A vector of C numbers as C x 1 x 1 …, ready to broadcast over <paramref name="rank"/> axes.</summary>
    public static Node AsChannels(this GraphBuilder builder, Node vector, int rank) =>
        builder.Reshape(vector, Shape.Of(vector.Shape[0], ImmutableArray.CreateRange(Enumerable.Repeat(1, rank - 1))));

    /// <summary>Every axis but the channels.</summary>
    public static ImmutableArray<int> SpatialAxes(this Shape shape) => ImmutableArray.CreateRange(Enumerable.Range(1, shape.Rank - 1));

    public static ImmutableArray<int> AllAxes(this Shape shape) => ImmutableArray.CreateRange(Enumerable.Range(0, shape.Rank));
}
