// The dense kernels over awkward windows, channels and layouts, against plain loops: forward with bias and fused
// formula, data gradient by phases and packing.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using ModelCompiler.Kernels;
using ModelCompiler.Planning;

namespace ModelCompiler.Tests.Kernels;

public partial class ConvolutionKernelTests
{
    private const int Batch = 2;

    private static readonly Halo Uneven = new(0, 0, 1, 2, 3, 0);

    /// <summary>Input shape, output channels, groups, window, whether the input is read as planes.</summary>
    private static readonly (Shape Input, int Outputs, int Groups, Window Window, bool Planar)[] Geometries =
    [
        (Shape.Of(1, 7, 7), 3, 1, Square(3, 1, 1), true), (Shape.Of(3, 9, 11), 17, 1, Square(5, 2, 2), true), (Shape.Of(4, 1, 9), 33, 1, new([1, 3], [1, 2], [0, 1], [0, 1], [1, 1]), true),
        (Shape.Of(17, 5, 3), 16, 1, Square(3, 1, 1), false), (Shape.Of(16, 1, 1), 1, 1, Square(1, 1, 0), false), (Shape.Of(33, 7, 7), 50, 1, Square(1, 1, 0), false),
        (Shape.Of(20, 8, 8), 40, 4, Square(3, 2, 1), false), (Shape.Of(12, 6, 5), 18, 3, Square(2, 3, 0), false), (Shape.Of(64, 5, 5), 64, 2, Square(3, 1, 1), false),
        (Shape.Of(5, 9, 9), 7, 1, new([2, 3], [1, 1], [0, 1], [1, 0], [3, 2]), false), (Shape.Of(6, 15), 20, 1, new([5], [2], [4], [0], [1]), false),
        (Shape.Of(3, 4, 5, 6), 18, 1, new([3, 2, 3], [1, 2, 1], [1, 0, 1], [1, 0, 1], [1, 1, 1]), false), (Shape.Of(18, 6, 29), 49, 1, Square(3, 1, 1), false),
        (Shape.Of(8, 6, 6), 6, 1, Square(1, 2, 0), false), (Shape.Of(40, 13, 29), 150, 1, Square(1, 1, 0), false), (Shape.Of(130, 5, 30), 70, 1, Square(1, 1, 0), false),
        (Shape.Of(70, 3, 3), 300, 1, Square(3, 1, 1), false), (Shape.Of(48, 1, 131), 20, 1, Square(1, 1, 0), false), (Shape.Of(32, 1, 1), 530, 1, Square(1, 1, 0), false),
    ];

    [Fact]
    [OnEveryHardware]
    public void Forward() => Check((g, x, y) =>
    {
        var geometry = Planning.Geometries.Forward(g.Window, g.Groups, x, y);
        var kernel = new ConvolutionKernel(geometry, false, null, [], false);
        return new KernelCase(
            kernel, Batch, () => [TestOperand.Input(x, Batch, 1), Packed(kernel, (o, c, t) => Weight(g, o, c, t)), TestOperand.Output(y, Batch)],
            o => [new Expectation(2, (s, i) => Convolved(g, o[0], s, i), 2e-5)]);
    });

    /// <summary>Where inputs are large beside the weights, threads share places of the plane, and weights pass by part after part all the same.</summary>
    [Fact]
    public void UnitsMayBePlaces() => Check(
        (g, x, y) =>
        {
            var kernel = new ConvolutionKernel(Planning.Geometries.Forward(g.Window, g.Groups, x, y), false, null, [], false);
            Assert.True(kernel.Schedule is { IsByPlace: true, Parts: > 1, Places: > 1 });
            return new KernelCase(
                kernel, Batch, () => [TestOperand.Input(x, Batch, 1), Packed(kernel, (o, c, t) => Weight(g, o, c, t)), TestOperand.Output(y, Batch)],
                o => [new Expectation(2, (s, i) => Convolved(g, o[0], s, i), 1e-4)]);
        },
        (Shape.Of(1024, 7, 9), 144, 1, Square(1, 1, 0), false), (Shape.Of(1501, 5, 11), 97, 1, Square(1, 1, 0), false));

