// Pooling over sliding windows and over the whole plane.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using static ModelCompiler.Operators.Formulas;

namespace ModelCompiler.Operators;

internal static class PoolingOperators
{
    public static readonly ImmutableArray<Operator> All =
    [
        new Definition(
            new Signature(
                "maxpool",
                ["input"],
                false,
                [
                    Argument.Kernel,
                    Argument.PoolStride,
                    Argument.PoolPadding,
                    Argument.Dilation,
                    Argument.Ceil,
                    Argument.Boolean("places", "give a list of two: the maxima and, for 'max_unpool', their row-major places in the plane", "false"),
                ],
                "Largest element of every window, the first of equals; padding never wins.",
                "Riesenhuber and Poggio, Hierarchical models of object recognition in cortex, 1999"),
            Maximum),
        Definition.Unary(
            "avgpool",
            "Mean of every window.",
            Average,
            Argument.Kernel,
            Argument.PoolStride,
            Argument.PoolPadding,
            Argument.Boolean("count_padding", "divide by the whole window, also where it reaches into the padding; what 'ceil' adds never counts", "true"),
            Argument.Ceil),
        Definition.Unary(
            "sumpool",
            "Sum of every window.",
            Sum,
            Argument.Kernel,
            Argument.PoolStride,
            Argument.PoolPadding,
            Argument.Ceil),
        Definition.Unary(
            "global_avgpool",
            "Mean of every channel: channels x 1 x 1.",
            "Lin et al., Network in network, 2014",
            GlobalAverage),
        Definition.Unary(
            "global_maxpool",
            "Largest element of every channel: channels x 1 x 1.",
            GlobalMaximum),
    ];

    private static ImmutableArray<Node> Maximum(OperatorCall call)
    {
        var x = call.Inputs[0];
        var attributes = new MaxPoolAttributes(WindowArguments.Read(call, x, "maxpool", pooling: true));
        var maxima = call.Builder.Add(Primitives.MaxPool, attributes, x);
        return call.Boolean("places") ? [maxima, call.Builder.Add(Primitives.MaxPoolPlaces, attributes, x)] : [maxima];
    }

    private static Node Average(OperatorCall call, Node x)
    {
        var window = WindowArguments.Read(call, x, "avgpool", pooling: true);
        var countsPadding = call.Boolean("count_padding", true);
        var average = call.Builder.Add(Primitives.AveragePool, new AveragePoolAttributes(window, countsPadding, x.Shape), x);
        return countsPadding ? OverWhatCounts(call, average, x, window) : average;
    }

    /// <summary>PyTorch's mean counts padding, but not what 'ceil' adds behind it: where a window reaches beyond the padding, the
    /// mean over the whole window becomes one over the part that counts, axis by axis.</summary>
    internal static Node OverWhatCounts(OperatorCall call, Node average, Node x, Window window)
    {
        for (var axis = 0; axis < window.Rank && call.Boolean("ceil") && call.PaddingWord("pad") is null; axis++)
        {
            var (kernel, stride, end) = (window.Kernel[axis], window.Stride[axis], x.Shape.Spatial[axis] + (2 * window.PadBegin[axis]));
            var factors = Enumerable.Range(0, average.Shape[axis + 1]).Select(place => kernel / (double)Math.Min(kernel, end - (place * stride))).ToList();
            if (factors.Any(factor => factor != 1))
            {
                average = call.Builder.Pointwise(X * Y, average, call.Builder.AlongAxis(factors, axis + 1, average.Shape.Rank));
            }
        }

        return average;
    }

    private static Node Sum(OperatorCall call, Node x)
    {
        var window = WindowArguments.Read(call, x, "sumpool", pooling: true);
        var average = call.Builder.Add(Primitives.AveragePool, new AveragePoolAttributes(window, CountPadding: true, x.Shape), x);
        return call.Builder.Pointwise(Multiply(window.KernelCount, X), average);
    }

    private static Node GlobalAverage(OperatorCall call, Node x)
    {
        WindowArguments.Spatial(x, "global_avgpool");
        return call.Builder.Mean(x, x.Shape.SpatialAxes(), overBatch: false);
    }

    private static Node GlobalMaximum(OperatorCall call, Node x)
    {
        var spatial = WindowArguments.Spatial(x, "global_maxpool");
        var (ones, zeros) = (Messages.Repeat(1, spatial.Length), Messages.Repeat(0, spatial.Length));
        return call.Builder.Add(Primitives.MaxPool, new MaxPoolAttributes(new Window(spatial, ones, zeros, zeros, ones)), x);
    }
}
