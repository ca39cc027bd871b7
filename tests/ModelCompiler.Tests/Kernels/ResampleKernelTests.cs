// Resampling along every axis, forwards and backwards, against the oracle's table.
using ModelCompiler.Graph;
using ModelCompiler.Kernels;
using ModelCompiler.Operators;
using ModelCompiler.Planning;
using ModelCompiler.Tests.Oracle;

namespace ModelCompiler.Tests.Kernels;

public class ResampleKernelTests
{
    [Fact]
    [OnEveryHardware]
    public void SumsOverItsTable() => KernelHarness.Check(
    [
        .. from test in new[] { (Shape.Of(3, 5, 4), 1, 7), (Shape.Of(17, 4, 9), 2, 3), (Shape.Of(2, 6), 1, 12), (Shape.Of(20, 2, 3, 4), 1, 5), (Shape.Of(1, 1, 1), 2, 4) }
           from kind in new[] { ResampleKind.Nearest, ResampleKind.Linear, ResampleKind.Cubic }
           from backward in new[] { false, true }
           select Case(test.Item1, new ResampleAttributes(test.Item2, test.Item1[test.Item2], test.Item3, kind, AlignCorners: kind == ResampleKind.Cubic), backward),
    ]);

    private static KernelCase Case(Shape original, ResampleAttributes attributes, bool backward)
    {
        var resized = original.With(attributes.Axis, attributes.To);
        var (from, to) = backward ? (resized, original) : (original, resized);
        var (x, y) = (new Layout(LayoutKind.Blocked, from), new Layout(LayoutKind.Blocked, to));
        return new KernelCase(
            new ResampleKernel(attributes, backward, x, y),
            2,
            () => [TestOperand.Input(x, 2, 1), TestOperand.Output(y, 2)],
            o =>
            {
                var values = Enumerable.Range(0, 2)
                    .Select(s => Axes.Resample(attributes, [.. TestOperand.Indices(from).Select(i => o[0][s, i])], from, to, backward)).ToArray();
                return [new Expectation(1, (s, i) => values[s][Axes.Index(to, i)])];
            });
    }
}
