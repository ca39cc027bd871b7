// Composites become primitives: with the statistics of the batch for training, with running ones for inference,
// where dropout, losses and targets go as well.
using System.Collections.Immutable;
using ModelCompiler.Graph;

namespace ModelCompiler.Gradient;

/// <summary>A node of the lowered graph that is differentiated as a whole, and the node that holds its value. They differ for
/// composites with a gradient of their own.</summary>
internal readonly record struct TapeEntry(Node Node, Node Value);

/// <summary>A graph of primitives under construction, and what each node of the original became.</summary>
public sealed class Lowering
{
    private readonly NodeSet recorded = new();

    private Lowering(NetworkGraph graph, IEnumerable<Node> roots, bool training)
    {
        var live = Liveness.Reachable(roots);
        foreach (var node in graph.Nodes.Where(live.Contains))
        {
            Lower(node, training);
        }
    }

    internal GraphBuilder Builder { get; } = new();

    /// <summary>Where the value of each original node is now.</summary>
    internal NodeMap<Node> Values { get; } = new();

    /// <summary>What to differentiate; any order in which values come after what they are computed from.</summary>
    internal List<TapeEntry> Tape { get; } = new();

    internal static Lowering Of(NetworkGraph graph, IEnumerable<Node> roots, bool training) => new(graph, roots, training);

    /// <summary>The network as it runs after training. All inputs stay, used or not; targets only where an output needs one.</summary>
    public static NetworkGraph ForInference(NetworkGraph graph)
    {
        var lowering = Of(graph, graph.Outputs.Concat(graph.Inputs).Select(named => named.Node), training: false);
        return lowering.Finish(graph, graph.Outputs, loss: null, updates: [], extraRoots: []).Graph;
    }

    /// <summary>Drops what nobody needs and carries names, layers and updates over.</summary>
    internal (NetworkGraph Graph, Func<Node, Node> Copy) Finish(
        NetworkGraph original, ImmutableArray<NamedNode> outputs, Node? loss, IReadOnlyList<StateUpdate> updates, IEnumerable<Node> extraRoots)
    {
        var roots = outputs.Concat(original.Inputs).Select(named => Values[named.Node])
            .Concat(loss is null ? [] : [loss])
            .Concat(updates.SelectMany(update => new[] { update.Parameter, update.Value }))
            .Concat(extraRoots);
        var (nodes, copies) = Liveness.Compact(Builder.Nodes, roots);
        Node? Find(Node old) => Values.TryGetValue(old, out var value) && copies.TryGetValue(value, out var copy) ? copy : null;
        ImmutableArray<NamedNode> Rename(IEnumerable<NamedNode> named) =>
            named.Select(n => (n.Name, Node: Find(n.Node))).Where(n => n.Node is not null).Select(n => new NamedNode(n.Name, n.Node!)).ToImmutableArray();

        var layers = original.Layers.Select(layer => (Layer: layer, Output: Find(layer.Output)))
            .Where(pair => pair.Output is not null)
            .Select(pair => pair.Layer with
            {
                Output = pair.Output!,
                Inputs = FindAll(pair.Layer.Inputs),
                Parameters = FindAll(pair.Layer.Parameters),
            });
        var graph = new NetworkGraph(
            original.Name,
            original.Place,
            nodes,
            Rename(original.Inputs),
            Rename(original.Targets),
            Rename(outputs),
            loss is null ? null : copies[loss],
            layers.ToImmutableArray(),
            updates.Select(update => new StateUpdate(copies[update.Parameter], copies[update.Value])).ToImmutableArray());
        return (graph, node => copies[node]);

        ImmutableArray<Node> FindAll(ImmutableArray<Node> old) => old.Select(Find).Where(node => node is not null).Select(node => node!).ToImmutableArray();
    }

    private void Lower(Node node, bool training)
    {
        Builder.Origin = node.Origin;
        var copy = Builder.Add(node.Primitive, node.Attributes, node.Inputs.Select(input => Values[input]).ToImmutableArray());
        var before = Builder.Nodes.Count;
        var value = node.Primitive.Expand(copy, training, Builder) ?? copy;
        Values.Add(node, value);
        if (value == copy || node.Primitive.HasOwnGradient)
        {
            Record(copy, value);
            return;
        }

        foreach (var part in Builder.Nodes.Skip(before).Concat([value]).ToArray())
        {
            Record(part, part);
        }
    }

    private void Record(Node node, Node value)
    {
        if (recorded.Add(value))
        {
            Tape.Add(new TapeEntry(node, value));
        }
    }
}
