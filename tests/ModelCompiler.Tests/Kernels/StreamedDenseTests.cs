// Dense layers that read and write weights where the optimizer has them: odd outputs, inputs that fill no tile, batches that fill none, against plain loops.
using ModelCompiler.Graph;
using ModelCompiler.Kernels;
using ModelCompiler.Planning;

namespace ModelCompiler.Tests.Kernels;

public class StreamedDenseTests
{
    /// <summary>Inputs, outputs, samples.</summary>
    private static readonly (int Inputs, int Outputs, int Batch)[] Sizes = [(16, 1, 1), (48, 3, 5), (64, 17, 8), (80, 2, 13), (2064, 7, 9), (32, 100, 3), (4080, 5, 2)];

    [Theory]
    [OnEveryHardware]
    [InlineData(true)]
    [InlineData(false)]
    public void Forward(bool bias) => KernelHarness.Check([.. Sizes.Select(size =>
    {
        var (inputs, outputs, batch) = size;
        return new KernelCase(
            new StreamedDenseKernel(inputs, outputs, bias), batch,
            () => [TestOperand.Input(Flat(inputs), batch, 1), TestOperand.Input(Flat(outputs, inputs), 0, 2), .. bias ? [TestOperand.Input(Flat(outputs), 0, 3)] : Array.Empty<TestOperand>(), TestOperand.Output(Flat(outputs), batch)],
            o => [new Expectation(bias ? 3 : 2, (s, i) => (bias ? o[2][0, i[0]] : 0) + Sum(inputs, k => o[0][s, k] * o[1][0, i[0], k]), 1e-4)]);
    })]);

    [Fact]
    [OnEveryHardware]
    public void InputGradient() => KernelHarness.Check([.. Sizes.Append((48, 100, 8)).Select(size =>
    {
        var (inputs, outputs, batch) = size;
        return new KernelCase(
            new StreamedDenseInputGradientKernel(inputs, outputs), batch,
            () => [TestOperand.Input(Flat(outputs), batch, 1), TestOperand.Input(Flat(outputs, inputs), 0, 2), TestOperand.Output(Flat(inputs), batch)],
            o => [new Expectation(2, (s, i) => Sum(outputs, k => o[0][s, k] * o[1][0, k, i[0]]), 1e-5)]);
    })]);

    [Fact]
    [OnEveryHardware]
    public void WeightGradient() => KernelHarness.Check([.. Sizes.Select(size =>
    {
        var (inputs, outputs, batch) = size;
        return new KernelCase(
            new StreamedDenseWeightGradientKernel(inputs, outputs), batch,
            () => [TestOperand.Input(Flat(inputs), batch, 1), TestOperand.Input(Flat(outputs), batch, 2), TestOperand.Output(Flat(outputs, inputs), 0)],
            o => [new Expectation(2, (_, i) => Sum(batch, s => o[1][s, i[0]] * o[0][s, i[1]]), 1e-5)]);
    })]);

    /// <summary>Small weights are packed: they are near. So are those of inputs that fill no vector.</summary>
    [Theory]
    [InlineData(1280, 1000, true)]
    [InlineData(400, 120, false)]
    [InlineData(9217, 4096, false)]
    [InlineData(65536, 65536, true)]
    public void LargeWeightsStayAsTheyAre(int inputs, int outputs, bool stay) => Assert.Equal(stay, StreamedDense.Suits(inputs, outputs));

    private static Layout Flat(params int[] sizes) => new(LayoutKind.Flat, Shape.Of(sizes));

    private static double Sum(int count, Func<int, double> term) => Enumerable.Range(0, count).Sum(term);
}
