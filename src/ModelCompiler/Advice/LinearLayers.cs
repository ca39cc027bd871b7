// Two linear layers with nothing between them are one linear layer, at the price of two.
using System.Collections.Immutable;
using ModelCompiler.Grammar;
using ModelCompiler.Graph;
using ModelCompiler.Operators;

namespace ModelCompiler.Advice;

internal static class LinearLayers
{
    public static void Check(LayerGraph layers, Hint hint)
    {
        foreach (var second in layers.Graph.Layers.Where(IsLinear))
        {
            if (layers.Maker(second.Inputs[0]) is { } first && first.Operator == second.Operator && IsLinear(first)
                && layers.Uses(first.Output) == 1 && !IsFactorization(first, second))
            {
                var word = second.Operator == "conv" ? "convolutions" : "dense layers";
                hint("CNN4001", second.Place, $"two {word} in a row with nothing non-linear between them equal one; put an activation such as 'relu' between them",
                    new DiagnosticNote(first.Place, "the first of the two"));
            }
        }
    }

    private static bool IsLinear(Layer layer) => layer.Operator == "dense" || Convolution(layer) is { Groups: 1 };

    /// <summary>A narrow middle, or a tall and a wide kernel: two cheap layers on purpose in place of an expensive one.</summary>
    private static bool IsFactorization(Layer first, Layer second)
    {
        var middle = Features(first.Output);
        if (middle < Features(first.Inputs[0]) && middle < Features(second.Output))
        {
            return true;
        }

        return Convolution(first)?.Window.Kernel is { } a && Convolution(second)?.Window.Kernel is { } b
            && a.Zip(b, (x, y) => x > y).Contains(true) && a.Zip(b, (x, y) => x < y).Contains(true);
    }

    private static int Features(Node node) => node.Shape.Rank == 3 || node.Shape.Rank == 4 ? node.Shape[0] : node.Shape.Dimensions.LastOrDefault();

    private static ConvolutionAttributes? Convolution(Layer layer) =>
        layer.Operator == "conv" ? layer.Output.Attributes as ConvolutionAttributes : null;
}
