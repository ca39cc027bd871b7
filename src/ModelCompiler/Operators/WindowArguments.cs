// Kernel, stride, pad and dilation as the user wrote them become a Window that fits its input, or an error that
// says which pad or kernel would.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using static ModelCompiler.Operators.Messages;

namespace ModelCompiler.Operators;

internal static class WindowArguments
{
    /// <summary>Space that an operator slides over: 1 to 3 axes behind the channels.</summary>
    public static ImmutableArray<int> Spatial(Node x, string name)
    {
        if (x.Shape.Rank is >= 2 and <= 4)
        {
            return x.Shape.Spatial;
        }

        var remedy = x.Shape.Rank <= 1 ? "put it before 'flatten' or 'dense', or use 'reshape'" : "use 'reshape' to merge axes";
        throw new OperatorException(
            "CNN3001", null, $"'{name}' works on channels and 1 to 3 spatial axes (CxL, CxHxW, CxDxHxW), not on {Describe(x)}; {remedy}");
    }

    /// <param name="pooling">Pooling: the stride defaults to the kernel, and padding may not exceed half of the kernel.</param>
    public static Window Read(OperatorCall call, Node x, string name, bool pooling)
    {
        var spatial = Spatial(x, name);
        var axes = spatial.Length;
        var kernel = call.Dims("kernel", axes);
        var stride = call.Has("stride") || !pooling ? call.Dims("stride", axes, 1) : kernel;
        var dilation = call.Dims("dilation", axes, 1);
        var bare = new Window(kernel, stride, Repeat(0, axes), Repeat(0, axes), dilation);
        var (begin, end) = Pads(call, spatial, bare);
        if (pooling && call.PaddingWord("pad") is null)
        {
            CheckPoolPadding(name, kernel, begin);
        }

        if (call.Boolean("ceil"))
        {
            end = end.Select((pad, axis) => pad + CeilPadding(spatial[axis], begin[axis], pad, stride[axis], bare.Extent(axis))).ToImmutableArray();
        }

        var window = new Window(kernel, stride, begin, end, dilation);
        Check(x, name, window);
        AdviseOnUnused(call, spatial, window);
        return window;
    }

    private static (ImmutableArray<int> Begin, ImmutableArray<int> End) Pads(OperatorCall call, ImmutableArray<int> spatial, Window window)
    {
        if (call.Boolean("causal"))
        {
            return (spatial.Select((_, axis) => window.Extent(axis) - 1).ToImmutableArray(), Repeat(0, spatial.Length));
        }

        switch (call.PaddingWord("pad"))
        {
            case "same":
                // The size becomes ceil(size / stride); an odd rest goes to the end.
                var total = spatial.Select((size, axis) =>
                {
                    var outputs = ((size - 1) / window.Stride[axis]) + 1;
                    return Math.Max(0, ((outputs - 1) * window.Stride[axis]) + window.Extent(axis) - size);
                }).ToImmutableArray();
                return (total.Select(t => t / 2).ToImmutableArray(), total.Select(t => t - (t / 2)).ToImmutableArray());
            case "full":
                var full = spatial.Select((_, axis) => window.Extent(axis) - 1).ToImmutableArray();
                return (full, full);
            default:
                var pad = call.Dims("pad", spatial.Length, 0);
                return (pad, pad);
        }
    }

    /// <summary>What the last window lacks, unless it would start outside of the input and its left padding.</summary>
    private static int CeilPadding(int size, int begin, int end, int stride, int extent)
    {
        var rest = (size + begin + end - extent) % stride;
        var start = size + begin + end - extent - rest + stride;
        return rest <= 0 || start >= size + begin ? 0 : stride - rest;
    }

    private static void CheckPoolPadding(string name, ImmutableArray<int> kernel, ImmutableArray<int> pad)
    {
        for (var axis = 0; axis < kernel.Length; axis++)
        {
            if (pad[axis] > kernel[axis] / 2)
            {
                throw new OperatorException(
                    "CNN2050", "pad", $"pad {Text(pad[axis])} is more than half of the kernel {Dims(kernel)} of '{name}': windows would hold nothing but padding; pad by at most {Text(kernel[axis] / 2)}");
            }
        }
    }

    private static void Check(Node x, string name, Window window)
    {
        var spatial = x.Shape.Spatial;
        if (spatial.Select((size, axis) => window.OutputSize(axis, size)).All(size => size > 0))
        {
            return;
        }

        var missing = spatial.Select((size, axis) => window.Extent(axis) - size - window.PadBegin[axis] - window.PadEnd[axis]).Max();
        var pad = ((missing + 1) / 2) + window.PadBegin.Max();
        var largest = spatial.Select((size, axis) =>
            Math.Min(window.Kernel[axis], ((size + window.PadBegin[axis] + window.PadEnd[axis] - 1) / window.Dilation[axis]) + 1));
        var dilated = window.Dilation.Any(d => d > 1) ? $" (dilated to {Dims(Enumerable.Range(0, window.Rank).Select(window.Extent))})" : "";
        var padded = window.PadBegin.Any(p => p > 0) ? ", even padded," : "";
        throw new OperatorException(
            "CNN3002",
            "kernel",
            $"'{name}' with kernel {Dims(window.Kernel)}{dilated} does not fit its input: {Describe(x)}{padded} is smaller than the kernel; pad by at least {Text(pad)}, or use a kernel of at most {Dims(largest)}");
    }

    /// <summary>A stride that does not divide leaves the last rows or columns unread. Padding left unread is no loss, and a
    /// kernel smaller than its stride skips on purpose.</summary>
    private static void AdviseOnUnused(OperatorCall call, ImmutableArray<int> spatial, Window window)
    {
        for (var axis = 0; axis < spatial.Length; axis++)
        {
            var room = spatial[axis] + window.PadBegin[axis] + window.PadEnd[axis] - window.Extent(axis);
            var unused = (room % window.Stride[axis]) - window.PadEnd[axis];
            if (unused > 0 && window.Extent(axis) >= window.Stride[axis])
            {
                var unit = AxisName(axis + 1, spatial.Length + 1) switch { "height" => "rows", "width" => "columns", "depth" => "slices", _ => "positions" };
                var sum = window.PadBegin[axis] + window.PadEnd[axis] == 0 ? Text(spatial[axis]) : $"{Text(spatial[axis])} + {Text(window.PadBegin[axis] + window.PadEnd[axis])}";
                call.Advise(
                    "CNN4003",
                    call.Has("stride") ? "stride" : "kernel",
                    $"stride {Text(window.Stride[axis])} leaves {Text(unused)} of {Text(spatial[axis])} {unit} unused: ({sum} - {Text(window.Extent(axis))}) / {Text(window.Stride[axis])} is not whole");
                return;
            }
        }
    }
}
