// Hints that teach: networks that work, but not as their author may think. Each rule looks at the finished graph and
// says at most one thing about a place; a project switches any of them off by its code.
using ModelCompiler.Grammar;
using ModelCompiler.Graph;

namespace ModelCompiler.Advice;

/// <summary>Receives a hint: code, place, message, and the places that explain it.</summary>
internal delegate void Hint(string code, SourceSpan place, string message, params DiagnosticNote[] notes);

internal static class Advisor
{
    private static readonly Action<LayerGraph, Hint>[] Rules =
    [
        LinearLayers.Check,
        NormalizationOrder.Check,
        LossInputs.Check,
        ForeignOrder.Check,
        Sizes.CheckParameters,
        Sizes.CheckReceptiveField,
        ObjectScale.Check,
    ];

    public static void Advise(NetworkGraph graph, Hint hint)
    {
        var layers = new LayerGraph(graph);
        foreach (var rule in Rules)
        {
            rule(layers, hint);
        }
    }
}

/// <summary>A network as layers that feed layers.</summary>
internal sealed class LayerGraph
{
    private readonly Dictionary<Node, Layer> makers = new();
    private readonly Dictionary<Node, int> uses = new();

    public LayerGraph(NetworkGraph graph)
    {
        Graph = graph;
        foreach (var layer in graph.Layers)
        {
            // An operator that passes its input on (dropout of rate 0) is not its maker.
            if (!layer.Inputs.Contains(layer.Output) && !makers.ContainsKey(layer.Output))
            {
                makers.Add(layer.Output, layer);
            }
        }

        foreach (var input in graph.Layers.SelectMany(layer => layer.Inputs.Distinct()).Concat(graph.Outputs.Select(output => output.Node)))
        {
            uses[input] = Uses(input) + 1;
        }
    }

    public NetworkGraph Graph { get; }

    /// <summary>The layer that made a value; null for inputs and for what belongs to no layer.</summary>
    public Layer? Maker(Node node) => makers.TryGetValue(node, out var layer) ? layer : null;

    /// <summary>How many layers and outputs read a value.</summary>
    public int Uses(Node node) => uses.TryGetValue(node, out var count) ? count : 0;
}
