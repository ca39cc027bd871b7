// First layers of few outputs keep their columns side by side in inference: such layers, with the pools that they take over, and their borders with
// layers that read blocks, against the oracle.
using ModelCompiler.Kernels;
using ModelCompiler.Planning;
using ModelCompiler.Tests.Kernels;

namespace ModelCompiler.Tests.Emission;

public class EmittedPlanarTests
{
    /// <summary>Shape of the image, body from 'image' to 'y', how many convolutions have columns side by side, and how many pools are steps.</summary>
    public static readonly TheoryData<string, string, int, int> Networks = new()
    {
        { "1x28x28", "image -> conv(6, 5x5, pad: 2) -> relu -> maxpool(2x2) -> conv(16, 5x5) -> relu -> maxpool(2x2) -> flatten -> dense(5)", 1, 1 },
        { "1x17x23", "image -> conv(6, 3x3, pad: 1) -> relu -> maxpool(2x2) -> conv(5, 3x3, pad: 1) -> flatten -> dense(5)", 1, 0 },
        { "3x9x38", "image -> conv(3, 1x7, bias: false) -> maxpool(2x2) -> conv(2, 3x3, pad: 1) -> relu -> conv(17, 3x3, pad: 1) -> flatten -> dense(5)", 3, 0 },
        { "1x6x32", "image -> conv(4, 3x3, pad: 1) -> leaky_relu -> maxpool(2x2) -> flatten -> dense(5)", 1, 0 },
        { "2x5x32", "image -> conv(4, 3x3, pad: 1) -> relu -> conv(20, 3x3, pad: 1, stride: 2) -> maxpool(3x3) -> flatten -> dense(5)", 1, 1 },
        { "1x8x32", "image -> conv(4, 3x3, pad: 1) -> tanh -> maxpool(2x2) -> flatten -> dense(5)", 0, 1 },
        { "1x8x32", "image -> conv(4, 3x3, pad: 1) -> relu -> maxpool(3x3, stride: 2) -> flatten -> dense(5)", 0, 1 },
        { "1x9x32", "image -> conv(4, 3x3, pad: 1, stride: 2) -> relu -> maxpool(2x2) -> flatten -> dense(5)", 0, 0 },
        { "1x8x12", "image -> conv(2, 3x3, pad: 1) -> relu -> maxpool(2x2) -> flatten -> dense(5)", 0, 1 },
        { "1x8x32", "image -> conv(16, 3x3, pad: 1) -> relu -> maxpool(2x2) -> flatten -> dense(5)", 0, 1 },
    };

    [Theory]
    [MemberData(nameof(Networks))]
    public void AgreeWithTheOracle(string shape, string body, int planar, int pools)
    {
        var compiled = new CompiledText($"network Net {{\n input image: {shape}\n target label: class\n logits = {body}\n output logits\n loss cross_entropy(logits, label)\n}}\n");
        var plan = Planner.ForInference(compiled.Graph);
        Assert.Equal(planar, plan.Steps.Count(s => s.Kernel is PlanarConvolutionKernel));
        Assert.Equal(pools, plan.Steps.Count(s => s.Kernel is MaxPoolKernel));
        OracleComparison.Run(compiled, 1);
        OracleComparison.Run(compiled, 5);
    }

    /// <summary>What else reads the sums, or asks for them as an output, gets them.</summary>
    [Theory]
    [InlineData("a = image -> conv(4, 3x3, pad: 1) -> relu", "output y = a -> maxpool(2x2) -> conv(3, 3x3)\n output a", 0)]
    [InlineData("a = image -> conv(4, 3x3, pad: 1) -> relu", "output y = (a -> maxpool(2x2) -> conv(3, 3x3) -> flatten -> dense(2)) + (a -> conv(3, 3x3) -> flatten -> dense(2))", 0)]
    [InlineData("a = image -> conv(4, 3x3, pad: 1) -> relu", "output y = (a -> conv(3, 3x3)) * 2 + (a -> conv(3, 3x3))\n output a", 1)]
    [InlineData("a = image -> conv(4, 3x3, pad: 1) -> relu -> maxpool(2x2)", "output a\n output y = a -> conv(3, 3x3)", 1)]
    [InlineData("a = image -> conv(4, 3x3, pad: 1) -> relu -> maxpool(2x2)", "output y = (a -> conv(4, 3x3, pad: 1)) + a", 0)]
    public void OtherReadersGetTheSums(string first, string second, int planar)
    {
        var compiled = new CompiledText($"network Net {{\n input image: 1x8x40\n {first}\n {second}\n loss total(y)\n}}\n");
        Assert.Equal(planar, Planner.ForInference(compiled.Graph).Steps.Count(s => s.Kernel is PlanarConvolutionKernel));
        OracleComparison.Run(compiled, 3);
    }

    [Fact]
    [OnEveryHardware]
    public void AgreeOnThisHardware()
    {
        foreach (var row in Networks.Take(5))
        {
            AgreeWithTheOracle((string)row[0], (string)row[1], (int)row[2], (int)row[3]);
        }
    }
}
