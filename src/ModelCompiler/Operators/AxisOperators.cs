// Words that exchange, split, stack and reduce axes, and the rearrangements of papers that are made of them.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using static ModelCompiler.Operators.Messages;

namespace ModelCompiler.Operators;

internal static class AxisOperators
{
    private static readonly ArgumentSpec ReducedAxes =
        new("axes", ArgumentKind.List, "axes to reduce, negative ones counted from the last; all when left out", "all");

    private static readonly ArgumentSpec Keep = Argument.Boolean("keep", "keep reduced axes with size 1", "true");

    public static readonly ImmutableArray<Operator> All =
    [
        Definition.Unary(
            "transpose",
            "Exchanges two axes, the last two by default.",
            Exchange,
            Argument.Axis("first", "one axis", "-2"),
            Argument.Axis("second", "the other axis", "-1")),
        Definition.Unary(
            "permute",
            "Puts the axes into another order.",
            Permute,
            new ArgumentSpec("order", ArgumentKind.List, "for each axis of the result, the axis of the input")),
        Definition.Unary(
            "tokens",
            "The places of a map as rows of features: height·width x channels.",
            "Dosovitskiy et al., An image is worth 16x16 words, 2021",
            Tokens),
        Definition.Unary(
            "rows",
            "A map of anchors·features channels as rows of features, anchors of one place next to each other.",
            "Lin et al., Focal loss for dense object detection, 2017",
            Rows,
            Argument.Integer("features", "length of a row; divides the channels")),
        Definition.Unary(
            "pixel_shuffle",
            "Channels become space: channels/factor² x height·factor x width·factor.",
            "Shi et al., Real-time single image super-resolution, 2016",
            PixelShuffle,
            Argument.Integer("factor", "how many times larger", "2")),
        Definition.Unary(
            "pixel_unshuffle",
            "Space becomes channels: channels·factor² x height/factor x width/factor; undoes pixel_shuffle.",
            "Redmon and Farhadi, YOLO9000, 2017, for its passthrough layer",
            PixelUnshuffle,
            Argument.Integer("factor", "how many times smaller", "2")),
        Definition.Unary(
            "channel_shuffle",
            "Deals the channels of every group out to all groups.",
            "Zhang et al., ShuffleNet, 2018",
            ChannelShuffle,
            Argument.Integer("groups", "number of groups; divides the channels")),
        new Definition(
            new Signature(
                "split",
                ["input"],
                false,
                [Argument.Integer("parts", "number of equal parts"), Argument.Axis("axis", "axis to cut", "0")],
                "Cuts an axis into equal parts and gives a list."),
            Split),
        Definition.Variadic("stack", "Joins equal tensors along a new axis.", Stack, Argument.Axis("axis", "place of the new axis", "0")),
        Definition.Unary("reduce_sum", "Sum over axes.", (call, x) => Reduce(call, x, ReduceKind.Sum), ReducedAxes, Keep),
        Definition.Unary("reduce_mean", "Mean over axes.", (call, x) => Reduce(call, x, ReduceKind.Mean), ReducedAxes, Keep),
        Definition.Unary("reduce_max", "Maximum over axes; equal ones share the gradient.", (call, x) => Reduce(call, x, ReduceKind.Max), ReducedAxes, Keep),
    ];

    private static Node Tokens(OperatorCall call, Node x)
    {
        WindowArguments.Spatial(x, "tokens");
        var matrix = call.Builder.Reshape(x, Shape.Of(x.Shape.Channels, checked((int)(x.Shape.Count / x.Shape.Channels))));
        return call.Builder.Transpose(matrix, [1, 0]);
    }

    private static Node Exchange(OperatorCall call, Node x)
    {
        var rank = x.Shape.Rank;
        if (rank < 2)
        {
            throw new OperatorException("CNN3001", null, $"'transpose' needs two axes, and {Describe(x)} has {Axes(rank)}");
        }

        var (first, second) = (Axis(call, "first", -2, rank, "transpose"), Axis(call, "second", -1, rank, "transpose"));
        var order = x.Shape.AllAxes();
        return call.Builder.Transpose(x, order.SetItem(first, second).SetItem(second, first));
    }

    private static Node Permute(OperatorCall call, Node x)
    {
        var order = Resolve(call.Numbers("order"), x, "order");
        return order.Length == x.Shape.Rank
            ? call.Builder.Transpose(x, order)
            : throw new OperatorException("CNN3010", "order", $"'permute' names {Axes(order.Length)}, and {Describe(x)} has {Axes(x.Shape.Rank)}; name each of them once");
    }

    private static Node Rows(OperatorCall call, Node x)
    {
        WindowArguments.Spatial(x, "rows");
        var features = call.Integer("features");
        var anchors = Divide(x, features, "features", "rows");
        var places = checked((int)(x.Shape.Count / x.Shape.Channels));
        var split = call.Builder.Reshape(x, Shape.Of(anchors, features, places));
        return call.Builder.Reshape(call.Builder.Transpose(split, [2, 0, 1]), Shape.Of(checked(places * anchors), features));
    }

