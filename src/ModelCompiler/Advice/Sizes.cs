// Sizes that are out of proportion: a layer with most of the parameters, a receptive field far beyond the input.
using System.Collections.Immutable;
using System.Globalization;
using ModelCompiler.Graph;

namespace ModelCompiler.Advice;

internal static class Sizes
{
    private const long SmallNetwork = 100_000;

    /// <summary>Networks of a hundred layers reach four times their input by depth alone.</summary>
    private const double Beyond = 4;

    public static void CheckParameters(LayerGraph layers, Hint hint)
    {
        var counts = layers.Graph.Layers.GroupBy(layer => layer.Path, StringComparer.Ordinal).Select(group => group.First())
            .Select(layer => (Layer: layer, Count: layer.Parameters.Where(node => node.As<ParameterAttributes>().Trainable).Sum(node => node.Shape.Count)))
            .Where(pair => pair.Count > 0).ToList();
        var total = counts.Sum(pair => pair.Count);
        if (total < SmallNetwork || counts.Count < 3)
        {
            return;
        }

        foreach (var (layer, count) in counts.Where(pair => pair.Count * 2 > total))
        {
            var remedy = layer.Operator == "dense" ? "; '-> global_avgpool' in front of it, or a smaller map, makes it small" : "";
            hint("CNN4007", layer.Place, $"this layer holds {Text(count)} of the {Text(total)} parameters of the network ({Text(100 * count / total)} %){remedy}");
        }
    }

    public static void CheckReceptiveField(LayerGraph layers, Hint hint)
    {
        var graph = layers.Graph;
        var fields = ReceptiveField.Of(graph);
        foreach (var input in graph.Inputs.Select(input => input.Node).Where(node => node.Shape.Rank >= 2))
        {
            foreach (var node in graph.Nodes.Where(HasLocalWindow))
            {
                if (!fields.TryGetValue(node, out var seen) || seen.Size.Length != input.Shape.Rank - 1)
                {
                    continue;
                }

                var field = seen.Size;
                var axis = Enumerable.Range(0, field.Length).FirstOrDefault(i => field[i] > Beyond * input.Shape[i + 1], -1);
                if (axis >= 0 && node.Origin.Place is { } place)
                {
                    hint("CNN4008", place, $"an element behind this layer sees a window of {Text(field[axis])} of the {Text(input.Shape[axis + 1])} elements of the input, more than four times as many as there are; the layers from here on work on padding for a large part");
                    return;
                }
            }
        }
    }

    /// <summary>Global pooling sees everything on purpose.</summary>
    private static bool HasLocalWindow(Node node) => node.Primitive.Window(node) is { } window
        && !(node.Shape.Spatial.All(size => size == 1) && window.Kernel.SequenceEqual(node.Inputs[0].Shape.Spatial));

    private static int FirstOrDefault(this IEnumerable<int> axes, Func<int, bool> condition, int fallback)
    {
        foreach (var axis in axes)
        {
            if (condition(axis))
            {
                return axis;
            }
        }

        return fallback;
    }

    private static string Text(long number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
