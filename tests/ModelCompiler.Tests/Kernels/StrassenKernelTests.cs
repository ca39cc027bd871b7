// Strassen's algorithm against plain sums: both sides' factors, the products that are summed to outputs, halves that share a
// pixel, outputs with halos, strides, rows of features, and the rounding error that is promised.
using ModelCompiler.Graph;
using ModelCompiler.Kernels;
using ModelCompiler.Planning;

namespace ModelCompiler.Tests.Kernels;

public class StrassenKernelTests
{
    private static readonly Expression X = new InputFormula(0);

    /// <summary>Of the largest output.</summary>
    private const double Bound = 1e-6;

    // Inputs, outputs, rows and columns of the output's plane, stride, whether values have halos. The last two have several spans of pixels.
    private static readonly (int Inputs, int Outputs, int Rows, int Columns, int Stride, bool Halos)[] Planes =
    [
        (32, 32, 1, 3, 1, false), (32, 64, 1, 4, 1, false), (64, 96, 7, 7, 1, true), (96, 160, 14, 14, 1, false), (32, 352, 1, 131, 1, false), (160, 64, 5, 9, 2, true),
        (64, 128, 7, 7, 2, false), (64, 64, 30, 30, 1, false), (32, 96, 29, 31, 1, true), (32, 128, 31, 29, 1, false),
    ];

    // Rows, inputs, outputs.
    private static readonly (int Rows, int Inputs, int Outputs)[] Rows = [(3, 32, 32), (4, 64, 96), (99, 96, 64), (197, 32, 192), (523, 32, 64)];

    [Fact]
    [OnEveryHardware]
    public void MultipliesWithinItsErrorBound() => KernelHarness.Check([.. Planes.Select(g => Plain(Direct(g), OutputOf(g), InputOf(g))), .. Rows.Select(r => Plain(DirectRows(r), RowsOf(r.Rows, r.Outputs), RowsOf(r.Rows, r.Inputs)))]);

    [Fact]
    public void FusesBiasAndEpilogue() => KernelHarness.Check([.. Planes.Select(Fused)]);

    [Fact]
    public void SumsAreMadeOfQuarters() => KernelHarness.Check(
    [
        .. Planes.Select(g => (Direct: Direct(g), Input: InputOf(g))).Concat(Rows.Select(r => (Direct: DirectRows(r), Input: RowsOf(r.Rows, r.Inputs)))).Select(c =>
        {
            var kernel = new StrassenInputsKernel(c.Direct);
            return new KernelCase(
                kernel, 2, () => [TestOperand.Input(c.Input, 2, 1, float.NaN), TestOperand.Output(new(LayoutKind.Flat, Shape.Of(kernel.Floats)), 2)],
                o => [new Expectation(1, (s, at) => Left(c.Direct, o[0], s, at[0]), 1e-6)]);
        }),
    ]);

    [Fact]
    public void PacksSumsOfQuarters() => KernelHarness.Check(
    [
        .. new[] { new PackStrassenKernel(32, 32, 1), new PackStrassenKernel(64, 96, 3), new PackStrassenKernel(96, 128, 2) }.Select(kernel => new KernelCase(
            kernel, 1, () => [Weights(kernel.InputChannels, kernel.OutputChannels), TestOperand.Output(new(LayoutKind.Flat, Shape.Of(kernel.PackedSize)), 0)],
            o => [new Expectation(1, (_, at) => Right(kernel, o[0], at[0]), 1e-6)])),
    ]);

    /// <summary>Choices that measurements in docs/kernels.md confirm.</summary>
    [Theory]
    [InlineData("197x768", "dense(3072)", true)]
    [InlineData("197x3072", "dense(768)", true)]
    [InlineData("1024x14x14", "conv(256, 1x1)", true)]
    [InlineData("384x14x14", "conv(1536, 1x1)", true)]
    [InlineData("64x56x56", "conv(256, 1x1)", false)]
    [InlineData("256x56x56", "conv(64, 1x1)", false)]
    [InlineData("320x7x7", "conv(1280, 1x1)", false)]
    [InlineData("1024x14x14", "conv(250, 1x1)", false)]
    [InlineData("1024x14x14", "conv(256, 1x1, groups: 2)", false)]
    [InlineData("1024", "dense(1024)", false)]
    public void TheAlgorithmFollowsTheShape(string input, string layer, bool isStrassen)
    {
        var text = $"network Net {{\n input x: {input}\n output y = x -> {layer}\n}}\n";
        var graph = ModelCompiler.Evaluation.Evaluator.Evaluate(new ModelCompiler.Grammar.SourceFile("test.cnn", text), (_, _) => null).Networks.Single();
        Assert.Equal(isStrassen, Planner.ForInference(graph).Steps.Any(s => s.Kernel is StrassenKernel));
        Assert.DoesNotContain(Planner.ForInference(graph, fast: false).Steps, s => s.Kernel is StrassenKernel);
    }

