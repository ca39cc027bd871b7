// The gradient of weights against plain loops, for a batch and for a sample, with inputs and outputs in their places and in each other's, and
// what becomes of the partial sums.
using ModelCompiler.Graph;
using ModelCompiler.Kernels;
using ModelCompiler.Planning;

namespace ModelCompiler.Tests.Kernels;

public partial class ConvolutionKernelTests
{
    /// <summary>Enough samples that partial sums are of different numbers of them.</summary>
    private const int SumBatch = 5;

    [Fact]
    [OnEveryHardware]
    public void WeightGradient() => Check(WeightGradientCase);

    /// <summary>What a sample adds, block after block of its input: in turns with the step that makes the blocks.</summary>
    [Fact]
    [OnEveryHardware]
    public void WeightGradientOfASampleTakesTurns() => CheckOfASample(
        kernel => Assert.True(kernel.Turns > 1), (Shape.Of(144, 9, 5), 24), (Shape.Of(33, 9, 5), 17), (Shape.Of(24, 9, 5), 40));

    /// <summary>What a sample adds, some rows at a time, while the ones behind them are asked for: also behind the last row, block and window.</summary>
    [Fact]
    [OnEveryHardware]
    public void WeightGradientOfASampleByRows() => CheckOfASample(
        kernel => Assert.InRange(kernel.RowsTogether, 1, kernel.Geometry.Plane.Rows - 1),
        (Shape.Of(40, 9, 60), 100), (Shape.Of(17, 7, 201), 33), (Shape.Of(1, 5, 300), 3), (Shape.Of(3, 2, 500), 17));

    private static void CheckOfASample(Action<WeightGradientKernel> check, params (Shape Input, int Outputs)[] sizes)
    {
        var cases = new List<KernelCase>();
        foreach (var (input, outputs) in sizes)
        {
            var g = (Input: input, Outputs: outputs, Groups: 1, Window: Square(1, 1, 0), Planar: false);
            Layout x = new(LayoutKind.Blocked, g.Input), y = new(LayoutKind.Blocked, Output(g));
            var geometry = Planning.Geometries.WeightGradient(g.Window, 1, x, y) with { OfSample = true };
            var kernel = new WeightGradientKernel(geometry);
            check(kernel);
            var places = Places(geometry);
            var plane = TestOperand.Indices(y.Shape.With(0, 1)).ToArray();
            cases.Add(new KernelCase(
                kernel, 2, () => [TestOperand.Input(x, 2, 1), TestOperand.Input(y, 2, 2), TestOperand.Output(new(LayoutKind.Flat, Shape.Of(geometry.PackedSize)), 2)],
                o => [new Expectation(2, (s, at) => places[at[0]] is var (output, channel, _) ? plane.Sum(i => o[1][s, [output, .. i[1..]]] * o[0][s, [channel, .. i[1..]]]) : 0, 1e-4, at => places.ContainsKey(at[0]))]));
        }

        KernelHarness.Check(cases);
    }

    /// <summary>Planes that fill the cache are summed some rows at a time, the last time fewer.</summary>
    [Fact]
    public void WeightGradientOfLargePlanes() => Check(
        (g, x, y) =>
        {
            var test = WeightGradientCase(g, x, y);
            Assert.InRange(((WeightGradientKernel)test.Kernel).RowsTogether, 1, y.Height - 1);
            return test;
        },
        (Shape.Of(5, 9, 300), 20, 1, Square(3, 1, 1), false), (Shape.Of(3, 15, 1001), 17, 1, Square(5, 2, 2), true), (Shape.Of(16, 7, 600), 33, 1, Square(1, 1, 0), false));

    private static KernelCase WeightGradientCase((Shape Input, int Outputs, int Groups, Window Window, bool Planar) g, Layout x, Layout y)
    {
        var geometry = Planning.Geometries.WeightGradient(g.Window, g.Groups, x, y);
        var plane = TestOperand.Indices(y.Shape.With(0, 1)).ToArray();
        return SumCase(
            geometry, () => [TestOperand.Input(x, SumBatch, 1), TestOperand.Input(y, SumBatch, 2, 1000)], 1e-4 * Math.Max(1, plane.Length / 1000.0),
            (o, s, output, channel, tap) => plane.Sum(i => o[1][s, [output, .. i[1..]]] * Read(g, o[0], s, channel, i, tap)));
    }

    /// <param name="sum">Of a sample, for an output, a channel and a tap.</param>
    private static KernelCase SumCase(
        WeightGradientGeometry geometry, Func<TestOperand[]> inputs, double tolerance, Func<TestOperand[], int, int, int, int, double> sum)
    {
        var places = Places(geometry);
        var part = geometry.OutputBlocks * geometry.PackedBlock;
        return new KernelCase(
            new WeightGradientKernel(geometry), SumBatch, () => [.. inputs(), TestOperand.Output(new(LayoutKind.Flat, Shape.Of(geometry.PackedSize)), 0)],
            o =>
            [
                new Expectation(2, (_, at) =>
                {
                    var (split, (output, channel, tap)) = (at[0] / part, places[at[0] % part]);
                    var first = SumBatch * split / geometry.Splits;
                    return Enumerable.Range(first, (SumBatch * (split + 1) / geometry.Splits) - first).Sum(s => sum(o, s, output, channel, tap));
                }, tolerance, at => places.ContainsKey(at[0] % part)),
            ]);
    }

