// Softmax along every axis with large and small numbers, and the two kernels that know classes.
using ModelCompiler.Graph;
using ModelCompiler.Kernels;
using ModelCompiler.Planning;
using ModelCompiler.Tests.Oracle;

namespace ModelCompiler.Tests.Kernels;

public class SoftmaxKernelTests
{
    [Fact]
    [OnEveryHardware]
    public void SumsToOneAlongEveryAxis() => KernelHarness.Check(
    [
        .. from shape in new[] { Shape.Of(1), Shape.Of(10), Shape.Of(16), Shape.Of(1000), Shape.Of(3, 5), Shape.Of(21, 4, 9), Shape.Of(2, 35, 33), Shape.Of(5, 300), Shape.Of(600, 7) }
           from axis in Enumerable.Range(0, shape.Rank)
           from logarithm in new[] { false, true }
           select Case(shape, axis, logarithm, 1),
    ]);

    [Fact]
    public void LargeNumbersDoNotOverflow() => KernelHarness.Check(
        Case(Shape.Of(37), 0, false, 1000), Case(Shape.Of(37), 0, true, 1000), Case(Shape.Of(6, 21), 0, false, 1000), Case(Shape.Of(6, 21), 0, true, 1000));

    [Fact]
    public void WorksInPlace()
    {
        foreach (var kernel in new[] { new SoftmaxKernel(Shape.Of(5, 23), 1, false), new SoftmaxKernel(Shape.Of(5, 23), 0, true) })
        {
            var layout = new Layout(LayoutKind.Flat, kernel.Shape);
            var compiled = new CompiledKernels(kernel);
            foreach (var isa in Isa.All)
            {
                using var x = TestOperand.Input(layout, 1, 5);
                using var y = TestOperand.Output(layout, 1);
                compiled.Call(kernel, isa, [x.Pointer(0), y.Pointer(0), 0, kernel.Units]);
                compiled.Call(kernel, isa, [x.Pointer(0), x.Pointer(0), 0, kernel.Units]);
                Assert.Equal(y.ElementBits(), x.ElementBits());
            }
        }
    }

    [Fact]
    [OnEveryHardware]
    public void GathersAndScattersClasses() => KernelHarness.Check(
    [
        .. from shape in new[] { Shape.Of(10), Shape.Of(1), Shape.Of(7, 5), Shape.Of(4, 70, 90) }
           let positions = new Shape(shape.Spatial)
           let classes = Enumerable.Range(0, 2).Select(s => Enumerable.Range(0, (int)positions.Count).Select(p => ((p * 7) + s) % (shape[0] + 1)).ToArray()).ToArray()
           from test in new[] { Gather(shape, positions, classes), Scatter(shape, positions, classes) }
           select test,
    ]);

    private static KernelCase Gather(Shape shape, Shape positions, int[][] classes) => new(
        new GatherClassKernel(shape), 2,
        () => [TestOperand.Input(new(LayoutKind.Flat, shape), 2, 1), TestOperand.Output(new(LayoutKind.Flat, positions), 2)],
        o => [new Expectation(1, (s, i) => classes[s][Axes.Index(positions, i)] is var c && c < shape[0] ? o[0][s, [c, .. i]] : 0, 0)], classes);

    private static KernelCase Scatter(Shape shape, Shape positions, int[][] classes) => new(
        new ScatterClassKernel(shape), 2,
        () => [TestOperand.Input(new(LayoutKind.Flat, positions), 2, 1), TestOperand.Output(new(LayoutKind.Flat, shape), 2)],
        o => [new Expectation(1, (s, i) => classes[s][Axes.Index(positions, i[1..])] == i[0] ? o[0][s, i[1..]] : 0, 0)], classes);

    private static KernelCase Case(Shape shape, int axis, bool logarithm, double scale)
    {
        var layout = new Layout(LayoutKind.Flat, shape);
        return new KernelCase(
            new SoftmaxKernel(shape, axis, logarithm), 2,
            () => [TestOperand.Input(layout, 2, (s, i) => scale * TestOperand.Number(1, s, i)), TestOperand.Output(layout, 2)],
            o =>
            {
                var rows = Enumerable.Range(0, 2).Select(s =>
                    Axes.Softmax(axis, [.. TestOperand.Indices(shape).Select(i => o[0][s, i])], shape, logarithm)).ToArray();
                return [new Expectation(1, (s, i) => rows[s][Axes.Index(shape, i)])];
            });
    }
}
