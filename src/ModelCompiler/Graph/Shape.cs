// Shapes are what this compiler knows and a loader does not: fixed per sample, the batch left out.
using System.Collections.Immutable;
using System.Globalization;

namespace ModelCompiler.Graph;

/// <summary>Dimensions of one sample's value, channels first: <c>C x H x W</c>, <c>C x L</c>, <c>C x D x H x W</c>;
/// rows x features for token lists; empty for a scalar.</summary>
public sealed class Shape : IEquatable<Shape>
{
    public static readonly Shape Scalar = new(ImmutableArray<int>.Empty);

    public Shape(ImmutableArray<int> dimensions) => Dimensions = dimensions;

    public ImmutableArray<int> Dimensions { get; }

    public int Rank => Dimensions.Length;

    public int this[int axis] => Dimensions[axis];

    /// <summary>Number of elements of one sample.</summary>
    /// <exception cref="OverflowException">More than fit a long.</exception>
    public long Count
    {
        get
        {
            var product = 1L;
            foreach (var dimension in Dimensions)
            {
                product = checked(product * dimension);
            }

            return product;
        }
    }

    /// <summary>The first dimension.</summary>
    public int Channels => Dimensions[0];

    /// <summary>Everything behind the channels.</summary>
    public ImmutableArray<int> Spatial => Dimensions.RemoveAt(0);

    public static Shape Of(params int[] dimensions) => new(ImmutableArray.Create(dimensions));

    public static Shape Of(int channels, ImmutableArray<int> spatial) => new(spatial.Insert(0, channels));

    public Shape With(int axis, int size) => new(Dimensions.SetItem(axis, size));

    public bool Equals(Shape? other) => other is not null && Dimensions.AsSpan().SequenceEqual(other.Dimensions.AsSpan());

    public override bool Equals(object? obj) => Equals(obj as Shape);

    public override int GetHashCode()
    {
        var hash = 17;
        foreach (var dimension in Dimensions)
        {
            hash = unchecked((hash * 31) + dimension);
        }

        return hash;
    }

    /// <summary>As a message writes it: <c>64x56x56</c>; <c>scalar</c> when empty.</summary>
    public override string ToString() =>
        Rank == 0 ? "scalar" : string.Join("x", Dimensions.Select(d => d.ToString(CultureInfo.InvariantCulture)));
}