    /// <summary>Of outputs that would half fill a block: x and the gradient of the output in each other's places, and what becomes of their sums.</summary>
    [Fact]
    [OnEveryHardware]
    public void WeightGradientWithTurnedPlaces()
    {
        var cases = new List<KernelCase>();
        foreach (var (input, outputs, stride) in new[] { (Shape.Of(17, 9, 5), 1, 1), (Shape.Of(144, 7, 7), 24, 1), (Shape.Of(40, 1, 13), 33, 1), (Shape.Of(48, 9, 8), 24, 2), (Shape.Of(33, 1, 1), 17, 3) })
        {
            var g = (Input: input, Outputs: outputs, Groups: 1, Window: Square(1, stride, 0), Planar: false);
            Layout x = new(LayoutKind.Blocked, g.Input), y = new(LayoutKind.Blocked, Output(g));
            var geometry = Planning.Geometries.TurnedWeightGradient(g.Window, 1, x, y)!;
            Assert.NotNull(geometry);

            // A sample's takes turns at what a tile makes of x's blocks at once.
            var ofSample = new WeightGradientKernel(geometry with { OfSample = true });
            Assert.Equal(geometry.OutputBlocks % geometry.Tile.Blocks == 0 ? geometry.OutputBlocks / geometry.Tile.Blocks : 0, ofSample.Turns);
            Assert.Equal(geometry.Tile.Blocks * x.BlockStride, ofSample.TurnStride(1));
            var plane = TestOperand.Indices(y.Shape.With(0, 1)).ToArray();
            cases.Add(SumCase(
                geometry, () => [TestOperand.Input(y, SumBatch, 1), TestOperand.Input(x, SumBatch, 2)], 1e-4,
                (o, s, channel, output, _) => plane.Sum(i => o[0][s, [output, .. i[1..]]] * o[1][s, [channel, .. i[1..].Select(place => place * stride)]])));
            cases.Add(UnpackCase(geometry, outputs * input.Channels, at => (at % input.Channels, at / input.Channels, 0)));
        }

        KernelHarness.Check(cases);
    }

    /// <summary>Where turning saves no products, or a block of x is no vector, nothing is turned.</summary>
    [Theory]
    [InlineData(24, 144, 1, 0, false)]
    [InlineData(24, 24, 1, 0, false)]
    [InlineData(144, 32, 1, 0, false)]
    [InlineData(144, 24, 3, 1, false)]
    [InlineData(144, 24, 1, 1, false)]
    [InlineData(17, 1, 1, 0, true)]
    public void OtherWeightGradientsKeepTheirPlaces(int inputs, int outputs, int kernel, int pad, bool planar)
    {
        var g = (Input: Shape.Of(inputs, 9, 9), Outputs: outputs, Groups: 1, Window: Square(kernel, 1, pad), Planar: planar);
        var x = new Layout(planar ? LayoutKind.Planar : LayoutKind.Blocked, g.Input);
        Assert.Null(Planning.Geometries.TurnedWeightGradient(g.Window, 1, x, new(LayoutKind.Blocked, Output(g))));
    }

    [Fact]
    public void UnpackingAddsThePartialSums() => Check((g, x, y) =>
    {
        var perGroup = g.Input.Channels / g.Groups;
        var taps = g.Window.KernelCount;
        return UnpackCase(Planning.Geometries.WeightGradient(g.Window, g.Groups, x, y), g.Outputs * perGroup * taps, at =>
        {
            var (output, channel, tap) = (at / (perGroup * taps), at / taps % perGroup, at % taps);
            return (output, (output / (g.Outputs / g.Groups) * perGroup) + channel, tap);
        });
    });

    /// <param name="element">The output, channel and tap, as the sums have them, of an element of the weights.</param>
    private static KernelCase UnpackCase(WeightGradientGeometry geometry, int elements, Func<int, (int Output, int Channel, int Tap)> element)
    {
        var places = Places(geometry).ToDictionary(p => p.Value, p => p.Key);
        return new KernelCase(
            new UnpackWeightGradientKernel(geometry), 1,
            () => [TestOperand.Input(new(LayoutKind.Flat, Shape.Of(geometry.PackedSize)), 0, 1), TestOperand.Output(new(LayoutKind.Flat, Shape.Of(elements)), 0)],
            o => [new Expectation(1, (_, at) => Enumerable.Range(0, geometry.Splits).Sum(s => o[0][0, (s * geometry.OutputBlocks * geometry.PackedBlock) + places[element(at[0])]]))]);
    }
}