    [Fact]
    public void BiasAndFormula() => Check((g, x, y) =>
    {
        var geometry = Planning.Geometries.Forward(g.Window, g.Groups, x, y);
        var other = new Layout(LayoutKind.Blocked, y.Shape, g.Input.Rank > 2 ? Uneven : default);
        var (bias, scale) = (new Layout(LayoutKind.Flat, Shape.Of(g.Outputs)), new Layout(LayoutKind.Blocked, Ones(y.Shape).With(0, g.Outputs)));
        var formula = new BinaryFormula(BinaryFunction.Maximum, (new InputFormula(0) * new InputFormula(2)) + new InputFormula(1), 0);
        var kernel = new ConvolutionKernel(geometry, true, formula, [Planning.Geometries.Operand(other), Planning.Geometries.Operand(scale)], false);
        return new KernelCase(
            kernel, Batch,
            () =>
            [
                TestOperand.Input(x, Batch, 1), Packed(kernel, (o, c, t) => Weight(g, o, c, t)), TestOperand.Input(bias, 0, 3), TestOperand.Input(other, Batch, 4, float.NaN),
                TestOperand.Input(scale, 0, 5), TestOperand.Output(y, Batch),
            ],
            o => [new Expectation(5, (s, i) => Math.Max(0, ((Convolved(g, o[0], s, i) + o[2][0, i[0]]) * o[4][0, i]) + o[3][s, i]), 2e-5)]);
    });

    /// <summary>In turns: some groups of output blocks for the whole plane, or a part of the plane through all blocks.</summary>
    [Theory]
    [OnEveryHardware]
    [InlineData(true)]
    [InlineData(false)]
    public void TakesTurns(bool groups)
    {
        var cases = new List<KernelCase>();
        foreach (var (inputs, outputs, columns) in groups ? new[] { (24, 144, 392), (17, 96, 223), (1, 96, 40) } : [(144, 24, 3136), (17, 20, 784), (33, 32, 12544)])
        {
            var g = (Input: Shape.Of(inputs, columns), Outputs: outputs, Groups: 1, Window: new Window([1], [1], [0], [0], [1]), Planar: false);
            Layout x = new(LayoutKind.Blocked, g.Input), y = new(LayoutKind.Blocked, Output(g)), vector = new(LayoutKind.Blocked, Shape.Of(outputs, 1));
            var kernel = new ConvolutionKernel(
                Planning.Geometries.Forward(g.Window, 1, x, y), false, (new InputFormula(0) * new InputFormula(2)) + new InputFormula(1), [Planning.Geometries.Operand(y), Planning.Geometries.Operand(vector)],
                false) { GroupByGroup = groups };
            Assert.True(kernel.Turns > 1, $"{kernel.Choice} of {inputs} to {outputs} channels takes no turns");
            cases.Add(new KernelCase(
                kernel, Batch,
                () => [TestOperand.Input(x, Batch, 1), Packed(kernel, (o, c, t) => Weight(g, o, c, t)), TestOperand.Input(y, Batch, 2), TestOperand.Input(vector, 0, 3), TestOperand.Output(y, Batch)],
                o => [new Expectation(4, (s, i) => (Convolved(g, o[0], s, i) * o[3][0, i[0], 0]) + o[2][s, i], 2e-5)]));
        }

        KernelHarness.Check(cases);
    }

    /// <summary>Each phase writes its elements and no other.</summary>
    [Fact]
    [OnEveryHardware]
    public void DataGradient()
    {
        var cases = new List<KernelCase>();
        foreach (var g in Geometries)
        {
            var output = Output(g);
            var halo = new HaloProbe(g.Window, g.Input, output).Backward;
            Layout dy = new(LayoutKind.Blocked, output, halo), dx = new(LayoutKind.Blocked, g.Input);
            foreach (var part in Planning.Geometries.InputGradient(g.Window, g.Groups, dy, dx))
            {
                bool IsPart(int[] i)
                {
                    var place = Position(i);
                    return place.Depth % part.Stride.Depth == part.Phase.Depth && place.Rows % part.Stride.Rows == part.Phase.Rows && place.Columns % part.Stride.Columns == part.Phase.Columns;
                }

                var kernel = new ConvolutionKernel(part.Geometry, false, null, [], false);
                int SourceTap(int tap)
                {
                    var (d, r, c) = (tap / (part.Geometry.Taps.Rows * part.Geometry.Taps.Columns), tap / part.Geometry.Taps.Columns % part.Geometry.Taps.Rows, tap % part.Geometry.Taps.Columns);
                    return ((((part.Taps.Start.Depth + (d * part.Taps.Step.Depth)) * part.Taps.Size.Rows) + part.Taps.Start.Rows + (r * part.Taps.Step.Rows)) * part.Taps.Size.Columns)
                        + part.Taps.Start.Columns + (c * part.Taps.Step.Columns);
                }

                cases.Add(new KernelCase(
                    kernel, Batch, () => [TestOperand.Input(dy, Batch, 1), Packed(kernel, (o, c, t) => Weight(g, c, o, SourceTap(t))), TestOperand.Output(dx, Batch)],
                    o => [new Expectation(2, (s, i) => IsPart(i) ? Spread(g, o[0], s, i) : TestOperand.Unwritten, 2e-5)]));
            }
        }

        KernelHarness.Check(cases);
    }

