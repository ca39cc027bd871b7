// Pooling and its gradients over awkward windows, against the oracle's rules as plain loops.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using ModelCompiler.Kernels;
using ModelCompiler.Planning;
using ModelCompiler.Tests.Oracle;

namespace ModelCompiler.Tests.Kernels;

public class PoolKernelTests
{
    private static readonly Halo One = new(0, 0, 1, 1, 1, 1);

    private static readonly Halo Uneven = new(0, 0, 0, 2, 1, 3);

    /// <summary>Shapes and windows: tiling, overlapping, clipped on one side or all, dilated, gaps, larger than unrolled, 1-D and 3-D.</summary>
    private static readonly (Shape Shape, Window Window)[] Geometries =
    [
        (Shape.Of(3, 6, 4), Square(2, 2, 0)), (Shape.Of(17, 7, 7), Square(3, 2, 1)), (Shape.Of(33, 5, 3), Square(3, 1, 1)), (Shape.Of(1, 7, 7), Square(2, 3, 0)),
        (Shape.Of(16, 9, 8), Square(2, 2, 0)), (Shape.Of(20, 7, 7), Square(7, 7, 0)), (Shape.Of(4, 1, 9), new([1, 3], [1, 2], [0, 1], [0, 1], [1, 1])),
        (Shape.Of(4, 9, 9), new([2, 3], [2, 1], [0, 1], [1, 0], [3, 2])), (Shape.Of(5, 6, 6), new([3, 3], [2, 2], [1, 1], [2, 2], [1, 1])), (Shape.Of(3, 9, 9), Square(6, 3, 2)),
        (Shape.Of(18, 9), new([3], [2], [1], [1], [1])), (Shape.Of(17, 4, 5, 6), new([2, 3, 2], [2, 1, 2], [0, 1, 0], [0, 1, 0], [1, 1, 1])),
        (Shape.Of(2, 3, 3), Square(5, 1, 2)), (Shape.Of(2, 1, 1), Square(1, 1, 0)), (Shape.Of(40, 30, 30), Square(3, 2, 1)),
    ];

    [Fact]
    [OnEveryHardware]
    public void MaximumOfEveryWindow() => Check((input, output, window) => new KernelCase(
        new MaxPoolKernel(window, input, output), 2,
        () => [TestOperand.Input(input, 2, 1, 1000), TestOperand.Output(output, 2)],
        o => [new Expectation(1, (s, i) => Elements(window, input.Shape, i).Max(e => o[0][s, e]), 0)]));

    [Fact]
    [OnEveryHardware]
    public void FirstMaximumWins() => Check((input, output, window) => new KernelCase(
        new MaxPoolWinnersKernel(window, input, output, new Layout(output.Kind, output.Shape)), 2,
        () => [Coarse(input, 1000), TestOperand.Output(output, 2), TestOperand.Output(new Layout(output.Kind, output.Shape), 2)],
        o => Winners(window, input, o[0])));

    [Fact]
    [OnEveryHardware]
    public void WinnersGetTheGradient() => Check((input, output, window) =>
    {
        (int Number, int[] At) Any(int sample, int[] i) => Numbered(window, input.Shape, i).ToList() is var all ? all[(sample + (3 * i[0]) + i[^1]) % all.Count] : default;
        return new KernelCase(
            new MaxPoolGradientKernel(window, new Layout(output.Kind, output.Shape), output, new Layout(input.Kind, input.Shape, Uneven)), 2,
            () =>
            [
                TestOperand.Input(new Layout(output.Kind, output.Shape), 2, (s, i) => Any(s, i).Number), TestOperand.Input(output, 2, 2, float.NaN),
                TestOperand.Output(new Layout(input.Kind, input.Shape, Uneven), 2),
            ],
            o => [new Expectation(2, Scattered(window, input.Shape, output.Shape, (s, i) => [(Any(s, i).At, o[1][s, i])]))]);
    });

    [Fact]
    public void MeanOfEveryWindow() => Check((input, output, window) => Both(count => new KernelCase(
        new AveragePoolKernel(window, count, input, output), 2,
        () => [TestOperand.Input(input, 2, 1, 1000), TestOperand.Output(output, 2)],
        o => [new Expectation(1, (s, i) => Elements(window, input.Shape, i).Sum(e => o[0][s, e]) / Divisor(window, input.Shape, i, count))])));

