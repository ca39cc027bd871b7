// Which nodes matter, and a graph of only those: every pass ends here, so that what nobody reads is never computed.
using System.Collections.Immutable;
using ModelCompiler.Graph;

namespace ModelCompiler.Gradient;

internal static class Liveness
{
    /// <summary>The roots and everything they are computed from.</summary>
    public static NodeSet Reachable(IEnumerable<Node> roots)
    {
        var found = new NodeSet();
        var open = new Stack<Node>(roots);
        while (open.Count > 0)
        {
            var node = open.Pop();
            if (found.Add(node))
            {
                foreach (var input in node.Inputs)
                {
                    open.Push(input);
                }
            }
        }

        return found;
    }

    /// <summary>Copies the roots and what they need, numbered from 0 in the same order.</summary>
    /// <returns>The copies, and where each old node went.</returns>
    public static (ImmutableArray<Node> Nodes, NodeMap<Node> Copies) Compact(IEnumerable<Node> nodes, IEnumerable<Node> roots)
    {
        var live = Reachable(roots);
        var builder = new GraphBuilder();
        var copies = new NodeMap<Node>();
        foreach (var node in nodes.Where(live.Contains))
        {
            copies.Add(node, builder.Copy(node, [.. node.Inputs.Select(input => copies[input])]));
        }

        return (builder.Nodes.ToImmutableArray(), copies);
    }
}
