// Kernels that look where data tells them to, against the oracle: places that do not exist, ties, NaN, empty and clipped bins.
using ModelCompiler.Graph;
using ModelCompiler.Kernels;
using ModelCompiler.Operators;
using ModelCompiler.Planning;
using ModelCompiler.Tests.Oracle;

namespace ModelCompiler.Tests.Kernels;

public class SelectionKernelTests
{
    private static readonly Halo Uneven = new(0, 0, 0, 2, 1, 3);

    private static readonly (Shape Shape, int Axis, int Count)[] Gathers =
        [(Shape.Of(7), 0, 3), (Shape.Of(3, 5), 1, 7), (Shape.Of(5, 3), 0, 2), (Shape.Of(2, 4, 3), 1, 1), (Shape.Of(1, 17, 1), 1, 17)];

    [Fact]
    [OnEveryHardware]
    public void GatherReadsNothingWhereNoElementIs() => KernelHarness.Check(
    [
        .. Gathers.Select(g =>
        {
            var result = g.Shape.With(g.Axis, g.Count);
            return Case(
                new GatherKernel(g.Shape, g.Axis, g.Count), [Flat(g.Shape), Flat(result)], [(_, s, i) => TestOperand.Number(1, s, i), (size, s, i) => Place(s, i, g.Shape[g.Axis])], Flat(result),
                inputs => Selection.Gather(g.Axis, inputs[0], inputs[1], g.Shape, result));
        }),
    ]);

    [Fact]
    [OnEveryHardware]
    public void ScatterAddsWhatMeets() => KernelHarness.Check(
    [
        .. Gathers.Select(g =>
        {
            var values = g.Shape.With(g.Axis, g.Count);
            return Case(
                new ScatterKernel(g.Shape, g.Axis, g.Count), [Flat(values), Flat(values)], [(_, s, i) => TestOperand.Number(1, s, i), (size, s, i) => Place(s, i, g.Shape[g.Axis])], Flat(g.Shape),
                inputs => Selection.Scatter(g.Axis, inputs[0], inputs[1], values, g.Shape));
        }),
    ]);

    [Fact]
    [OnEveryHardware]
    public void TheLargestComeFirstAndOfEqualsTheFirst() => KernelHarness.Check(
    [
        .. Gathers.Append((Shape: Shape.Of(1, 1), Axis: 1, Count: 1)).Select(g =>
        {
            var count = Math.Min(g.Count, g.Shape[g.Axis]);
            var result = g.Shape.With(g.Axis, count);
            return Case(
                new TopPlacesKernel(g.Shape, g.Axis, count), [Flat(g.Shape)], [(_, s, i) => i.Sum() % 6 == 5 ? double.NaN : Math.Round(TestOperand.Number(1, s, i))], Flat(result),
                inputs => Selection.TopPlaces(new TopPlacesAttributes(g.Axis, count), inputs[0], g.Shape, result));
        }),
    ]);

    [Fact]
    [OnEveryHardware]
    public void PlacesOfMaxima() => KernelHarness.Check(
    [
        .. new[]
        {
            (Shape.Of(3, 6, 4), new Window([2, 2], [2, 2], [0, 0], [0, 0], [1, 1])), (Shape.Of(17, 7, 7), new Window([3, 3], [2, 2], [1, 1], [1, 1], [1, 1])),
            (Shape.Of(4, 9, 9), new Window([2, 3], [2, 1], [0, 1], [1, 0], [3, 2])), (Shape.Of(1, 9), new Window([5], [3], [2], [2], [1])),
            (Shape.Of(18, 3, 4, 5), new Window([2, 3, 2], [2, 1, 2], [0, 1, 0], [0, 1, 0], [1, 1, 1])), (Shape.Of(2, 9, 9), new Window([6, 6], [3, 3], [2, 2], [2, 2], [1, 1])),
        }.Select(g =>
        {
            var output = Shape.Of(g.Item1.Channels, g.Item2.OutputSizes(g.Item1.Spatial));
            var (x, y) = (new Layout(LayoutKind.Blocked, g.Item1, Uneven), new Layout(LayoutKind.Blocked, output));
            return Case(
                new MaxPoolPlacesKernel(g.Item2, x, y), [x], [(_, s, i) => Math.Round(TestOperand.Number(1, s, i))], y,
                inputs => Selection.MaxPoolPlaces(g.Item2, inputs[0], g.Item1, output), halo: 1000);
        }),
    ]);

