// Convolution in which not every filter sees every channel (LeNet's C3). The weights that exist are one parameter of
// links x kernel; the full table of weights is put together from its slices and zeros, once for all samples.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using static ModelCompiler.Operators.Messages;

namespace ModelCompiler.Operators;

internal static class ConnectionTable
{
    public static Node Build(OperatorCall call, Node x, Window window, int channels, int groups)
    {
        var inputs = x.Shape.Channels;
        var table = Read(call, channels, inputs, groups);
        var links = table.Sum(row => row.Count);
        var fanIn = Math.Max(1, links / channels) * window.KernelCount;
        var packed = call.Parameter(
            "weight", Shape.Of(links, window.Kernel), call.Initializer("init", ConvolutionOperators.FanIn(fanIn, fanIn)));
        var builder = call.Builder;
        var absent = builder.Fill(0, Shape.Of(1, window.Kernel));
        var link = 0;
        var pieces = table.SelectMany(row => Enumerable.Range(0, inputs).Select(input => row.Contains(input) ? builder.Slice(packed, 0, link++, 1) : absent));
        var full = builder.Reshape(builder.Concat(0, pieces.ToImmutableArray()), Shape.Of(channels, window.Kernel.Insert(0, inputs)));
        var attributes = new ConvolutionAttributes(window, 1);
        return call.Boolean("bias", true)
            ? builder.Add(Primitives.Convolution, attributes, x, full, ConvolutionOperators.Bias(call, channels, fanIn))
            : builder.Add(Primitives.Convolution, attributes, x, full);
    }

    private static ImmutableArray<SortedSet<int>> Read(OperatorCall call, int channels, int inputs, int groups)
    {
        var table = call.Table("connections");
        var problem = groups != 1 ? "stand in for groups; leave groups out"
            : table.Length != channels ? $"have {Text(table.Length)} rows, and there are {Text(channels)} filters; write one list for each"
            : table.Any(row => row.IsEmpty) ? "leave a filter without any input; give every filter at least one"
            : table.Any(row => row.Any(input => input < 0 || input >= inputs || input != Math.Floor(input)))
                ? $"name channels from 0 to {Text(inputs - 1)} only, as {Describe(call.Inputs[0])} has {Text(inputs)}"
            : null;
        return problem is null
            ? table.Select(row => new SortedSet<int>(row.Select(input => (int)input))).ToImmutableArray()
            : throw new OperatorException("CNN2050", "connections", $"the connections of 'conv' {problem}");
    }
}
