// After training, batch norm is a multiplication and an addition per channel, and the convolution or dense layer
// before it can do both: its weights are scaled and its bias shifted once, when weights are loaded.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using ModelCompiler.Operators;

namespace ModelCompiler.Planning;

internal static class BatchNormFolding
{
    /// <summary>Rewrites scale · layer(x) + shift, scale and shift unbatched per channel, as a layer with other weights.</summary>
    public static NetworkGraph Run(NetworkGraph graph)
    {
        var uses = NodeUses.Count(graph.Nodes, graph.Outputs.Select(o => o.Node));
        var builder = new GraphBuilder();
        var copies = new NodeMap<Node>();
        foreach (var node in graph.Nodes)
        {
            builder.Origin = node.Origin;
            copies.Add(node, IsFoldable(node, uses)
                ? Fold(node, copies, builder)
                : builder.Add(node.Primitive, node.Attributes, node.Inputs.Select(i => copies[i]).ToImmutableArray()));
        }

        ImmutableArray<NamedNode> Rename(ImmutableArray<NamedNode> named) => named.Select(n => n with { Node = copies[n.Node] }).ToImmutableArray();
        var outputs = Rename(graph.Outputs);
        var inputs = Rename(graph.Inputs);

        // The unfolded layers are still there, unused; they must not be planned.
        var live = new HashSet<Node>(outputs.Concat(inputs).Select(o => o.Node));
        foreach (var node in builder.Nodes.Reverse())
        {
            if (live.Contains(node))
            {
                live.UnionWith(node.Inputs);
            }
        }

        return graph with
        {
            Nodes = builder.Nodes.Where(live.Contains).ToImmutableArray(),
            Inputs = inputs,
            Targets = ImmutableArray<NamedNode>.Empty,
            Outputs = outputs,
            Layers = graph.Layers.Select(l => l with
            {
                Output = copies[l.Output],
                Inputs = l.Inputs.Select(i => copies[i]).ToImmutableArray(),
                Parameters = l.Parameters.Select(p => copies[p]).ToImmutableArray(),
            }).ToImmutableArray(),
        };
    }

    private static bool IsFoldable(Node node, NodeMap<int> uses)
    {
        if (node.Primitive != Primitives.Pointwise || node.Inputs.Length != 3
            || node.As<PointwiseAttributes>().Formula is not BinaryFormula
            {
                Function: BinaryFunction.Add, Left: BinaryFormula { Function: BinaryFunction.Multiply, Left: InputFormula { Index: 0 }, Right: InputFormula { Index: 1 } }, Right: InputFormula { Index: 2 },
            })
        {
            return false;
        }

        var layer = node.Inputs[0];
        return (layer.Primitive == Primitives.Convolution || (layer.Primitive == Primitives.Dense && layer.Shape.Rank == 1))
            && uses[layer] == 1 && layer.Shape.Equals(node.Shape)
            && Fusion.IsChannelVector(node.Inputs[1], layer) && Fusion.IsChannelVector(node.Inputs[2], layer);
    }

    private static Node Fold(Node node, NodeMap<Node> copies, GraphBuilder builder)
    {
        var layer = copies[node.Inputs[0]];
        var (scale, shift) = (copies[node.Inputs[1]], copies[node.Inputs[2]]);
        var channels = layer.Shape[0];
        var weights = layer.Inputs[1];
        var product = new InputFormula(0) * new InputFormula(1);
        var scaled = builder.Pointwise(product, weights, builder.AsChannels(builder.Reshape(scale, Shape.Of(channels)), weights.Shape.Rank));
        var (flatScale, flatShift) = (builder.Reshape(scale, Shape.Of(channels)), builder.Reshape(shift, Shape.Of(channels)));
        var bias = layer.Inputs.Length > 2 ? builder.Pointwise(product + new InputFormula(2), layer.Inputs[2], flatScale, flatShift) : flatShift;
        return builder.Add(layer.Primitive, layer.Attributes, layer.Inputs[0], scaled, bias);
    }
}