    [Fact]
    public void PackingPutsWeightsWhereTheKernelReadsThem() => Check((g, x, y) =>
    {
        var geometry = Planning.Geometries.Forward(g.Window, g.Groups, x, y);
        var perGroup = g.Input.Channels / g.Groups;
        var groupBlocks = new ConvolutionKernel(geometry, false, null, [], false).GroupBlocks;
        var places = Places(geometry, groupBlocks);
        var flat = new Layout(LayoutKind.Flat, Shape.Of(g.Outputs, perGroup, geometry.TapCount));
        return new KernelCase(
            new PackWeightsKernel(geometry, new TapSelection(geometry.Taps, (0, 0, 0), (1, 1, 1)), Turned: false, groupBlocks), 1,
            () => [TestOperand.Input(flat, 0, 1), TestOperand.Output(new(LayoutKind.Flat, Shape.Of(geometry.PackedSize)), 0)],
            o => [new Expectation(1, (_, at) => places.TryGetValue(at[0], out var p) ? o[0][0, p.Output, p.Channel % perGroup, p.Tap] : 0)]);
    });

    [Fact]
    [OnEveryHardware]
    public void ColumnsMayBeSamples()
    {
        var cases = new List<KernelCase>();
        foreach (var (inputs, outputs, batch) in new[] { (1, 3, 1), (17, 10, 5), (400, 120, 9), (33, 84, 13), (64, 1, 2) })
        {
            var geometry = new ConvolutionGeometry
            {
                InputChannels = inputs, OutputChannels = outputs, Taps = (1, 1, 1), Plane = (1, 1, 1), InputOffset = 0, InputBlock = 16, InputLane = 1,
                InputStep = default, TapStep = default, OutputOffset = 0, OutputBlock = 16, OutputStep = default,
            };
            Layout x = new(LayoutKind.Flat, Shape.Of(inputs)), y = new(LayoutKind.Flat, Shape.Of(outputs));
            static double W(int o, int c) => Math.Sin((o * 3) + c) / 2;
            var kernel = new ConvolutionKernel(geometry, true, new BinaryFormula(BinaryFunction.Maximum, new InputFormula(0), new InputFormula(1)), [new FusedOperand(0, 16, default)], true);
            cases.Add(new KernelCase(
                kernel, batch,
                () => [TestOperand.Input(x, batch, 1), Packed(kernel, (o, c, _) => W(o, c)), TestOperand.Input(y, 0, 2), TestOperand.Input(y, batch, 3), TestOperand.Output(y, batch)],
                o => [new Expectation(4, (s, i) => Math.Max(o[2][0, i] + Enumerable.Range(0, inputs).Sum(c => o[0][s, c] * (float)W(i[0], c)), o[3][s, i]), 4e-5)]));
        }

        KernelHarness.Check(cases);
    }

    private static Window Square(int kernel, int stride, int pad) => new([kernel, kernel], [stride, stride], [pad, pad], [pad, pad], [1, 1]);

    private static Shape Ones(Shape shape) => new([.. shape.Dimensions.Select(_ => 1)]);

    private static Shape Output((Shape Input, int Outputs, int Groups, Window Window, bool Planar) g) => Shape.Of(g.Outputs, g.Window.OutputSizes(g.Input.Spatial));

    private static void Check(Func<(Shape Input, int Outputs, int Groups, Window Window, bool Planar), Layout, Layout, KernelCase> make) => Check(make, Geometries);

    private static void Check(
        Func<(Shape Input, int Outputs, int Groups, Window Window, bool Planar), Layout, Layout, KernelCase> make,
        params (Shape Input, int Outputs, int Groups, Window Window, bool Planar)[] geometries) =>
        KernelHarness.Check([.. geometries.Select(g => make(
            g,
            new(g.Planar ? LayoutKind.Planar : LayoutKind.Blocked, g.Input, new HaloProbe(g.Window, g.Input, Output(g)).Forward.Union(g.Input.Rank > 2 ? Uneven : default)),
            new(LayoutKind.Blocked, Output(g), g.Input.Rank > 2 ? Uneven : default)))]);

    /// <summary>A number for each weight of the forward convolution; zero between groups.</summary>
    private static double Weight((Shape Input, int Outputs, int Groups, Window Window, bool Planar) g, int output, int channel, int tap) =>
        output / (g.Outputs / g.Groups) == channel / (g.Input.Channels / g.Groups) ? (float)Math.Cos((output * 1.7) + (channel * 0.9) + (tap * 0.3)) : 0;

    private static TestOperand Packed(ConvolutionKernel kernel, Func<int, int, int, double> weight)
    {
        var geometry = kernel.Geometry;
        var places = Places(geometry, kernel.GroupBlocks);
        return TestOperand.Input(new(LayoutKind.Flat, Shape.Of(Math.Max(16, geometry.PackedSize))), 0, (_, at) => places.TryGetValue(at[0], out var p) ? weight(p.Output, p.Channel, p.Tap) : 0);
    }

