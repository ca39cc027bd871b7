// Kernels that work on sixteen samples side by side, against plain loops: batches that fill no vector or just one, taps that reach
// beyond the plane, planes of one element or one row, channels that are no multiple of a tile.
using ModelCompiler.Graph;
using ModelCompiler.Kernels;
using ModelCompiler.Planning;

namespace ModelCompiler.Tests.Kernels;

public class InterleavedKernelTests
{
    private static readonly Shape[] Shapes = [Shape.Of(1, 1, 2), Shape.Of(3, 7, 7), Shape.Of(17, 1, 19), Shape.Of(1, 28, 28), Shape.Of(2, 5, 16)];

    // Inputs, outputs, rows and columns of the input, taps, padding, batch.
    private static readonly (int Inputs, int Outputs, int Height, int Width, int Rows, int Columns, int Pad, int Batch)[] Cases =
    [
        (1, 1, 1, 1, 3, 3, 1, 1), (6, 16, 14, 14, 5, 5, 0, 20), (1, 6, 28, 28, 5, 5, 2, 33), (3, 17, 7, 7, 3, 3, 1, 16), (8, 5, 4, 9, 3, 2, 1, 5), (2, 32, 5, 3, 5, 3, 2, 5),
        (5, 3, 6, 6, 2, 5, 0, 17), (4, 20, 1, 12, 1, 3, 0, 3), (7, 16, 9, 2, 3, 2, 1, 15), (17, 1, 3, 8, 11, 7, 5, 18), (3, 3, 2, 40, 1, 7, 3, 1),
    ];

    [Fact]
    [OnEveryHardware]
    public void SamplesAreInterleavedAndSeparated() => KernelHarness.Check([.. Shapes.SelectMany(shape => new[] { 1, 5, 16, 33 }.SelectMany(batch =>
        new[] { Halo.None, new Halo(0, 0, 1, 2, 2, 1) }.SelectMany(halo =>
        {
            var flat = new Layout(LayoutKind.Flat, shape);
            var interleaved = new Layout(LayoutKind.Interleaved, shape, halo);
            return new[]
            {
                new KernelCase(
                    new InterleaveKernel(flat, interleaved), batch,
                    () => [TestOperand.Input(flat, batch, 1), TestOperand.Output(interleaved.AsBlocks, Groups(batch))],
                    o => [new Expectation(1, (group, i) => o[0][Math.Min((group * 16) + (i[0] % 16), batch - 1), i[0] / 16, i[1], i[2]], 0)]),
                new KernelCase(
                    new SeparateKernel(interleaved, flat), batch,
                    () => [Interleaved(interleaved, batch, 1, float.NaN, float.NaN), TestOperand.Output(flat, batch)],
                    o => [new Expectation(1, (s, i) => At(o[0], s, i[0], i[1], i[2]), 0)]),
            };
        })))]);

    /// <summary>Twice the sum, and two values more at its place, of layouts of their own.</summary>
    private static InterleavedFormula Formula(Shape shape, bool fused) => !fused ? new(null, []) : new(
        (new InputFormula(0) * 2) + (new InputFormula(1) * new InputFormula(2)), [new(LayoutKind.Interleaved, shape, new Halo(0, 0, 1, 0, 0, 2)), new(LayoutKind.Interleaved, shape)]);

    private static TestOperand[] Extras(InterleavedFormula formula, int batch) => [.. formula.Extras.Select((layout, k) => Interleaved(layout, batch, 4 + k, float.NaN, float.NaN))];

