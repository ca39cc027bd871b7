// Which shapes go together element by element: equal ones, axes of size 1, scalars, and a vector of C features with
// the channels of C x H x W.
using System.Collections.Immutable;
using System.Globalization;
using ModelCompiler.Graph;
using ModelCompiler.Operators;

namespace ModelCompiler.Evaluation;

internal static class Broadcast
{
    /// <summary>Why two shapes do not go together; null when they do.</summary>
    public static string? Problem(Shape a, Shape b)
    {
        if (Aligned(a, b) is not var (x, y))
        {
            return a.Rank == 1 || b.Rank == 1
                ? $"the vector's {Text(a.Rank == 1 ? a[0] : b[0])} features match neither the channels nor the last axis of {(a.Rank == 1 ? b : a)}; {ArgumentBinder.Count((a.Rank == 1 ? b : a)[0], "feature")} would scale its channels"
                : $"one has rank {Text(a.Rank)}, the other rank {Text(b.Rank)}";
        }

        var differing = Enumerable.Range(0, x.Rank).Where(axis => x[axis] != y[axis] && x[axis] != 1 && y[axis] != 1).ToList();
        return differing.Count switch
        {
            0 => null,
            1 => $"{AxisName(x.Rank, differing[0])} differs ({Text(x[differing[0]])}, {Text(y[differing[0]])})",
            _ => $"{Join(differing.Select(axis => AxisName(x.Rank, axis)).ToList())} differ",
        };
    }

    /// <summary>Reshapes the smaller rank so that both have one rank.</summary>
    public static (Node, Node) Align(GraphBuilder builder, Node a, Node b)
    {
        var (x, y) = Aligned(a.Shape, b.Shape)!.Value;
        return (a.Shape.Rank == 0 ? a : builder.Reshape(a, x), b.Shape.Rank == 0 ? b : builder.Reshape(b, y));
    }

    /// <summary>A remedy for the mistakes that residual and pyramid networks make; empty when none is plain.</summary>
    public static string Suggestion(Shape a, Shape b, string? left, string? right)
    {
        if (a.Rank != b.Rank && a.Rank > 1 && b.Rank > 1)
        {
            var (low, high, name) = a.Rank < b.Rank ? (a, b, left) : (b, a, right);
            return high.Rank - low.Rank == 1 && high.Dimensions.Skip(1).Zip(low.Dimensions, (x, y) => x == y || y == 1).All(fits => fits)
                ? $"; did you mean '{name ?? "…"} -> reshape({Shape.Of(1, low.Dimensions)})'?"
                : "";
        }

        if (a.Rank != b.Rank || a.Rank < 2)
        {
            return "";
        }

        if (a.Spatial.SequenceEqual(b.Spatial))
        {
            return $"; project one of them, as in '{right ?? "…"} -> conv({Text(a[0])}, 1)'";
        }

        var (large, small, largeName, smallName) = a.Spatial[0] >= b.Spatial[0] ? (a, b, left, right) : (b, a, right, left);
        var factors = large.Spatial.Zip(small.Spatial, (l, s) => s > 0 && l % s == 0 ? l / s : 0).Distinct().ToList();
        if (a[0] != b[0])
        {
            return factors.Count == 1 && factors[0] > 1 ? $"; did you mean '{largeName ?? "…"} -> conv({Text(small[0])}, 1, stride: {Text(factors[0])})'?" : "";
        }

        if (factors.Count != 1 || factors[0] < 2)
        {
            return "; 'pad: same' keeps the size of a convolution";
        }

        // Two named maps are a pyramid's; a name and a branch are a residual block with a stride.
        var factor = Text(factors[0]);
        return smallName is not null ? $"; did you mean '{smallName} -> upsample({factor})'?"
            : $"; did you mean '{largeName ?? "…"} -> conv({Text(large[0])}, 1, stride: {factor})'?";
    }

    private static (Shape, Shape)? Aligned(Shape a, Shape b)
    {
        if (a.Rank == b.Rank || a.Rank == 0 || b.Rank == 0)
        {
            return a.Rank == 0 ? (Ones(b), b) : b.Rank == 0 ? (a, Ones(a)) : (a, b);
        }

        return a.Rank == 1 ? (Vector(a, b) is { } x ? (x, b) : null)
            : b.Rank == 1 && Vector(b, a) is { } y ? (a, y)
            : null;
    }

    private static Shape? Vector(Shape vector, Shape other) =>
        vector[0] == other[0] || vector[0] == 1 ? Shape.Of(vector[0], ImmutableArray.CreateRange(Enumerable.Repeat(1, other.Rank - 1)))
        : vector[0] == other[other.Rank - 1] && other.Rank == 2 ? Shape.Of(1, vector[0])
        : null;

    private static Shape Ones(Shape shape) => new(ImmutableArray.CreateRange(Enumerable.Repeat(1, shape.Rank)));

    private static string Join(List<string> words) => string.Join(", ", words.Take(words.Count - 1)) + " and " + words[words.Count - 1];

    private static string AxisName(int rank, int axis) => (rank, axis) switch
    {
        (1, _) => "the number of features",
        (_, 0) => "the number of channels",
        (2, 1) => "length",
        (3, 1) => "height",
        (3, 2) => "width",
        (4, 1) => "depth",
        (4, 2) => "height",
        (4, 3) => "width",
        _ => "axis " + Text(axis),
    };

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
