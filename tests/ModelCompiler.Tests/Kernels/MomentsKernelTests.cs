// Means and variances against sums in double precision: planes of one element, rows with halos, channels that fill no block,
// and values far from zero, where squares of sums would leave nothing of the variance.
using ModelCompiler.Graph;
using ModelCompiler.Kernels;
using ModelCompiler.Planning;

namespace ModelCompiler.Tests.Kernels;

public class MomentsKernelTests
{
    private static readonly (Shape Shape, Halo Halo)[] Inputs =
    [
        (Shape.Of(1, 1, 1), Halo.None), (Shape.Of(3, 7, 7), Halo.None), (Shape.Of(17, 7, 7), new Halo(0, 0, 1, 1, 1, 1)), (Shape.Of(33, 1, 9), new Halo(0, 0, 0, 2, 3, 1)),
        (Shape.Of(16, 40, 41), Halo.None), (Shape.Of(20, 19, 70), new Halo(0, 0, 1, 0, 0, 1)), (Shape.Of(5, 3, 4, 6), new Halo(1, 1, 1, 1, 1, 1)), (Shape.Of(4, 300), Halo.None),
    ];

    [Theory]
    [InlineData(1, 0)]
    [InlineData(5, 0)]
    [InlineData(5, 1000)]
    public void AreThoseOfTheBatch(int batch, double offset) => KernelHarness.Check([.. Inputs.Select(i =>
    {
        var x = new Layout(LayoutKind.Blocked, i.Shape, i.Halo);
        var vector = new Layout(LayoutKind.Blocked, Enumerable.Range(1, i.Shape.Rank - 1).Aggregate(i.Shape, (shape, axis) => shape.With(axis, 1)));
        return new KernelCase(
            new MomentsKernel(x, vector), batch,
            () => [TestOperand.Input(x, batch, (s, at) => offset + Math.Sin((s * 31) + at.Select((a, k) => a * (k + 1.7)).Sum()), float.NaN), TestOperand.Output(vector, 0), TestOperand.Output(vector, 0)],
            o =>
            {
                double[] Of(int channel) => [.. from s in Enumerable.Range(0, batch) from at in TestOperand.Indices(i.Shape.With(0, 1)) select o[0][s, [channel, .. at[1..]]]];
                return
                [
                    new Expectation(1, (_, at) => Of(at[0]).Average(), 1e-6),
                    new Expectation(2, (_, at) => Of(at[0]) is var all && all.Average() is var mean ? all.Average(v => (v - mean) * (v - mean)) : 0, offset == 0 ? 2e-6 : 2e-4),
                ];
            });
    })]);
}
