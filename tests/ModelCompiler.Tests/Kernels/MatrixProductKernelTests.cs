// Products of matrices of every awkward size against plain sums.
using ModelCompiler.Graph;
using ModelCompiler.Kernels;
using ModelCompiler.Planning;

namespace ModelCompiler.Tests.Kernels;

public class MatrixProductKernelTests
{
    [Fact]
    [OnEveryHardware]
    public void SumsProducts() => KernelHarness.Check(
    [
        .. from size in new[] { (1, 1, 1, 1), (3, 8, 5, 16), (2, 9, 7, 17), (1, 19, 33, 3), (4, 5, 64, 39), (1, 16, 1, 50), (1, 9, 7, 64), (2, 17, 6, 85) }
           select Case(size.Item1, size.Item2, size.Item3, size.Item4),
    ]);

    private static KernelCase Case(int matrices, int rows, int inner, int columns)
    {
        Layout Flat(int height, int width) => new(LayoutKind.Flat, Shape.Of(matrices, height, width));
        return new KernelCase(
            new MatrixProductKernel(matrices, rows, inner, columns),
            2,
            () => [TestOperand.Input(Flat(rows, inner), 2, 1), TestOperand.Input(Flat(inner, columns), 2, 2), TestOperand.Output(Flat(rows, columns), 2)],
            o => [new Expectation(2, (s, i) => Enumerable.Range(0, inner).Sum(k => o[0][s, [i[0], i[1], k]] * o[1][s, [i[0], k, i[2]]]), 1e-5)]);
    }
}
