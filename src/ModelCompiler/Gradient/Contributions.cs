// What a value gets from all that use it. A plain sum is right and sometimes wasteful: slices send zeros back for all they
// did not take, and a recurrent layer has a matrix of weight gradients for every step. Both are one node each.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using ModelCompiler.Operators;

namespace ModelCompiler.Gradient;

internal static class Contributions
{
    /// <summary>The sum of gradients that flow into one value.</summary>
    public static Node Total(IReadOnlyList<Node> contributions, Node value, GraphBuilder builder)
    {
        var merged = WeightGradients(Sums(Slices(contributions, builder), builder), builder);
        if (merged.Count == 1)
        {
            return merged[0];
        }

        var sum = Enumerable.Range(0, merged.Count).Select(Formulas.Input).Aggregate(Formulas.Add);
        return builder.Formula(sum, [.. merged], value.Shape, value.Batched);
    }

    /// <summary>Gradients of slices of one axis that do not overlap are laid side by side.</summary>
    private static IReadOnlyList<Node> Slices(IReadOnlyList<Node> contributions, GraphBuilder builder)
    {
        var pads = contributions.Where(node => node.Attributes is PadAttributes { Before: >= 0, After: >= 0 }).ToList();
        var axis = pads.Count > 1 ? pads[0].As<PadAttributes>().Axis : 0;
        var ordered = pads.OrderBy(node => node.As<PadAttributes>().Before).ToList();
        var (end, parts) = (0, new List<Node>());
        foreach (var pad in ordered)
        {
            var (padAxis, before, _) = pad.As<PadAttributes>();
            if (padAxis != axis || before < end || pads.Count < 2 || pad.Batched != pads[0].Batched)
            {
                return contributions;
            }

            Gap(before);
            parts.Add(pad.Inputs[0]);
            end = before + pad.Inputs[0].Shape[axis];
        }

        if (pads.Count < 2)
        {
            return contributions;
        }

        Gap(pads[0].Shape[axis]);
        return [builder.Concat(axis, [.. parts]), .. contributions.Where(node => !pads.Contains(node))];

        void Gap(int until)
        {
            if (until > end)
            {
                parts.Add(builder.Fill(0, pads[0].Shape.With(axis, until - end), pads[0].Batched));
            }
        }
    }

    /// <summary>Sums of vectors over the batch: one sum over rows that hold all of them.</summary>
    private static IReadOnlyList<Node> Sums(IReadOnlyList<Node> contributions, GraphBuilder builder)
    {
        var sums = contributions.Where(node => node.Attributes is ReduceAttributes { Kind: ReduceKind.Sum, OverBatch: true, Axes.IsEmpty: true } && IsVector(node.Inputs[0])).ToList();
        if (sums.Count < 2)
        {
            return contributions;
        }

        var rows = builder.Concat(0, [.. sums.Select(sum => AsRow(sum.Inputs[0], builder))]);
        var merged = builder.Reshape(builder.Sum(rows, [0], overBatch: true), sums[0].Shape);
        return [merged, .. contributions.Where(node => !sums.Contains(node))];
    }

    /// <summary>Weight gradients of a dense layer that worked on vector after vector: that of one that works on rows.</summary>
    private static IReadOnlyList<Node> WeightGradients(IReadOnlyList<Node> contributions, GraphBuilder builder)
    {
        var products = contributions.Where(node => node.Primitive == Primitives.DenseWeightGradient && node.Inputs.All(input => IsVector(input) && input.Batched)).ToList();
        if (products.Count < 2)
        {
            return contributions;
        }

        Node Rows(int input) => builder.Concat(0, [.. products.Select(product => AsRow(product.Inputs[input], builder))]);
        return [builder.Add(Primitives.DenseWeightGradient, null, Rows(0), Rows(1)), .. contributions.Where(node => !products.Contains(node))];
    }

    private static bool IsVector(Node node) => node.Shape.Rank == 1;

    private static Node AsRow(Node vector, GraphBuilder builder) => builder.Reshape(vector, Shape.Of(1, vector.Shape[0]));
}