    private static Node PixelUnshuffle(OperatorCall call, Node x)
    {
        RequireMap(x, "pixel_unshuffle");
        var (factor, channels, height, width) = (call.Integer("factor", 2), x.Shape[0], x.Shape[1], x.Shape[2]);
        if (height % factor != 0 || width % factor != 0)
        {
            throw new OperatorException("CNN3003", "factor", $"'pixel_unshuffle' cannot cut {Describe(x)} into squares of {Text(factor)}x{Text(factor)}; height and width must be divisible");
        }

        var split = call.Builder.Reshape(x, Shape.Of(channels, height / factor, factor, width / factor, factor));
        return call.Builder.Reshape(call.Builder.Transpose(split, [0, 2, 4, 1, 3]), Shape.Of(checked(channels * factor * factor), height / factor, width / factor));
    }

    private static void RequireMap(Node x, string name)
    {
        if (x.Shape.Rank != 3)
        {
            throw new OperatorException("CNN3001", null, $"'{name}' works on channels x height x width, not on {Describe(x)}");
        }
    }

    private static Node PixelShuffle(OperatorCall call, Node x)
    {
        RequireMap(x, "pixel_shuffle");

        var factor = call.Integer("factor", 2);
        var channels = Divide(x, checked(factor * factor), "factor", "pixel_shuffle");
        var (height, width) = (x.Shape[1], x.Shape[2]);
        var split = call.Builder.Reshape(x, Shape.Of(channels, factor, factor, height, width));
        return call.Builder.Reshape(
            call.Builder.Transpose(split, [0, 3, 1, 4, 2]), Shape.Of(channels, checked(height * factor), checked(width * factor)));
    }

    private static Node ChannelShuffle(OperatorCall call, Node x)
    {
        WindowArguments.Spatial(x, "channel_shuffle");
        var groups = call.Integer("groups");
        var each = Divide(x, groups, "groups", "channel_shuffle");
        var split = call.Builder.Reshape(x, Shape.Of(groups, each, checked((int)(x.Shape.Count / x.Shape.Channels))));
        return call.Builder.Reshape(call.Builder.Transpose(split, [1, 0, 2]), x.Shape);
    }

    private static int Divide(Node x, int divisor, string argument, string name) => x.Shape.Channels % divisor == 0
        ? x.Shape.Channels / divisor
        : throw new OperatorException("CNN3003", argument, $"'{name}' cannot split the {Text(x.Shape.Channels)} channels of {Describe(x)} into parts of {Text(divisor)}; make them a multiple of {Text(divisor)}");

    private static ImmutableArray<Node> Split(OperatorCall call)
    {
        var x = call.Inputs[0];
        var axis = Axis(call, "axis", 0, x.Shape.Rank, "split");
        var parts = call.Integer("parts");
        if (x.Shape[axis] % parts != 0)
        {
            throw new OperatorException("CNN3003", "parts", $"'split' cannot cut {AxisName(axis, x.Shape.Rank)} of {Describe(x)} into {Text(parts)} equal parts; use 'slice' for uneven ones");
        }

        var size = x.Shape[axis] / parts;
        return Enumerable.Range(0, parts).Select(part => call.Builder.Slice(x, axis, part * size, size)).ToImmutableArray();
    }

    private static Node Stack(OperatorCall call)
    {
        var first = call.Inputs[0];
        var axis = Axis(call, "axis", 0, first.Shape.Rank + 1, "stack");
        for (var i = 1; i < call.Inputs.Length; i++)
        {
            if (!call.Inputs[i].Shape.Equals(first.Shape))
            {
                throw new OperatorException("CNN3005", "input:" + Text(i), $"'stack' joins tensors of one shape, not {Describe(first)} and {Describe(call.Inputs[i])}");
            }
        }

        var shape = new Shape(first.Shape.Dimensions.Insert(axis, 1));
        return call.Builder.Concat(axis, call.Inputs.Select(input => call.Builder.Reshape(input, shape)).ToImmutableArray());
    }

    private static Node Reduce(OperatorCall call, Node x, ReduceKind kind)
    {
        var axes = call.Has("axes") ? Resolve(call.Numbers("axes"), x, "axes") : x.Shape.AllAxes();
        var reduced = call.Builder.Reduce(kind, x, [.. axes.OrderBy(axis => axis)], overBatch: false);
        return call.Boolean("keep", true)
            ? reduced
            : call.Builder.Reshape(reduced, new Shape(x.Shape.Dimensions.Where((_, axis) => !axes.Contains(axis)).ToImmutableArray()));
    }

    private static ImmutableArray<int> Resolve(ImmutableArray<double> written, Node x, string argument)
    {
        var rank = x.Shape.Rank;
        var axes = written.Select(number => number < 0 ? number + rank : number).ToImmutableArray();
        if (axes.Any(axis => axis != Math.Floor(axis) || axis < 0 || axis >= rank) || axes.Distinct().Count() != axes.Length)
        {
            throw new OperatorException("CNN3010", argument, $"'{argument}' names each axis at most once, and {Describe(x)} has {Axes(rank)}{(rank > 0 ? $", 0 to {Text(rank - 1)}" : "")}");
        }

        return axes.Select(axis => (int)axis).ToImmutableArray();
    }
}
