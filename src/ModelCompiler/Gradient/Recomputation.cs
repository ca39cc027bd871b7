// Activation checkpointing (Chen et al., 2016): of what lies inside `checkpoint(…)` only what leaves it is kept until the
// backward pass, which computes the rest again when it gets there. Statistics and other values that all samples share are small
// and stay, so that a second pass changes no running statistic; dropout draws the same numbers again. Without being asked the same
// is done with cheap formulas of a value that the backward pass reads anyway.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using ModelCompiler.Operators;

namespace ModelCompiler.Gradient;

/// <summary>What may be computed again though nobody asked for it.</summary>
/// <param name="IsCheap">Whether a formula takes a few instructions.</param>
/// <param name="WorksOnASample">Whether a node is computed for each sample alone: what is made just for it need not be kept for the batch.</param>
/// <param name="IsCheapConvolution">Whether computing a convolution again costs less than keeping what it makes.</param>
public sealed record CheapRecomputation(Func<Expression, bool> IsCheap, Func<Node, bool> WorksOnASample, Func<Node, bool> IsCheapConvolution);

internal sealed class Recomputation
{
    private readonly GraphBuilder builder = new();
    private readonly NodeMap<Node> copies = new();
    private readonly Dictionary<Node, Node> again = new();
    private readonly HashSet<Node> dropped;

    private Recomputation(TrainingGraph training, HashSet<Node> cheap)
    {
        var graph = training.Graph;
        var left = new HashSet<Node>(graph.Nodes.Where(n => !n.Origin.Backward)
            .SelectMany(n => n.Inputs.Where(input => input.Origin.Checkpoint != n.Origin.Checkpoint))
            .Concat(graph.Outputs.Select(output => output.Node)));
        dropped = new HashSet<Node>(graph.Nodes.Where(n => n.Origin is { Checkpoint: > 0, Backward: false } && n.Batched && !n.Inputs.IsEmpty && !left.Contains(n)));
        dropped.UnionWith(cheap);
        foreach (var node in graph.Nodes)
        {
            var inputs = node.Inputs.Select(input => node.Origin.Backward && dropped.Contains(input) ? Again(input) : copies[input]);
            copies.Add(node, builder.Copy(node, [.. inputs]));
        }
    }

    public static TrainingGraph Run(TrainingGraph training, CheapRecomputation? choice)
    {
        var cheap = choice is null ? [] : Cheap(training, choice);
        return cheap.Count > 0 || training.Graph.Nodes.Any(node => node.Origin.Checkpoint > 0) ? new Recomputation(training, cheap).Finish(training) : training;
    }

    /// <summary>Formulas of one value that the backward pass reads anyway, as batch norm and an activation behind a convolution are: reading
    /// that value again costs less than keeping theirs. Such a value may be made by a convolution that nothing but the formula reads.</summary>
    private static HashSet<Node> Cheap(TrainingGraph training, CheapRecomputation choice)
    {
        var graph = training.Graph;
        var readers = NodeReaders.Of(graph.Nodes);
        var roots = new HashSet<Node>(graph.Outputs.Select(output => output.Node).Concat(graph.Loss is null ? [] : [graph.Loss]).Concat(graph.Updates.Select(update => update.Value)));
        var cheap = new HashSet<Node>(graph.Nodes.Where(IsCheapConvolution));

        // A convolution that is computed again needs its input, from which others may be computed again, too.
        var kept = new HashSet<Node>(cheap.Select(node => node.Inputs[0]));
        foreach (var node in graph.Nodes)
        {
            if (!MayDrop(node) || node.Primitive != Primitives.Pointwise || !choice.IsCheap(node.As<PointwiseAttributes>().Formula) || !readers[node].All(choice.WorksOnASample))
            {
                continue;
            }

            var sources = node.Inputs.Where(input => input.Batched).ToList();
            if (sources.Count == 1 && (cheap.Contains(sources[0]) || kept.Contains(sources[0]) || readers[sources[0]].Any(reader => reader.Origin.Backward)))
            {
                cheap.Add(node);
            }
        }

        return cheap;

        bool MayDrop(Node node) => node is { Origin: { Backward: false, Checkpoint: 0 }, Batched: true } && !roots.Contains(node);

        bool IsCheapConvolution(Node node) => node.Primitive == Primitives.Convolution && MayDrop(node) && choice.IsCheapConvolution(node)
            && readers[node].Count == 1 && readers[node][0] is { Origin.Backward: false } reader && reader.Primitive == Primitives.Pointwise;
    }

    /// <summary>Made where the backward pass first asks for it, which is where memory for it is first needed.</summary>
    private Node Again(Node node)
    {
        if (!again.TryGetValue(node, out var second))
        {
            var inputs = node.Inputs.Select(input => dropped.Contains(input) ? Again(input) : copies[input]).ToImmutableArray();
            second = builder.Copy(node, inputs);
            again.Add(node, second);
        }

        return second;
    }

    private TrainingGraph Finish(TrainingGraph training)
    {
        var graph = training.Graph;
        var uses = NodeUses.Count(graph.Nodes, []);
        var roots = graph.Outputs.Concat(graph.Inputs).Concat(graph.Targets).Select(named => named.Node)
            .Concat(graph.Loss is null ? [] : [graph.Loss])
            .Concat(graph.Updates.SelectMany(update => new[] { update.Parameter, update.Value }))
            .Concat(training.Gradients.SelectMany(pair => new[] { pair.Parameter, pair.Gradient }))
            .Concat(training.InputGradients.Select(pair => pair.Gradient))
            .ToList();

        // A dropped value that nothing reads in the forward pass is not computed there at all.
        var (nodes, moved) = Liveness.Compact(builder.Nodes, roots.Select(root => copies[root]));
        Node Find(Node node) => moved[copies[node]];
        ImmutableArray<NamedNode> Rename(ImmutableArray<NamedNode> named) => named.Select(n => new NamedNode(n.Name, Find(n.Node))).ToImmutableArray();
        ImmutableArray<Node> FindAll(ImmutableArray<Node> old) => old.Where(n => moved.ContainsKey(copies[n])).Select(Find).ToImmutableArray();

        var recomputed = again.Where(pair => moved.ContainsKey(copies[pair.Key])).Select(pair => (Find(pair.Key), moved[pair.Value])).ToImmutableArray();
        var stored = dropped.Where(node => uses[node] > 1)
            .SelectMany(node => again.TryGetValue(node, out var second) ? new[] { copies[node], second } : [copies[node]])
            .Where(moved.ContainsKey).Select(node => moved[node]).ToImmutableArray();
        return new TrainingGraph(
            graph with
            {
                Nodes = nodes,
                Inputs = Rename(graph.Inputs),
                Targets = Rename(graph.Targets),
                Outputs = Rename(graph.Outputs),
                Loss = graph.Loss is null ? null : Find(graph.Loss),
                Layers = graph.Layers.Where(layer => moved.ContainsKey(copies[layer.Output]))
                    .Select(layer => layer with { Output = Find(layer.Output), Inputs = FindAll(layer.Inputs), Parameters = FindAll(layer.Parameters) }).ToImmutableArray(),
                Updates = graph.Updates.Select(update => new StateUpdate(Find(update.Parameter), Find(update.Value))).ToImmutableArray(),
            },
            training.Gradients.Select(pair => (Find(pair.Parameter), Find(pair.Gradient))).ToImmutableArray(),
            training.InputGradients.Select(pair => (pair.Input, Find(pair.Gradient))).ToImmutableArray())
        {
            Recomputed = recomputed,
            Stored = stored,
        };
    }
}
