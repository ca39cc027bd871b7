// Depthwise convolution and its gradients over awkward windows, against plain loops.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using ModelCompiler.Kernels;
using ModelCompiler.Planning;

namespace ModelCompiler.Tests.Kernels;

public class DepthwiseKernelTests
{
    private static readonly Halo Wide = new(2, 2, 6, 6, 6, 6);

    private static readonly Halo Uneven = new(0, 0, 0, 2, 1, 3);

    private static readonly Expression X = new InputFormula(0);

    private static readonly (Shape Shape, Window Window)[] Geometries =
    [
        (Shape.Of(17, 7, 7), Square(3, 1, 1)), (Shape.Of(1, 5, 3), Square(3, 1, 1)), (Shape.Of(33, 8, 14), Square(3, 2, 1)), (Shape.Of(16, 9, 11), Square(5, 1, 2)),
        (Shape.Of(3, 9, 9), Square(7, 2, 3)), (Shape.Of(20, 1, 9), new([1, 3], [1, 2], [0, 1], [0, 1], [1, 1])), (Shape.Of(4, 9, 9), new([2, 3], [1, 1], [0, 1], [1, 0], [3, 2])),
        (Shape.Of(5, 7, 7), Square(2, 3, 0)), (Shape.Of(18, 9), new([3], [1], [1], [1], [1])), (Shape.Of(17, 4, 5, 6), new([2, 3, 2], [2, 1, 2], [0, 1, 0], [0, 1, 0], [1, 1, 1])),
        (Shape.Of(2, 1, 1), Square(1, 1, 0)), (Shape.Of(40, 28, 28), Square(3, 1, 1)), (Shape.Of(7, 3, 3), Square(3, 1, 0)),
    ];

    [Fact]
    [OnEveryHardware]
    public void ConvolvesEveryChannelWithItsOwnKernel() => Check((input, output, weights, window) => new KernelCase(
        new DepthwiseKernel(window, input, output, false, null, []), 2,
        () => [TestOperand.Input(input, 2, 1), TestOperand.Input(weights, 0, 2), TestOperand.Output(output, 2)],
        o => [new Expectation(2, (s, i) => Convolved(o[0], o[1], window, s, i), 1e-5)]));

    [Fact]
    public void FusesBiasAndEpilogue() => Check((input, output, weights, window) =>
    {
        var channels = input.Channels;
        Layout bias = new(LayoutKind.Flat, Shape.Of(channels)), scale = new(LayoutKind.Blocked, Ones(output.Shape).With(0, channels)), scalar = new(LayoutKind.Flat, Shape.Scalar);
        var other = new Layout(LayoutKind.Blocked, output.Shape, Uneven);
        var formula = new BinaryFormula(BinaryFunction.Maximum, (X * new InputFormula(1)) + new InputFormula(2), 0) + (X * new InputFormula(3));
        return new KernelCase(
            new DepthwiseKernel(window, input, output, true, formula, [scale, other, scalar]), 2,
            () =>
            [
                TestOperand.Input(input, 2, 1), TestOperand.Input(weights, 0, 2), TestOperand.Input(bias, 0, 3), TestOperand.Input(scale, 0, 4),
                TestOperand.Input(other, 2, 5, float.NaN), TestOperand.Input(scalar, 0, 6), TestOperand.Output(output, 2),
            ],
            o => [new Expectation(6, (s, i) => Oracle.FormulaValues.Value(
                formula, k => k == 0 ? Convolved(o[0], o[1], window, s, i) + o[2][0, i[0]] : o[k + 2][s, i], _ => 0, 2), 1e-5)]);
    });

    [Fact]
    public void InputGradientGathersOrScatters() => Check((input, output, weights, window) => new KernelCase(
        new DepthwiseInputGradientKernel(window, new(LayoutKind.Blocked, output.Shape), input), 2,
        () => [TestOperand.Input(new(LayoutKind.Blocked, output.Shape), 2, 1), TestOperand.Input(weights, 0, 2), TestOperand.Output(input, 2)],
        o => [new Expectation(2, (s, i) => Links(window, output.Shape, i).Sum(l => o[0][s, l.Output] * o[1][0, l.Weight]), 1e-5)]));

