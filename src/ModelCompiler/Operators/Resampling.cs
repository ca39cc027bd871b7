// Changing the size of space: one axis at a time, each new element a weighted sum of at most four old ones.
using System.Collections.Immutable;
using ModelCompiler.Graph;

namespace ModelCompiler.Operators;

public static class Resampling
{
    /// <summary>Keys, Cubic convolution interpolation for digital image processing, 1981; PyTorch's constant.</summary>
    private const double A = -0.75;

    /// <summary>For every element of the result, the elements of the input that it is made of and their weights, which sum to 1.
    /// At the border an element may come up twice.</summary>
    public static ImmutableArray<ImmutableArray<(int Index, double Weight)>> Taps(ResampleAttributes attributes) =>
        Enumerable.Range(0, attributes.To).Select(place => TapsAt(attributes, place)).ToImmutableArray();

    private static ImmutableArray<(int Index, double Weight)> TapsAt(ResampleAttributes a, int place)
    {
        if (a.Kind == ResampleKind.Nearest)
        {
            return [((int)((long)place * a.From / a.To), 1)];
        }

        var source = a.AlignCorners
            ? a.To > 1 ? place * (a.From - 1.0) / (a.To - 1) : 0
            : ((place + 0.5) * a.From / a.To) - 0.5;
        source = a.Kind == ResampleKind.Linear ? Math.Max(0, source) : source;
        var first = (int)Math.Floor(source);
        var t = source - first;
        return a.Kind == ResampleKind.Linear
            ? [(first, 1 - t), (Math.Min(first + 1, a.From - 1), t)]
            : [.. Enumerable.Range(-1, 4).Select(i => (Math.Min(Math.Max(first + i, 0), a.From - 1), Cubic(Math.Abs(t - i))))];
    }

    private static double Cubic(double distance) => distance <= 1
        ? ((((A + 2) * distance) - (A + 3)) * distance * distance) + 1
        : ((((((distance - 5) * distance) + 8) * distance) - 4) * A);
}

internal sealed class ResamplePrimitive : Primitive
{
    public override string Name => "Resample";

    public override Shape InferShape(ImmutableArray<Node> inputs, object? attributes)
    {
        var resample = (ResampleAttributes)attributes!;
        return inputs[0].Shape.With(resample.Axis, resample.To);
    }

    public override ImmutableArray<Node?> Gradient(Node node, Node upstream, ImmutableArray<bool> wanted, GraphBuilder builder) =>
        [builder.Add(Primitives.ResampleGradient, node.Attributes, upstream)];
}

internal sealed class ResampleGradientPrimitive : Primitive
{
    public override string Name => "ResampleGradient";

    public override Shape InferShape(ImmutableArray<Node> inputs, object? attributes)
    {
        var resample = (ResampleAttributes)attributes!;
        return inputs[0].Shape.With(resample.Axis, resample.From);
    }

    public override ImmutableArray<Node?> Gradient(Node node, Node upstream, ImmutableArray<bool> wanted, GraphBuilder builder) =>
        [builder.Add(Primitives.Resample, node.Attributes, upstream)];
}

internal static class ResamplingOperators
{
    private static readonly ArgumentSpec Mode =
        Argument.Word("mode", "which old elements make a new one: the nearest, the two around it, the four around it (each along every axis)", "linear", "nearest", "linear", "cubic");

    private static readonly ArgumentSpec Align =
        Argument.Boolean("align_corners", "keep the values of the corners, instead of taking elements as areas", "false");

    public static readonly ImmutableArray<Operator> All =
    [
        Definition.Unary(
            "resize",
            "Space resampled to a given size: linear is bilinear on maps and trilinear on volumes.",
            (call, x) => Build(call, x, call.Dims("size", WindowArguments.Spatial(x, "resize").Length), call.Word("mode", "linear")),
            Argument.Dims("size", "new size, for every spatial axis or one number each"),
            Mode,
            Align),
        Definition.Unary(
            "upsample",
            "Space made larger by a whole factor: every element repeated, or interpolated.",
            BuildUpsample,
            Argument.Dims("factor", "how many times larger, for every spatial axis or one number each", "2"),
            Mode with { Default = "nearest" },
            Align),
    ];

    private static Node BuildUpsample(OperatorCall call, Node x)
    {
        var spatial = WindowArguments.Spatial(x, "upsample");
        var factor = call.Dims("factor", spatial.Length, 2);
        var sizes = spatial.Select((size, axis) => checked(size * factor[axis])).ToImmutableArray();
        var mode = call.Word("mode", "nearest");
        return mode == "nearest" ? Repeat(call.Builder, x, factor, sizes) : Build(call, x, sizes, mode);
    }

    /// <summary>The gradient of an average is a copy to every place: the scale cancels its division.</summary>
    private static Node Repeat(GraphBuilder builder, Node x, ImmutableArray<int> factor, ImmutableArray<int> sizes)
    {
        var (ones, zeros) = (Messages.Repeat(1, factor.Length), Messages.Repeat(0, factor.Length));
        var window = new Window(factor, factor, zeros, zeros, ones);
        var scaled = builder.Pointwise(Formulas.Multiply(window.KernelCount, Formulas.X), x);
        return builder.Add(Primitives.AveragePoolGradient, new AveragePoolAttributes(window, CountPadding: true, Shape.Of(x.Shape.Channels, sizes)), scaled);
    }

    private static Node Build(OperatorCall call, Node x, ImmutableArray<int> sizes, string mode)
    {
        var kind = mode switch { "nearest" => ResampleKind.Nearest, "cubic" => ResampleKind.Cubic, _ => ResampleKind.Linear };
        for (var axis = 1; axis < x.Shape.Rank; axis++)
        {
            var (from, to) = (x.Shape[axis], sizes[axis - 1]);
            x = from == to ? x : call.Builder.Add(Primitives.Resample, new ResampleAttributes(axis, from, to, kind, call.Boolean("align_corners")), x);
        }

        return x;
    }
}
