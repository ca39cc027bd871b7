// relu and maximum pooling commute: the largest of the positive parts is the positive part of the largest. Pooled first, relu
// and the mask of its gradient work on a quarter of the elements or less. Values and gradients are the same bits: where
// the elements that tie are all cut off, no gradient passes either way.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using ModelCompiler.Operators;

namespace ModelCompiler.Gradient;

internal static class PoolBeforeRelu
{
    private static readonly Expression Relu = Formulas.Max(Formulas.X, 0);

    /// <summary>The network with relu behind every pool whose input it is, where nobody else reads it.</summary>
    public static NetworkGraph Run(NetworkGraph graph)
    {
        var uses = NodeUses.Count(graph.Nodes, graph.Outputs.Select(o => o.Node));
        bool IsSwapped(Node pool) => pool.Primitive == Primitives.MaxPool && IsRelu(pool.Inputs[0]) && uses[pool.Inputs[0]] == 1;
        var pooled = new HashSet<Node>(graph.Nodes.Where(IsSwapped).Select(pool => pool.Inputs[0]));
        if (pooled.Count == 0)
        {
            return graph;
        }

        var builder = new GraphBuilder();
        var copies = new Dictionary<Node, Node>();
        foreach (var node in graph.Nodes)
        {
            builder.Origin = node.Origin;
            if (pooled.Contains(node))
            {
                copies.Add(node, copies[node.Inputs[0]]);
                continue;
            }

            var copy = builder.Add(node.Primitive, node.Attributes, node.Inputs.Select(i => copies[i]).ToImmutableArray());
            if (IsSwapped(node))
            {
                builder.Origin = node.Inputs[0].Origin;
                copy = builder.Pointwise(Relu, copy);
            }

            copies.Add(node, copy);
        }

        ImmutableArray<NamedNode> Rename(ImmutableArray<NamedNode> named) => [.. named.Select(n => n with { Node = copies[n.Node] })];
        return graph with
        {
            Nodes = [.. builder.Nodes],
            Inputs = Rename(graph.Inputs),
            Targets = Rename(graph.Targets),
            Outputs = Rename(graph.Outputs),
            Loss = graph.Loss is null ? null : copies[graph.Loss],
            Layers = [.. graph.Layers.Select(l => l with
            {
                Output = copies[l.Output],
                Inputs = [.. l.Inputs.Select(i => copies[i])],
                Parameters = [.. l.Parameters.Select(p => copies[p])],
            })],
            Updates = [.. graph.Updates.Select(u => new StateUpdate(copies[u.Parameter], copies[u.Value]))],
        };
    }

    private static bool IsRelu(Node node) =>
        node.Primitive == Primitives.Pointwise && node.Inputs.Length == 1 && node.As<PointwiseAttributes>().Formula.Equals(Relu) && node.Shape.Equals(node.Inputs[0].Shape);
}
