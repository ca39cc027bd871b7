// Data gradients with samples side by side against plain loops: batches that fill no vector, taps that reach beyond the plane on
// one side or on all, and rows shorter than a tile.
using ModelCompiler.Graph;
using ModelCompiler.Kernels;
using ModelCompiler.Planning;

namespace ModelCompiler.Tests.Kernels;

public class NarrowGradientTests
{
    // Inputs, outputs, rows and columns of the input, taps, padding, batch.
    private static readonly (int Inputs, int Outputs, int Height, int Width, int Rows, int Columns, int Pad, int Batch)[] Cases =
    [
        (1, 1, 1, 1, 1, 1, 0, 1), (6, 16, 14, 14, 5, 5, 0, 20), (3, 17, 7, 7, 3, 3, 1, 16), (8, 5, 4, 9, 3, 2, 1, 33), (2, 33, 5, 3, 5, 3, 2, 5),
        (5, 3, 6, 6, 2, 5, 0, 17), (4, 20, 1, 12, 1, 3, 0, 3), (7, 16, 9, 2, 3, 2, 1, 15),
    ];

    [Fact]
    [OnEveryHardware]
    public void IsTheTransposeOfTheConvolution() => KernelHarness.Check([.. Cases.Select(g =>
    {
        var dx = new Layout(LayoutKind.Blocked, Shape.Of(g.Inputs, g.Height, g.Width), g.Inputs % 2 == 0 ? Halo.None : new Halo(0, 0, 1, 0, 2, 1));
        var dy = new Layout(LayoutKind.Blocked, Shape.Of(g.Outputs, g.Height + (2 * g.Pad) + 1 - g.Rows, g.Width + (2 * g.Pad) + 1 - g.Columns), new Halo(0, 0, 1, 1, 0, 1));
        var weights = new Layout(LayoutKind.Flat, Shape.Of(g.Outputs, g.Inputs, g.Rows, g.Columns));
        var kernel = new NarrowGradientKernel(dy, dx, g.Rows, g.Columns, g.Pad, g.Pad);
        return new KernelCase(
            kernel, g.Batch,
            () =>
            [
                TestOperand.Input(dy, g.Batch, 1, float.NaN), TestOperand.Input(weights, 0, 2), TestOperand.Output(dx, g.Batch),
                TestOperand.Output(new Layout(LayoutKind.Flat, Shape.Of(kernel.ScratchFloats)), 0),
            ],
            o =>
            [
                new Expectation(2, (s, i) =>
                {
                    var sum = 0.0;
                    foreach (var tap in TestOperand.Indices(Shape.Of(g.Outputs, g.Rows, g.Columns)))
                    {
                        var (row, column) = (i[1] + g.Pad - tap[1], i[2] + g.Pad - tap[2]);
                        sum += row < 0 || column < 0 || row >= dy.Height || column >= dy.Width ? 0 : o[0][s, tap[0], row, column] * o[1][0, tap[0], i[0], tap[1], tap[2]];
                    }

                    return sum;
                }, 2e-5),
            ]);
    })]);
}
