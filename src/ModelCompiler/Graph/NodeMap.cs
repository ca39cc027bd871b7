// What a pass knows of each node. Nodes are numbered, so a place is found without hashing; places are in pages, because an array
// for all nodes of a large network would be a large object, and each few megabytes of those have the garbage collector walk through
// everything that the compiler's process holds.
namespace ModelCompiler.Graph;

/// <summary>Values of the nodes of one graph. Nodes of different graphs may have equal numbers: such a pair cannot be in one map, and
/// a node that is not in it is not found.</summary>
internal sealed class NodeMap<T>
{
    private const int PageSize = 512;

    private (Node? Node, T Value)[]?[] pages = [];

    public T this[Node node]
    {
        get => TryGetValue(node, out var value) ? value : throw new KeyNotFoundException($"Nothing is known of {node}.");
        set => Place(node) = (node, value);
    }

    /// <exception cref="ArgumentException">The node has a value.</exception>
    public void Add(Node node, T value)
    {
        ref var place = ref Place(node);
        place = place.Node is null ? (node, value) : throw new ArgumentException($"{node} has a value.", nameof(node));
    }

    public bool ContainsKey(Node node) => TryGetValue(node, out _);

    public bool TryGetValue(Node node, out T value)
    {
        var page = node.Id / PageSize;
        if (page < pages.Length && pages[page] is { } entries && entries[node.Id % PageSize] is var entry && entry.Node == node)
        {
            value = entry.Value;
            return true;
        }

        value = default!;
        return false;
    }

    private ref (Node? Node, T Value) Place(Node node)
    {
        var page = node.Id / PageSize;
        if (page >= pages.Length)
        {
            Array.Resize(ref pages, Math.Max(page + 1, pages.Length * 2));
        }

        var entries = pages[page] ??= new (Node?, T)[PageSize];
        ref var place = ref entries[node.Id % PageSize];
        if (place.Node is not null && place.Node != node)
        {
            throw new ArgumentException($"{node} and {place.Node} are of different graphs.", nameof(node));
        }

        return ref place;
    }
}

internal static class NodeUses
{
    /// <summary>How often each of <paramref name="nodes"/> is an input, and how often it is a root.</summary>
    public static NodeMap<int> Count(IEnumerable<Node> nodes, IEnumerable<Node> roots)
    {
        var uses = new NodeMap<int>();
        foreach (var node in nodes)
        {
            uses.Add(node, 0);
            foreach (var input in node.Inputs)
            {
                uses[input]++;
            }
        }

        foreach (var root in roots)
        {
            uses[root]++;
        }

        return uses;
    }
}

internal static class NodeReaders
{
    /// <summary>Who reads each of <paramref name="nodes"/>, once for every input that it is.</summary>
    public static NodeMap<List<Node>> Of(IEnumerable<Node> nodes)
    {
        var readers = new NodeMap<List<Node>>();
        foreach (var node in nodes)
        {
            readers.Add(node, []);
            foreach (var input in node.Inputs)
            {
                readers[input].Add(node);
            }
        }

        return readers;
    }
}

/// <summary>Some of the nodes of one graph.</summary>
internal sealed class NodeSet
{
    private readonly NodeMap<bool> map = new();

    public NodeSet(IEnumerable<Node>? nodes = null)
    {
        foreach (var node in nodes ?? [])
        {
            Add(node);
        }
    }

    public bool Contains(Node node) => map.TryGetValue(node, out var isIn) && isIn;

    /// <summary>Whether the node was not in it before.</summary>
    public bool Add(Node node)
    {
        var isNew = !Contains(node);
        map[node] = true;
        return isNew;
    }

    public void Remove(Node node)
    {
        if (Contains(node))
        {
            map[node] = false;
        }
    }
}
