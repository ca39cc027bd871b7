// Small layers train with sixteen samples side by side: chains of them, and their borders with layers that do not, against the
// oracle, with batches that fill no group, one, or one and a bit.
using ModelCompiler.Kernels;
using ModelCompiler.Planning;
using ModelCompiler.Tests.Kernels;

namespace ModelCompiler.Tests.Emission;

public class EmittedInterleavedTests
{
    /// <summary>Shape of the image, body from 'image' to 'y', and how many kernels of convolutions and their gradients see samples side by side.</summary>
    public static readonly TheoryData<string, string, int> Networks = new()
    {
        { "1x12x12", "image -> conv(6, 5x5, pad: 2) -> relu -> maxpool(2x2) -> conv(16, 3x3) -> relu -> maxpool(2x2) -> flatten -> dense(5)", 6 },
        { "1x20x20", "image -> conv(3, 3x3) -> relu -> maxpool(3x3, stride: 2, pad: 1) -> conv(6, 3x3) -> maxpool(2x2) -> flatten -> dense(5)", 6 },
        { "3x7x7", "image -> conv(5, 3x3, pad: 1, bias: false) -> tanh -> avgpool(3x3, stride: 2, pad: 1) -> conv(17, 2x2) -> flatten -> dense(5)", 6 },
        { "1x1x9", "image -> conv(3, 1x3) -> sigmoid -> conv(2, 1x5, pad: 2) -> flatten -> dense(5)", 6 },
        { "3x6x6", "(image -> conv(3, 3x3, pad: 1)) + image -> relu -> conv(4, 3x3) -> flatten -> dense(5)", 6 },
        { "2x6x6", "image -> conv(20, 3x3) -> elu -> conv(3, 3x3) -> flatten -> softplus -> dense(5)", 6 },
        { "3x6x6", "image -> conv(4, 3x3) -> relu -> dropout(0.4) -> flatten -> dense(5)", 0 },
        { "3x6x6", "image -> conv(4, 3x3) -> batchnorm -> relu -> conv(4, 2x2) -> relu -> flatten -> dense(5)", 3 },
        { "3x6x6", "image -> conv(4, 3x3, pad: 1, stride: 2) -> relu -> conv(40, 3x3, pad: 1) -> maxpool(2x2) -> flatten -> dense(5)", 0 },
        { "3x6x6", "image -> conv(4, 3x3, pad: 1) -> maxpool(2x2) -> conv(40, 2x2) -> flatten -> dense(5)", 3 },
    };

    [Theory]
    [MemberData(nameof(Networks))]
    public void AgreeWithTheOracle(string shape, string body, int kernels)
    {
        var text = $"network Net {{\n input image: {shape}\n target label: class\n logits = {body}\n output logits\n loss cross_entropy(logits, label)\n}}\n";
        var compiled = new CompiledText(text);
        var plan = Planner.ForTraining(compiled.Graph, inputGradients: true);
        Assert.Equal(kernels, plan.Steps.Count(s => s.Kernel is InterleavedConvolutionKernel or InterleavedInputGradientKernel or InterleavedWeightGradientKernel));
        Assert.Equal(kernels > 0, plan.GroupFloats > 0);
        Compare(compiled);
    }

    /// <summary>A loss of interleaved values themselves: lanes that are no samples must not count.</summary>
    [Theory]
    [InlineData("total(y * x * y)")]
    [InlineData("mse(y, x)")]
    public void LossesOfImagesCountSamplesOnly(string loss)
    {
        var text = $"network Net {{\n input x: 2x5x5\n y = x -> conv(3, 3x3, pad: 1) -> tanh -> conv(2, 3x3, pad: 1)\n output y\n loss {loss}\n}}\n";
        Compare(new CompiledText(text));
    }

    [Fact]
    [OnEveryHardware]
    public void AgreeOnThisHardware()
    {
        foreach (var row in Networks.Take(4))
        {
            AgreeWithTheOracle((string)row[0], (string)row[1], (int)row[2]);
        }
    }

    private static void Compare(CompiledText compiled)
    {
        foreach (var batch in new[] { 1, 5, 16, 17 })
        {
            OracleComparison.Run(compiled, batch);
        }
    }
}
