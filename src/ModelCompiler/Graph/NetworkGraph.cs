// A network as the compiler sees it between text and plan.
using System.Collections.Immutable;
using ModelCompiler.Grammar;

namespace ModelCompiler.Graph;

/// <summary>How a parameter is filled before training.</summary>
public enum InitializerKind
{
    /// <summary>Uniform in ±1/sqrt(fan in): PyTorch's default for convolutions and dense layers.</summary>
    FanInUniform,
    Constant,

    /// <summary>Normal(0, Value).</summary>
    Normal,

    /// <summary>Uniform in ±Value.</summary>
    Uniform,

    /// <summary>Glorot and Bengio 2010: uniform in ±Value·sqrt(6 / (fan in + fan out)).</summary>
    XavierUniform,
    XavierNormal,

    /// <summary>He et al. 2015: uniform in ±Value·sqrt(3 / fan in).</summary>
    KaimingUniform,

    /// <summary>He et al. 2015: Normal(0, Value / sqrt(fan in)).</summary>
    KaimingNormal,

    /// <summary>Saxe et al. 2014, times Value.</summary>
    Orthogonal,
}

/// <param name="Value">The constant, deviation, bound or gain.</param>
/// <param name="FanIn">Inputs that feed one output; 0 when the kind does not ask.</param>
public sealed record Initializer(InitializerKind Kind, double Value, int FanIn, int FanOut)
{
    public static Initializer Constant(double value) => new(InitializerKind.Constant, value, 0, 0);

    public static Initializer FanInUniform(int fanIn) => new(InitializerKind.FanInUniform, 1, fanIn, 0);
}

/// <summary>Attributes of a parameter node. <paramref name="Trainable"/> is false for running statistics and fixed kernels.</summary>
/// <param name="Name">The name in weight files: <c>layer1.0.conv1.weight</c>.</param>
public sealed record ParameterAttributes(string Name, Shape Shape, Initializer Initializer, bool Trainable);

/// <summary>Attributes of an input or target node. A class target has scalar or spatial shape and holds class numbers.</summary>
/// <param name="Objects">Size of the objects that an input shows, one number for each spatial axis; default where its author did not say.</param>
public sealed record InputAttributes(string Name, Shape Shape, bool IsTarget, bool IsClass, ImmutableArray<int> Objects = default);

/// <summary>One layer as its author wrote it: what a summary lists.</summary>
/// <param name="Path">Layer path, PyTorch's style.</param>
/// <param name="Operator">The language's word: <c>conv</c>.</param>
/// <param name="Description">Its arguments in short: <c>6, 5x5, pad: 2</c>.</param>
public sealed record Layer(string Path, string Operator, string Description, ImmutableArray<Node> Inputs, Node Output, ImmutableArray<Node> Parameters, SourceSpan Place);

public sealed record NamedNode(string Name, Node Node);

/// <summary>A buffer that training changes outside the optimizer: running statistics.</summary>
public sealed record StateUpdate(Node Parameter, Node Value);

/// <summary>Nodes in an order in which inputs come first, and the names the outside knows.</summary>
public sealed record NetworkGraph(
    string Name,
    SourceSpan Place,
    ImmutableArray<Node> Nodes,
    ImmutableArray<NamedNode> Inputs,
    ImmutableArray<NamedNode> Targets,
    ImmutableArray<NamedNode> Outputs,
    Node? Loss,
    ImmutableArray<Layer> Layers,
    ImmutableArray<StateUpdate> Updates)
{
    /// <summary>Parameter nodes in order of first appearance.</summary>
    public IEnumerable<Node> Parameters => Nodes.Where(n => n.Attributes is ParameterAttributes);
}
