// The only way to make nodes: it numbers them, infers shapes, and shares equal ones, so that a pass may ask
// for the same value twice and gets it once.
using System.Collections.Immutable;

namespace ModelCompiler.Graph;

public sealed class GraphBuilder
{
    private readonly List<Node> nodes = new();
    private readonly Dictionary<Key, Node> known = new();
    private readonly List<StateUpdate> updates = new();

    /// <summary>Attached to every node made while it is set.</summary>
    public Origin Origin { get; set; } = Origin.None;

    public IReadOnlyList<Node> Nodes => nodes;

    public IReadOnlyList<StateUpdate> Updates => updates;

    /// <summary>Adds a node, or returns the equal one that exists already.</summary>
    public Node Add(Primitive primitive, object? attributes, params Node[] inputs) =>
        Add(primitive, attributes, ImmutableArray.Create(inputs));

    public Node Add(Primitive primitive, object? attributes, ImmutableArray<Node> inputs)
    {
        var key = new Key(primitive, attributes, inputs);
        if (known.TryGetValue(key, out var existing))
        {
            return existing;
        }

        var node = new Node(nodes.Count, primitive, attributes, inputs, primitive.InferShape(inputs, attributes), primitive.InferBatched(inputs, attributes), Origin);
        nodes.Add(node);
        known.Add(key, node);
        return node;
    }

    /// <summary>Adds a node like <paramref name="node"/>, though an equal one may exist.</summary>
    /// <param name="inputs">Shaped as the inputs of <paramref name="node"/>.</param>
    public Node Copy(Node node, ImmutableArray<Node> inputs)
    {
        var copy = new Node(nodes.Count, node.Primitive, node.Attributes, inputs, node.Shape, node.Batched, node.Origin);
        nodes.Add(copy);
        return copy;
    }

    /// <summary>Registers a new value for a buffer, stored at the end of a training step.</summary>
    public void Update(Node parameter, Node value) => updates.Add(new StateUpdate(parameter, value));

    private readonly struct Key(Primitive primitive, object? attributes, ImmutableArray<Node> inputs) : IEquatable<Key>
    {
        private readonly Primitive primitive = primitive;
        private readonly object? attributes = attributes;
        private readonly ImmutableArray<Node> inputs = inputs;

        public bool Equals(Key other) =>
            ReferenceEquals(primitive, other.primitive) && Equals(attributes, other.attributes) && inputs.SequenceEqual(other.inputs);

        public override bool Equals(object? obj) => obj is Key other && Equals(other);

        public override int GetHashCode()
        {
            var hash = primitive.GetHashCode();
            hash = unchecked((hash * 31) + (attributes?.GetHashCode() ?? 0));
            foreach (var input in inputs)
            {
                hash = unchecked((hash * 31) + input.Id);
            }

            return hash;
        }
    }
}
