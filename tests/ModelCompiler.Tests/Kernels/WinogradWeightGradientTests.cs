// Winograd's weight gradient against plain loops: planes that no tile divides, channels that fill no block, batches of several
// chunks, and the rounding errors that are promised.
using ModelCompiler.Graph;
using ModelCompiler.Kernels;
using ModelCompiler.Planning;

namespace ModelCompiler.Tests.Kernels;

public class WinogradWeightGradientTests
{
    // Inputs, outputs, rows and columns of the input's plane, padding, dilation; the samples that chunks are chosen for, and those there are.
    private static readonly (int Inputs, int Outputs, int Rows, int Columns, int Pad, int Dilation, int Samples, int Batch)[] Cases =
    [
        (1, 1, 1, 1, 1, 1, 8, 1), (3, 5, 3, 5, 1, 1, 8, 5), (17, 33, 7, 7, 1, 1, 8, 5), (16, 16, 13, 11, 1, 1, 1, 3), (33, 17, 14, 14, 1, 1, 1, 2), (5, 40, 4, 9, 2, 1, 2, 5),
        (32, 48, 6, 6, 0, 1, 8, 2), (2, 16, 3, 3, 0, 1, 8, 1), (20, 64, 33, 5, 1, 1, 1, 2), (16, 112, 8, 8, 1, 1, 1, 9), (200, 20, 5, 5, 1, 1, 1, 5),
        (1, 1, 1, 1, 2, 2, 8, 1), (3, 5, 3, 5, 4, 4, 8, 5), (17, 33, 7, 9, 2, 2, 8, 5), (16, 16, 13, 11, 1, 3, 1, 3), (33, 17, 17, 10, 4, 4, 1, 2), (5, 40, 4, 19, 5, 2, 2, 5),
    ];

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void SumsUpWithinItsErrorBound(int outputs) => KernelHarness.Check([.. Cases.Select(g =>
    {
        var x = new Layout(LayoutKind.Blocked, Shape.Of(g.Inputs, g.Rows, g.Columns), new Halo(0, 0, g.Pad, g.Pad + 1, g.Pad, g.Pad));
        var dy = new Layout(LayoutKind.Blocked, Shape.Of(g.Outputs, g.Rows + (2 * (g.Pad - g.Dilation)), g.Columns + (2 * (g.Pad - g.Dilation))), g.Outputs % 2 == 0 ? Halo.None : new Halo(0, 0, 0, 2, 1, 3));
        var kernel = new WinogradWeightGradientKernel(outputs, x, dy, g.Pad, g.Pad, g.Samples, g.Dilation);
        Layout weights = new(LayoutKind.Flat, Shape.Of(g.Outputs, g.Inputs, 3, 3)), scratch = new(LayoutKind.Flat, Shape.Of(kernel.ScratchFloats));
        return new KernelCase(
            kernel, g.Batch,
            () => [TestOperand.Input(x, g.Batch, 1), TestOperand.Input(dy, g.Batch, 2, float.NaN), TestOperand.Output(weights, 0), TestOperand.Output(scratch, 0)],
            o =>
            {
                var (inputs, gradients) = (Values(o[0]), Values(o[1]));
                var expected = TestOperand.Indices(weights.Shape).Select(i => Gradient(inputs, x, gradients, dy, g.Pad, g.Dilation, i)).ToArray();
                var plane = dy.Height * dy.Width;
                var largest = Enumerable.Range(0, g.Outputs).Max(output => gradients.Sum(s => Enumerable.Range(output * plane, plane).Sum(i => Math.Abs(s[i]))));
                return [new Expectation(2, (_, i) => expected[(((((i[0] * g.Inputs) + i[1]) * 3) + i[2]) * 3) + i[3]], (outputs == 2 ? 1e-6 : 1e-5) * largest, Absolute: true)];
            });
    })]);

    private static double[][] Values(TestOperand operand) =>
        [.. Enumerable.Range(0, operand.Samples).Select(s => TestOperand.Indices(operand.Layout.Shape).Select(i => operand[s, i]).ToArray())];

    private static double Gradient(double[][] inputs, Layout x, double[][] gradients, Layout dy, int pad, int dilation, int[] tap)
    {
        var sum = 0.0;
        var (down, right) = ((tap[2] * dilation) - pad, (tap[3] * dilation) - pad);
        foreach (var (input, gradient) in inputs.Zip(gradients))
        {
            for (var row = Math.Max(0, -down); row < Math.Min(dy.Height, x.Height - down); row++)
            {
                for (var column = Math.Max(0, -right); column < Math.Min(dy.Width, x.Width - right); column++)
                {
                    sum += gradient[(((tap[0] * dy.Height) + row) * dy.Width) + column]
                        * input[(((tap[1] * x.Height) + row + down) * x.Width) + column + right];
                }
            }
        }

        return sum;
    }
}
