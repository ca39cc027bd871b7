// Places of the oracle: gathering and scattering, ranks, regions.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using ModelCompiler.Operators;

namespace ModelCompiler.Tests.Oracle;

internal static class Selection
{
    public static double[] Gather(int axis, double[] x, double[] places, Shape input, Shape output)
    {
        var i = 0;
        return Axes.Positions(output.Dimensions).Select(position => Source(position, axis, places[i++], input) is { } source ? x[source] : 0).ToArray();
    }

    public static double[] Scatter(int axis, double[] values, double[] places, Shape input, Shape output)
    {
        var y = new double[output.Count];
        var i = 0;
        foreach (var position in Axes.Positions(input.Dimensions))
        {
            if (Source(position, axis, places[i], output) is { } target)
            {
                y[target] += values[i];
            }

            i++;
        }

        return y;
    }

    public static double[] TopPlaces(TopPlacesAttributes a, double[] x, Shape input, Shape output) =>
        Axes.Positions(output.Dimensions).Select(position =>
        {
            var at = (int[])position.Clone();
            double Value(int place)
            {
                at[a.Axis] = place;
                return x[Axes.Index(input, at)];
            }

            // OrderBy is stable: of equals the first stays first.
            return (double)Enumerable.Range(0, input[a.Axis]).Select(place => (Place: place, Value: Value(place))).ToArray()
                .OrderByDescending(pair => double.IsNaN(pair.Value) ? double.PositiveInfinity : pair.Value).ElementAt(position[a.Axis]).Place;
        }).ToArray();

    public static double[] MaxPoolPlaces(Window window, double[] x, Shape input, Shape output) =>
        Windows.PerChannel(window, input, output, (start, taps) => taps.Where(tap => tap >= 0).MaxBy(tap => x[start + tap]));

    public static double[] RegionPool(RegionPoolAttributes a, double[] x, double[] boxes, Shape input, Shape output) =>
        Axes.Positions(output.Dimensions).Select(p => Bin(a, boxes, input, p).Select(at => x[at]).DefaultIfEmpty(0).Max()).ToArray();

    public static double[] RegionPoolGradient(RegionPoolAttributes a, double[] x, double[] boxes, double[] dy, Shape input, Shape output)
    {
        var dx = new double[x.Length];
        var i = 0;
        foreach (var position in Axes.Positions(output.Dimensions))
        {
            var bin = Bin(a, boxes, input, position);
            if (bin.Count > 0)
            {
                dx[bin.MaxBy(at => x[at])] += dy[i];
            }

            i++;
        }

        return dx;
    }

    /// <summary>Indices of a bin's elements in scan order, for the result at (channel, region, row, column).</summary>
    private static List<int> Bin(RegionPoolAttributes a, double[] boxes, Shape input, int[] position)
    {
        var box = boxes.Skip(position[1] * 4).Take(4).Select(v => (int)Math.Round(v * (float)a.Scale, MidpointRounding.AwayFromZero)).ToArray();
        var (left, right) = Bounds(box[0], box[2], position[3], a.Columns, input[2]);
        var (top, bottom) = Bounds(box[1], box[3], position[2], a.Rows, input[1]);
        return [.. from h in Enumerable.Range(top, Math.Max(0, bottom - top))
                   from w in Enumerable.Range(left, Math.Max(0, right - left))
                   select (((position[0] * input[1]) + h) * input[2]) + w];
    }

    private static (int First, int Last) Bounds(int from, int to, int bin, int bins, int limit)
    {
        var size = Math.Max(to - from + 1, 1);
        var (first, last) = (from + (bin * size / bins), from + ((((bin + 1) * size) + bins - 1) / bins));
        return (Math.Clamp(first, 0, limit), Math.Clamp(last, 0, limit));
    }

    public static double[] RegionAlign(RegionAlignAttributes a, double[] x, double[] boxes, Shape output) =>
        Axes.Positions(output.Dimensions).Select(p => Around(a, boxes, p).Sum(e => e.Weight * x[e.Index])).ToArray();

    public static double[] RegionAlignGradient(RegionAlignAttributes a, double[] boxes, double[] dy, Shape output)
    {
        var dx = new double[a.InputShape.Count];
        var i = 0;
        foreach (var position in Axes.Positions(output.Dimensions))
        {
            foreach (var (index, weight) in Around(a, boxes, position))
            {
                dx[index] += weight * dy[i];
            }

            i++;
        }

        return dx;
    }

    /// <summary>Elements with their weights in the mean at (channel, region, row, column).</summary>
    private static List<(int Index, double Weight)> Around(RegionAlignAttributes a, double[] boxes, int[] position)
    {
        var box = boxes.Skip(position[1] * 4).Take(4).Select(v => (v * (float)a.Scale) - (a.Aligned ? 0.5 : 0)).ToArray();
        var rows = Weights(a, box[1], box[3], position[2], a.Rows, a.InputShape[1]);
        var columns = Weights(a, box[0], box[2], position[3], a.Columns, a.InputShape[2]);
        return [.. from row in rows from column in columns
                   select ((((position[0] * a.InputShape[1]) + row.Element) * a.InputShape[2]) + column.Element, row.Weight * column.Weight)];
    }

    /// <summary>Interpolation along one axis: an element counts by how much less than 1 it is away from a sample.</summary>
    private static List<(int Element, double Weight)> Weights(RegionAlignAttributes a, double from, double to, int bin, int bins, int elements)
    {
        var size = a.Aligned ? to - from : Math.Max(to - from, 1);
        var samples = Enumerable.Range(0, a.Samples).Select(i => from + (((bin * a.Samples) + i + 0.5) * size / (bins * a.Samples))).Where(v => v >= -1 && v <= elements);
        return [.. from sample in samples
                   from element in Enumerable.Range(0, elements)
                   let weight = 1 - Math.Abs(Math.Clamp(sample, 0, elements - 1) - element)
                   where weight > 0
                   select (element, weight / a.Samples)];
    }

    /// <summary>Index of the element that a place names; null where there is none.</summary>
    private static int? Source(int[] position, int axis, double place, Shape shape)
    {
        var source = (int[])position.Clone();
        source[axis] = (int)place;
        return source[axis] >= 0 && source[axis] < shape[axis] ? Axes.Index(shape, source) : null;
    }
}
