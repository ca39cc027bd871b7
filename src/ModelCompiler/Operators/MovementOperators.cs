// Words that move data: joining, cutting, padding, renaming axes.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using static ModelCompiler.Operators.Messages;

namespace ModelCompiler.Operators;

internal static class MovementOperators
{
    public static readonly ImmutableArray<Operator> All =
    [
        Definition.Variadic(
            "concat",
            "Joins tensors along one axis, the channels by default; all other axes must agree.",
            Concat,
            Argument.Axis("axis", "axis to join along", "0")),
        Definition.Unary(
            "reshape",
            "The same elements, in the same order, under another shape.",
            Reshape,
            new ArgumentSpec("shape", ArgumentKind.Shape, "the new shape", Minimum: 1, Maximum: int.MaxValue)),
        Definition.Unary(
            "slice",
            "A range of one axis.",
            Slice,
            Argument.Integer("start", "first element", "0", 0, int.MaxValue),
            Argument.Integer("count", "number of elements", "up to the end", 1, int.MaxValue),
            Argument.Axis("axis", "axis to cut", "0")),
        Definition.Unary(
            "pad",
            "Surrounds every spatial axis, with zeros unless pad_mode or value say otherwise.",
            Pad,
            Argument.Dims("amount", "elements on both sides, for every spatial axis or one number each", null, 0),
            PaddingModes.Mode,
            Argument.Number("value", "what stands in the place of zeros", "0")),
    ];

    private static Node Concat(OperatorCall call)
    {
        var inputs = call.Inputs;
        var rank = inputs[0].Shape.Rank;
        var joined = Axis(call, "axis", 0, rank, "concat");
        for (var i = 1; i < inputs.Length; i++)
        {
            if (inputs[i].Shape.Rank != rank)
            {
                throw new OperatorException(
                    "CNN3005", "input:" + Text(i), $"cannot concat {Describe(inputs[0])} and {Describe(inputs[i])}: they have {Axes(rank)} and {Axes(inputs[i].Shape.Rank)}; {SameAxes(inputs[0].Shape, inputs[i].Shape)}");
            }

            for (var axis = 0; axis < rank; axis++)
            {
                if (axis != joined && inputs[i].Shape[axis] != inputs[0].Shape[axis])
                {
                    throw new OperatorException("CNN3005", "input:" + Text(i), Mismatch(inputs[0], inputs[i], axis, joined));
                }
            }
        }

        return inputs.Length == 1 ? inputs[0] : call.Builder.Add(Primitives.Concat, new ConcatAttributes(joined), inputs);
    }

    /// <summary>A single row joins others as a matrix of one row.</summary>
    private static string SameAxes(Shape a, Shape b)
    {
        var (low, high) = a.Rank < b.Rank ? (a, b) : (b, a);
        return high.Rank == low.Rank + 1 && high.Dimensions.Skip(1).SequenceEqual(low.Dimensions)
            ? $"did you mean '-> reshape({Shape.Of(1, low.Dimensions)})' for {low}?"
            : "use 'reshape' or 'flatten' to give both the same";
    }

    private static string Mismatch(Node first, Node other, int axis, int joined)
    {
        var rank = first.Shape.Rank;
        var (large, small) = first.Shape[axis] > other.Shape[axis] ? (first, other) : (other, first);
        var remedy = axis == 0 && joined != 0
            ? $"join along the channels (axis: 0) or project one with '-> conv({Text(first.Shape[0])}, 1x1)'"
            : large.Shape[axis] % small.Shape[axis] == 0
                ? $"did you mean '-> upsample({Text(large.Shape[axis] / small.Shape[axis])})' for {small.Shape}?"
                : axis > 0 && rank > 2 && (large.Shape[axis] - small.Shape[axis]) % 2 == 0
                    ? $"did you mean '-> pad({Text((large.Shape[axis] - small.Shape[axis]) / 2)})' for {small.Shape}, or 'pad: same' in the convolutions before it?"
                    : "give both the same size by pad, stride or pooling";
        return $"cannot concat {Describe(first)} and {Describe(other)} along {AxisName(joined, rank)}: {AxisName(axis, rank)} differs ({Text(first.Shape[axis])}, {Text(other.Shape[axis])}); {remedy}";
    }

    private static Node Reshape(OperatorCall call, Node x)
    {
        var shape = new Shape(call.ShapeOf("shape"));
        return shape.Count == x.Shape.Count
            ? call.Builder.Reshape(x, shape)
            : throw new OperatorException(
                "CNN3008", "shape", $"cannot reshape {Describe(x)} with {Text(x.Shape.Count)} elements to {shape} with {Text(shape.Count)}{Missing(x.Shape, shape)}");
    }

    /// <summary>A size of -1 stands for "what is left" elsewhere; here it is written.</summary>
    private static string Missing(Shape from, Shape to)
    {
        var known = to.Dimensions.Where(size => size > 0).Aggregate(1L, (product, size) => product * size);
        return to.Dimensions.Count(size => size < 0) == 1 && from.Count % known == 0
            ? $"; every size is written: did you mean [{string.Join(", ", to.Dimensions.Select(size => Text(size < 0 ? from.Count / known : size)))}]?"
            : "";
    }

    private static Node Slice(OperatorCall call, Node x)
    {
        var axis = Axis(call, "axis", 0, x.Shape.Rank, "slice");
        var size = x.Shape[axis];
        var start = call.Integer("start", 0);
        if (start >= size)
        {
            throw new OperatorException("CNN3009", "start", $"slice starts at {Text(start)}, but {AxisName(axis, x.Shape.Rank)} of {Describe(x)} ends at {Text(size - 1)}");
        }

        var count = call.Integer("count", size - start);
        return count <= size - start
            ? call.Builder.Slice(x, axis, start, count)
            : throw new OperatorException(
                "CNN3009", "count", $"slice of {Text(count)} from {Text(start)} leaves {Describe(x)}, where {AxisName(axis, x.Shape.Rank)} is {Text(size)}; take at most {Text(size - start)}");
    }

    private static Node Pad(OperatorCall call, Node x)
    {
        var amounts = call.Dims("amount", WindowArguments.Spatial(x, "pad").Length);
        var value = call.Number("value");
        if (value != 0 && call.Word("pad_mode", "zeros") != "zeros")
        {
            throw new OperatorException("CNN2050", "value", $"'pad' surrounds by a value or by pad_mode {call.Word("pad_mode")}, not by both; leave one out");
        }

        for (var axis = 1; axis <= amounts.Length; axis++)
        {
            var amount = amounts[axis - 1];
            x = value == 0 ? PaddingModes.Pad(call.Builder, x, axis, amount, amount, call.Word("pad_mode", "zeros"))
                : amount == 0 ? x
                : Between(call.Builder.Fill(value, x.Shape.With(axis, amount)), x, axis);
        }

        return x;

        Node Between(Node wall, Node inside, int axis) => call.Builder.Concat(axis, [wall, inside, wall]);
    }
}