    [Fact]
    public void InputGradientUsesAHaloWhereThereIsOne() => Check((input, output, weights, window) => new KernelCase(
        new DepthwiseInputGradientKernel(window, new(LayoutKind.Blocked, output.Shape, Wide), input), 2,
        () => [TestOperand.Input(new(LayoutKind.Blocked, output.Shape, Wide), 2, 1), TestOperand.Input(weights, 0, 2), TestOperand.Output(input, 2)],
        o => [new Expectation(2, (s, i) => Links(window, output.Shape, i).Sum(l => o[0][s, l.Output] * o[1][0, l.Weight]), 1e-5)]));

    [Fact]
    public void InputGradientFusesAFormulaWhereItGathers() => KernelHarness.Check(
    [
        .. from shape in new[] { Shape.Of(17, 7, 7), Shape.Of(1, 5, 3), Shape.Of(40, 28, 28) }
           let window = Square(3, 1, 1)
           let plane = new Layout(LayoutKind.Blocked, shape, Wide)
           let other = new Layout(LayoutKind.Blocked, shape, Uneven)
           let weights = new Layout(LayoutKind.Blocked, Shape.Of(shape[0], 3, 3))
           let formula = (X * new InputFormula(1)) + 0.5
           select new KernelCase(
               new DepthwiseInputGradientKernel(window, plane, other, formula, [other]), 2,
               () => [TestOperand.Input(plane, 2, 1), TestOperand.Input(weights, 0, 2), TestOperand.Input(other, 2, 3, float.NaN), TestOperand.Output(other, 2)],
               o => [new Expectation(3, (s, i) => (Links(window, shape, i).Sum(l => o[0][s, l.Output] * o[1][0, l.Weight]) * o[2][s, i]) + 0.5, 1e-5)]),
    ]);

    /// <summary>Sizes with and without a rest of the stride, and smaller than it; kernels with phases that no tap meets.</summary>
    [Fact]
    public void InputGradientFusesAFormulaInEveryPhase() => KernelHarness.Check(
    [
        .. from g in new (Shape Shape, Window Window)[]
           {
               (Shape.Of(17, 7, 7), Square(3, 2, 1)), (Shape.Of(1, 5, 3), Square(3, 3, 1)), (Shape.Of(40, 28, 28), Square(3, 2, 1)), (Shape.Of(16, 9, 22), Square(5, 2, 2)),
               (Shape.Of(3, 2, 6), Square(1, 3, 0)), (Shape.Of(3, 1, 19), new([1, 3], [1, 2], [0, 1], [0, 1], [1, 1])), (Shape.Of(20, 3, 3), Square(3, 4, 1)),
           }
           let output = new Layout(LayoutKind.Blocked, Shape.Of(g.Shape.Channels, g.Window.OutputSizes(g.Shape.Spatial)), Wide)
           let dx = new Layout(LayoutKind.Blocked, g.Shape, Uneven)
           let weights = new Layout(LayoutKind.Blocked, Shape.Of(g.Shape.Channels, g.Window.Kernel))
           let vector = new Layout(LayoutKind.Blocked, Shape.Of(g.Shape.Channels, 1, 1))
           let formula = (X * new InputFormula(1)) + new InputFormula(2)
           select new KernelCase(
               new DepthwiseInputGradientKernel(g.Window, output, dx, formula, [dx, vector]), 2,
               () => [TestOperand.Input(output, 2, 1), TestOperand.Input(weights, 0, 2), TestOperand.Input(dx, 2, 3, float.NaN), TestOperand.Input(vector, 0, 4), TestOperand.Output(dx, 2)],
               o => [new Expectation(4, (s, i) => (Links(g.Window, output.Shape, i).Sum(l => o[0][s, l.Output] * o[1][0, l.Weight]) * o[2][s, i]) + o[3][0, i[0], 0, 0], 1e-5)]),
    ]);

