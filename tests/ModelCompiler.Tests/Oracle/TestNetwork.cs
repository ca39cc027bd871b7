// A network built by calling operators directly.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using ModelCompiler.Operators;

namespace ModelCompiler.Tests.Oracle;

internal sealed class TestNetwork
{
    private readonly Dictionary<string, int> layers = [];
    private readonly List<NamedNode> inputs = [];
    private readonly List<NamedNode> targets = [];
    private int streams;

    public GraphBuilder Builder { get; } = new();

    public List<string> Advice { get; } = [];

    public int NextStream() => streams++;

    public Node Input(string name, params int[] shape) => Add(inputs, new InputAttributes(name, Shape.Of(shape), IsTarget: false, IsClass: false));

    public Node Target(string name, params int[] shape) => Add(targets, new InputAttributes(name, Shape.Of(shape), IsTarget: true, IsClass: false));

    public Node ClassTarget(string name, params int[] shape) => Add(targets, new InputAttributes(name, Shape.Of(shape), IsTarget: true, IsClass: true));

    /// <summary>Applies an operator. Layers are named by operator and count, <c>conv1</c>, or by <c>("label", name)</c>.</summary>
    public Node Apply(string name, Node input, params (string Name, object Value)[] arguments) => Apply(name, [input], arguments);

    public Node Apply(string name, Node[] nodes, params (string Name, object Value)[] arguments)
    {
        layers[name] = layers.GetValueOrDefault(name) + 1;
        var given = arguments.ToDictionary(argument => argument.Name, argument => argument.Value);
        var layer = given.Remove("label", out var label) ? (string)label : name + layers[name];
        return Catalog.All[name].Build(new TestCall(this, layer, [.. nodes], given))[0];
    }

    public NetworkGraph Graph(Node output, Node? loss = null) => Graph([new NamedNode("output", output)], loss);

    public NetworkGraph Graph(IEnumerable<NamedNode> outputs, Node? loss = null) =>
        new("Test", default, [.. Builder.Nodes], [.. inputs], [.. targets], [.. outputs], loss, [], []);

    private Node Add(List<NamedNode> list, InputAttributes attributes)
    {
        var node = Builder.Add(Primitives.Input, attributes);
        list.Add(new NamedNode(attributes.Name, node));
        return node;
    }
}
