// Every kind of node the planner has a kernel for, and what each needs beside its inputs. Few on purpose:
// whatever can be written as a small graph of these is (the language's operators do that), and gets
// gradient, plan and code for nothing. Passes ask a Primitive local questions; only the planner, which
// picks kernels, tells them apart by instance.
using System.Collections.Immutable;
using ModelCompiler.Graph;

namespace ModelCompiler.Operators;

/// <summary>Inputs (x, w [, bias]); w is out x in/groups x kernel….</summary>
public sealed record ConvolutionAttributes(Window Window, int Groups);

/// <summary>Inputs (dy, w). <paramref name="InputSpatial"/>: spatial sizes of the result, which stride alone leaves open.
/// The number of channels of the result is w's axis 1 times groups.</summary>
public sealed record ConvolutionInputGradientAttributes(Window Window, int Groups, Shape InputShape);

/// <summary>Inputs (x, dy); the result has <paramref name="WeightShape"/> and is summed over the batch.</summary>
public sealed record ConvolutionWeightGradientAttributes(Window Window, int Groups, Shape WeightShape);

/// <summary>Inputs (x); for the gradient (dy), with the shape of x.</summary>
/// <param name="CountPadding">Whether an average divides by the window's size (true) or by its elements inside the plane.</param>
public sealed record AveragePoolAttributes(Window Window, bool CountPadding, Shape InputShape);

/// <summary>MaxPool (x [, winners]) and MaxPoolWinners (x).</summary>
public sealed record MaxPoolAttributes(Window Window);

/// <summary>Inputs (winners, dy); the result has <paramref name="InputShape"/>.</summary>
public sealed record MaxPoolGradientAttributes(Window Window, Shape InputShape);

public enum ReduceKind
{
    Sum,
    Mean,
    Max,
}

/// <summary>Reduced axes keep size 1. <paramref name="OverBatch"/>: over all samples too; the result is unbatched.
/// A mean over the batch divides by the number of samples as well.</summary>
public sealed class ReduceAttributes(ReduceKind kind, ImmutableArray<int> axes, bool overBatch) : IEquatable<ReduceAttributes>
{
    public ReduceKind Kind { get; } = kind;
    public ImmutableArray<int> Axes { get; } = axes;
    public bool OverBatch { get; } = overBatch;

    public bool Equals(ReduceAttributes? other) =>
        other is not null && Kind == other.Kind && OverBatch == other.OverBatch && Axes.AsSpan().SequenceEqual(other.Axes.AsSpan());

    public override bool Equals(object? obj) => Equals(obj as ReduceAttributes);

    public override int GetHashCode() => Axes.Aggregate(((int)Kind * 2) + (OverBatch ? 1 : 0), (hash, axis) => unchecked((hash * 31) + axis));
}

/// <summary>Inputs have the rank of the result, each axis its size or 1; scalars (rank 0) broadcast to everything.
/// The result's shape is the broadcast of the inputs' unless <paramref name="Shape"/> gives a larger one.</summary>
/// <param name="Batched">True for a value per sample where no input has one: the gradient of a mean over the batch.</param>
public sealed record PointwiseAttributes(Expression Formula, Shape? Shape = null, bool Batched = false);

public sealed record ReshapeAttributes(Shape Shape);

public sealed record ConcatAttributes(int Axis);

public sealed record SliceAttributes(int Axis, int Start, int Count);

/// <summary>Zeros before and after along one axis; negative amounts crop.</summary>
public sealed record PadAttributes(int Axis, int Before, int After);

public sealed record SoftmaxAttributes(int Axis);

/// <param name="Ignored">A label that picks nothing and gets no gradient; null when every label is a class.</param>
public sealed record GatherClassAttributes(int? Ignored = null);

/// <param name="Classes">The size of axis 0 of the result.</param>
/// <param name="Ignored">As in <see cref="GatherClassAttributes"/>.</param>
public sealed record ScatterClassAttributes(int Classes, int? Ignored = null);

/// <summary>Inputs (x, gamma, beta, running_mean, running_var) all of shape [C] but x. With Affine false there is no gamma and beta.</summary>
/// <param name="Momentum">PyTorch's: running = (1 - momentum) * running + momentum * batch.</param>
public sealed record BatchNormAttributes(double Epsilon, double Momentum, bool Affine);

/// <param name="Rate">Probability that an element is set to zero; the rest is scaled by 1 / (1 - rate).</param>
/// <param name="Stream">A number of its own for each dropout in the network.</param>
public sealed record DropoutAttributes(double Rate, int Stream);

/// <summary>Axis i of the result is axis <paramref name="permutation"/>[i] of the input.</summary>
public sealed class TransposeAttributes(ImmutableArray<int> permutation) : IEquatable<TransposeAttributes>
{
    public ImmutableArray<int> Permutation { get; } = permutation;

    public bool Equals(TransposeAttributes? other) => other is not null && Permutation.AsSpan().SequenceEqual(other.Permutation.AsSpan());

    public override bool Equals(object? obj) => Equals(obj as TransposeAttributes);

    public override int GetHashCode() => Permutation.Aggregate(17, (hash, axis) => unchecked((hash * 31) + axis));
}

/// <summary>Which factors of a matrix product are read with their last two axes exchanged.</summary>
public sealed record MatrixProductAttributes(bool TransposeLeft, bool TransposeRight);

public enum ResampleKind
{
    /// <summary>The element at floor(place · from / to).</summary>
    Nearest,

    /// <summary>Between the two nearest; bilinear when done along two axes.</summary>
    Linear,

    /// <summary>Keys' cubic convolution with A = -0.75 over the four nearest.</summary>
    Cubic,
}

/// <summary>Resample (x) changes the size of one axis; ResampleGradient (dy) goes back to <paramref name="From"/> elements.
/// What each element is made of stands in <see cref="Resampling.Taps"/>.</summary>
/// <param name="AlignCorners">Whether the first and last elements keep their values (true) or elements are areas (false).</param>
public sealed record ResampleAttributes(int Axis, int From, int To, ResampleKind Kind, bool AlignCorners);
