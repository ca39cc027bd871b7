// Winograd convolution and the packing of its weights against plain loops: sizes that no tile divides, channels that
// fill no block, and the rounding errors that are promised.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using ModelCompiler.Kernels;
using ModelCompiler.Planning;

namespace ModelCompiler.Tests.Kernels;

public class WinogradKernelTests
{
    private static readonly Halo Uneven = new(0, 0, 0, 2, 1, 3);

    private static readonly Expression X = new InputFormula(0);

    // Inputs, outputs, rows and columns of the plane, padding.
    private static readonly (int Inputs, int Outputs, int Rows, int Columns, int Pad)[] Geometries =
    [
        (1, 1, 1, 1, 1), (3, 5, 3, 5, 1), (17, 33, 7, 7, 1), (16, 16, 13, 11, 1), (33, 17, 14, 14, 1), (16, 20, 28, 28, 1),
        (5, 40, 4, 9, 2), (32, 48, 6, 6, 0), (2, 16, 3, 3, 0), (20, 64, 33, 5, 1),
    ];

    // Inputs that come in parts where filters are transformed late, with a last block that is not full, and without one.
    private static readonly (int Inputs, int Outputs, int Rows, int Columns, int Pad)[] ManyInputs = [(333, 33, 5, 4, 1), (160, 17, 1, 3, 1)];

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void ConvolvesWithinItsErrorBound(int outputs) => KernelHarness.Check([.. Geometries.Select(g => Plain(outputs, g, new Halo(0, 0, g.Pad, g.Pad, g.Pad, g.Pad), 0))]);

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void ReadsPaddingOnlyHoweverLargeTheHalo(int outputs)
    {
        var wide = new Halo(0, 0, 4, 3, 5, 4);
        KernelHarness.Check([.. Geometries.Take(5).Select(g => Plain(outputs, g, wide, 0)), .. Geometries.Where(g => g.Pad == 0).Select(g => Plain(outputs, g, wide, float.NaN))]);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void FusesBiasAndEpilogue(int outputs) => KernelHarness.Check([.. Geometries.Select(g => Fused(outputs, g))]);

    /// <summary>A last row or column that fills no window is left out.</summary>
    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void TakesTheMaximum(int outputs) => KernelHarness.Check(
        [.. Geometries.Where(g => Math.Min(g.Rows, g.Columns) + (2 * g.Pad) - 2 > 1).Append((Inputs: 20, Outputs: 17, Rows: 2, Columns: 71, Pad: 1)).Select(g => Pooled(outputs, g))]);

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void PacksTransformedFilters(int outputs) => KernelHarness.Check(
    [
        .. from g in new (int Inputs, int Outputs, int Group)[] { (1, 1, 1), (3, 17, 2), (16, 48, 2), (5, 80, 3), (37, 33, 2) }
           from turned in new[] { false, true }
           let kernel = new PackWinogradKernel(outputs, g.Inputs, g.Outputs, g.Group, turned)
           let packed = new Layout(LayoutKind.Flat, Shape.Of(kernel.PackedSize))
           select new KernelCase(
               kernel, 1, () => [turned ? Weights(g.Outputs, g.Inputs) : Weights(g.Inputs, g.Outputs), TestOperand.Output(packed, 0)],
               o => [new Expectation(1, (_, i) => PackedWeight(kernel, o[0], i[0]), 1e-6, i => !double.IsNaN(PackedWeight(kernel, o[0], i[0])))]),
    ]);

    // Tiles of several samples in one chunk, chunks that end within a sample, and more tiles than a chunk holds.
    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void TilesOfABatchAreComputedTogether(int outputs) => KernelHarness.Check(
    [
        .. from g in Geometries.Where(g => g.Rows < 20).Append((Inputs: 64, Outputs: 20, Rows: 5, Columns: 5, Pad: 1)).Append((Inputs: 16, Outputs: 160, Rows: 9, Columns: 10, Pad: 1))
           from samples in new[] { 3, 8 }
           select Plain(outputs, g, new Halo(0, 0, g.Pad, g.Pad, g.Pad, g.Pad), 0, samples, batch: 5),
    ]);

    [Theory]
    [InlineData(2, WinogradFilterForm.Flat)]
    [InlineData(4, WinogradFilterForm.Flat)]
    [InlineData(2, WinogradFilterForm.Turned)]
    [InlineData(4, WinogradFilterForm.Turned)]
    [InlineData(2, WinogradFilterForm.Ordered)]
    [InlineData(4, WinogradFilterForm.Ordered)]
    public void FiltersMayComeAsTheyAre(int outputs, WinogradFilterForm form) => KernelHarness.Check(
        [.. Geometries.Where(g => g.Rows < 20).Append((Inputs: 16, Outputs: 160, Rows: 9, Columns: 10, Pad: 1)).Concat(ManyInputs).Select(g =>
        {
            var packed = Plain(outputs, g, new Halo(0, 0, g.Pad, g.Pad, g.Pad, g.Pad), 0, samples: 8);
            var kernel = (WinogradKernel)packed.Kernel with { Filters = form };
            return packed with
            {
                Kernel = kernel,
                Operands = () =>
                {
                    var operands = packed.Operands();
                    operands[1].Dispose();
                    operands[3].Dispose();
                    operands[1] = form switch
                    {
                        WinogradFilterForm.Flat => Weights(g.Inputs, g.Outputs),
                        WinogradFilterForm.Turned => TurnedWeights(g.Inputs, g.Outputs),
                        _ => Ordered(kernel, Weights(g.Inputs, g.Outputs)),
                    };
                    operands[3] = Scratch(kernel);
                    return operands;
                },

                // Filters that are transformed in single precision bring rounding errors of their own.
                Expect = o => [.. packed.Expect(o).Select(e => e with { Tolerance = 4 * Growth(g.Inputs) * e.Tolerance })],
            };
        })]);

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void FiltersOfSeveralPartsOfTheInputsAreTransformedOneAfterAnother(int outputs)
    {
        var layout = new Layout(LayoutKind.Blocked, Shape.Of(333, 5, 4), new Halo(0, 0, 1, 1, 1, 1));
        var kernel = new WinogradKernel(outputs, layout, layout, 1, 1, false, null, [], Filters: WinogradFilterForm.Ordered);
        Assert.InRange(kernel.PartBlocks, 1, 12);
        Assert.InRange(kernel.FilterFloats, 1, 128 * 1024);
        Assert.Equal(333 * 336 * 9, kernel.Ordering.Geometry.PackedSize);
    }

    [Fact]
    public void ScratchMemoryStaysSmall()
    {
        foreach (var (channels, size) in new[] { (64, 224), (128, 112), (256, 56), (512, 28), (512, 14), (64, 56), (128, 28), (256, 14), (512, 7) })
        {
            foreach (var (outputs, samples) in new[] { (2, 1), (4, 1), (2, 8), (4, 8) })
            {
                var layout = new Layout(LayoutKind.Blocked, Shape.Of(channels, size, size), new Halo(0, 0, 1, 1, 1, 1));
                Assert.InRange(new WinogradKernel(outputs, layout, layout, 1, 1, false, null, [], samples).ScratchFloats, 1, 2 << 20);
            }
        }
    }

    // Choices that measurements in docs/kernels.md confirm.
    [Theory]
    [InlineData(64, 56, 4)]
    [InlineData(128, 28, 4)]
    [InlineData(256, 14, 4)]
    [InlineData(512, 7, 2)]
    [InlineData(64, 224, 4)]
    [InlineData(512, 14, 4)]
    [InlineData(8, 56, 0)]
    [InlineData(512, 2, 0)]
    [InlineData(512, 1, 0)]
    [InlineData(16, 8, 0)]
    public void TheTileFollowsTheShape(int channels, int size, int outputs)
    {
        var text = $"network Net {{\n input x: {channels}x{size}x{size}\n output y = x -> conv({channels}, 3x3, pad: 1)\n}}\n";
        var graph = ModelCompiler.Evaluation.Evaluator.Evaluate(new ModelCompiler.Grammar.SourceFile("test.cnn", text), (_, _) => null).Networks.Single();
        var kernels = Planner.ForInference(graph).Steps.Select(s => s.Kernel).ToList();
        Assert.Equal(outputs, kernels.OfType<WinogradKernel>().SingleOrDefault()?.Outputs ?? 0);
        Assert.Equal(outputs == 0 ? 1 : 0, kernels.OfType<ConvolutionKernel>().Count());
        Assert.Empty(Planner.ForInference(graph, fast: false).Steps.Select(s => s.Kernel).OfType<WinogradKernel>());
    }

    private static KernelCase Plain(int outputs, (int Inputs, int Outputs, int Rows, int Columns, int Pad) g, Halo halo, float haloValue, int samples = 1, int batch = 2)
    {
        var (input, output) = Layouts(g, halo);
        var kernel = new WinogradKernel(outputs, input, output, g.Pad, g.Pad, false, null, [], samples);
        return new KernelCase(
            kernel, batch, () => [TestOperand.Input(input, batch, 1, haloValue), Packed(kernel), TestOperand.Output(output, batch), Scratch(kernel)],
            o =>
            {
                var expected = Convolved(o[0], g);
                return [new Expectation(2, (s, i) => At(expected, s, i, output), Bound(outputs) * Largest(expected), Absolute: true)];
            });
    }

    private static KernelCase Fused(int outputs, (int Inputs, int Outputs, int Rows, int Columns, int Pad) g)
    {
        var (input, output) = Layouts(g, new Halo(0, 0, g.Pad, g.Pad, g.Pad, g.Pad));
        Layout vector = new(LayoutKind.Flat, Shape.Of(g.Outputs)), other = new(LayoutKind.Blocked, output.Shape, new Halo(0, 0, 1, 1, 1, 1));
        var formula = new BinaryFormula(BinaryFunction.Maximum, (X * new InputFormula(1)) + new InputFormula(2), 0);
        var fused = ImmutableArray.Create(
            new FusedOperand(0, Layout.Lanes, default), new FusedOperand(other.Origin, other.BlockStride, (other.DepthStride, other.RowStride, other.ColumnStride)));
        var kernel = new WinogradKernel(outputs, input, output, g.Pad, g.Pad, true, formula, fused);
        return new KernelCase(
            kernel, 2,
            () =>
            [
                TestOperand.Input(input, 2, 1), Packed(kernel), TestOperand.Input(vector, 0, 3), TestOperand.Input(vector, 0, 4),
                TestOperand.Input(other, 2, 5, float.NaN), TestOperand.Output(output, 2), Scratch(kernel),
            ],
            o =>
            {
                var expected = Convolved(o[0], g);
                return
                [
                    new Expectation(5, (s, i) => Math.Max(0, ((At(expected, s, i, output) + o[2][0, i[0]]) * o[3][0, i[0]]) + o[4][s, i]), 2 * Bound(outputs) * Largest(expected), Absolute: true),
                ];
            });
    }

    /// <summary>The formula falls where sums are negative, so a maximum before it would show.</summary>
    private static KernelCase Pooled(int outputs, (int Inputs, int Outputs, int Rows, int Columns, int Pad) g)
    {
        var (input, output) = Layouts(g, new Halo(0, 0, g.Pad, g.Pad, g.Pad, g.Pad));
        var maxima = new Layout(LayoutKind.Blocked, Shape.Of(g.Outputs, output.Height / 2, output.Width / 2), output.Halo);
        var vector = new Layout(LayoutKind.Flat, Shape.Of(g.Outputs));
        var kernel = new WinogradKernel(outputs, input, maxima, g.Pad, g.Pad, true, X * X, [], Pooled: true);
        return new KernelCase(
            kernel, 2, () => [TestOperand.Input(input, 2, 1), Packed(kernel), TestOperand.Input(vector, 0, 3), TestOperand.Output(maxima, 2), Scratch(kernel)],
            o =>
            {
                var expected = Convolved(o[0], g);
                var largest = Largest(expected) + 1;
                double Value(int s, int[] i, int row, int column) => Math.Pow(At(expected, s, [i[0], (2 * i[1]) + row, (2 * i[2]) + column], output) + o[2][0, i[0]], 2);
                return
                [
                    new Expectation(3, (s, i) => Math.Max(Math.Max(Value(s, i, 0, 0), Value(s, i, 0, 1)), Math.Max(Value(s, i, 1, 0), Value(s, i, 1, 1))), 2 * Bound(outputs) * largest * largest, Absolute: true),
                ];
            });
    }

    /// <summary>Of the largest value: a tile mixes its inputs, so a small output has the error of its large neighbours.</summary>
    internal static double Bound(int outputs) => outputs == 2 ? 1e-6 : 1.2e-5;

    /// <summary>Of the bound: roundings of a sum grow like the root of its terms.</summary>
    internal static double Growth(int inputs) => Math.Sqrt(Math.Max(1, inputs / 33.0));

    private static (Layout Input, Layout Output) Layouts((int Inputs, int Outputs, int Rows, int Columns, int Pad) g, Halo halo)
    {
        var output = Shape.Of(g.Outputs, g.Rows + (2 * g.Pad) - 2, g.Columns + (2 * g.Pad) - 2);
        return (new(LayoutKind.Blocked, Shape.Of(g.Inputs, g.Rows, g.Columns), halo), new(LayoutKind.Blocked, output, g.Outputs % 2 == 0 ? Halo.None : Uneven));
    }

    internal static TestOperand Scratch(WinogradKernel kernel) => TestOperand.Output(new Layout(LayoutKind.Flat, Shape.Of(kernel.ScratchFloats)), 0);

    private static TestOperand Weights(int inputs, int outputs) => TestOperand.Input(new Layout(LayoutKind.Flat, Shape.Of(outputs, inputs, 3, 3)), 0, 2);

    private static TestOperand TurnedWeights(int inputs, int outputs)
    {
        using var weights = Weights(inputs, outputs);
        return TestOperand.Input(new Layout(LayoutKind.Flat, Shape.Of(inputs, outputs, 3, 3)), 0, (_, i) => weights[0, i[1], i[0], 2 - i[2], 2 - i[3]]);
    }

    private static TestOperand Packed(WinogradKernel kernel)
    {
        using var weights = Weights(kernel.Input.Channels, kernel.Output.Channels);
        return TestOperand.Input(new Layout(LayoutKind.Flat, Shape.Of(kernel.Packing().PackedSize)), 0, (_, i) => PackedWeight(kernel.Packing(), weights, i[0]));
    }

    /// <summary>[group of output blocks][block of inputs][taps][input][block][16 outputs] of flat weights, which are disposed of.</summary>
    internal static TestOperand Ordered(WinogradKernel kernel, TestOperand weights)
    {
        using (weights)
        {
            var shape = weights.Layout.Shape;
            var (outputs, inputs, taps) = (shape[0], shape[1], shape.Rank == 5 ? shape[2] * 9 : 9);
            var (blocks, together) = ((outputs + 15) / 16, kernel.Ordering.GroupBlocks);
            var values = new List<double>();
            for (var first = 0; first < blocks; first += together)
            {
                for (var input = 0; input < inputs; input += 16)
                {
                    values.AddRange(
                        from tap in Enumerable.Range(0, taps)
                        from channel in Enumerable.Range(input, Math.Min(16, inputs - input))
                        from output in Enumerable.Range(first * 16, Math.Min(together, blocks - first) * 16)
                        select output >= outputs ? 0 : shape.Rank == 5 ? weights[0, output, channel, tap / 9, tap / 3 % 3, tap % 3] : weights[0, output, channel, tap / 3, tap % 3]);
                }
            }

            return TestOperand.Input(new Layout(LayoutKind.Flat, Shape.Of(kernel.Ordering.Geometry.PackedSize)), 0, (_, i) => values[i[0]]);
        }
    }

    /// <summary>An element of [group of output blocks][point][block of inputs][depth tap][input][block][16 outputs]: G g Gᵀ.</summary>
    internal static double PackedWeight(PackWinogradKernel kernel, TestOperand weights, int at)
    {
        var matrix = Matrix(kernel.Outputs);
        var points = matrix.Length * matrix.Length;
        var blocks = (kernel.OutputChannels + 15) / 16;
        var inputs = kernel.InputChannels * kernel.DepthTaps;
        var groupFloats = points * PackWinogradKernel.PointFloats(inputs, kernel.GroupBlocks);
        var group = at / groupFloats;
        var inGroup = Math.Min(kernel.GroupBlocks, blocks - (group * kernel.GroupBlocks));
        var pointFloats = PackWinogradKernel.PointFloats(inputs, inGroup);
        var (point, inPoint) = (at % groupFloats / pointFloats, at % groupFloats % pointFloats);
        var block = (group * kernel.GroupBlocks) + (inPoint / 16 % inGroup);
        var output = (block * 16) + (at % 16);

        // Between points nothing is written.
        if (inPoint >= inGroup * inputs * 16)
        {
            return double.NaN;
        }

        var inputBlock = inPoint / (16 * inGroup) / (16 * kernel.DepthTaps);
        var inBlock = (inPoint / (16 * inGroup)) - (inputBlock * 16 * kernel.DepthTaps);
        var channels = Math.Min(16, kernel.InputChannels - (inputBlock * 16));
        var (depth, input) = (inBlock / channels, (inputBlock * 16) + (inBlock % channels));
        double Tap(int row, int column) => weights.Layout.Shape.Rank == 5 ? weights[0, output, input, depth, row, column]
            : kernel.Turned ? weights[0, input, output, 2 - row, 2 - column] : weights[0, output, input, row, column];
        return output >= kernel.OutputChannels ? 0 : Enumerable.Range(0, 9).Sum(
            t => matrix[point / matrix.Length][t / 3] * matrix[point % matrix.Length][t % 3] * Tap(t / 3, t % 3));
    }

    private static readonly double[][] Two = [[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]];

    private static readonly double[][] Four =
        [[1 / 4.0, 0, 0], [-1 / 6.0, -1 / 6.0, -1 / 6.0], [-1 / 6.0, 1 / 6.0, -1 / 6.0], [1 / 24.0, 1 / 12.0, 1 / 6.0], [1 / 24.0, -1 / 12.0, 1 / 6.0], [0, 0, 1]];

    private static double[][] Matrix(int outputs) => outputs == 2 ? Two : Four;

    private static double At(double[][] values, int sample, int[] index, Layout output) => values[sample][(((index[0] * output.Height) + index[1]) * output.Width) + index[2]];

    internal static double Largest(double[][] values) => values.Max(v => v.Max(Math.Abs));

    private static double[][] Convolved(TestOperand x, (int Inputs, int Outputs, int Rows, int Columns, int Pad) g)
    {
        using var weights = Weights(g.Inputs, g.Outputs);
        var (rows, columns) = (g.Rows + (2 * g.Pad) - 2, g.Columns + (2 * g.Pad) - 2);
        var taps = TestOperand.Indices(Shape.Of(g.Outputs, g.Inputs, 3, 3)).Select(i => weights[0, i]).ToArray();
        return [.. Enumerable.Range(0, x.Samples).Select(sample =>
        {
            var plane = TestOperand.Indices(Shape.Of(g.Inputs, g.Rows, g.Columns)).Select(i => x[sample, i]).ToArray();
            var result = new double[g.Outputs * rows * columns];
            for (var at = 0; at < result.Length; at++)
            {
                var (output, row, column) = (at / (rows * columns), at / columns % rows, at % columns);
                for (var t = 0; t < g.Inputs * 9; t++)
                {
                    var (r, c) = (row + (t % 9 / 3) - g.Pad, column + (t % 3) - g.Pad);
                    if (r >= 0 && r < g.Rows && c >= 0 && c < g.Columns)
                    {
                        result[at] += plane[((((t / 9) * g.Rows) + r) * g.Columns) + c] * taps[(output * g.Inputs * 9) + t];
                    }
                }
            }

            return result;
        })];
    }
}
