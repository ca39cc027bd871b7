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
    [InlineData(0)]
    [InlineData(1000)]
    public void AreThoseOfASample(double offset) => KernelHarness.Check([.. Inputs.Select(i =>
    {
        var (x, vector) = Layouts(i);
        return new KernelCase(
            new MomentsKernel(x, vector), 2,
            () => [TestOperand.Input(x, 2, (s, at) => Value(offset, s, at), float.NaN), TestOperand.Output(vector, 2), TestOperand.Output(vector, 2)],
            o =>
            {
                double[] Of(int sample, int channel) => [.. from at in TestOperand.Indices(i.Shape.With(0, 1)) select o[0][sample, [channel, .. at[1..]]]];
                return
                [
                    new Expectation(1, (s, at) => Of(s, at[0]).Average(), 1e-6),
                    new Expectation(2, (s, at) => SquaredDeviations(Of(s, at[0])), offset == 0 ? 2e-6 : 2e-4),
                ];
            });
    })]);

    [Theory]
    [InlineData(1, 0)]
    [InlineData(5, 0)]
    [InlineData(5, 1000)]
    public void SamplesJoinToABatch(int batch, double offset) => KernelHarness.Check([.. Inputs.Select(i =>
    {
        var (_, vector) = Layouts(i);
        double[] Of(int sample, int channel) => [.. from at in TestOperand.Indices(i.Shape.With(0, 1)) select Value(offset, sample, [channel, .. at[1..]])];
        double[] OfAll(int channel) => [.. Enumerable.Range(0, batch).SelectMany(s => Of(s, channel))];
        return new KernelCase(
            new JoinMomentsKernel(vector, (int)(i.Shape.Count / i.Shape[0])), batch,
            () =>
            [
                TestOperand.Input(vector, batch, (s, at) => Of(s, at[0]).Average()), TestOperand.Input(vector, batch, (s, at) => SquaredDeviations(Of(s, at[0]))),
                TestOperand.Output(vector, 0), TestOperand.Output(vector, 0),
            ],
            _ =>
            [
                new Expectation(2, (_, at) => OfAll(at[0]).Average(), 1e-6),
                new Expectation(3, (_, at) => OfAll(at[0]) is var all ? SquaredDeviations(all) / all.Length : 0, offset == 0 ? 2e-6 : 2e-4),
            ]);
    })]);

    /// <summary>Samples of two rows in three parts each, the last of a row shorter.</summary>
    [Fact]
    public void PartsOfRowsJoinToABatch()
    {
        const int batch = 5, each = 7, last = 4;
        Layout parts = new(LayoutKind.Blocked, Shape.Of(18, 2, 3)), vector = new(LayoutKind.Blocked, Shape.Of(18, 1, 1));
        double[] Of(int sample, int[] at) => [.. Enumerable.Range(0, at[2] == 2 ? last : each).Select(column => Value(3, sample, [at[0], at[1], (at[2] * each) + column]))];
        double[] OfAll(int channel) => [.. from s in Enumerable.Range(0, batch) from at in TestOperand.Indices(Shape.Of(1, 2, 3)) from value in Of(s, [channel, at[1], at[2]]) select value];
        KernelHarness.Check(new KernelCase(
            new JoinMomentsKernel(vector, parts, (each, last)), batch,
            () => [TestOperand.Input(parts, batch, (s, at) => Of(s, at).Average()), TestOperand.Input(parts, batch, (s, at) => SquaredDeviations(Of(s, at))), TestOperand.Output(vector, 0), TestOperand.Output(vector, 0)],
            _ =>
            [
                new Expectation(2, (_, at) => OfAll(at[0]).Average(), 1e-6), new Expectation(3, (_, at) => OfAll(at[0]) is var all ? SquaredDeviations(all) / all.Length : 0, 4e-6),
            ]));
    }

    private static (Layout X, Layout Vector) Layouts((Shape Shape, Halo Halo) input) =>
        (new(LayoutKind.Blocked, input.Shape, input.Halo), new(LayoutKind.Blocked, Enumerable.Range(1, input.Shape.Rank - 1).Aggregate(input.Shape, (shape, axis) => shape.With(axis, 1))));

    private static double Value(double offset, int sample, int[] at) => offset + Math.Sin((sample * 31) + at.Select((a, k) => a * (k + 1.7)).Sum());

    private static double SquaredDeviations(double[] values) => values.Average() is var mean ? values.Sum(v => (v - mean) * (v - mean)) : 0;
}
