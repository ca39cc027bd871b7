// What is emitted does not depend on who asks: not on culture, not on the moment.
using System.Globalization;
using ModelCompiler.Emission;
using ModelCompiler.Graph;
using ModelCompiler.Kernels;
using ModelCompiler.Operators;
using ModelCompiler.Planning;

namespace ModelCompiler.Tests.Kernels;

public class EmissionTests
{
    [Fact]
    public void CultureLeavesNoTrace()
    {
        var expected = Emit();
        var before = CultureInfo.CurrentCulture;
        try
        {
            var odd = (CultureInfo)CultureInfo.InvariantCulture.Clone();
            odd.NumberFormat.NegativeSign = "−";
            odd.NumberFormat.NumberDecimalSeparator = ",";
            CultureInfo.CurrentCulture = odd;
            Assert.Equal(expected, Emit());
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public void NegativePaddingCrops()
    {
        var window = new Window([3, 2], [1, 2], [-1, -2], [-1, 1], [1, 1]);
        Layout input = new(LayoutKind.Blocked, Shape.Of(5, 9, 8)), output = new(LayoutKind.Blocked, Shape.Of(5, 5, 3));
        KernelHarness.Check(new KernelCase(
            new MaxPoolKernel(window, input, output), 1,
            () => [TestOperand.Input(input, 1, 1), TestOperand.Output(output, 1)],
            o => [new Expectation(1, (s, i) => TestOperand.Indices(Shape.Of(3, 2))
                .Where(k => (i[2] * 2) + 2 + k[1] < 8).Max(k => o[0][s, i[0], i[1] + 1 + k[0], (i[2] * 2) + 2 + k[1]]), 0)]));
    }

    private static string Emit()
    {
        Expression x = new InputFormula(0), y = new InputFormula(1);
        var halo = new Halo(0, 0, 1, 1, 1, 1);
        Layout plane = new(LayoutKind.Blocked, Shape.Of(20, 8, 8), halo), flat = new(LayoutKind.Flat, Shape.Of(20, 8, 8));
        var window = new Window([3, 3], [1, 1], [-1, 1], [1, -1], [1, 1]);
        var pooled = new Layout(LayoutKind.Blocked, Shape.Of([20, .. window.OutputSizes([8, 8])]));
        Kernel[] kernels =
        [
            new PointwiseKernel((x * -1.5) + (y / 0.001) + new RandomFormula(3), [flat, flat], flat), new ReduceKernel(ReduceKind.Mean, [x * -2.25], [plane], [0, 2], new(LayoutKind.Blocked, Shape.Of(1, 8, 1))),
            CopyKernel.Pad(flat, new(LayoutKind.Blocked, Shape.Of(20, 8, 6)), 2, -2), new MaxPoolKernel(window, plane, pooled), new MaxPoolWinnersKernel(window, plane, pooled, pooled),
            new MaxPoolGradientKernel(window, pooled, pooled, plane),
            new AveragePoolKernel(window, false, plane, pooled), new AveragePoolGradientKernel(window, true, pooled, plane), new SoftmaxKernel(Shape.Of(7, 9), 0, true),
            new GatherClassKernel(Shape.Of(10)), new ScatterClassKernel(Shape.Of(10, 3)), new DepthwiseKernel(window, plane, pooled, false, null, []),
            new DepthwiseInputGradientKernel(window, pooled, plane), new DepthwiseWeightGradientKernel(window, plane, pooled),
            new MomentsKernel(plane, new(LayoutKind.Blocked, Shape.Of(20, 1, 1))), new JoinMomentsKernel(new(LayoutKind.Blocked, Shape.Of(20, 1, 1)), 64),
            new MaxPoolPlacesKernel(window, plane, pooled), new ConstantKernel([-1.5f, 0.25f]), new GatherKernel(Shape.Of(3, 4), 1, 2), new ScatterKernel(Shape.Of(3, 4), 0, 2),
            new RegionPoolKernel(new ModelCompiler.Operators.RegionPoolAttributes(2, 3, 0.5), plane, new(LayoutKind.Blocked, new Shape([20, 5, 2, 3]))), new TopPlacesKernel(Shape.Of(3, 4), 0, 2),
            new RegionAlignKernel(new ModelCompiler.Operators.RegionAlignAttributes(2, 3, 0.5, 2, false, plane.Shape), plane, new(LayoutKind.Blocked, new Shape([20, 5, 2, 3]))),
            new RegionAlignGradientKernel(new ModelCompiler.Operators.RegionAlignAttributes(2, 3, 0.5, 2, true, plane.Shape), new(LayoutKind.Blocked, new Shape([20, 5, 2, 3])), plane),
        ];
        var writer = new SourceWriter();
        foreach (var (kernel, isa) in kernels.SelectMany(k => Isa.All.Select(isa => (k, isa))))
        {
            writer.Line($"{kernel.Key} {kernel.Units}");
            KernelGroup.Emit(writer, KernelGroup.Of([kernel]), isa);
        }

        return writer.ToString();
    }
}