    /// <summary>Mean and squared deviations of each row.</summary>
    [Fact]
    [OnEveryHardware]
    public void MomentsOfWhatIsStored() => KernelHarness.Check(
    [
        .. from g in WithRows
           let x = new Layout(LayoutKind.Blocked, g.Shape, Wide)
           let y = new Layout(LayoutKind.Blocked, Shape.Of(g.Shape.Channels, g.Window.OutputSizes(g.Shape.Spatial)), Uneven)
           let weights = new Layout(LayoutKind.Blocked, Shape.Of(g.Shape.Channels, g.Window.Kernel))
           let sums = new ChannelSums([], [], y.Channels, y.Height, 1)
           let row = new Func<TestOperand[], int, int[], double[]>((o, s, i) => [.. Enumerable.Range(0, y.Width).Select(column => Convolved(o[0], o[1], g.Window, s, [i[0], i[1], column]))])
           select new KernelCase(
               new DepthwiseKernel(g.Window, x, y, false, null, []) { Sums = sums }, 2,
               () => [TestOperand.Input(x, 2, 1), TestOperand.Input(weights, 0, 2), TestOperand.Output(y, 2), TestOperand.Output(sums.Parts, 2), TestOperand.Output(sums.Parts, 2)],
               o =>
               [
                   new Expectation(2, (s, i) => Convolved(o[0], o[1], g.Window, s, i), 1e-5), new Expectation(3, (s, i) => row(o, s, i).Average(), 1e-5),
                   new Expectation(4, (s, i) => row(o, s, i) is var all ? all.Sum(v => (v - all.Average()) * (v - all.Average())) : 0, 2e-5),
               ]),
    ]);

    /// <summary>Two sums of each row of a gradient, with a plane and a vector beside it.</summary>
    [Fact]
    [OnEveryHardware]
    public void SumsOfAnInputGradient() => KernelHarness.Check(
    [
        .. from g in WithRows
           let dy = new Layout(LayoutKind.Blocked, Shape.Of(g.Shape.Channels, g.Window.OutputSizes(g.Shape.Spatial)), Wide)
           let dx = new Layout(LayoutKind.Blocked, g.Shape)
           let other = new Layout(LayoutKind.Blocked, g.Shape, Uneven)
           let vector = new Layout(LayoutKind.Blocked, Shape.Of(g.Shape.Channels, 1, 1))
           let weights = new Layout(LayoutKind.Blocked, Shape.Of(g.Shape.Channels, g.Window.Kernel))
           let sums = new ChannelSums([X, X * (new InputFormula(1) - new InputFormula(2))], [other, vector], dx.Channels, dx.Height, 1)
           let value = new Func<TestOperand[], int, int[], double>((o, s, i) => Links(g.Window, dy.Shape, i).Sum(l => o[0][s, l.Output] * o[1][0, l.Weight]) * o[2][s, i])
           let row = new Func<int[], IEnumerable<int[]>>(i => Enumerable.Range(0, dx.Width).Select(column => (int[])[i[0], i[1], column]))
           select new KernelCase(
               new DepthwiseInputGradientKernel(g.Window, dy, dx, X * new InputFormula(1), [other]) { Sums = sums }, 2,
               () =>
               [
                   TestOperand.Input(dy, 2, 1), TestOperand.Input(weights, 0, 2), TestOperand.Input(other, 2, 3, float.NaN), TestOperand.Input(other, 2, 4, float.NaN), TestOperand.Input(vector, 0, 5),
                   TestOperand.Output(dx, 2), TestOperand.Output(sums.Parts, 2), TestOperand.Output(sums.Parts, 2),
               ],
               o =>
               [
                   new Expectation(5, (s, i) => value(o, s, i), 1e-5), new Expectation(6, (s, i) => row(i).Sum(j => value(o, s, j)), 2e-5),
                   new Expectation(7, (s, i) => row(i).Sum(j => value(o, s, j) * (o[3][s, j] - o[4][0, i[0], 0, 0])), 4e-5),
               ]),
    ]);

    private static readonly (Shape Shape, Window Window)[] WithRows =
    [
        (Shape.Of(17, 7, 7), Square(3, 1, 1)), (Shape.Of(1, 5, 3), Square(3, 1, 1)), (Shape.Of(33, 8, 14), Square(3, 2, 1)), (Shape.Of(16, 9, 21), Square(5, 1, 2)),
        (Shape.Of(3, 9, 9), Square(5, 2, 2)), (Shape.Of(20, 1, 19), new([1, 3], [1, 2], [0, 1], [0, 1], [1, 1])), (Shape.Of(3, 1, 1), Square(1, 1, 0)),
    ];