    /// <summary>With bias; <paramref name="formula"/> reads a number per channel, and a value of the output's shape.</summary>
    internal static StrassenKernel Kernel((int Inputs, int Outputs, int Rows, int Columns, int Stride, bool Halos) g, Expression formula)
    {
        var other = OtherOf(g);
        return new StrassenKernel(Direct(g), true, formula, [new FusedOperand(0, Layout.Lanes, default), new FusedOperand(other.Origin, other.BlockStride, (other.DepthStride, other.RowStride, other.ColumnStride))]);
    }

    private static Expression Formula => new BinaryFormula(BinaryFunction.Maximum, (X * new InputFormula(1)) + new InputFormula(2), 0);

    private static Layout InputOf((int Inputs, int Outputs, int Rows, int Columns, int Stride, bool Halos) g) =>
        new(LayoutKind.Blocked, Shape.Of(g.Inputs, g.Rows * g.Stride, g.Columns * g.Stride), g.Halos ? new Halo(0, 0, 1, 1, 2, 1) : Halo.None);

    private static Layout OutputOf((int Inputs, int Outputs, int Rows, int Columns, int Stride, bool Halos) g) =>
        new(LayoutKind.Blocked, Shape.Of(g.Outputs, g.Rows, g.Columns), g.Halos ? new Halo(0, 0, 2, 1, 1, 3) : Halo.None);

    private static Layout OtherOf((int Inputs, int Outputs, int Rows, int Columns, int Stride, bool Halos) g) =>
        new(LayoutKind.Blocked, OutputOf(g).Shape, g.Halos ? new Halo(0, 0, 1, 1, 1, 1) : Halo.None);

    private static Layout RowsOf(int rows, int features) => new(LayoutKind.Flat, Shape.Of(rows, features));

    private static ConvolutionGeometry Direct((int Inputs, int Outputs, int Rows, int Columns, int Stride, bool Halos) g)
    {
        var window = new Window([1, 1], [g.Stride, g.Stride], [0, 0], [0, 0], [1, 1]);
        var (x, y) = (InputOf(g), OutputOf(g));
        return Geometries.Flattened(Geometries.Forward(window, 1, x, y), window, [x, y, OtherOf(g)]);
    }

    private static ConvolutionGeometry DirectRows((int Rows, int Inputs, int Outputs) r) => new()
    {
        InputChannels = r.Inputs, OutputChannels = r.Outputs, Taps = (1, 1, 1), Plane = (1, 1, r.Rows), InputOffset = 0, InputBlock = Layout.Lanes, InputLane = 1, InputStep = (0, 0, r.Inputs),
        TapStep = default, OutputOffset = 0, OutputBlock = Layout.Lanes, OutputStep = (0, 0, r.Outputs),
    };

    private static KernelCase Plain(ConvolutionGeometry direct, Layout output, Layout input)
    {
        var kernel = new StrassenKernel(direct, false, null, []);
        return new KernelCase(
            kernel, 2, () => [.. Factors(kernel, input), TestOperand.Output(output, 2), Scratch(kernel)],
            o =>
            {
                var sums = Sums(direct, input);
                return [new Expectation(o.Length - 2, (s, i) => sums[s][Output(output, i)], Bound * Largest(sums), Absolute: true)];
            });
    }

    private static KernelCase Fused((int Inputs, int Outputs, int Rows, int Columns, int Stride, bool Halos) g)
    {
        var kernel = Kernel(g, Formula);
        Layout vector = new(LayoutKind.Flat, Shape.Of(g.Outputs)), output = OutputOf(g);
        return new KernelCase(
            kernel, 2,
            () =>
            [
                .. Factors(kernel, InputOf(g)), TestOperand.Input(vector, 0, 3), TestOperand.Input(vector, 0, 4), TestOperand.Input(OtherOf(g), 2, 5, float.NaN),
                TestOperand.Output(output, 2), Scratch(kernel),
            ],
            o =>
            {
                var sums = Sums(Direct(g), InputOf(g));
                var (bias, scale, other, y) = (o[^5], o[^4], o[^3], o.Length - 2);
                return [new Expectation(y, (s, i) => Math.Max(0, ((sums[s][Output(output, i)] + bias[0, i[0]]) * scale[0, i[0]]) + other[s, i]), 2 * Bound * Largest(sums), Absolute: true)];
            });
    }

