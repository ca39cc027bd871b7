// Winograd convolution of planes that lie behind one another, with and without taps along depth, and dilated ones, against plain loops:
// depths, planes, dilations and channels that nothing divides.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using ModelCompiler.Kernels;
using ModelCompiler.Planning;

namespace ModelCompiler.Tests.Kernels;

public class WinogradVolumeTests
{
    // Channels in and out, planes, rows, columns, taps along depth, padding of depth and of the plane, dilation.
    private static readonly Volume[] Volumes =
    [
        new(1, 1, 1, 1, 1, 3, 1, 1), new(3, 5, 2, 3, 5, 3, 1, 1), new(17, 33, 3, 5, 7, 3, 1, 1), new(16, 16, 3, 9, 11, 3, 1, 1), new(33, 17, 5, 6, 6, 1, 0, 1),
        new(20, 64, 2, 9, 5, 3, 2, 0), new(16, 65, 2, 5, 10, 3, 1, 1), new(5, 40, 4, 4, 9, 2, 0, 2), new(32, 16, 1, 1, 19, 5, 2, 1), new(2, 16, 6, 3, 3, 5, 0, 0),

        // Dilated: planes smaller than the dilation, that are no multiple of it or of a tile, padding that is less, the same and more.
        new(1, 1, 1, 1, 1, 1, 0, 2, 2), new(3, 5, 1, 3, 5, 1, 0, 4, 4), new(17, 33, 1, 7, 9, 1, 0, 2, 2), new(16, 16, 1, 13, 11, 1, 0, 1, 3), new(33, 17, 1, 17, 10, 1, 0, 4, 4),
        new(5, 40, 1, 4, 19, 1, 0, 5, 2), new(32, 48, 1, 9, 9, 1, 0, 0, 2), new(20, 64, 1, 33, 5, 1, 0, 3, 2), new(16, 80, 1, 18, 18, 1, 0, 2, 2), new(17, 20, 3, 6, 7, 3, 1, 2, 2),

        // Inputs in parts, with a last block that is not full, and without one.
        new(1001, 3, 1, 2, 3, 1, 0, 1), new(785, 17, 1, 1, 2, 1, 0, 1), new(800, 2, 1, 3, 4, 1, 0, 2, 2),

        // … and so many tiles that no register tile divides them.
        new(785, 3, 1, 6, 33, 1, 0, 1), new(784, 33, 1, 3, 21, 1, 0, 1),
    ];

    [Theory]
    [InlineData(2, 1)]
    [InlineData(4, 1)]
    [InlineData(2, 5)]
    [InlineData(4, 5)]
    public void ConvolvesWithinItsErrorBound(int outputs, int batch) => KernelHarness.Check([.. Volumes.Select(v => Plain(outputs, v, batch))]);

    [Theory]
    [InlineData(2, WinogradFilterForm.Flat)]
    [InlineData(4, WinogradFilterForm.Flat)]
    [InlineData(2, WinogradFilterForm.Ordered)]
    [InlineData(4, WinogradFilterForm.Ordered)]
    public void FiltersMayComeAsTheyAre(int outputs, WinogradFilterForm form) => KernelHarness.Check(
        [.. Volumes.Select(v =>
        {
            var packed = Plain(outputs, v, batch: 2);
            var kernel = (WinogradKernel)packed.Kernel with { Filters = form };
            return packed with
            {
                Kernel = kernel,
                Operands = () => [TestOperand.Input(kernel.Input, 2, 1), form == WinogradFilterForm.Flat ? Weights(v) : WinogradKernelTests.Ordered(kernel, Weights(v)), TestOperand.Output(kernel.Output, 2), WinogradKernelTests.Scratch(kernel)],

                // Filters that are transformed in single precision bring rounding errors of their own.
                Expect = o => [.. packed.Expect(o).Select(e => e with { Tolerance = 4 * e.Tolerance })],
            };
        })]);

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void FusesBiasAndEpilogue(int outputs) => KernelHarness.Check([.. Volumes.Select(v => Fused(outputs, v))]);

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void PacksTransformedFilters(int outputs) => KernelHarness.Check(
    [
        .. Volumes.Select(v =>
        {
            var kernel = new PackWinogradKernel(outputs, v.Inputs, v.Outputs, GroupBlocks: 2, DepthTaps: v.Taps);
            var packed = new Layout(LayoutKind.Flat, Shape.Of(kernel.PackedSize));
            return new KernelCase(
                kernel, 1, () => [Weights(v), TestOperand.Output(packed, 0)],
                o =>
                {
                    var values = Enumerable.Range(0, kernel.PackedSize).Select(i => WinogradKernelTests.PackedWeight(kernel, o[0], i)).ToArray();
                    return [new Expectation(1, (_, i) => values[i[0]], 1e-6, i => !double.IsNaN(values[i[0]]))];
                });
        }),
    ]);