    [Fact]
    public void MeanSpreadsItsGradient() => Check((input, output, window) => Both(count => new KernelCase(
        new AveragePoolGradientKernel(window, count, output, input), 2,
        () => [TestOperand.Input(output, 2, 1, float.NaN), TestOperand.Output(input, 2)],
        o => [new Expectation(1, Scattered(window, input.Shape, output.Shape, (s, i) =>
            Elements(window, input.Shape, i).Select(e => (e, o[0][s, i] / Divisor(window, input.Shape, i, count)))))])));

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    public void WhatIsNoNumberIsComparedToo(double value)
    {
        var window = Square(3, 2, 1);
        Layout input = new(LayoutKind.Blocked, Shape.Of(3, 7, 7), One), output = new(LayoutKind.Blocked, Shape.Of(3, 4, 4));
        TestOperand X() => TestOperand.Input(input, 1, (_, i) => (i[0] + (3 * i[1]) + i[2]) % 7 == 0 ? value : i[0] == 2 && i[1] == 1 ? double.PositiveInfinity : (i[1] * i[2]) - 9);
        KernelHarness.Check(
            new KernelCase(
                new MaxPoolKernel(window, input, output), 1, () => [X(), TestOperand.Output(output, 1)],
                o => [new Expectation(1, (s, i) => o[0][s, Winner(o[0], s, Elements(window, input.Shape, i))], 0)]),
            new KernelCase(
                new MaxPoolWinnersKernel(window, input, output, output), 1, () => [X(), TestOperand.Output(output, 1), TestOperand.Output(output, 1)],
                o => Winners(window, input, o[0])));
    }

    private static Window Square(int kernel, int stride, int pad) => new([kernel, kernel], [stride, stride], [pad, pad], [pad, pad], [1, 1]);

    private static KernelCase[] Both(Func<bool, KernelCase> make) => [make(true), make(false)];

    private static void Check(Func<Layout, Layout, Window, KernelCase> make) => Check((i, o, w) => [make(i, o, w)]);

    private static void Check(Func<Layout, Layout, Window, KernelCase[]> make) => KernelHarness.Check(
    [
        .. from g in Geometries
           let output = Shape.Of(g.Shape.Channels, g.Window.OutputSizes(g.Shape.Spatial))
           from test in make(new(LayoutKind.Blocked, g.Shape, One), new(LayoutKind.Blocked, output, g.Shape.Channels % 2 == 0 ? Halo.None : Uneven), g.Window)
           select test,
    ]);

    // Few different values, so that maxima repeat.
    private static TestOperand Coarse(Layout layout, float halo) => TestOperand.Input(layout, 2, (s, i) => Math.Round(TestOperand.Number(1, s, i)), halo);

    private static IEnumerable<int[]> Elements(Window window, Shape input, int[] output) => Numbered(window, input, output).Select(e => e.At);

    /// <summary>The elements of a window that lie in the plane, each with its number among all of the window.</summary>
    private static IEnumerable<(int Number, int[] At)> Numbered(Window window, Shape input, int[] output) =>
        from k in TestOperand.Indices(new Shape(window.Kernel)).Select((taps, number) => (Taps: taps, Number: number))
        let at = k.Taps.Select((n, axis) => (output[axis + 1] * window.Stride[axis]) - window.PadBegin[axis] + (n * window.Dilation[axis])).ToArray()
        where at.Select((n, axis) => n >= 0 && n < input[axis + 1]).All(inside => inside)
        select (k.Number, (int[])[output[0], .. at]);

    private static Expectation[] Winners(Window window, Layout input, TestOperand x)
    {
        int[] Best(int sample, int[] i) => Winner(x, sample, Elements(window, input.Shape, i));
        return
        [
            new Expectation(1, (s, i) => x[s, Best(s, i)], 0),
            new Expectation(2, (s, i) => Numbered(window, input.Shape, i).Single(e => e.At.SequenceEqual(Best(s, i))).Number, 0),
        ];
    }

    private static double Divisor(Window window, Shape input, int[] output, bool countPadding) =>
        countPadding ? window.KernelCount : Math.Max(1, Elements(window, input, output).Count());

    // PyTorch's rule: larger than all before it, or NaN.
    private static int[] Winner(TestOperand x, int sample, IEnumerable<int[]> elements) => elements.Aggregate(
        (best, e) => x[sample, e] > x[sample, best] || double.IsNaN(x[sample, e]) ? e : best);

    private static Func<int, int[], double> Scattered(Window window, Shape input, Shape output, Func<int, int[], IEnumerable<(int[] At, double Value)>> shares)
    {
        var sums = new Dictionary<int, double[]>();
        return (sample, index) =>
        {
            if (!sums.TryGetValue(sample, out var sum))
            {
                sums[sample] = sum = new double[input.Count];
                foreach (var (at, value) in TestOperand.Indices(output).SelectMany(i => shares(sample, i)))
                {
                    sum[Axes.Index(input, at)] += value;
                }
            }

            return sum[Axes.Index(input, index)];
        };
    }
}
