// Padding by what the picture itself holds: its mirror image, its edge, or its other side. All are slices joined, so
// gradient and code come free.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using static ModelCompiler.Operators.Messages;

namespace ModelCompiler.Operators;

internal static class PaddingModes
{
    public static readonly ArgumentSpec Mode = Argument.Word(
        "pad_mode",
        "what surrounds the input: zeros, its mirror image without the edge or with it, its edge repeated, or its other side",
        "zeros",
        "zeros",
        "reflect",
        "symmetric",
        "replicate",
        "circular");

    /// <summary>Convolutions can also make up for what padding lacks.</summary>
    public static readonly ArgumentSpec ConvolutionMode = Mode with
    {
        Documentation = Mode.Documentation + "; 'partial' are zeros that do not count, the sum of a window scaled by its size over what of it is inside (Liu et al., Partial convolution based padding, 2018)",
        Words = Mode.Words.Add("partial"),
    };

    /// <summary>Pads one axis.</summary>
    public static Node Pad(GraphBuilder builder, Node x, int axis, int before, int after, string mode)
    {
        if (before == 0 && after == 0)
        {
            return x;
        }

        if (mode == "zeros")
        {
            return builder.Add(Primitives.Pad, new PadAttributes(axis, before, after), x);
        }

        var size = x.Shape[axis];
        var most = mode switch { "reflect" => size - 1, "circular" or "symmetric" => size, _ => int.MaxValue };
        if (Math.Max(before, after) > most)
        {
            throw new OperatorException(
                "CNN2050", "pad_mode", $"pad {Text(Math.Max(before, after))} with pad_mode {mode} needs more than {AxisName(axis, x.Shape.Rank)} {Text(size)} of {Describe(x)} has; pad by at most {Text(most)}");
        }

        var left = Enumerable.Range(0, before).Select(i => Source(i - before, size, mode));
        var right = Enumerable.Range(size, after).Select(i => Source(i, size, mode));
        return builder.Concat(axis, [.. builder.Slices(x, axis, left), x, .. builder.Slices(x, axis, right)]);
    }

    /// <summary>Pads every spatial axis by the window's pads and gives the window without them.</summary>
    public static (Node Padded, Window Window) Apply(GraphBuilder builder, Node x, Window window, string mode)
    {
        if (mode is "zeros" or "partial")
        {
            return (x, window);
        }

        for (var axis = 0; axis < window.Rank; axis++)
        {
            x = Pad(builder, x, axis + 1, window.PadBegin[axis], window.PadEnd[axis], mode);
        }

        var zeros = Repeat(0, window.Rank);
        return (x, new Window(window.Kernel, window.Stride, zeros, zeros, window.Dilation));
    }

    /// <summary>Which element stands at a place outside of [0, size).</summary>
    private static int Source(int place, int size, string mode) => mode switch
    {
        "reflect" => place < 0 ? -place : (2 * (size - 1)) - place,
        "symmetric" => place < 0 ? -1 - place : (2 * size) - 1 - place,
        "circular" => (place + size) % size,
        _ => place < 0 ? 0 : size - 1,
    };
}
