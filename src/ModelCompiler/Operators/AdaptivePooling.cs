// Poolings beyond the plain window: to a given size, of powers, with weights, across channels. All are compositions.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using static ModelCompiler.Operators.Formulas;

namespace ModelCompiler.Operators;

internal static class AdaptivePooling
{
    private static readonly ArgumentSpec Size = Argument.Dims("size", "size of the result, for every spatial axis or one number each");

    public static readonly ImmutableArray<Operator> All =
    [
        Definition.Unary(
            "adaptive_avgpool",
            "Mean over bins that divide every axis as evenly as can be; bin i of n reaches from floor(i·size/n) to ceil((i+1)·size/n).",
            "He et al., Spatial pyramid pooling, 2014",
            (call, x) => Adaptive(call.Builder, x, call.Dims("size", WindowArguments.Spatial(x, "adaptive_avgpool").Length), maximum: false),
            Size),
        Definition.Unary(
            "adaptive_maxpool",
            "Largest element of bins that divide every axis as evenly as can be.",
            "He et al., Spatial pyramid pooling, 2014",
            (call, x) => Adaptive(call.Builder, x, call.Dims("size", WindowArguments.Spatial(x, "adaptive_maxpool").Length), maximum: true),
            Size),
        Definition.Unary(
            "spatial_pyramid",
            "The results of adaptive poolings to several sizes as one vector: as many features for every size of input.",
            "He et al., Spatial pyramid pooling, 2014",
            Pyramid,
            new ArgumentSpec("levels", ArgumentKind.List, "sizes of the results, each for every spatial axis"),
            Argument.Word("mode", "what stands for a bin", "max", "max", "mean")),
        Definition.Unary(
            "maxout",
            "The largest of every few neighbouring channels: channels/pieces are left.",
            "Goodfellow et al., Maxout networks, 2013",
            Maxout,
            Argument.Integer("pieces", "channels that become one; divides them", "2")),
        Definition.Unary(
            "lppool",
            "Power mean without the mean: the sum of |x|^p over every window, to the power 1/p. As in PyTorch, the sum of a window that 'ceil' keeps is that of a whole one with the same mean.",
            "Sermanet et al., Convolutional neural networks applied to house numbers digit classification, 2012",
            PowerPool,
            Argument.Kernel,
            Argument.PoolStride,
            Argument.Number("p", "the power; 1 is a sum, large is close to the maximum", "2", 1, 64),
            Argument.Ceil),
        Definition.Unary(
            "subsample",
            "LeNet's pooling: the sum of every window times a trainable coefficient, plus a trainable bias, for each channel.",
            "LeCun et al., Gradient-based learning applied to document recognition, 1998",
            Subsample,
            Argument.Kernel,
            Argument.PoolStride),
        Definition.Unary(
            "local_response_norm",
            "x / (k + alpha/size · sum of x² over neighbouring channels)^beta.",
            "Krizhevsky et al., ImageNet classification with deep convolutional neural networks, 2012",
            LocalResponse,
            Argument.Integer("size", "number of neighbouring channels, the own one included", "5"),
            Argument.Number("alpha", "weight of the squares", "1e-4"),
            Argument.Number("beta", "exponent", "0.75"),
            Argument.Number("k", "added to the squares", "1")),
    ];

    private static Node Pyramid(OperatorCall call, Node x)
    {
        var axes = WindowArguments.Spatial(x, "spatial_pyramid").Length;
        var levels = call.Numbers("levels");
        if (levels.IsEmpty || levels.Any(level => level < 1 || level > 1 << 14 || level != Math.Floor(level)))
        {
            throw new OperatorException("CNN2050", "levels", "the levels of 'spatial_pyramid' are one or more sizes from 1, as in [4, 2, 1]");
        }

        var pooled = levels.Select(level => Adaptive(call.Builder, x, Messages.Repeat((int)level, axes), call.Word("mode", "max") == "max"));
        return call.Builder.Concat(0, [.. pooled.Select(level => call.Builder.Reshape(level, Shape.Of(checked((int)level.Shape.Count))))]);
    }

    private static Node Maxout(OperatorCall call, Node x)
    {
        var pieces = call.Integer("pieces", 2);
        if (x.Shape.Rank == 0 || x.Shape.Channels % pieces != 0)
        {
            throw new OperatorException("CNN3003", "pieces", $"'maxout' cannot split the channels of {Messages.Describe(x)} into groups of {Messages.Text(pieces)}");
        }

        var groups = x.Shape.Channels / pieces;
        var split = call.Builder.Reshape(x, Shape.Of(groups, pieces, checked((int)(x.Shape.Count / x.Shape.Channels))));
        return call.Builder.Reshape(call.Builder.Reduce(ReduceKind.Max, split, [1], overBatch: false), x.Shape.With(0, groups));
    }

