// Every pair of layouts, aligned and not: conversions, concat, slice, pad and transpose.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using ModelCompiler.Kernels;
using ModelCompiler.Planning;

namespace ModelCompiler.Tests.Kernels;

public class CopyKernelTests
{
    private static readonly Halo One = new(0, 0, 1, 1, 1, 1);

    private static readonly Halo Uneven = new(0, 0, 0, 2, 1, 3);

    [Fact]
    public void ConvertsBetweenAllLayouts()
    {
        Shape[] shapes = [Shape.Of(1, 1, 1), Shape.Of(3, 5, 3), Shape.Of(17, 7, 7), Shape.Of(33, 1, 9), Shape.Of(16, 4, 4), Shape.Of(40, 15, 16)];
        KernelHarness.Check(
        [
            .. from shape in shapes
               from a in Layouts(shape)
               from b in Layouts(shape)
               select Case(CopyKernel.Convert(a, b), (x, i) => x(i)),
        ]);
    }

    [Fact]
    [OnEveryHardware]
    public void ConvertsEveryRank()
    {
        Shape[] shapes = [Shape.Scalar, Shape.Of(19), Shape.Of(18, 7), Shape.Of(20, 3, 2, 5)];
        KernelHarness.Check(
        [
            .. from shape in shapes
               from a in new[] { LayoutKind.Flat, LayoutKind.Planar, LayoutKind.Blocked }
               from b in new[] { LayoutKind.Flat, LayoutKind.Planar, LayoutKind.Blocked }
               select Case(CopyKernel.Convert(new Layout(a, shape), new Layout(b, shape, b == LayoutKind.Flat ? Halo.None : new Halo(1, 1, 0, 0, 2, 1))), (x, i) => x(i)),
        ]);
    }

    [Fact]
    public void ConcatWritesItsPartOnly()
    {
        // Two parts into one value: the second must leave the first alone, and the reverse.
        foreach (var (first, second) in new[] { (3, 5), (16, 16), (8, 24), (17, 33), (24, 16), (32, 1) })
        {
            var whole = Shape.Of(first + second, 5, 3);
            var to = new Layout(LayoutKind.Blocked, whole, One);
            foreach (var start in new[] { 0, first })
            {
                var part = Shape.Of(start == 0 ? first : second, 5, 3);
                KernelHarness.Check(Layouts(part).Select(from => Case(
                    CopyKernel.Concat(from, to, 0, start), (x, i) => i[0] >= start && i[0] < start + part[0] ? x([i[0] - start, i[1], i[2]]) : TestOperand.Unwritten)).ToList());
            }
        }
    }

    [Fact]
    public void ConcatAlongOtherAxes() => KernelHarness.Check(
    [
        .. from to in Layouts(Shape.Of(18, 9, 4))
           from kind in new[] { LayoutKind.Flat, LayoutKind.Blocked }
           select Case(CopyKernel.Concat(new Layout(kind, Shape.Of(18, 4, 4)), to, 1, 5), (x, i) => i[1] >= 5 ? x([i[0], i[1] - 5, i[2]]) : TestOperand.Unwritten),
    ]);

    [Fact]
    public void SliceReadsItsPart() => KernelHarness.Check(
    [
        .. from start in new[] { 0, 8, 19 }
           from size in new[] { 1, 16, 20 }
           from a in Two(Shape.Of(40, 3, 5))
           from b in Two(Shape.Of(size, 3, 5))
           select Case(CopyKernel.Slice(a, b, 0, start), (x, i) => x([i[0] + start, i[1], i[2]])),
        .. from a in Two(Shape.Of(20, 3, 9))
           from b in Two(Shape.Of(20, 3, 4))
           select Case(CopyKernel.Slice(a, b, 2, 3), (x, i) => x([i[0], i[1], i[2] + 3])),
    ]);

    [Fact]
    public void PadClearsTheRest() => KernelHarness.Check(
    [
        .. from before in new[] { 0, 1, 3, 16 }
           from after in new[] { 0, 5, 16 }
           from a in Two(Shape.Of(20, 3, 5))
           from b in Two(Shape.Of(20 + before + after, 3, 5)).Append(new(LayoutKind.Blocked, Shape.Of(20 + before + after, 3, 5)))
           select Case(CopyKernel.Pad(a, b, 0, before), (x, i) => i[0] >= before && i[0] < before + 20 ? x([i[0] - before, i[1], i[2]]) : 0),
        .. from a in Two(Shape.Of(20, 3, 5))
           from b in Two(Shape.Of(20, 6, 5))
           select Case(CopyKernel.Pad(a, b, 1, 2), (x, i) => i[1] is >= 2 and < 5 ? x([i[0], i[1] - 2, i[2]]) : 0),
        .. from a in Two(Shape.Of(20, 3, 5))
           from b in Two(Shape.Of(20, 3, 6))
           select Case(CopyKernel.Pad(a, b, 2, -2), (x, i) => i[2] < 3 ? x([i[0], i[1], i[2] + 2]) : 0),
    ]);

    [Fact]
    public void TransposesAxes()
    {
        KernelHarness.Check(
        [
            .. from p in new[] { new[] { 0, 2, 1 }, [1, 0, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1] }
               from a in Two(Shape.Of(20, 7, 18))
               from b in Two(Shape.Of(a.Shape[p[0]], a.Shape[p[1]], a.Shape[p[2]]))
               select Case(CopyKernel.Transpose(a, b, [.. p]), (x, i) => x([i[Array.IndexOf(p, 0)], i[Array.IndexOf(p, 1)], i[Array.IndexOf(p, 2)]])),
            Case(
                CopyKernel.Transpose(new(LayoutKind.Flat, Shape.Of(2, 3, 4, 5, 6)), new(LayoutKind.Flat, Shape.Of(6, 2, 4, 3, 5)), [4, 0, 2, 1, 3]),
                (x, i) => x([i[1], i[3], i[2], i[4], i[0]])),
        ]);
    }

    [Fact]
    public void BigValuesHaveUnitsForThreads()
    {
        Layout b = new(LayoutKind.Blocked, Shape.Of(64, 16, 20)), f = new(LayoutKind.Flat, Shape.Of(64, 16, 20));
        Assert.All(new[] { (b, b), (b, f), (f, b), (f, f) }, p => Assert.True(CopyKernel.Convert(p.Item1, p.Item2).Units > 1));
        KernelHarness.Check(Case(CopyKernel.Convert(b, b), (x, i) => x(i)), Case(CopyKernel.Convert(f, b), (x, i) => x(i)), Case(CopyKernel.Convert(b, f), (x, i) => x(i)));
    }

    private static IEnumerable<Layout> Layouts(Shape shape) =>
        [new(LayoutKind.Flat, shape), new(LayoutKind.Planar, shape, One), new(LayoutKind.Blocked, shape), new(LayoutKind.Blocked, shape, Uneven)];

    private static IEnumerable<Layout> Two(Shape shape) => [new(LayoutKind.Flat, shape), new(LayoutKind.Blocked, shape, Uneven)];

    private static KernelCase Case(CopyKernel kernel, Func<Func<int[], double>, int[], double> expected) => new(
        kernel, 2,
        () => [TestOperand.Input(kernel.From, 2, 1, float.NaN), TestOperand.Output(kernel.To, 2)],
        o => [new Expectation(1, (sample, index) => expected(i => o[0][sample, i], index), 0)]);
}