    [Fact]
    [OnEveryHardware]
    public void RegionsStayInThePlaneWhateverTheBoxesSay()
    {
        foreach (var (shape, regions, attributes) in new[]
        {
            (Shape.Of(3, 6, 5), 4, new RegionPoolAttributes(2, 3, 1)), (Shape.Of(17, 1, 7), 1, new RegionPoolAttributes(3, 1, 0.5)), (Shape.Of(33, 4, 4), 3, new RegionPoolAttributes(7, 7, 0.25)),
        })
        {
            var output = new Shape([shape[0], regions, attributes.Rows, attributes.Columns]);
            var (x, y, slopes) = (new Layout(LayoutKind.Blocked, shape, Uneven), new Layout(LayoutKind.Blocked, output), new Layout(LayoutKind.Blocked, shape));
            var boxes = Flat(Shape.Of(regions, 4));
            Func<int, int, int[], double>[] values = [(_, s, i) => Math.Round(TestOperand.Number(1, s, i) * 4), (_, s, i) => Math.Round(TestOperand.Number(2, s, i) * 40) / 4, (_, s, i) => TestOperand.Number(3, s, i)];
            KernelHarness.Check(
                Case(
                    new RegionPoolKernel(attributes, x, y), [x, boxes], values, y, inputs => Selection.RegionPool(attributes, inputs[0], inputs[1], shape, output), halo: 1000),
                Case(
                    new RegionPoolGradientKernel(attributes, x, y, slopes), [x, boxes, y], values, slopes,
                    inputs => Selection.RegionPoolGradient(attributes, inputs[0], inputs[1], inputs[2], shape, output), halo: 1000));
        }
    }

    [Fact]
    [OnEveryHardware]
    public void SamplesOfRegionsStayInThePlaneWhateverTheBoxesSay()
    {
        foreach (var (shape, regions, attributes) in new[]
        {
            (Shape.Of(3, 6, 5), 4, new RegionAlignAttributes(2, 3, 1, 2, false, Shape.Of(3, 6, 5))), (Shape.Of(17, 1, 7), 1, new RegionAlignAttributes(3, 1, 0.5, 1, true, Shape.Of(17, 1, 7))),
            (Shape.Of(33, 4, 4), 3, new RegionAlignAttributes(7, 7, 0.25, 3, false, Shape.Of(33, 4, 4))), (Shape.Of(16, 3, 1), 2, new RegionAlignAttributes(1, 2, 0.3, 4, true, Shape.Of(16, 3, 1))),
        })
        {
            var output = new Shape([shape[0], regions, attributes.Rows, attributes.Columns]);
            var (x, y, slopes) = (new Layout(LayoutKind.Blocked, shape, Uneven), new Layout(LayoutKind.Blocked, output), new Layout(LayoutKind.Blocked, shape, Uneven));
            var boxes = Flat(Shape.Of(regions, 4));

            // Odd 256ths: no sample lies where a rounding decides whether it counts. Places of up to ten elements are rounded.
            Func<int, int, int[], double> box = (_, s, i) => (Math.Round(TestOperand.Number(2, s, i) * 1280) + 0.5) / 128;
            KernelHarness.Check(
                Case(
                    new RegionAlignKernel(attributes, x, y), [x, boxes], [(_, s, i) => TestOperand.Number(1, s, i), box], y, inputs => Selection.RegionAlign(attributes, inputs[0], inputs[1], output), halo: float.NaN, tolerance: 2e-5),
                Case(
                    new RegionAlignGradientKernel(attributes, y, slopes), [boxes, y], [box, (_, s, i) => TestOperand.Number(3, s, i)], slopes,
                    inputs => Selection.RegionAlignGradient(attributes, inputs[0], inputs[1], output), tolerance: 2e-5));
        }
    }

    private static Layout Flat(Shape shape) => new(LayoutKind.Flat, shape);

    /// <summary>From two before the first element to one behind the last.</summary>
    private static double Place(int sample, int[] index, int size) => (int)((TestOperand.Number(5, sample, index) + 2) / 4 * (size + 3)) - 2;

    private static KernelCase Case(
        Kernel kernel, Layout[] inputs, Func<int, int, int[], double>[] values, Layout output, Func<double[][], double[]> oracle, float halo = 0, double tolerance = 2e-6) => new(
        kernel,
        2,
        () => [.. inputs.Select((layout, n) => TestOperand.Input(layout, 2, (s, i) => values[n](n, s, i), layout.Halo.IsNone ? 0 : halo)), TestOperand.Output(output, 2)],
        operands =>
        {
            var expected = Enumerable.Range(0, 2)
                .Select(s => oracle([.. inputs.Select((layout, n) => TestOperand.Indices(layout.Shape).Select(i => operands[n][s, i]).ToArray())])).ToArray();
            return [new Expectation(inputs.Length, (s, i) => expected[s][Axes.Index(output.Shape, i)], tolerance)];
        });
}
