// How windows read in names and comments of kernels.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Graph;

namespace ModelCompiler.Kernels;

internal static class WindowText
{
    /// <summary><c>3x3 stride 2x2 pad 1x1</c>; whatever is trivial is left out.</summary>
    public static string Of(Window window)
    {
        var text = Dims(window.Kernel);
        if (window.Stride.Any(s => s != 1))
        {
            text += $" stride {Dims(window.Stride)}";
        }

        if (window.PadBegin.Any(p => p != 0) || window.PadEnd.Any(p => p != 0))
        {
            text += window.PadBegin.AsSpan().SequenceEqual(window.PadEnd.AsSpan())
                ? $" pad {Dims(window.PadBegin)}"
                : $" pad {Dims(window.PadBegin)} and {Dims(window.PadEnd)}";
        }

        return window.Dilation.Any(d => d != 1) ? $"{text} dilation {Dims(window.Dilation)}" : text;
    }

    private static string Dims(ImmutableArray<int> numbers) => string.Join("x", numbers.Select(n => Literals.Int(n)));
}