    private static Node Adaptive(GraphBuilder builder, Node x, ImmutableArray<int> size, bool maximum)
    {
        var spatial = x.Shape.Spatial;
        if (spatial.Select((from, axis) => from % size[axis]).All(rest => rest == 0))
        {
            return Pool(builder, x, spatial.Select((from, axis) => from / size[axis]).ToImmutableArray(), maximum);
        }

        // Uneven bins, one axis after the other: the last first, so that the first maximum in scan order stays the first.
        for (var axis = spatial.Length; axis >= 1; axis--)
        {
            var (from, to) = (x.Shape[axis], size[axis - 1]);
            var pieces = Enumerable.Range(0, to).Select(bin =>
            {
                var start = (int)((long)bin * from / to);
                var end = (int)((((long)bin + 1) * from + to - 1) / to);
                var kernel = Messages.Repeat(1, spatial.Length).SetItem(axis - 1, end - start);
                return Pool(builder, builder.Slice(x, axis, start, end - start), kernel, maximum);
            });
            x = builder.Concat(axis, pieces.ToImmutableArray());
        }

        return x;
    }

    /// <summary>Windows side by side.</summary>
    private static Node Pool(GraphBuilder builder, Node x, ImmutableArray<int> kernel, bool maximum)
    {
        var zeros = Messages.Repeat(0, kernel.Length);
        var window = new Window(kernel, kernel, zeros, zeros, Messages.Repeat(1, kernel.Length));
        return window.KernelCount == 1 ? x
            : maximum ? builder.Add(Primitives.MaxPool, new MaxPoolAttributes(window), x)
            : builder.Add(Primitives.AveragePool, new AveragePoolAttributes(window, CountPadding: true, x.Shape), x);
    }

    private static Node WindowSum(OperatorCall call, Node x, Node original, string name)
    {
        var window = WindowArguments.Read(call, original, name, pooling: true);
        var average = call.Builder.Add(Primitives.AveragePool, new AveragePoolAttributes(window, CountPadding: true, x.Shape), x);
        return call.Builder.Pointwise(Multiply(window.KernelCount, X), PoolingOperators.OverWhatCounts(call, average, x, window));
    }

    private static Node PowerPool(OperatorCall call, Node x)
    {
        var p = call.Number("p", 2);
        Expression Power(double exponent) => new BinaryFormula(BinaryFunction.Power, X, Number(exponent));
        WindowArguments.Spatial(x, "lppool");
        var powers = call.Builder.Pointwise(p == 2 ? X * X : Power(p).Rewrite(part => part is InputFormula ? Absolute(X) : null), x);
        var sum = WindowSum(call, powers, x, "lppool");
        return call.Builder.Pointwise(p == 2 ? new UnaryFormula(UnaryFunction.SquareRoot, X) : Power(1 / p), sum);
    }

    private static Node Subsample(OperatorCall call, Node x)
    {
        WindowArguments.Spatial(x, "subsample");
        var builder = call.Builder;
        var sum = WindowSum(call, x, x, "subsample");
        var elements = x.Shape.Count / x.Shape.Channels / (sum.Shape.Count / sum.Shape.Channels);
        var channels = Shape.Of(x.Shape.Channels);
        var coefficient = call.Parameter("weight", channels, Initializer.Constant(1.0 / elements));
        var bias = call.Parameter("bias", channels, Initializer.Constant(0));
        return builder.Pointwise((X * Y) + Input(2), sum, builder.AsChannels(coefficient, x.Shape.Rank), builder.AsChannels(bias, x.Shape.Rank));
    }

    private static Node LocalResponse(OperatorCall call, Node x)
    {
        var builder = call.Builder;
        WindowArguments.Spatial(x, "local_response_norm");
        var size = call.Integer("size", 5);

        // The channels become an axis of space, along which an average pooling runs.
        var plane = Shape.Of(1, x.Shape.Channels, checked((int)(x.Shape.Count / x.Shape.Channels)));
        var squares = builder.Reshape(builder.Pointwise(X * X, x), plane);
        var window = new Window([size, 1], [1, 1], [size / 2, 0], [(size - 1) / 2, 0], [1, 1]);
        var mean = builder.Reshape(builder.Add(Primitives.AveragePool, new AveragePoolAttributes(window, CountPadding: true, plane), squares), x.Shape);
        var norm = new BinaryFormula(BinaryFunction.Power, call.Number("k", 1) + (call.Number("alpha", 1e-4) * Y), Number(-call.Number("beta", 0.75)));
        return builder.Pointwise(X * norm, x, mean);
    }
}
