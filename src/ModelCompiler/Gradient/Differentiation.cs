// Reverse-mode differentiation, graph to graph: what training computes is a graph like any other, so that fusion,
// planning and code generation need not know what a gradient is.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using ModelCompiler.Operators;

namespace ModelCompiler.Gradient;

/// <summary>A network with its backward pass.</summary>
/// <param name="Graph">Primitives only: forward, loss, gradients and new running statistics.</param>
/// <param name="Gradients">For each trainable parameter, in the graph's order, d loss / d parameter; zeros where the loss does not see it.</param>
/// <param name="InputGradients">For each input, where asked for, d loss / d input, one value per sample.</param>
public sealed record TrainingGraph(
    NetworkGraph Graph, ImmutableArray<(Node Parameter, Node Gradient)> Gradients, ImmutableArray<(string Input, Node Gradient)> InputGradients)
{
    /// <summary>Values that the backward pass computes again: inside of <c>checkpoint(…)</c>, and where that is cheap.</summary>
    public ImmutableArray<(Node Original, Node Again)> Recomputed { get; init; } = [];

    /// <summary>Values that are stored though one reader alone remains: had they been kept for the backward pass, they would be, and
    /// both ways are to give the same bits.</summary>
    public ImmutableArray<Node> Stored { get; init; } = [];
}

public static class Differentiation
{
    /// <summary>Extends a network by the gradient of its loss.</summary>
    /// <param name="inputGradients">Also differentiate with respect to the inputs.</param>
    /// <param name="again">Which values are computed again for the backward pass, where no <c>checkpoint(…)</c> says so; null keeps all.</param>
    /// <exception cref="ArgumentException">The network has no loss.</exception>
    public static TrainingGraph Differentiate(NetworkGraph graph, bool inputGradients = false, CheapRecomputation? again = null)
    {
        if (graph.Loss is null)
        {
            throw new ArgumentException($"Network '{graph.Name}' has no loss to differentiate.", nameof(graph));
        }

        var trainable = graph.Parameters.Where(p => p.As<ParameterAttributes>().Trainable).ToImmutableArray();
        var roots = graph.Outputs.Concat(graph.Inputs).Select(named => named.Node).Concat([graph.Loss]).Concat(graph.Parameters);
        var lowering = Lowering.Of(graph, roots, training: true);
        var builder = lowering.Builder;
        var inputs = inputGradients ? graph.Inputs : [];
        var sources = trainable.Concat(inputs.Select(input => input.Node)).Select(node => lowering.Values[node]).ToImmutableArray();
        var loss = lowering.Values[graph.Loss];
        var gradients = Backward(lowering.Tape, loss, sources, builder);

        Node GradientOf(Node node)
        {
            var value = lowering.Values[node];
            return gradients.TryGetValue(value, out var gradient) ? gradient : builder.Fill(0, value.Shape, value.Batched);
        }

        var ofParameters = trainable.Select(parameter => (lowering.Values[parameter], Gradient: GradientOf(parameter))).ToArray();
        var ofInputs = inputs.Select(input => (input.Name, Gradient: GradientOf(input.Node))).ToArray();
        var kept = ofParameters.Select(p => p.Gradient)
            .Concat(ofInputs.Select(i => i.Gradient))
            .Concat(graph.Parameters.Select(parameter => lowering.Values[parameter]));
        var (result, copy) = lowering.Finish(graph, graph.Outputs, loss, LastUpdates(builder), kept);
        return Recomputation.Run(new TrainingGraph(
            result,
            ofParameters.Select(p => (copy(p.Item1), copy(p.Gradient))).ToImmutableArray(),
            ofInputs.Select(i => (i.Name, copy(i.Gradient))).ToImmutableArray()), again);
    }

    /// <summary>Gradients of the loss with respect to the sources and all that lies between.</summary>
    private static NodeMap<Node> Backward(List<TapeEntry> tape, Node loss, ImmutableArray<Node> sources, GraphBuilder builder)
    {
        var differentiable = Dependents(builder.Nodes, sources);
        var parts = new NodeMap<List<Node>> { [loss] = [builder.Fill(1, Shape.Scalar)] };
        var gradients = new NodeMap<Node>();
        foreach (var (node, value) in tape.OrderByDescending(entry => entry.Value.Id))
        {
            if (!parts.TryGetValue(value, out var contributions) || !differentiable.Contains(value))
            {
                continue;
            }

            builder.Origin = node.Origin with { Backward = true };
            var upstream = Contributions.Total(contributions, value, builder);
            gradients.Add(value, upstream);
            var wanted = node.Inputs.Select(differentiable.Contains).ToImmutableArray();
            var results = wanted.Contains(true) ? node.Primitive.Gradient(node, upstream, wanted, builder) : [];
            for (var i = 0; i < results.Length; i++)
            {
                if (wanted[i] && results[i] is { } gradient)
                {
                    var input = node.Inputs[i];
                    if (!parts.TryGetValue(input, out var list))
                    {
                        parts.Add(input, list = []);
                    }

                    list.Add(MatchBatch(gradient, input, builder));
                }
            }
        }

        return gradients;
    }

    private static NodeSet Dependents(IEnumerable<Node> nodes, ImmutableArray<Node> sources)
    {
        var found = new NodeSet(sources);
        foreach (var node in nodes.Where(node => node.Inputs.Any(found.Contains)))
        {
            found.Add(node);
        }

        return found;
    }

    /// <summary>A gradient has a value per sample exactly where its node has: what every sample shares collects from all.</summary>
    private static Node MatchBatch(Node gradient, Node node, GraphBuilder builder)
    {
        if (gradient.Batched == node.Batched)
        {
            return gradient;
        }

        return node.Batched
            ? builder.Formula(Formulas.X, [gradient], gradient.Shape, batched: true)
            : builder.Sum(gradient, [], overBatch: true);
    }

    /// <summary>A layer used twice has two updates, the second made from the first.</summary>
    private static List<StateUpdate> LastUpdates(GraphBuilder builder) =>
        builder.Updates.GroupBy(update => update.Parameter).Select(updates => updates.Last()).ToList();
}
