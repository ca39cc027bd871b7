// Winograd's weight gradient against plain loops: planes that no tile divides, channels that fill no block, batches of several
// chunks, and the rounding errors that are promised.
using ModelCompiler.Graph;
using ModelCompiler.Kernels;
using ModelCompiler.Planning;

namespace ModelCompiler.Tests.Kernels;

public class WinogradWeightGradientTests
{
    // Inputs, outputs, rows and columns of the input's plane, padding; the samples that chunks are chosen for, and those there are.
    private static readonly (int Inputs, int Outputs, int Rows, int Columns, int Pad, int Samples, int Batch)[] Cases =
    [
        (1, 1, 1, 1, 1, 8, 1), (3, 5, 3, 5, 1, 8, 5), (17, 33, 7, 7, 1, 8, 5), (16, 16, 13, 11, 1, 1, 3), (33, 17, 14, 14, 1, 1, 2), (5, 40, 4, 9, 2, 2, 5),
        (32, 48, 6, 6, 0, 8, 2), (2, 16, 3, 3, 0, 8, 1), (20, 64, 33, 5, 1, 1, 2), (16, 112, 8, 8, 1, 1, 9), (200, 20, 5, 5, 1, 1, 5),
    ];

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void SumsUpWithinItsErrorBound(int outputs) => KernelHarness.Check([.. Cases.Select(g =>
    {
        var x = new Layout(LayoutKind.Blocked, Shape.Of(g.Inputs, g.Rows, g.Columns), new Halo(0, 0, g.Pad, g.Pad + 1, g.Pad, g.Pad));
        var dy = new Layout(LayoutKind.Blocked, Shape.Of(g.Outputs, g.Rows + (2 * g.Pad) - 2, g.Columns + (2 * g.Pad) - 2), g.Outputs % 2 == 0 ? Halo.None : new Halo(0, 0, 0, 2, 1, 3));
        var kernel = new WinogradWeightGradientKernel(outputs, x, dy, g.Pad, g.Pad, g.Samples);
        Layout weights = new(LayoutKind.Flat, Shape.Of(g.Outputs, g.Inputs, 3, 3)), scratch = new(LayoutKind.Flat, Shape.Of(kernel.ScratchFloats));
        return new KernelCase(
            kernel, g.Batch,
            () => [TestOperand.Input(x, g.Batch, 1), TestOperand.Input(dy, g.Batch, 2, float.NaN), TestOperand.Output(weights, 0), TestOperand.Output(scratch, 0)],
            o =>
            {
                var expected = TestOperand.Indices(weights.Shape).Select(i => Gradient(o[0], o[1], g.Batch, g.Pad, i)).ToArray();
                var largest = Enumerable.Range(0, g.Outputs).Max(output => Enumerable.Range(0, g.Batch).Sum(s => TestOperand.Indices(dy.Shape.With(0, 1)).Sum(i => Math.Abs(o[1][s, output, i[1], i[2]]))));
                return [new Expectation(2, (_, i) => expected[(((((i[0] * g.Inputs) + i[1]) * 3) + i[2]) * 3) + i[3]], (outputs == 2 ? 1e-6 : 1e-5) * largest, Absolute: true)];
            });
    })]);

    private static double Gradient(TestOperand x, TestOperand dy, int batch, int pad, int[] tap)
    {
        var (rows, columns) = (x.Layout.Height, x.Layout.Width);
        var sum = 0.0;
        for (var sample = 0; sample < batch; sample++)
        {
            for (var row = Math.Max(0, pad - tap[2]); row < Math.Min(dy.Layout.Height, rows + pad - tap[2]); row++)
            {
                for (var column = Math.Max(0, pad - tap[3]); column < Math.Min(dy.Layout.Width, columns + pad - tap[3]); column++)
                {
                    sum += dy[sample, tap[0], row, column] * x[sample, tap[1], row + tap[2] - pad, column + tap[3] - pad];
                }
            }
        }

        return sum;
    }
}
