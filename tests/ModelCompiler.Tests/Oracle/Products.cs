// Matrix products of the oracle.
using ModelCompiler.Graph;
using ModelCompiler.Operators;

namespace ModelCompiler.Tests.Oracle;

internal static class Products
{
    public static double[] Matrix(MatrixProductAttributes attributes, double[][] inputs, Shape[] shapes, Shape result)
    {
        var (rows, columns) = (result.Dimensions[^2], result.Dimensions[^1]);
        var inner = shapes[0].Dimensions[attributes.TransposeLeft ? ^2 : ^1];
        return Enumerable.Range(0, (int)result.Count).Select(i =>
        {
            var (matrix, row, column) = (i / (rows * columns), i / columns % rows, i % columns);
            return Enumerable.Range(0, inner).Sum(k =>
                inputs[0][(matrix * rows * inner) + (attributes.TransposeLeft ? (k * rows) + row : (row * inner) + k)]
                * inputs[1][(matrix * inner * columns) + (attributes.TransposeRight ? (column * inner) + k : (k * columns) + column)]);
        }).ToArray();
    }

    public static double[] Dense(double[][] inputs, Shape[] shapes)
    {
        var (outputs, features) = (shapes[1][0], shapes[1][1]);
        var y = new double[inputs[0].Length / features * outputs];
        for (var i = 0; i < y.Length; i++)
        {
            var (row, o) = (i / outputs, i % outputs);
            y[i] = inputs.Length == 3 ? inputs[2][o] : 0;
            for (var f = 0; f < features; f++)
            {
                y[i] += inputs[0][(row * features) + f] * inputs[1][(o * features) + f];
            }
        }

        return y;
    }

    public static double[] DenseInputGradient(double[][] inputs, Shape[] shapes)
    {
        var (outputs, features) = (shapes[1][0], shapes[1][1]);
        var dx = new double[inputs[0].Length / outputs * features];
        for (var i = 0; i < dx.Length; i++)
        {
            var (row, f) = (i / features, i % features);
            for (var o = 0; o < outputs; o++)
            {
                dx[i] += inputs[0][(row * outputs) + o] * inputs[1][(o * features) + f];
            }
        }

        return dx;
    }

    public static double[] DenseWeightGradient(double[][] inputs, Shape[] shapes)
    {
        var (features, outputs) = (shapes[0].Dimensions[^1], shapes[1].Dimensions[^1]);
        var dw = new double[outputs * features];
        for (var row = 0; row < inputs[0].Length / features; row++)
        {
            for (var i = 0; i < dw.Length; i++)
            {
                dw[i] += inputs[0][(row * features) + (i % features)] * inputs[1][(row * outputs) + (i / features)];
            }
        }

        return dw;
    }
}
