// The convolutional layers of the language: all are one primitive with different groups and directions.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using static ModelCompiler.Operators.Messages;

namespace ModelCompiler.Operators;

internal static class ConvolutionOperators
{
    public static readonly ImmutableArray<Operator> All =
    [
        Definition.Unary(
            "conv",
            "Convolution over 1 to 3 spatial axes (cross-correlation, as every framework has it), with weights channels x input channels/groups x kernel.",
            "LeCun et al., Gradient-based learning applied to document recognition, 1998",
            (call, x) => Build(call, x, "conv", call.Integer("channels"), call.Integer("groups", 1)),
            Argument.Integer("channels", "number of filters, the channels of the result"),
            Argument.Kernel,
            Argument.Stride,
            Argument.Padding,
            Argument.Dilation,
            Argument.Groups,
            Argument.Bias,
            Argument.WeightInitializer,
            Argument.BiasInitializer,
            PaddingModes.ConvolutionMode,
            Argument.Boolean("causal", "pad only in front, so that nothing sees what comes after it; replaces pad", "false"),
            Argument.Boolean("flip", "convolution as mathematics defines it, with the kernel turned around", "false"),
            WeightParametrization.Parametrize,
            new ArgumentSpec(
                "connections", ArgumentKind.List, "for every filter the list of input channels that it sees, as in LeNet's C3; weights exist only for those", "all")),
        Definition.Unary(
            "separable",
            "A depthwise convolution and a 1x1 convolution: weights depthwise.weight and pointwise.weight.",
            "Chollet, Xception, 2017",
            BuildSeparable,
            Argument.Integer("channels", "channels of the result"),
            Argument.Kernel,
            Argument.Stride,
            Argument.Padding,
            Argument.Dilation,
            Argument.Bias,
            Argument.WeightInitializer,
            Argument.BiasInitializer),
        Definition.Unary(
            "depthwise",
            "Convolution of every channel by filters of its own: a grouped convolution with as many groups as channels.",
            "Howard et al., MobileNets, 2017",
            BuildDepthwise,
            Argument.Kernel,
            Argument.Stride,
            Argument.Padding,
            Argument.Dilation,
            Argument.Integer("multiplier", "filters for each channel", "1"),
            Argument.Bias,
            Argument.WeightInitializer,
            Argument.BiasInitializer),
        Definition.Unary(
            "upconv",
            "Transposed convolution: the gradient of a convolution used forwards, with weights input channels x channels/groups x kernel.",
            "Zeiler et al., Deconvolutional networks, 2010",
            BuildTransposed,
            Argument.Integer("channels", "channels of the result"),
            Argument.Kernel,
            Argument.Stride,
            Argument.Dims("pad", "cropped from both sides of the result", "0", 0),
            Argument.Dims("output_pad", "added to the end of the result, less than the stride or the dilation", "0", 0),
            Argument.Dilation,
            Argument.Groups,
            Argument.Bias,
            Argument.WeightInitializer,
            Argument.BiasInitializer),
    ];

    private static Node Build(OperatorCall call, Node x, string name, int channels, int groups)
    {
        WindowArguments.Spatial(x, name);
        CheckGroups(name, groups, x.Shape.Channels, channels);
        var (padded, window) = PaddingModes.Apply(call.Builder, x, WindowArguments.Read(call, x, name, pooling: false), call.Word("pad_mode", "zeros"));
        return Layer(call, padded, window, channels, groups, "");
    }

    private static Node BuildSeparable(OperatorCall call, Node x)
    {
        WindowArguments.Spatial(x, "separable");
        var window = WindowArguments.Read(call, x, "separable", pooling: false);
        var (ones, zeros) = (Repeat(1, window.Rank), Repeat(0, window.Rank));
        var spatial = Layer(call, x, window, x.Shape.Channels, x.Shape.Channels, "depthwise.");
        return Layer(call, spatial, new Window(ones, ones, zeros, zeros, ones), call.Integer("channels"), 1, "pointwise.");
    }

    /// <summary>One convolution with parameters of its own.</summary>
    private static Node Layer(OperatorCall call, Node x, Window window, int channels, int groups, string prefix)
    {
        var weightShape = Shape.Of(channels, window.Kernel.Insert(0, x.Shape.Channels / groups));
        var fanIn = checked((int)weightShape.Count) / channels;
        if (call.Has("connections"))
        {
            return ConnectionTable.Build(call, x, window, channels, groups);
        }

        var weight = WeightParametrization.Weight(call, prefix, weightShape, call.Initializer("init", FanIn(fanIn, checked(channels / groups * window.KernelCount))));
        weight = call.Boolean("flip") ? Flip(call.Builder, weight) : weight;
        var attributes = new ConvolutionAttributes(window, groups);
        if (call.Word("pad_mode", "zeros") == "partial")
        {
            return Partial(call, call.Builder.Add(Primitives.Convolution, attributes, x, weight), window, fanIn);
        }

        return call.Boolean("bias", true)
            ? call.Builder.Add(Primitives.Convolution, attributes, x, weight, Bias(call, channels, fanIn, prefix))
            : call.Builder.Add(Primitives.Convolution, attributes, x, weight);
    }

