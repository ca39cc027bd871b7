// One value of a network: who makes it, from what, with which shape. The graph has only single-result
// nodes; an operator with several results makes several nodes.
using System.Collections.Immutable;
using ModelCompiler.Grammar;

namespace ModelCompiler.Graph;

/// <summary>Where a node came from: the text that asked for it and the chain of block uses around that text.</summary>
/// <param name="Place">The call or word in the `.cnn` file; null for nodes that only the compiler knows.</param>
/// <param name="Path">Layer path (<c>layer1.0.conv1</c>); empty outside layers.</param>
/// <param name="Checkpoint">The number of the <c>checkpoint(…)</c> it is inside of, from 1; 0 outside.</param>
/// <param name="Backward">Whether it belongs to the backward pass of what is written there.</param>
public sealed record Origin(SourceSpan? Place, string Path, int Checkpoint = 0, bool Backward = false)
{
    public static readonly Origin None = new(null, "");
}

/// <summary>A value in the graph. Identity matters, so nodes are compared by reference.</summary>
public sealed class Node
{
    internal Node(int id, Primitive primitive, object? attributes, ImmutableArray<Node> inputs, Shape shape, bool batched, Origin origin)
    {
        Id = id;
        Primitive = primitive;
        Attributes = attributes;
        Inputs = inputs;
        Shape = shape;
        Batched = batched;
        Origin = origin;
    }

    /// <summary>Position in the graph; inputs always have smaller ones.</summary>
    public int Id { get; }

    public Primitive Primitive { get; }

    /// <summary>What the primitive needs beside its inputs; an equatable record of its own, or null.</summary>
    public object? Attributes { get; }

    public ImmutableArray<Node> Inputs { get; }

    /// <summary>Shape of one sample (or of the whole value where <see cref="Batched"/> is false).</summary>
    public Shape Shape { get; }

    /// <summary>True when every sample of the batch has a value of its own; false for parameters, constants, and
    /// what is reduced over the batch.</summary>
    public bool Batched { get; }

    public Origin Origin { get; }

    public T As<T>() => (T)Attributes!;

    /// <summary>The same on every run; passes look nodes up all the time.</summary>
    public override int GetHashCode() => Id;

    public override bool Equals(object? obj) => ReferenceEquals(this, obj);

    public override string ToString() => $"%{Id} = {Primitive.Name}({string.Join(", ", Inputs.Select(i => $"%{i.Id}"))}) : {Shape}";
}

/// <summary>A kind of node: its shape rule, its gradient, its cost. Stateless; one instance each.
/// Passes ask it local questions and never look at its type, save for the planner, which picks kernels.</summary>
public abstract class Primitive
{
    /// <summary>PyTorch's term where it has one, in PascalCase: <c>Convolution</c>.</summary>
    public abstract string Name { get; }

    /// <summary>Shape of the result. Inputs and attributes are valid: the language's operators have checked them.</summary>
    public abstract Shape InferShape(ImmutableArray<Node> inputs, object? attributes);

    /// <summary>Whether the result has a value per sample; by default when any input has.</summary>
    public virtual bool InferBatched(ImmutableArray<Node> inputs, object? attributes) => inputs.Any(i => i.Batched);

    /// <summary>The gradients with respect to each input, given <paramref name="upstream"/>, the gradient of the loss with
    /// respect to <paramref name="node"/>. Null entries for inputs that get none. <paramref name="wanted"/> tells which are needed.
    /// The gradient of an unbatched input that feeds a batched node must be summed over the batch.</summary>
    public abstract ImmutableArray<Node?> Gradient(Node node, Node upstream, ImmutableArray<bool> wanted, GraphBuilder builder);

    /// <summary>The same value as simpler nodes, or null for a true primitive (one the planner has a kernel for).
    /// <paramref name="training"/> picks between batch statistics and running ones, dropout and none.</summary>
    public virtual Node? Expand(Node node, bool training, GraphBuilder builder) => null;

    /// <summary>True when differentiation should use <see cref="Gradient"/> of this node though it expands
    /// (a hand-made gradient is better than the expansion's).</summary>
    public virtual bool HasOwnGradient => true;

    /// <summary>Multiply-adds for one sample: convolutions, dense layers and matrix products; no biases, norms, pools.</summary>
    public virtual long Macs(Node node) => 0;

    /// <summary>How a result's element sees the input's spatial axes, for receptive fields; null when it is one to one.</summary>
    public virtual Window? Window(Node node) => null;
}
