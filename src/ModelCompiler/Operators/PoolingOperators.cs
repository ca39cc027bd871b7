// Pooling over sliding windows and over the whole plane.
using System.Collections.Immutable;
using ModelCompiler.Graph;

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
            Argument.Boolean("count_padding", "divide by the whole window, also where it reaches over the edge", "true")),
        Definition.Unary(
            "sumpool",
            "Sum of every window.",
            Sum,
            Argument.Kernel,
            Argument.PoolStride,
            Argument.PoolPadding),
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
        return call.Builder.Add(Primitives.AveragePool, new AveragePoolAttributes(window, call.Boolean("count_padding", true), x.Shape), x);
    }

    private static Node Sum(OperatorCall call, Node x)
    {
        var window = WindowArguments.Read(call, x, "sumpool", pooling: true);
        var average = call.Builder.Add(Primitives.AveragePool, new AveragePoolAttributes(window, CountPadding: true, x.Shape), x);
        return call.Builder.Pointwise(Formulas.Multiply(Formulas.Number(window.KernelCount), Formulas.X), average);
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
