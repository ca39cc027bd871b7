// Convolution with columns side by side against plain loops: few and many channels, rows of one vector, of one and a bit and of several, planes of
// one row, windows that leave out a last row or column, with and without the maximum over 2x2.
using ModelCompiler.Graph;
using ModelCompiler.Kernels;
using ModelCompiler.Planning;

namespace ModelCompiler.Tests.Kernels;

public class PlanarConvolutionTests
{
    // Inputs, outputs, rows and columns of the input, taps, padding of rows and columns, batch.
    private static readonly (int Inputs, int Outputs, int Height, int Width, int Rows, int Columns, int PadRows, int PadColumns, int Batch)[] Cases =
    [
        (1, 6, 28, 28, 5, 5, 2, 2, 1), (3, 1, 7, 16, 3, 3, 1, 1, 5), (17, 5, 4, 20, 3, 2, 0, 0, 1), (3, 17, 9, 33, 2, 5, 0, 0, 5), (2, 9, 6, 50, 5, 3, 2, 3, 1),
        (4, 3, 7, 33, 7, 1, 3, 0, 1), (1, 8, 3, 71, 1, 7, 0, 3, 1), (5, 7, 2, 17, 1, 1, 0, 0, 5), (1, 2, 2, 22, 2, 4, 1, 0, 1),
    ];

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    [OnEveryHardware]
    public void ConvolvesAndTakesTheMaximum(bool bias, bool pool) => KernelHarness.Check([.. Cases.Concat(pool ? [] : [(3, 4, 1, 16, 1, 1, 0, 0, 5), (1, 3, 1, 40, 3, 3, 1, 1, 1)]).Select(g =>
    {
        var x = new Layout(LayoutKind.Planar, Shape.Of(g.Inputs, g.Height, g.Width), new Halo(0, 0, g.PadRows, g.PadRows + 1, g.PadColumns, g.PadColumns));
        var (height, width) = (g.Height + (2 * g.PadRows) + 1 - g.Rows, g.Width + (2 * g.PadColumns) + 1 - g.Columns);
        var y = new Layout(LayoutKind.Planar, pool ? Shape.Of(g.Outputs, height / 2, width / 2) : Shape.Of(g.Outputs, height, width), bias ? new Halo(0, 0, 0, 1, 1, 2) : Halo.None);
        Layout Flat(params int[] sizes) => new(LayoutKind.Flat, Shape.Of(sizes));

        // The formula falls where sums are negative, so a maximum before it would show.
        Expression? formula = bias ? new BinaryFormula(BinaryFunction.Multiply, new InputFormula(0), new InputFormula(0)) : null;
        var kernel = new PlanarConvolutionKernel(x, y, g.Rows, g.Columns, g.PadRows, g.PadColumns, bias, formula, pool);
        return new KernelCase(
            kernel, g.Batch,
            () =>
            [
                TestOperand.Input(x, g.Batch, 1), TestOperand.Input(Flat(g.Outputs, g.Inputs, g.Rows, g.Columns), 0, 2),
                .. bias ? [TestOperand.Input(Flat(g.Outputs), 0, 3)] : Array.Empty<TestOperand>(), TestOperand.Output(y, g.Batch),
            ],
            o =>
            {
                double At(int sample, int output, int row, int column)
                {
                    var sum = bias ? o[2][0, output] : 0.0;
                    foreach (var tap in TestOperand.Indices(Shape.Of(g.Inputs, g.Rows, g.Columns)))
                    {
                        var (r, c) = (row + tap[1] - g.PadRows, column + tap[2] - g.PadColumns);
                        sum += r < 0 || c < 0 || r >= g.Height || c >= g.Width ? 0 : o[0][sample, tap[0], r, c] * o[1][0, output, tap[0], tap[1], tap[2]];
                    }

                    return bias ? sum * sum : sum;
                }

                return
                [
                    new Expectation(bias ? 3 : 2, (s, i) => pool
                        ? Math.Max(Math.Max(At(s, i[0], 2 * i[1], 2 * i[2]), At(s, i[0], 2 * i[1], (2 * i[2]) + 1)), Math.Max(At(s, i[0], (2 * i[1]) + 1, 2 * i[2]), At(s, i[0], (2 * i[1]) + 1, (2 * i[2]) + 1)))
                        : At(s, i[0], i[1], i[2]), 2e-5),
                ];
            });
    })]);
}
