// Axes of the oracle: positions, reductions, movement, softmax, classes.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using ModelCompiler.Operators;

namespace ModelCompiler.Tests.Oracle;

internal static class Axes
{
    /// <summary>All positions of a box, the last axis fastest. The same array is returned again and again.</summary>
    public static IEnumerable<int[]> Positions(ImmutableArray<int> sizes)
    {
        var position = new int[sizes.Length];
        var count = sizes.Aggregate(1L, (product, size) => product * size);
        for (var i = 0L; i < count; i++)
        {
            yield return position;
            for (var axis = sizes.Length - 1; axis >= 0 && ++position[axis] == sizes[axis]; axis--)
            {
                position[axis] = 0;
            }
        }
    }

    /// <summary>Index of a position; axes of size 1 repeat, and a scalar is everywhere.</summary>
    public static int Index(Shape shape, int[] position)
    {
        var index = 0;
        for (var axis = 0; axis < shape.Rank; axis++)
        {
            index = (index * shape[axis]) + (shape[axis] == 1 ? 0 : position[axis]);
        }

        return index;
    }

    public static double[] Reduce(ReduceAttributes a, double[] x, Shape input, Shape output)
    {
        var groups = new List<double>[output.Count];
        var i = 0;
        foreach (var position in Positions(input.Dimensions))
        {
            (groups[Index(output, position)] ??= []).Add(x[i++]);
        }

        return groups.Select(group => a.Kind switch { ReduceKind.Max => group.Max(), ReduceKind.Mean => group.Average(), _ => group.Sum() }).ToArray();
    }

    public static double[] Concat(int axis, double[][] inputs, Shape[] shapes, Shape output)
    {
        var y = new double[output.Count];
        var start = 0;
        for (var i = 0; i < inputs.Length; i++)
        {
            var moved = Move(inputs[i], shapes[i], output, axis, start);
            y = y.Zip(moved, (a, b) => a + b).ToArray();
            start += shapes[i][axis];
        }

        return y;
    }

    /// <summary>x shifted along one axis into a box of another size; zeros where nothing lands.</summary>
    public static double[] Move(double[] x, Shape input, Shape output, int axis, int shift)
    {
        var y = new double[output.Count];
        var i = 0;
        foreach (var position in Positions(input.Dimensions))
        {
            var target = (int[])position.Clone();
            target[axis] += shift;
            if (target[axis] >= 0 && target[axis] < output[axis])
            {
                y[Index(output, target)] = x[i];
            }

            i++;
        }

        return y;
    }

    /// <summary>Every element of the larger side of the table gives to, or takes from, its taps.</summary>
    public static double[] Resample(ResampleAttributes a, double[] x, Shape input, Shape output, bool backward)
    {
        var taps = Resampling.Taps(a);
        var y = new double[output.Count];
        var (resized, original) = backward ? (input, output) : (output, input);
        foreach (var position in Positions(resized.Dimensions))
        {
            var at = Index(resized, position);
            var source = (int[])position.Clone();
            foreach (var (index, weight) in taps[position[a.Axis]])
            {
                source[a.Axis] = index;
                var from = Index(original, source);
                y[backward ? from : at] += weight * x[backward ? at : from];
            }
        }

        return y;
    }

    public static double[] Transpose(ImmutableArray<int> permutation, double[] x, Shape input, Shape output) =>
        Positions(output.Dimensions).Select(position =>
        {
            var source = new int[position.Length];
            for (var axis = 0; axis < source.Length; axis++)
            {
                source[permutation[axis]] = position[axis];
            }

            return x[Index(input, source)];
        }).ToArray();

    public static double[] Softmax(int axis, double[] x, Shape shape, bool logarithm)
    {
        var reduced = shape.With(axis, 1);
        double[] Over(ReduceKind kind, double[] values) => Reduce(new ReduceAttributes(kind, [axis], false), values, shape, reduced);
        double[] Spread(double[] values) => Positions(shape.Dimensions).Select(position => values[Index(reduced, position)]).ToArray();

        var shifted = x.Zip(Spread(Over(ReduceKind.Max, x)), (value, max) => value - max).ToArray();
        var sums = Spread(Over(ReduceKind.Sum, shifted.Select(Math.Exp).ToArray()));
        return shifted.Zip(sums, (value, sum) => logarithm ? value - Math.Log(sum) : Math.Exp(value) / sum).ToArray();
    }

    /// <summary>A label that is no class picks 0.</summary>
    public static double[] GatherClass(double[] x, double[] classes) =>
        classes.Select((c, place) => c >= 0 && c < x.Length / classes.Length ? x[((int)c * classes.Length) + place] : 0).ToArray();

    public static double[] ScatterClass(int count, double[] dy, double[] classes)
    {
        var dx = new double[count * dy.Length];
        for (var place = 0; place < dy.Length; place++)
        {
            if (classes[place] >= 0 && classes[place] < count)
            {
                dx[((int)classes[place] * dy.Length) + place] = dy[place];
            }
        }

        return dx;
    }
}