    [Theory]
    [InlineData("3x3x3", "1x1x1", 64, 4)]
    [InlineData("1x3x3", "0x1x1", 64, 4)]
    [InlineData("3x1x1", "1x0x0", 64, 0)]
    [InlineData("3x3x3", "1x1x1", 8, 0)]
    public void ThePlannerTakesItForVolumes(string taps, string pad, int channels, int outputs)
    {
        var text = $"network Net {{\n input x: {channels}x4x28x28\n output y = x -> conv({channels}, {taps}, pad: {pad})\n}}\n";
        var graph = Graph(text);
        Assert.Equal(outputs, Planner.ForInference(graph).Steps.Select(s => s.Kernel).OfType<WinogradKernel>().SingleOrDefault()?.Outputs ?? 0);
    }

    /// <summary>They take three times the memory, and transforming them little of the time.</summary>
    [Fact]
    public void FiltersOfVolumesAreNeverKept()
    {
        var plan = Planner.ForInference(Graph("network Net {\n input clip: 128x4x14x14\n output y = clip -> conv(130, 3x3x3, pad: 1)\n loss total(y)\n}\n"));
        Assert.Equal(WinogradFilterForm.Ordered, Assert.Single(plan.Steps.Select(s => s.Kernel).OfType<WinogradKernel>()).Filters);
        Assert.All(plan.Prepare.Concat(plan.Steps), s => Assert.Null(s.WithoutKeptFilters));
    }

    [Theory]
    [InlineData(2, 2, 1)]
    [InlineData(4, 3, 1)]
    [InlineData(1, 2, 1)]
    [InlineData(6, 2, 0)]
    public void ThePlannerTakesItForDilatedLayers(int pad, int dilation, int gradients)
    {
        var text = $"network Net {{\n input x: 64x31x33\n target label: class\n h = x -> conv(64, 3x3, pad: 1) -> conv(64, 3x3, pad: {pad}, dilation: {dilation})\n"
            + " output y = h -> global_avgpool -> dense(3)\n loss cross_entropy(y, label)\n}\n";
        var graph = Graph(text);
        Assert.Single(Dilated(Planner.ForInference(graph)));
        Assert.Empty(Dilated(Planner.ForInference(graph, fast: false)));

        // More padding than the taps reach leaves outputs that a data gradient by tiles would not see.
        var training = Planner.ForTraining(graph, inputGradients: false);
        Assert.Equal(1 + gradients, Dilated(training).Count());
        Assert.Equal(2, training.Steps.Select(s => s.Kernel).OfType<WinogradWeightGradientKernel>().Count());

        IEnumerable<WinogradKernel> Dilated(Plan plan) => plan.Steps.Select(s => s.Kernel).OfType<WinogradKernel>().Where(k => k.Dilation == dilation);
    }

    private static NetworkGraph Graph(string text) =>
        ModelCompiler.Evaluation.Evaluator.Evaluate(new ModelCompiler.Grammar.SourceFile("test.cnn", text), (_, _) => null).Networks.Single();

    private static WinogradKernel Kernel(int outputs, Volume v, bool bias, Expression? formula, ImmutableArray<FusedOperand> fused) =>
        new(outputs, v.Input, v.Output, v.Pad, v.Pad, bias, formula, fused, DepthTaps: v.Taps, PadDepth: v.PadDepth, Dilation: v.Dilation);

    private static KernelCase Plain(int outputs, Volume v, int batch)
    {
        var kernel = Kernel(outputs, v, false, null, []);
        return new KernelCase(
            kernel, batch, () => [TestOperand.Input(v.Input, batch, 1), Packed(kernel, v), TestOperand.Output(v.Output, batch), WinogradKernelTests.Scratch(kernel)],
            o =>
            {
                var expected = Convolved(o[0], v);
                return [new Expectation(2, (s, i) => expected[s][v.Output.At(i)], Bound(outputs, v) * WinogradKernelTests.Largest(expected), Absolute: true)];
            });
    }