    [Fact]
    public void AFormulaNeedsAHaloOfTheGradient()
    {
        var plane = new Layout(LayoutKind.Blocked, Shape.Of(16, 8, 8));
        Assert.False(new DepthwiseInputGradientKernel(Square(3, 1, 1), plane, plane).TakesFormula);
        Assert.False(new DepthwiseInputGradientKernel(Square(3, 2, 1), new(LayoutKind.Blocked, Shape.Of(16, 4, 4)), plane).TakesFormula);
        Assert.True(new DepthwiseInputGradientKernel(Square(3, 2, 1), new(LayoutKind.Blocked, Shape.Of(16, 4, 4), Wide), plane).TakesFormula);
    }

    [Fact]
    public void WeightGradientSumsOverASample() => Check((input, output, weights, window) => new KernelCase(
        new DepthwiseWeightGradientKernel(window, input, output), 3,
        () => [TestOperand.Input(input, 3, 1), TestOperand.Input(output, 3, 2, 1000), TestOperand.Output(weights, 3)],
        o => [new Expectation(2, (s, k) => TestOperand.Indices(output.Shape).Where(i => i[0] == k[0]).Sum(i => Read(o[0], s, At(window, i, k[1..])) * o[1][s, i]), 4e-5)]));

    [Fact]
    public void AMissingHaloIsRefused()
    {
        var layout = new Layout(LayoutKind.Blocked, Shape.Of(16, 8, 8));
        Assert.Throws<InvalidOperationException>(() => new CompiledKernels(new DepthwiseKernel(Square(3, 1, 1), layout, layout, false, null, [])));
    }

    private static Window Square(int kernel, int stride, int pad) => new([kernel, kernel], [stride, stride], [pad, pad], [pad, pad], [1, 1]);

    private static Shape Ones(Shape shape) => new([.. shape.Dimensions.Select(_ => 1)]);

    private static void Check(Func<Layout, Layout, Layout, Window, KernelCase> make) => KernelHarness.Check(
    [
        .. from g in Geometries
           let output = Shape.Of(g.Shape.Channels, g.Window.OutputSizes(g.Shape.Spatial))
           let weights = new Layout(LayoutKind.Blocked, Shape.Of(g.Shape.Channels, g.Window.Kernel))
           select make(new(LayoutKind.Blocked, g.Shape, Wide), new(LayoutKind.Blocked, output, g.Shape.Channels % 2 == 0 ? Halo.None : Uneven), weights, g.Window),
    ]);

    private static double Convolved(TestOperand x, TestOperand w, Window window, int sample, int[] output) =>
        TestOperand.Indices(new Shape(window.Kernel)).Sum(k => Read(x, sample, At(window, output, k)) * w[0, [output[0], .. k]]);

    // Where kernel element k of an output's window lies.
    private static int[] At(Window window, int[] output, int[] k) =>
        [output[0], .. k.Select((n, axis) => (output[axis + 1] * window.Stride[axis]) - window.PadBegin[axis] + (n * window.Dilation[axis]))];

    private static double Read(TestOperand x, int sample, int[] at) =>
        at.Select((n, axis) => n >= 0 && n < x.Layout.Shape[axis]).All(inside => inside) ? x[sample, at] : 0;

    // The outputs, with kernel elements, that an input feeds.
    private static IEnumerable<(int[] Output, int[] Weight)> Links(Window window, Shape output, int[] input) =>
        from k in TestOperand.Indices(new Shape(window.Kernel))
        let steps = k.Select((n, axis) => input[axis + 1] + window.PadBegin[axis] - (n * window.Dilation[axis])).ToArray()
        where steps.Select((n, axis) => n >= 0 && n % window.Stride[axis] == 0 && n / window.Stride[axis] < output[axis + 1]).All(hit => hit)
        select ((int[])[input[0], .. steps.Select((n, axis) => n / window.Stride[axis])], (int[])[input[0], .. k]);
}
