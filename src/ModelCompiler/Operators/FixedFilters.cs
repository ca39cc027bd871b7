// Convolutions whose weights are known when the network is compiled: filters of image processing, and the one-hot filters
// that lay windows out as channels, on which layers without shared weights are built.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using static ModelCompiler.Operators.Formulas;
using static ModelCompiler.Operators.Messages;

namespace ModelCompiler.Operators;

internal static class FixedFilters
{
    public static readonly ImmutableArray<Operator> All =
    [
        Definition.Unary(
            "filter",
            "Every channel through every filter of a table of fixed numbers, each filter row by row: gradients, blurs, wavelets. Channels times filters results, those of one channel side by side.",
            "Canny, A computational approach to edge detection, 1986, for one use",
            Filter,
            Argument.Kernel,
            new ArgumentSpec("filters", ArgumentKind.List, "for each filter the list of its numbers, or one list for one filter"),
            Argument.Stride,
            Argument.Padding,
            Argument.Dilation,
            PaddingModes.Mode),
        Definition.Unary(
            "unfold",
            "Every window as a column: the window's elements become channels, those of one input channel side by side.",
            "Chellapilla et al., High performance convolutional neural networks for document processing, 2006",
            (call, x) => Unfold(call, x, "unfold"),
            Argument.Kernel,
            Argument.Stride,
            Argument.Padding,
            Argument.Dilation),
        Definition.Unary(
            "locally_connected",
            "A convolution that shares no weights: a filter of its own, and a bias, at each place. Weights are channels x (input channels · kernel) x places, biases channels x places.",
            "LeCun, Generalization and network design strategies, 1989",
            LocallyConnected,
            Argument.Integer("channels", "number of filters at each place, the channels of the result"),
            Argument.Kernel,
            Argument.Stride,
            Argument.Padding,
            Argument.Dilation,
            Argument.Bias,
            Argument.WeightInitializer,
            Argument.BiasInitializer),
    ];

    /// <summary>Every channel through the same filters: a depthwise convolution.</summary>
    /// <param name="filters">Filters x kernel elements.</param>
    public static Node Apply(GraphBuilder builder, Node x, Window window, IEnumerable<double> filters)
    {
        var numbers = filters.ToArray();
        var (channels, count) = (x.Shape.Channels, numbers.Length / window.KernelCount);
        var table = builder.Constant(Shape.Of(1, count, window.KernelCount), numbers);
        var all = channels == 1 ? table : builder.Add(Primitives.Pointwise, new PointwiseAttributes(X, Shape.Of(channels, count, window.KernelCount)), table);
        var weights = builder.Reshape(all, Shape.Of(checked(channels * count), window.Kernel.Insert(0, 1)));
        return builder.Add(Primitives.Convolution, new ConvolutionAttributes(window, channels), x, weights);
    }

    private static Node Filter(OperatorCall call, Node x)
    {
        var (padded, window) = PaddingModes.Apply(call.Builder, x, WindowArguments.Read(call, x, "filter", pooling: false), call.Word("pad_mode", "zeros"));
        var numbers = call.Numbers("filters");
        return numbers.Length > 0 && numbers.Length % window.KernelCount == 0
            ? Apply(call.Builder, padded, window, numbers)
            : throw new OperatorException(
                "CNN2050", "filters", $"the filters of 'filter' hold {Text(numbers.Length)} numbers, and a filter of {Dims(window.Kernel)} has {Text(window.KernelCount)}; write as many for each");
    }

    private static Node Unfold(OperatorCall call, Node x, string name)
    {
        var window = WindowArguments.Read(call, x, name, pooling: false);
        var size = window.KernelCount;
        return Apply(call.Builder, x, window, Enumerable.Range(0, checked(size * size)).Select(i => i / size == i % size ? 1.0 : 0));
    }

    private static Node LocallyConnected(OperatorCall call, Node x)
    {
        var builder = call.Builder;
        var columns = Unfold(call, x, "locally_connected");
        var (channels, inputs) = (call.Integer("channels"), columns.Shape.Channels);
        var places = checked((int)(columns.Shape.Count / inputs));
        var init = ConvolutionOperators.FanIn(inputs, channels);
        var weight = call.Parameter("weight", Shape.Of(channels, inputs, places), call.Initializer("init", init));
        var products = builder.Pointwise(X * Y, builder.Reshape(columns, Shape.Of(1, inputs, places)), weight);
        var y = builder.Reshape(builder.Sum(products, [1], overBatch: false), Shape.Of(channels, columns.Shape.Spatial));
        return call.Boolean("bias", true)
            ? builder.Pointwise(X + Y, y, call.Parameter("bias", y.Shape, call.Initializer("bias_init", init)))
            : y;
    }
}
