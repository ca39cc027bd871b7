// Direct convolutions whose rows go into the maxima of windows, against plain loops.
using ModelCompiler.Graph;
using ModelCompiler.Kernels;
using ModelCompiler.Planning;

namespace ModelCompiler.Tests.Kernels;

public partial class ConvolutionKernelTests
{
    /// <summary>Windows that overlap, tile and leave gaps, with padding and without, cut by the plane's end; planes of one place and of one row, and windows larger than what a loop is
    /// written out for. The formula falls where sums are negative, so a maximum before it would show; NaN wins.</summary>
    [Fact]
    [OnEveryHardware]
    public void MaximaOfRows() => KernelHarness.Check(
    [
        .. from pool in new[] { Square(3, 2, 1), Square(2, 2, 0), Square(3, 1, 1), Square(2, 5, 0), new([5, 9], [2, 3], [2, 4], [2, 4], [1, 1]), new([1, 3], [1, 2], [0, 1], [0, 2], [1, 1]) }
           from g in new (Shape Input, int Outputs, int Groups, Window Window, bool Planar)[]
           {
               (Shape.Of(3, 22, 29), 17, 1, Square(3, 1, 1), true), (Shape.Of(17, 9, 33), 40, 1, Square(3, 2, 1), false), (Shape.Of(1, 10, 10), 16, 1, Square(5, 1, 0), true),
               (Shape.Of(12, 9, 7), 18, 3, Square(3, 1, 1), false), (Shape.Of(16, 1, 1), 1, 1, Square(1, 1, 0), false), (Shape.Of(5, 1, 50), 3, 1, new([1, 3], [1, 1], [0, 0], [0, 0], [1, 1]), false),
           }
           where pool.OutputSizes(Output(g).Spatial).All(size => size > 0)
           select Maxima(g, pool),
    ]);

    private static KernelCase Maxima((Shape Input, int Outputs, int Groups, Window Window, bool Planar) g, Window window)
    {
        var x = new Layout(g.Planar ? LayoutKind.Planar : LayoutKind.Blocked, g.Input, new HaloProbe(g.Window, g.Input, Output(g)).Forward.Union(Uneven));
        var y = new Layout(LayoutKind.Blocked, Output(g));
        var maxima = new Layout(LayoutKind.Blocked, Shape.Of(g.Outputs, window.OutputSizes(y.Shape.Spatial)), Uneven);
        var bias = new Layout(LayoutKind.Flat, Shape.Of(g.Outputs));
        var plain = new ConvolutionKernel(
            Planning.Geometries.Forward(g.Window, g.Groups, x, y), true, new InputFormula(0) * new InputFormula(0), [], false, Wanted: new Tile(1, Math.Min(7, y.Width), 1));
        Assert.True(plain.TakesPool);
        var pool = new RowPool(window, maxima, y.Height, y.Width);
        Assert.True(pool.IsPossible);
        var kernel = plain.Into(pool);
        return new KernelCase(
            kernel, Batch,
            () =>
            [
                WithNaN(g.Groups, x), Packed(plain, (o, c, t) => Weight(g, o, c, t)), TestOperand.Input(bias, 0, 3), TestOperand.Output(maxima, Batch),
                TestOperand.Output(new Layout(LayoutKind.Flat, Shape.Of(pool.RowFloats)), 0),
            ],
            o => [new Expectation(3, (s, i) => Elements(window, y, i).Select(at => Square(Convolved(g, o[0], s, [i[0], .. at]) + o[2][0, i[0]])).Aggregate(Math.Max), 2e-5)]);
        static double Square(double value) => value * value;
    }

    /// <summary>Numbers, but for the middle of the second sample's first channel. Groups meet the channels of others in their block, with weights of zero, and are left without.</summary>
    private static TestOperand WithNaN(int groups, Layout x)
    {
        using var numbers = TestOperand.Input(x, Batch, 1);
        return TestOperand.Input(x, Batch, (s, i) => groups == 1 && s == 1 && i.SequenceEqual([0, x.Height / 2, x.Width / 2]) ? double.NaN : numbers[s, i]);
    }

    /// <summary>Places of the plane that lie in a window.</summary>
    private static IEnumerable<int[]> Elements(Window window, Layout plane, int[] i) =>
        from r in Enumerable.Range((i[1] * window.Stride[0]) - window.PadBegin[0], window.Kernel[0])
        from c in Enumerable.Range((i[2] * window.Stride[1]) - window.PadBegin[1], window.Kernel[1])
        where r >= 0 && r < plane.Height && c >= 0 && c < plane.Width
        select new[] { r, c };
}
