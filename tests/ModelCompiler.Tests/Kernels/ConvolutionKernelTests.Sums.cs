// Direct convolutions that sum up what they store: moments for batch norm, and the sums of its gradient.
using ModelCompiler.Graph;
using ModelCompiler.Kernels;
using ModelCompiler.Planning;

namespace ModelCompiler.Tests.Kernels;

public partial class ConvolutionKernelTests
{
    /// <summary>Mean and squared deviations of each part of a row; columns that no tile and no part divides.</summary>
    [Fact]
    [OnEveryHardware]
    public void MomentsOfWhatIsStored() => Check(
        (g, x, y) =>
        {
            var (kernel, sums) = WithMoments(g, x, y);
            double[] Stored(TestOperand[] o, int sample, int[] i) => [.. from column in Enumerable.Range(0, y.Width) where column / kernel.SumColumns(ofProducts: false) == i[2] select Convolved(g, o[0], sample, [i[0], i[1], column])];
            return new KernelCase(
                kernel, Batch,
                () =>
                [
                    TestOperand.Input(x, Batch, 1), Packed(kernel, (o, c, t) => Weight(g, o, c, t)), TestOperand.Output(y, Batch), TestOperand.Output(sums.Parts, Batch),
                    TestOperand.Output(sums.Parts, Batch),
                ],
                o =>
                [
                    new Expectation(2, (s, i) => Convolved(g, o[0], s, i), 2e-5), new Expectation(3, (s, i) => Stored(o, s, i).Average(), 2e-5),
                    new Expectation(4, (s, i) => Stored(o, s, i) is var all ? all.Sum(v => (v - all.Average()) * (v - all.Average())) : 0, 1e-4),
                ]);
        },
        (Shape.Of(3, 4, 41), 17, 1, Square(3, 1, 1), true), (Shape.Of(33, 1, 301), 50, 1, Square(1, 1, 0), false), (Shape.Of(5, 1, 1300), 18, 1, Square(1, 1, 0), false),
        (Shape.Of(48, 1, 131), 1, 1, Square(1, 1, 0), false), (Shape.Of(16, 1, 1), 3, 1, Square(1, 1, 0), false));

    /// <summary>Sums of the gradient that is stored and of its products with another value, as batch norm's gradient needs them; the formula may read that value too.</summary>
    [Fact]
    [OnEveryHardware]
    public void SumsOfProductsOfWhatIsStored() => Check(
        (g, x, y) =>
        {
            var (mean, other) = (new Layout(LayoutKind.Blocked, Ones(y.Shape).With(0, g.Outputs)), new Layout(LayoutKind.Blocked, y.Shape));
            Expression formula = new SelectFormula(new BinaryFormula(BinaryFunction.Greater, new InputFormula(1), new InputFormula(2)), new InputFormula(0), 0);
            var kernel = new ConvolutionKernel(
                Planning.Geometries.Forward(g.Window, g.Groups, x, y), false, formula, [Planning.Geometries.Operand(other), Planning.Geometries.Operand(mean)], false);
            Assert.True(kernel.TakesSums);
            var columns = kernel.SumColumns(ofProducts: true);
            var sums = new ChannelSums(
                [new InputFormula(0), new InputFormula(0) * (new InputFormula(1) - new InputFormula(2))], [other, mean], g.Outputs, y.Height, Rounding.Ceiling(y.Width, columns));
            double Stored(TestOperand[] o, int sample, int[] i) => o[2][sample, i] > o[3][0, i[0]] ? Convolved(g, o[0], sample, i) : 0;
            double Sum(int[] i, Func<int[], double> term) => Enumerable.Range(0, y.Width).Where(column => column / columns == i[2]).Sum(column => term([i[0], i[1], column]));
            return new KernelCase(
                kernel with { Sums = sums }, Batch,
                () =>
                [
                    TestOperand.Input(x, Batch, 1), Packed(kernel, (o, c, t) => Weight(g, o, c, t)), TestOperand.Input(other, Batch, 2, float.NaN), TestOperand.Input(mean, 0, 3),
                    TestOperand.Input(other, Batch, 2, float.NaN), TestOperand.Input(mean, 0, 3), TestOperand.Output(y, Batch), TestOperand.Output(sums.Parts, Batch), TestOperand.Output(sums.Parts, Batch),
                ],
                o =>
                [
                    new Expectation(6, (s, i) => Stored(o, s, i), 2e-5), new Expectation(7, (s, i) => Sum(i, at => Stored(o, s, at)), 1e-4),
                    new Expectation(8, (s, i) => Sum(i, at => Stored(o, s, at) * (o[2][s, at] - o[3][0, i[0]])), 1e-4),
                ]);
        },
        (Shape.Of(3, 4, 41), 17, 1, Square(3, 1, 1), true), (Shape.Of(24, 1, 301), 144, 1, Square(1, 1, 0), false), (Shape.Of(5, 1, 1300), 18, 1, Square(1, 1, 0), false),
        (Shape.Of(16, 1, 1), 3, 1, Square(1, 1, 0), false));

    private static (ConvolutionKernel Kernel, ChannelSums Sums) WithMoments((Shape Input, int Outputs, int Groups, Window Window, bool Planar) g, Layout x, Layout y)
    {
        var kernel = new ConvolutionKernel(Planning.Geometries.Forward(g.Window, g.Groups, x, y), false, null, [], false);
        Assert.True(kernel.TakesSums);
        var sums = new ChannelSums([], [], g.Outputs, y.Height, Rounding.Ceiling(y.Width, kernel.SumColumns(ofProducts: false)));
        return (kernel with { Sums = sums }, sums);
    }
}
