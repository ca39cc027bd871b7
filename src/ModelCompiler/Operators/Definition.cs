// How a family declares its words: a signature and a function that builds the graph.
using System.Collections.Immutable;
using ModelCompiler.Graph;

namespace ModelCompiler.Operators;

/// <summary>An operator given by its signature and the function that builds it.</summary>
internal sealed class Definition(Signature signature, Func<OperatorCall, ImmutableArray<Node>> build) : Operator
{
    public override Signature Signature { get; } = signature;

    /// <summary>Results beyond 2^31 - 1 elements are the user's mistake too, wherever the arithmetic notices them.</summary>
    public override ImmutableArray<Node> Build(OperatorCall call)
    {
        try
        {
            var results = build(call);
            return results.All(node => node.Shape.Count <= int.MaxValue) ? results : throw new OverflowException();
        }
        catch (OverflowException)
        {
            throw new OperatorException(
                "CNN3012", null, $"'{Signature.Name}' on {string.Join(", ", call.Inputs.Select(Messages.Describe))} would make a tensor of more than 2147483647 elements; use smaller sizes");
        }
    }

    /// <summary>An operator of one tensor.</summary>
    public static Operator Unary(string name, string summary, Func<OperatorCall, Node, Node> build, params ArgumentSpec[] arguments) =>
        Unary(name, summary, "", build, arguments);

    public static Operator Unary(string name, string summary, string paper, Func<OperatorCall, Node, Node> build, params ArgumentSpec[] arguments) =>
        new Definition(new Signature(name, ["input"], false, [.. arguments], summary, paper), call => [build(call, call.Inputs[0])]);

    /// <summary>An operator of as many tensors as it names.</summary>
    public static Operator Of(string name, string[] inputs, string summary, string paper, Func<OperatorCall, Node> build, params ArgumentSpec[] arguments) =>
        new Definition(new Signature(name, [.. inputs], false, [.. arguments], summary, paper), call => [build(call)]);

    /// <summary>An operator that joins a list of tensors.</summary>
    public static Operator Variadic(string name, string summary, Func<OperatorCall, Node> build, params ArgumentSpec[] arguments) =>
        new Definition(new Signature(name, ["inputs"], true, [.. arguments], summary), call => [build(call)]);
}

/// <summary>Short forms of argument declarations. A null default makes an argument required.</summary>
internal static class Argument
{
    /// <summary>Kernels, strides and pads beyond this are slips of the finger; below it no sum of them overflows.</summary>
    private const double LargestDimension = 1 << 14;

    public static ArgumentSpec Integer(string name, string documentation, string? defaultText = null, double minimum = 1, double maximum = 1 << 24) =>
        new(name, ArgumentKind.Integer, documentation, defaultText, minimum, maximum);

    public static ArgumentSpec Number(
        string name, string documentation, string defaultText, double minimum = double.NegativeInfinity, double maximum = double.PositiveInfinity) =>
        new(name, ArgumentKind.Number, documentation, defaultText, minimum, maximum);

    public static ArgumentSpec Boolean(string name, string documentation, string defaultText) =>
        new(name, ArgumentKind.Boolean, documentation, defaultText);

    public static ArgumentSpec Dims(string name, string documentation, string? defaultText = null, double minimum = 1) =>
        new(name, ArgumentKind.Dims, documentation, defaultText, minimum, LargestDimension);

    public static ArgumentSpec Axis(string name, string documentation, string defaultText) =>
        new(name, ArgumentKind.Integer, documentation + "; negative numbers count from the last", defaultText, int.MinValue, int.MaxValue);

    public static ArgumentSpec Word(string name, string documentation, string defaultText, params string[] words) =>
        new(name, ArgumentKind.Word, documentation, defaultText, Words: [.. words]);

    public static ArgumentSpec Initializer(string name, string documentation, string defaultText) =>
        new(name, ArgumentKind.Initializer, documentation, defaultText);

    public static readonly ArgumentSpec Kernel = Dims("kernel", "size of the window, for every spatial axis or one number each");

    public static readonly ArgumentSpec Stride = Dims("stride", "step of the window", "1");

    public static readonly ArgumentSpec PoolStride = Dims("stride", "step of the window", "same as kernel");

    public static readonly ArgumentSpec Padding = new(
        "pad", ArgumentKind.Padding, "zeros around the input on both sides; 'same' keeps the size (divided by the stride), 'full' pads by the kernel less one",
        "0", 0, LargestDimension);

    public static readonly ArgumentSpec PoolPadding = new(
        "pad", ArgumentKind.Padding, "elements around the input on both sides, at most half of the kernel; 'same' keeps the size (divided by the stride)",
        "0", 0, LargestDimension);

    public static readonly ArgumentSpec Dilation = Dims("dilation", "distance between the elements of the window", "1");

    public static readonly ArgumentSpec Ceil = Boolean("ceil", "keep a last window that is only partly filled", "false");

    public static readonly ArgumentSpec Groups = Integer("groups", "groups of channels that do not see each other; divides both channel counts", "1");

    public static readonly ArgumentSpec Bias = Boolean("bias", "add a trainable number to every output channel", "true");

    public static readonly ArgumentSpec WeightInitializer = Initializer("init", "how the weights start", "uniform in ±1/sqrt(fan in)");

    public static readonly ArgumentSpec BiasInitializer = Initializer("bias_init", "how the biases start", "uniform in ±1/sqrt(fan in)");

    public static readonly ArgumentSpec Epsilon = Number("eps", "added to the variance", "1e-5", 0, 1);
}
