// Arithmetic between tensors: size-1 axes repeat, and a plain vector of C features scales the channels of C x H x W.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using static ModelCompiler.Operators.Formulas;
using static ModelCompiler.Operators.Messages;

namespace ModelCompiler.Operators;

internal static class Elementwise
{
    public static readonly ImmutableArray<Operator> All =
    [
        Definition.Variadic("add", "Sum, element by element.", call => Fold(call, "add", BinaryFunction.Add)),
        Definition.Variadic("mul", "Product, element by element.", call => Fold(call, "multiply", BinaryFunction.Multiply)),
        Definition.Variadic("max", "Largest, element by element; maxout over a list of layers (Goodfellow et al., 2013).", call => Fold(call, "take the maximum of", BinaryFunction.Maximum)),
        Definition.Variadic("min", "Smallest, element by element.", call => Fold(call, "take the minimum of", BinaryFunction.Minimum)),
        Definition.Variadic("mean", "Mean of several tensors, element by element.", Mean),
        Definition.Of("sub", ["left", "right"], "Difference, element by element.", "", call => Fold(call, "subtract", BinaryFunction.Subtract)),
        Definition.Of("div", ["left", "right"], "Quotient, element by element.", "", call => Fold(call, "divide", BinaryFunction.Divide)),
    ];

    private static Node Mean(OperatorCall call)
    {
        var sum = Fold(call, "average", BinaryFunction.Add);
        return call.Inputs.Length == 1 ? sum : call.Builder.Pointwise(Multiply(1.0 / call.Inputs.Length, X), sum);
    }

    /// <summary>One formula over all inputs: two at a time would read and write the sum again for each.</summary>
    private static Node Fold(OperatorCall call, string verb, BinaryFunction function)
    {
        if (call.Inputs.Length == 1)
        {
            return call.Inputs[0];
        }

        var inputs = Align(call, verb);
        var tensors = inputs.Where(input => ConstantOf(input) is null).Distinct().ToArray();
        var formula = inputs
            .Select(input => ConstantOf(input) ?? Input(Array.IndexOf(tensors, input)))
            .Aggregate((left, right) => Apply(function, left, right));
        var shape = inputs.Aggregate(Shape.Scalar, (result, input) => result.Rank == 0 ? input.Shape : result);
        return tensors.Length == 0 ? call.Builder.Fill(formula, shape) : call.Builder.Pointwise(formula, tensors);
    }

    /// <summary>A plain number that met a tensor stands in the formula itself.</summary>
    private static Expression? ConstantOf(Node node) =>
        node is { Shape.Rank: 0, Inputs.IsEmpty: true, Attributes: PointwiseAttributes { Formula: ConstantFormula constant } } ? constant : null;

    private static ImmutableArray<Node> Align(OperatorCall call, string verb)
    {
        var inputs = call.Inputs;
        var widest = inputs.First(input => input.Shape.Rank == inputs.Max(i => i.Shape.Rank));
        var rank = widest.Shape.Rank;
        var aligned = inputs.Select(input => AlignTo(input, widest, call.Builder)).ToImmutableArray();
        for (var i = 0; i < aligned.Length; i++)
        {
            if (aligned[i].Shape.Rank != 0 && aligned[i].Shape.Rank != rank)
            {
                throw new OperatorException(
                    "CNN3004", At(i), $"cannot {verb} {Describe(widest)} and {Describe(inputs[i])}: they have {Axes(rank)} and {Axes(inputs[i].Shape.Rank)}; {RankRemedy(widest, inputs[i])}");
            }
        }

        for (var axis = 0; axis < rank; axis++)
        {
            var first = aligned.FirstOrDefault(input => input.Shape.Rank != 0 && input.Shape[axis] != 1);
            for (var i = 0; first is not null && i < aligned.Length; i++)
            {
                if (aligned[i].Shape.Rank != 0 && aligned[i].Shape[axis] != 1 && aligned[i].Shape[axis] != first.Shape[axis])
                {
                    throw new OperatorException("CNN3004", At(i), Mismatch(verb, inputs[aligned.IndexOf(first)], inputs[i], axis));
                }
            }
        }

        return aligned;
    }

    private static Node AlignTo(Node input, Node widest, GraphBuilder builder)
    {
        var rank = widest.Shape.Rank;
        if (input.Shape.Rank != 1 || rank < 2)
        {
            return input;
        }

        var size = input.Shape[0];
        if (size == widest.Shape.Channels || size == 1 || widest.Shape.Channels == 1)
        {
            return builder.AsChannels(input, rank);
        }

        // Rows of features: the vector belongs to every row.
        return rank == 2 && size == widest.Shape[1] ? builder.Reshape(input, Shape.Of(1, size)) : input;
    }

    private static string RankRemedy(Node wide, Node narrow) => narrow.Shape.Rank == 1
        ? $"a vector combines with the channels, so it needs {Text(wide.Shape.Channels)} features"
        : "use 'reshape' to give both the same axes";

    private static string Mismatch(string verb, Node left, Node right, int axis)
    {
        var rank = Math.Max(left.Shape.Rank, right.Shape.Rank);
        var differing = Enumerable.Range(0, rank).Where(a => left.Shape.Rank == rank && right.Shape.Rank == rank && left.Shape[a] != right.Shape[a]).ToArray();
        var (a, b) = (left.Shape.Rank == rank ? left.Shape[axis] : left.Shape[0], right.Shape.Rank == rank ? right.Shape[axis] : right.Shape[0]);
        return $"cannot {verb} {Describe(left)} and {Describe(right)}: {AxisName(axis, rank)} differs ({Text(a)}, {Text(b)}); {Remedy(left, right, axis, rank, differing)}";
    }

    private static string Remedy(Node left, Node right, int axis, int rank, int[] differing)
    {
        if (axis == 0 && rank >= 3)
        {
            return $"project one of them, for instance with '-> conv({Text(left.Shape[0])}, 1x1)' on {right.Shape}";
        }

        // One is an exact multiple of the other along every axis that differs: resampling fits.
        var ratios = differing.Where(a => a > 0).Select(a => (Large: Math.Max(left.Shape[a], right.Shape[a]), Small: Math.Min(left.Shape[a], right.Shape[a]))).ToArray();
        if (ratios.Length > 0 && differing.Length == ratios.Length && ratios.All(r => r.Large % r.Small == 0 && r.Large / r.Small == ratios[0].Large / ratios[0].Small))
        {
            var small = left.Shape.Count < right.Shape.Count ? left : right;
            var name = small.Origin.Path.Length == 0 ? "" : small.Origin.Path + " ";
            return $"did you mean '{name}-> upsample({Text(ratios[0].Large / ratios[0].Small)})' for {small.Shape}?";
        }

        return rank >= 2 && axis > 0
            ? "give both the same size by pad, stride or pooling"
            : $"give both the same number of features, for instance with '-> dense({Text(left.Shape[0])})'";
    }

    private static string At(int input) => "input:" + Text(input);
}