    private static KernelCase Fused(int outputs, Volume v)
    {
        Layout vector = new(LayoutKind.Flat, Shape.Of(v.Outputs)), other = new(LayoutKind.Blocked, v.Output.Shape, new Halo(1, 0, 1, 1, 1, 1));
        Expression x = new InputFormula(0);
        var formula = new BinaryFormula(BinaryFunction.Maximum, (x * new InputFormula(1)) + new InputFormula(2), 0);
        var kernel = Kernel(outputs, v, true, formula,
            [new FusedOperand(0, Layout.Lanes, default), new FusedOperand(other.Origin, other.BlockStride, (other.DepthStride, other.RowStride, other.ColumnStride))]);
        return new KernelCase(
            kernel, 2,
            () =>
            [
                TestOperand.Input(v.Input, 2, 1), Packed(kernel, v), TestOperand.Input(vector, 0, 3), TestOperand.Input(vector, 0, 4), TestOperand.Input(other, 2, 5, float.NaN),
                TestOperand.Output(v.Output, 2), WinogradKernelTests.Scratch(kernel),
            ],
            o =>
            {
                var expected = Convolved(o[0], v);
                return
                [
                    new Expectation(
                        5, (s, i) => Math.Max(0, ((expected[s][v.Output.At(i)] + o[2][0, i[0]]) * o[3][0, i[0]]) + o[4][s, i]),
                        2 * Bound(outputs, v) * WinogradKernelTests.Largest(expected), Absolute: true),
                ];
            });
    }

    /// <summary>The bound of one plane holds for the sum of several, and that of few channels for many: roundings of a sum grow like the root of its terms.</summary>
    private static double Bound(int outputs, Volume v) => WinogradKernelTests.Bound(outputs) * Math.Sqrt(v.Taps) * WinogradKernelTests.Growth(v.Inputs);

    private static TestOperand Weights(Volume v) => TestOperand.Input(new Layout(LayoutKind.Flat, Shape.Of(v.Outputs, v.Inputs, v.Taps, 3, 3)), 0, 2);

    private static TestOperand Packed(WinogradKernel kernel, Volume v)
    {
        using var weights = Weights(v);
        return TestOperand.Input(new Layout(LayoutKind.Flat, Shape.Of(kernel.Packing().PackedSize)), 0, (_, i) => WinogradKernelTests.PackedWeight(kernel.Packing(), weights, i[0]));
    }

    /// <summary>Over plain arrays: the largest volumes have 70 million products.</summary>
    private static double[][] Convolved(TestOperand x, Volume v)
    {
        using var operand = Weights(v);
        var weights = TestOperand.Indices(operand.Layout.Shape).Select(i => operand[0, i]).ToArray();
        return [.. Enumerable.Range(0, x.Samples).Select(sample =>
        {
            var inputs = TestOperand.Indices(v.Input.Shape).Select(i => x[sample, i]).ToArray();
            return TestOperand.Indices(v.Output.Shape).Select(i => Sum(inputs, i)).ToArray();
        })];

        double Sum(double[] inputs, int[] i)
        {
            var sum = 0.0;
            for (var (input, at) = (0, i[0] * v.Inputs * v.Taps * 9); input < v.Inputs; input++)
            {
                for (var tap = 0; tap < v.Taps * 9; tap++, at++)
                {
                    var (d, r, c) = (i[1] + (tap / 9) - v.PadDepth, i[2] + (tap / 3 % 3 * v.Dilation) - v.Pad, i[3] + (tap % 3 * v.Dilation) - v.Pad);
                    if (d >= 0 && d < v.Depth && r >= 0 && r < v.Rows && c >= 0 && c < v.Columns)
                    {
                        sum += inputs[(((((input * v.Depth) + d) * v.Rows) + r) * v.Columns) + c] * weights[at];
                    }
                }
            }

            return sum;
        }
    }

    private sealed record Volume(int Inputs, int Outputs, int Depth, int Rows, int Columns, int Taps, int PadDepth, int Pad, int Dilation = 1)
    {
        public Layout Input => new(LayoutKind.Blocked, Shape.Of(Inputs, Depth, Rows, Columns), new Halo(PadDepth, PadDepth + (Outputs % 2), Pad, Pad, Pad, Pad));

        public Layout Output => new(
            LayoutKind.Blocked, Shape.Of(Outputs, Depth + (2 * PadDepth) - Taps + 1, Rows + (2 * (Pad - Dilation)), Columns + (2 * (Pad - Dilation))),
            Outputs % 2 == 0 ? Halo.None : new Halo(1, 2, 0, 2, 1, 3));
    }
}

file static class Places
{
    /// <summary>Place of an element in row-major order.</summary>
    public static int At(this Layout layout, int[] i) => (((((i[0] * layout.Depth) + i[1]) * layout.Height) + i[2]) * layout.Width) + i[3];
}