    /// <summary>What each packed number is: [group of output blocks][input block][tap][channel][block][16 outputs].</summary>
    private static Dictionary<int, (int Output, int Channel, int Tap)> Places(ConvolutionGeometry g, int groupBlocks) =>
        Places(g.OutputChannels, g.InputChannels, g.Groups, g.TapCount, g.BlocksRead, g.PackedBlock, groupBlocks, g.FirstBlock, window => g.Groups == 1 ? Math.Min(16, g.InputChannels - (window * 16)) : 16);

    private static Dictionary<int, (int Output, int Channel, int Tap)> Places(WeightGradientGeometry g) =>
        Places(g.OutputChannels, g.InputChannels, g.Groups, g.TapCount, g.BlocksRead, g.PackedBlock, 1, g.FirstBlock, _ => g.Lanes);

    private static Dictionary<int, (int Output, int Channel, int Tap)> Places(
        int outputs, int inputs, int groups, int taps, int blocksRead, int packedBlock, int groupBlocks, Func<int, int> firstBlock, Func<int, int> lanes)
    {
        var places = new Dictionary<int, (int, int, int)>();
        for (var output = 0; output < outputs; output++)
        {
            var start = output / 16 / groupBlocks * groupBlocks;
            var inGroup = Math.Min(groupBlocks, ((outputs + 15) / 16) - start);
            var at = (start * packedBlock) + (((output / 16) - start) * 16);
            for (var window = 0; window < blocksRead; window++)
            {
                for (var tap = 0; tap < taps; tap++)
                {
                    for (var lane = 0; lane < lanes(window); lane++, at += 16 * inGroup)
                    {
                        var channel = ((firstBlock(output / 16) + window) * 16) + lane;
                        if (channel < inputs && output / (outputs / groups) == channel / (inputs / groups))
                        {
                            places.Add(at + (output % 16), (output, channel, tap));
                        }
                    }
                }
            }
        }

        return places;
    }

    private static double Convolved((Shape Input, int Outputs, int Groups, Window Window, bool Planar) g, TestOperand x, int sample, int[] i)
    {
        var sum = 0.0;
        for (var channel = 0; channel < g.Input.Channels; channel++)
        {
            for (var tap = 0; tap < g.Window.KernelCount; tap++)
            {
                var weight = Weight(g, i[0], channel, tap);
                sum += weight == 0 ? 0 : weight * Read(g, x, sample, channel, i, tap);
            }
        }

        return sum;
    }

    /// <summary>What a tap of an output sees.</summary>
    private static double Read((Shape Input, int Outputs, int Groups, Window Window, bool Planar) g, TestOperand x, int sample, int channel, int[] output, int tap)
    {
        var at = Seen(g.Window, output, tap);
        return at.Select((n, axis) => n >= 0 && n < g.Input[axis + 1]).All(inside => inside) ? x[sample, [channel, .. at]] : 0;
    }

    private static int[] Seen(Window window, int[] output, int tap)
    {
        var at = new int[window.Rank];
        for (var axis = window.Rank - 1; axis >= 0; axis--)
        {
            at[axis] = (output[axis + 1] * window.Stride[axis]) - window.PadBegin[axis] + (tap % window.Kernel[axis] * window.Dilation[axis]);
            tap /= window.Kernel[axis];
        }

        return at;
    }

    private static double Spread((Shape Input, int Outputs, int Groups, Window Window, bool Planar) g, TestOperand dy, int sample, int[] i)
    {
        var sum = 0.0;
        foreach (var place in TestOperand.Indices(new Shape(Output(g).Dimensions.SetItem(0, 1))))
        {
            for (var tap = 0; tap < g.Window.KernelCount; tap++)
            {
                if (Seen(g.Window, place, tap).SequenceEqual(i[1..]))
                {
                    sum += Enumerable.Range(0, g.Outputs).Sum(o => Weight(g, o, i[0], tap) is var w && w == 0 ? 0 : w * dy[sample, [o, .. place[1..]]]);
                }
            }
        }

        return sum;
    }

    private static (int Depth, int Rows, int Columns) Position(int[] index) =>
        (index.Length > 3 ? index[1] : 0, index.Length > 2 ? index[^2] : 0, index[^1]);

    /// <summary>The halos that the planner would give a convolution's input and its output's gradient.</summary>
    private sealed class HaloProbe(Window window, Shape input, Shape output)
    {
        public Halo Forward => HaloNeeds.Forward(window, input, output);

        public Halo Backward => HaloNeeds.Backward(window, input, output);
    }
}
