// Sliding windows of the oracle. One table says which input element each place of the window touches; convolution,
// pooling and their gradients are then plain loops over it.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using ModelCompiler.Operators;

namespace ModelCompiler.Tests.Oracle;

internal static class Windows
{
    /// <summary>For every output place and every window element, in scan order, the input place; -1 in the padding.</summary>
    public static int[][] Taps(Window window, ImmutableArray<int> input, ImmutableArray<int> output) =>
        Axes.Positions(output).Select(place => Axes.Positions(window.Kernel).Select(element =>
        {
            var index = 0;
            for (var axis = 0; axis < input.Length; axis++)
            {
                var at = (place[axis] * window.Stride[axis]) + (element[axis] * window.Dilation[axis]) - window.PadBegin[axis];
                if (at < 0 || at >= input[axis])
                {
                    return -1;
                }

                index = (index * input[axis]) + at;
            }

            return index;
        }).ToArray()).ToArray();

    public static double[] Convolution(Window window, int groups, double[][] inputs, Shape[] shapes, Shape result)
    {
        var y = new double[result.Count];
        ForEachProduct(window, groups, shapes[0], shapes[1], result, (x, w, o) => y[o] += inputs[0][x] * inputs[1][w]);
        for (var i = 0; inputs.Length == 3 && i < y.Length; i++)
        {
            y[i] += inputs[2][i / (y.Length / result.Channels)];
        }

        return y;
    }

    public static double[] ConvolutionInputGradient(Window window, int groups, double[][] inputs, Shape[] shapes, Shape result)
    {
        var dx = new double[result.Count];
        ForEachProduct(window, groups, result, shapes[1], shapes[0], (x, w, o) => dx[x] += inputs[0][o] * inputs[1][w]);
        return dx;
    }

    public static double[] ConvolutionWeightGradient(Window window, int groups, double[][] inputs, Shape[] shapes, Shape result)
    {
        var dw = new double[result.Count];
        ForEachProduct(window, groups, shapes[0], result, shapes[1], (x, w, o) => dw[w] += inputs[0][x] * inputs[1][o]);
        return dw;
    }

    public static double[] MaxPool(Window window, double[] x, Shape input, Shape output) =>
        PerChannel(window, input, output, (start, taps) => taps.Where(tap => tap >= 0).Select(tap => x[start + tap]).DefaultIfEmpty(double.NegativeInfinity).Max());

    /// <summary>MaxBy keeps the first of equals.</summary>
    public static double[] MaxPoolWinners(Window window, double[] x, Shape input, Shape output) =>
        PerChannel(window, input, output, (start, taps) => Enumerable.Range(0, taps.Length).Where(k => taps[k] >= 0).MaxBy(k => x[start + taps[k]]));

    public static double[] MaxPoolGradient(MaxPoolGradientAttributes a, double[][] inputs, Shape[] shapes)
    {
        var (winners, dy) = (inputs[0], inputs[1]);
        var dx = new double[a.InputShape.Count];
        var place = 0;
        PerChannel(a.Window, a.InputShape, shapes[1], (start, taps) =>
        {
            dx[start + taps[(int)winners[place]]] += dy[place];
            return place++;
        });
        return dx;
    }

    public static double[] AveragePool(AveragePoolAttributes a, double[] x, Shape input, Shape output) =>
        PerChannel(a.Window, input, output, (start, taps) => taps.Where(tap => tap >= 0).Sum(tap => x[start + tap]) / Divisor(a, taps));

    public static double[] AveragePoolGradient(AveragePoolAttributes a, double[] dy, Shape output)
    {
        var dx = new double[a.InputShape.Count];
        var place = 0;
        PerChannel(a.Window, a.InputShape, output, (start, taps) =>
        {
            foreach (var tap in taps.Where(tap => tap >= 0))
            {
                dx[start + tap] += dy[place] / Divisor(a, taps);
            }

            return place++;
        });
        return dx;
    }

    private static int Divisor(AveragePoolAttributes a, int[] taps) => a.CountPadding ? taps.Length : taps.Count(tap => tap >= 0);

    /// <summary>Calls <paramref name="action"/> with the indices of the three elements of every product of a convolution.</summary>
    private static void ForEachProduct(Window window, int groups, Shape input, Shape weight, Shape output, Action<int, int, int> action)
    {
        var taps = Taps(window, input.Spatial, output.Spatial);
        var plane = (int)input.Count / input.Channels;
        for (var o = 0; o < output.Channels; o++)
        {
            var group = o / (output.Channels / groups);
            for (var c = 0; c < weight[1]; c++)
            {
                for (var place = 0; place < taps.Length; place++)
                {
                    for (var k = 0; k < taps[place].Length; k++)
                    {
                        if (taps[place][k] >= 0)
                        {
                            action((((group * weight[1]) + c) * plane) + taps[place][k], (((o * weight[1]) + c) * taps[place].Length) + k, (o * taps.Length) + place);
                        }
                    }
                }
            }
        }
    }

    internal static double[] PerChannel(Window window, Shape input, Shape output, Func<int, int[], double> windowValue)
    {
        var taps = Taps(window, input.Spatial, output.Spatial);
        var plane = (int)input.Count / input.Channels;
        return Enumerable.Range(0, input.Channels).SelectMany(channel => taps.Select(window => windowValue(channel * plane, window))).ToArray();
    }
}