    /// <summary>The input where its quarters are read, and both sides' factors.</summary>
    private static IEnumerable<TestOperand> Factors(StrassenKernel kernel, Layout input)
    {
        var (direct, packing) = (kernel.Direct, kernel.Packing);
        var x = TestOperand.Input(input, 2, 1, float.NaN);
        using var weights = Weights(direct.InputChannels, direct.OutputChannels);
        var left = TestOperand.Input(new(LayoutKind.Flat, Shape.Of(new StrassenInputsKernel(direct).Floats)), 2, (s, at) => Left(direct, x, s, at[0]));
        var right = TestOperand.Input(new(LayoutKind.Flat, Shape.Of(packing.PackedSize)), 0, (_, at) => Right(packing, weights, at[0]));
        if (Strassen.ReadsQuarters(direct))
        {
            return [x, left, right];
        }

        x.Dispose();
        return [left, right];
    }

    private static TestOperand Scratch(StrassenKernel kernel) => TestOperand.Output(new Layout(LayoutKind.Flat, Shape.Of(kernel.ScratchFloats)), 0);

    private static TestOperand Weights(int inputs, int outputs) => TestOperand.Input(new Layout(LayoutKind.Flat, Shape.Of(outputs, inputs)), 0, 2);

    /// <summary>An element of [factor][block of input channels in a half][pixel in a half][16].</summary>
    private static double Left(ConvolutionGeometry direct, TestOperand x, int sample, int at)
    {
        var (half, pixels, channels) = (Strassen.Half(direct), direct.Plane.Rows * direct.Plane.Columns, direct.InputChannels / 2);
        var (factor, channel, pixel) = (at / (channels * half), (at / (16 * half) % (channels / 16) * 16) + (at % 16), at / 16 % half);
        double X(int row, int column) => Input(direct, x, sample, pixel + (row == 2 ? pixels - half : 0), channel + (column == 2 ? channels : 0));
        double[] sums = [X(2, 1) + X(2, 2) - X(1, 1), X(1, 1) - X(2, 1), X(2, 1) + X(2, 2), X(1, 2) - X(2, 1) - X(2, 2) + X(1, 1)];
        return Strassen.ReadsQuarters(direct) ? sums[factor] : new[] { X(1, 1), X(1, 2), sums[0], sums[1], sums[2], sums[3], X(2, 2) }[factor];
    }

    /// <summary>An element of [group][factor][input channel in a half][block in a group's half][16 outputs].</summary>
    private static double Right(PackStrassenKernel kernel, TestOperand weights, int at)
    {
        var (inputs, lanes) = (kernel.InputChannels / 2, kernel.HalfBlocks * 16);
        var (group, factor, input, output) = (at / (4 * inputs * lanes), at / (inputs * lanes) % 4, at / lanes % inputs, at % lanes);
        double W(int row, int column) => weights[0, (group * 2 * lanes) + output + (column == 2 ? lanes : 0), input + (row == 2 ? inputs : 0)];
        return new[] { W(1, 1), W(2, 1), W(2, 1) - W(2, 2) + W(1, 2) - W(1, 1), W(2, 2) }[factor];
    }

    private static double Input(ConvolutionGeometry direct, TestOperand x, int sample, int pixel, int channel)
    {
        if (x.Layout.Kind == LayoutKind.Flat)
        {
            return x[sample, pixel, channel];
        }

        var stride = direct.InputStep.Columns / Layout.Lanes;
        var columns = x.Layout.Width / stride;
        return x[sample, channel, pixel / columns * stride, pixel % columns * stride];
    }

    /// <summary>Where an output is among <see cref="Sums"/>.</summary>
    private static int Output(Layout output, int[] i) => output.Kind == LayoutKind.Flat ? (i[1] * output.Shape[0]) + i[0] : (((i[0] * output.Height) + i[1]) * output.Width) + i[2];

    /// <summary>[output channel][pixel] of each sample.</summary>
    private static double[][] Sums(ConvolutionGeometry direct, Layout input)
    {
        using var x = TestOperand.Input(input, 2, 1, float.NaN);
        using var weights = Weights(direct.InputChannels, direct.OutputChannels);
        var (inputs, pixels) = (direct.InputChannels, direct.Plane.Rows * direct.Plane.Columns);
        var w = TestOperand.Indices(weights.Layout.Shape).Select(i => weights[0, i]).ToArray();
        return [.. Enumerable.Range(0, 2).Select(sample =>
        {
            var values = Enumerable.Range(0, pixels * inputs).Select(at => Input(direct, x, sample, at / inputs, at % inputs)).ToArray();
            var sums = new double[direct.OutputChannels * pixels];
            for (var at = 0; at < sums.Length; at++)
            {
                for (var c = 0; c < inputs; c++)
                {
                    sums[at] += values[(at % pixels * inputs) + c] * w[(at / pixels * inputs) + c];
                }
            }

            return sums;
        })];
    }

    private static double Largest(double[][] values) => values.Max(v => v.Max(Math.Abs));
}
