// Turns what was evaluated into the finished network: only what outputs and loss need, with the names that are
// known now.
using System.Collections.Immutable;
using ModelCompiler.Grammar;
using ModelCompiler.Graph;

namespace ModelCompiler.Evaluation;

internal sealed partial class NetworkEvaluation
{
    private NetworkGraph Finish(string name, SourceSpan place, NetworkEnds ends)
    {
        var live = Live(ends);
        NamePaths(live);

        var finished = new GraphBuilder();
        var map = new Dictionary<Node, Node>();
        foreach (var node in builder.Nodes.Where(live.Contains))
        {
            finished.Origin = node.Origin with { Path = PathOf(node.Origin.Path) };
            var attributes = node.Attributes is ParameterAttributes parameter ? parameter with { Name = NameOf(parameter.Name) } : node.Attributes;
            map.Add(node, finished.Add(node.Primitive, attributes, ImmutableArray.CreateRange(node.Inputs.Select(input => map[input]))));
        }

        foreach (var update in builder.Updates.Where(update => live.Contains(update.Value)))
        {
            finished.Update(map[update.Parameter], map[update.Value]);
        }

        return new NetworkGraph(
            name,
            place,
            ImmutableArray.CreateRange(finished.Nodes),
            Named(ends.Inputs),
            Named(ends.Targets),
            Named(ends.Outputs),
            ends.Loss is null ? null : map[ends.Loss],
            ImmutableArray.CreateRange(LiveLayers(live).Select(layer => new Layer(
                layer.Path.Path, layer.Operator, layer.Description, Mapped(layer.Inputs), map[layer.Outputs.First(live.Contains)], Mapped(layer.Parameters), layer.Place))),
            ImmutableArray.CreateRange(finished.Updates));

        ImmutableArray<NamedNode> Named(ImmutableArray<NamedNode> nodes) =>
            ImmutableArray.CreateRange(nodes.Select(node => new NamedNode(node.Name, map[node.Node])));

        ImmutableArray<Node> Mapped(ImmutableArray<Node> nodes) => ImmutableArray.CreateRange(nodes.Where(live.Contains).Select(node => map[node]));
    }

    private HashSet<Node> Live(NetworkEnds ends)
    {
        var live = new HashSet<Node>(ends.Inputs.Concat(ends.Targets).Concat(ends.Outputs).Select(end => end.Node));
        if (ends.Loss is not null)
        {
            live.Add(ends.Loss);
        }

        for (var id = builder.Nodes.Count - 1; id >= 0; id--)
        {
            if (live.Contains(builder.Nodes[id]))
            {
                live.UnionWith(builder.Nodes[id].Inputs);
            }

            foreach (var update in builder.Updates.Where(update => update.Value.Id == id && live.Contains(update.Parameter)))
            {
                live.Add(update.Value);
                live.UnionWith(update.Value.Inputs);
            }
        }

        return live;
    }

    /// <summary>A shared layer counts once for each input: the graph holds it once, however often it is written.</summary>
    private IEnumerable<LayerRecord> LiveLayers(HashSet<Node> live) => layers
        .Where(layer => layer.Outputs.Any(live.Contains))
        .GroupBy(layer => (layer.Path, layer.Outputs[0]))
        .Select(group => group.First());

    private void NamePaths(HashSet<Node> live)
    {
        foreach (var layer in LiveLayers(live))
        {
            layer.Path.MarkLive();
        }

        foreach (var entry in parameters.Where(entry => live.Contains(entry.Value.Node)))
        {
            entry.Key.Item1.MarkLive();
        }

        foreach (var path in paths.Values)
        {
            path.NameChildren();
        }
    }

    private string PathOf(string token) => paths.TryGetValue(token, out var path) ? path.Path : token;

    /// <summary>From <c>#12.weight</c> to <c>layer1.0.conv1.weight</c>.</summary>
    private string NameOf(string temporary)
    {
        var dot = temporary.IndexOf('.');
        var path = PathOf(temporary.Substring(0, dot));
        return path.Length == 0 ? temporary.Substring(dot + 1) : path + temporary.Substring(dot);
    }
}