    private static double Fused(InterleavedFormula formula, TestOperand[] operands, int first, int group, int[] i, double sum)
    {
        double Extra(int k) => At(operands[first + k], (group * 16) + (i[0] % 16), i[0] / 16, i[1], i[2]);
        return formula.Formula is null ? sum : (2 * sum) + (Extra(0) * Extra(1));
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    [OnEveryHardware]
    public void ConvolutionIsThatOfEverySample(bool bias, bool fused) => KernelHarness.Check([.. Cases.Select(g =>
    {
        var (x, y) = (Input(g), new Layout(LayoutKind.Interleaved, Output(g), new Halo(0, 0, 0, 1, 1, 0)));
        var formula = Formula(Output(g), fused);
        var kernel = new InterleavedConvolutionKernel(x, y, g.Rows, g.Columns, g.Pad, g.Pad, bias, formula);
        return new KernelCase(
            kernel, Groups(g.Batch),
            () =>
            [
                Interleaved(x, g.Batch, 1, float.NaN), TestOperand.Input(Weights(g), 0, 2), .. bias ? [TestOperand.Input(Vector(g.Outputs), 0, 3)] : Array.Empty<TestOperand>(),
                .. Extras(formula, g.Batch), TestOperand.Output(y.AsBlocks, Groups(g.Batch)),
            ],
            o =>
            [
                new Expectation(o.Length - 1, (group, i) =>
                {
                    var sum = bias ? o[2][0, i[0] / 16] : 0.0;
                    foreach (var tap in TestOperand.Indices(Shape.Of(g.Inputs, g.Rows, g.Columns)))
                    {
                        var (row, column) = (i[1] + tap[1] - g.Pad, i[2] + tap[2] - g.Pad);
                        sum += IsOutside(g, row, column) ? 0 : At(o[0], (group * 16) + (i[0] % 16), tap[0], row, column) * o[1][0, i[0] / 16, tap[0], tap[1], tap[2]];
                    }

                    return Fused(formula, o, bias ? 3 : 2, group, i, sum);
                }, 4e-5),
            ]);
    })]);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [OnEveryHardware]
    public void DataGradientIsTheTransposeOfTheConvolution(bool fused) => KernelHarness.Check([.. Cases.Select(g =>
    {
        var (dx, dy) = (Input(g), new Layout(LayoutKind.Interleaved, Output(g), new Halo(0, 0, 0, 1, 1, 0)));
        var formula = Formula(dx.Shape, fused);
        var kernel = new InterleavedInputGradientKernel(dy, dx, g.Rows, g.Columns, g.Pad, g.Pad, formula);
        return new KernelCase(
            kernel, Groups(g.Batch),
            () => [Interleaved(dy, g.Batch, 1, float.NaN, float.NaN), TestOperand.Input(Weights(g), 0, 2), .. Extras(formula, g.Batch), TestOperand.Output(dx.AsBlocks, Groups(g.Batch))],
            o =>
            [
                new Expectation(o.Length - 1, (group, i) =>
                {
                    var sum = 0.0;
                    foreach (var tap in TestOperand.Indices(Shape.Of(g.Outputs, g.Rows, g.Columns)))
                    {
                        var (row, column) = (i[1] + g.Pad - tap[1], i[2] + g.Pad - tap[2]);
                        sum += row < 0 || column < 0 || row >= dy.Height || column >= dy.Width ? 0 : At(o[0], (group * 16) + (i[0] % 16), tap[0], row, column) * o[1][0, tap[0], i[0] / 16, tap[1], tap[2]];
                    }

                    return Fused(formula, o, 2, group, i, sum);
                }, 4e-5),
            ]);
    })]);

    /// <summary>What lanes beyond the last sample hold of the gradient must not matter: it is NaN here.</summary>
    [Fact]
    [OnEveryHardware]
    public void WeightGradientIsTheSumOverSamples() => KernelHarness.Check([.. Cases.Select(g =>
    {
        var (x, dy) = (Input(g), new Layout(LayoutKind.Interleaved, Output(g), new Halo(0, 0, 0, 1, 1, 0)));
        var kernel = new InterleavedWeightGradientKernel(x, dy, g.Rows, g.Columns, g.Pad, g.Pad);
        return new KernelCase(
            kernel, g.Batch,
            () => [Interleaved(x, g.Batch, 1, 5), Interleaved(dy, g.Batch, 2, float.NaN, float.NaN), TestOperand.Output(Weights(g), 0)],
            o =>
            [
                new Expectation(2, (_, i) =>
                {
                    var sum = 0.0;
                    foreach (var at in TestOperand.Indices(Shape.Of(g.Batch, dy.Height, dy.Width)))
                    {
                        var (row, column) = (at[1] + i[2] - g.Pad, at[2] + i[3] - g.Pad);
                        sum += IsOutside(g, row, column) ? 0 : At(o[0], at[0], i[1], row, column) * At(o[1], at[0], i[0], at[1], at[2]);
                    }

                    return sum;
                }, 2e-5 + (2e-8 * g.Batch * dy.Height * dy.Width)),
            ]);
    })]);

    /// <summary>The part of each sample, in its lane; nothing of what the others hold is lost or mixed.</summary>
    [Fact]
    [OnEveryHardware]
    public void WeightGradientsOfGroupsAreThoseOfTheirSamples() => KernelHarness.Check([.. Cases.Select(g =>
    {
        var (x, dy) = (Input(g), new Layout(LayoutKind.Interleaved, Output(g), new Halo(0, 0, 0, 1, 1, 0)));
        var kernel = new InterleavedWeightGradientKernel(x, dy, g.Rows, g.Columns, g.Pad, g.Pad, ByGroup: true);
        var into = new Layout(LayoutKind.Interleaved, Shape.Of(g.Outputs * g.Inputs * g.Rows * g.Columns, 1, 1));
        return new KernelCase(
            kernel, Groups(g.Batch),
            () => [Interleaved(x, g.Batch, 1, 5), Interleaved(dy, g.Batch, 2, float.NaN), TestOperand.Output(into.AsBlocks, Groups(g.Batch))],
            o =>
            [
                new Expectation(2, (group, i) =>
                {
                    var (sample, weight) = ((group * 16) + (i[0] % 16), i[0] / 16);
                    var (output, input, row, column) = (weight / (g.Inputs * g.Rows * g.Columns), weight / (g.Rows * g.Columns) % g.Inputs, weight / g.Columns % g.Rows, weight % g.Columns);
                    return sample >= g.Batch ? double.NaN : TestOperand.Indices(Shape.Of(1, dy.Height, dy.Width)).Sum(at =>
                    {
                        var (y, z) = (at[1] + row - g.Pad, at[2] + column - g.Pad);
                        return IsOutside(g, y, z) ? 0 : At(o[0], sample, input, y, z) * At(o[1], sample, output, at[1], at[2]);
                    });
                }, 2e-5 + (2e-8 * dy.Height * dy.Width)),
            ]);
    })]);

    [Fact]
    [OnEveryHardware]
    public void SumLeavesOutWhatIsNoSample() => KernelHarness.Check([.. Shapes.SelectMany(shape => new[] { 1, 5, 16, 33 }.Select(batch =>
    {
        var x = new Layout(LayoutKind.Interleaved, shape, batch == 5 ? new Halo(0, 0, 1, 2, 2, 1) : Halo.None);
        return new KernelCase(
            new InterleavedSumKernel(x), batch,
            () => [Interleaved(x, batch, 1, float.NaN, float.NaN), TestOperand.Output(Vector(shape.Channels), 0)],
            o => [new Expectation(1, (_, i) => TestOperand.Indices(shape.With(0, batch)).Sum(at => At(o[0], at[0], i[0], at[1], at[2])), 5e-5)]);
    }))]);

    private static int Groups(int batch) => (batch + 15) / 16;

    private static Layout Vector(int count) => new(LayoutKind.Flat, Shape.Of(count));

    private static Layout Weights((int Inputs, int Outputs, int Height, int Width, int Rows, int Columns, int Pad, int Batch) g) => new(LayoutKind.Flat, Shape.Of(g.Outputs, g.Inputs, g.Rows, g.Columns));

    private static Layout Input((int Inputs, int Outputs, int Height, int Width, int Rows, int Columns, int Pad, int Batch) g) =>
        new(LayoutKind.Interleaved, Shape.Of(g.Inputs, g.Height, g.Width), new Halo(0, 0, g.Pad, g.Pad, g.Pad, g.Pad + 1));

    private static Shape Output((int Inputs, int Outputs, int Height, int Width, int Rows, int Columns, int Pad, int Batch) g) =>
        Shape.Of(g.Outputs, g.Height + (2 * g.Pad) + 1 - g.Rows, g.Width + (2 * g.Pad) + 1 - g.Columns);

    private static bool IsOutside((int Inputs, int Outputs, int Height, int Width, int Rows, int Columns, int Pad, int Batch) g, int row, int column) =>
        row < 0 || column < 0 || row >= g.Height || column >= g.Width;

    /// <param name="beyond">What lies in lanes that are no samples.</param>
    private static TestOperand Interleaved(Layout layout, int batch, int seed, float beyond, float halo = 0) => TestOperand.Input(
        layout.AsBlocks, Groups(batch),
        (group, i) => (group * 16) + (i[0] % 16) < batch ? TestOperand.Number(seed, (group * 16) + (i[0] % 16), [i[0] / 16, i[1], i[2]]) : beyond, halo);

    private static double At(TestOperand interleaved, int sample, int channel, int row, int column) => interleaved[sample / 16, (channel * 16) + (sample % 16), row, column];
}