    /// <summary>Where a window reaches into the padding, the sum counts for as much as a full one would; the bias comes after.</summary>
    private static Node Partial(OperatorCall call, Node y, Window window, int fanIn)
    {
        var spatial = call.Inputs[0].Shape.Spatial;
        for (var axis = 0; axis < window.Rank; axis++)
        {
            var (size, step, start) = (spatial[axis], window.Stride[axis], window.PadBegin[axis]);
            var shares = Enumerable.Range(0, y.Shape[axis + 1]).Select(place =>
            {
                var inside = Enumerable.Range(0, window.Kernel[axis]).Count(k => (place * step) - start + (k * window.Dilation[axis]) is var at && at >= 0 && at < size);
                return inside == 0 ? 0 : (double)window.Kernel[axis] / inside;
            }).ToArray();
            y = shares.All(share => share == 1) ? y : call.Builder.Pointwise(Formulas.X * Formulas.Y, y, call.Builder.AlongAxis(shares, axis + 1, y.Shape.Rank));
        }

        return call.Boolean("bias", true)
            ? call.Builder.Pointwise(Formulas.X + Formulas.Y, y, call.Builder.AsChannels(Bias(call, y.Shape.Channels, fanIn), y.Shape.Rank))
            : y;
    }

    /// <summary>The kernel turned around along every spatial axis.</summary>
    private static Node Flip(GraphBuilder builder, Node weight)
    {
        for (var axis = 2; axis < weight.Shape.Rank; axis++)
        {
            weight = builder.Concat(axis, Enumerable.Range(0, weight.Shape[axis]).Reverse().Select(i => builder.Slice(weight, axis, i, 1)).ToImmutableArray());
        }

        return weight;
    }

    private static Node BuildDepthwise(OperatorCall call, Node x)
    {
        WindowArguments.Spatial(x, "depthwise");
        return Build(call, x, "depthwise", checked(x.Shape.Channels * call.Integer("multiplier", 1)), x.Shape.Channels);
    }

    private static Node BuildTransposed(OperatorCall call, Node x)
    {
        var spatial = WindowArguments.Spatial(x, "upconv");
        var axes = spatial.Length;
        var (channels, groups) = (call.Integer("channels"), call.Integer("groups", 1));
        CheckGroups("upconv", groups, x.Shape.Channels, channels);
        var (kernel, stride, dilation) = (call.Dims("kernel", axes), call.Dims("stride", axes, 1), call.Dims("dilation", axes, 1));
        var (pad, extra) = (call.Dims("pad", axes, 0), call.Dims("output_pad", axes, 0));
        var window = new Window(kernel, stride, pad, pad, dilation);
        var sizes = spatial.Select((size, axis) => ((size - 1) * stride[axis]) - (2 * pad[axis]) + window.Extent(axis) + extra[axis]).ToImmutableArray();
        for (var axis = 0; axis < axes; axis++)
        {
            if (extra[axis] >= Math.Max(stride[axis], dilation[axis]))
            {
                throw new OperatorException(
                    "CNN2050", "output_pad", $"output_pad {Text(extra[axis])} must be smaller than the stride {Text(stride[axis])} or the dilation {Text(dilation[axis])}");
            }

            if (sizes[axis] <= 0)
            {
                throw new OperatorException(
                    "CNN3002", "pad", $"pad {Text(pad[axis])} crops everything: the result of 'upconv' on {Describe(x)} would have {AxisName(axis + 1, axes + 1)} {Text(sizes[axis])}; pad by at most {Text((sizes[axis] + (2 * pad[axis]) - 1) / 2)}");
            }
        }

        var weightShape = Shape.Of(x.Shape.Channels, kernel.Insert(0, channels / groups));
        var fanIn = checked((int)weightShape.Count) / x.Shape.Channels;
        var weight = call.Parameter("weight", weightShape, call.Initializer("init", FanIn(fanIn, checked(x.Shape.Channels / groups * window.KernelCount))));
        var attributes = new ConvolutionInputGradientAttributes(window, groups, Shape.Of(channels, sizes));
        var y = call.Builder.Add(Primitives.ConvolutionInputGradient, attributes, x, weight);
        return call.Boolean("bias", true)
            ? call.Builder.Pointwise(Formulas.X + Formulas.Y, y, call.Builder.AsChannels(Bias(call, channels, fanIn), y.Shape.Rank))
            : y;
    }

    private static void CheckGroups(string name, int groups, int inputs, int outputs)
    {
        foreach (var (what, count) in new[] { ("input", inputs), ("output", outputs) })
        {
            if (count % groups != 0)
            {
                throw new OperatorException(
                    "CNN3003", "groups", $"'{name}' cannot split {Text(count)} {what} channels into {Text(groups)} groups; both channel counts ({Text(inputs)} in, {Text(outputs)} out) must be divisible by the groups");
            }
        }
    }

    internal static Initializer FanIn(int fanIn, int fanOut) => new(InitializerKind.FanInUniform, 1, fanIn, fanOut);

    internal static Node Bias(OperatorCall call, int channels, int fanIn, string prefix = "") =>
        call.Parameter(prefix + "bias", Shape.Of(channels), call.Initializer("bias_init", FanIn(fanIn, channels)));
}
