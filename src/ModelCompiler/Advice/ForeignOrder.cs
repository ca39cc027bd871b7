// PyTorch's Conv2d(in, out, kernel) is understood here, as something else: conv(channels, kernel, stride). The network that
// comes of it is legal and wrong.
using System.Globalization;
using ModelCompiler.Graph;

namespace ModelCompiler.Advice;

internal static class ForeignOrder
{
    /// <summary>Kernels beyond it with a smaller stride are rarer than slips.</summary>
    private const int LargestKernel = 15;

    public static void Check(LayerGraph layers, Hint hint)
    {
        foreach (var layer in layers.Graph.Layers.Where(layer => layer.Inputs.Length == 1 && layer.Inputs[0].Shape.Rank > 1))
        {
            var written = layer.Description.Split([", "], StringSplitOptions.None).TakeWhile(text => text.IndexOf(':') < 0).ToList();
            switch (layer.Operator)
            {
                case "conv" or "upconv" when written.Count >= 3 && Number(written[0]) == layer.Inputs[0].Shape[0] && IsSlip(written[1], written[2]):
                    hint("CNN4012", layer.Place, $"these are {written[0]} channels with a kernel of {written[1]} and a stride of {written[2]}; the channels of the input are known: did you mean '{layer.Operator}({written[1]}, {written[2]})'?");
                    break;
                case "depthwise" when written.Count >= 2 && IsSlip(written[0], written[1]):
                    hint("CNN4012", layer.Place, $"this is a kernel of {written[0]} with a stride of {written[1]}; the channels of the input are known: did you mean 'depthwise({written[1]})'?");
                    break;
            }
        }
    }

    /// <summary>A number where the kernel stands, and dims behind it, or a kernel larger than any.</summary>
    private static bool IsSlip(string kernel, string stride) =>
        kernel.IndexOf('x') < 0 && Number(kernel) is { } size && Number(stride) is { } step && step < size && (size > LargestKernel || stride.IndexOf('x') > 0);

    /// <summary>An integer, or the first size of dims.</summary>
    private static int? Number(string text) =>
        int.TryParse(text.Split('x')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
