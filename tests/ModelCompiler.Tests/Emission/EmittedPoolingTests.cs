// Convolutions that take over the max pool behind them in inference, and pools that keep their winners in training, against the oracle: which do, and which may not.
using ModelCompiler.Kernels;
using ModelCompiler.Planning;
using ModelCompiler.Tests.Kernels;

namespace ModelCompiler.Tests.Emission;

public class EmittedPoolingTests
{
    /// <summary>Shape of the image, body from 'image' to 'y', pools taken over by direct convolutions and by Winograd's algorithm, and pools that are steps.</summary>
    public static readonly TheoryData<string, string, int, int, int> Networks = new()
    {
        { "3x36x56", "image -> conv(20, 7x7, stride: 2, pad: 3) -> batchnorm -> relu -> maxpool(3x3, stride: 2, pad: 1) -> flatten -> dense(5)", 1, 0, 0 },
        { "3x37x57", "image -> conv(17, 3x3, stride: 2) -> relu -> maxpool(3x3, stride: 2, ceil: true) -> conv(9, 1x1) -> flatten -> dense(5)", 1, 0, 0 },
        { "17x15x30", "image -> conv(33, 5x5, pad: 2) -> tanh -> maxpool(2x2) -> flatten -> dense(5)", 0, 0, 1 },
        { "17x15x28", "image -> conv(32, 5x5, pad: 2) -> leaky_relu -> maxpool(2x3, stride: 1) -> flatten -> dense(5)", 1, 0, 0 },
        { "17x9x20", "image -> conv(16, 3x3, pad: 1, stride: 2) -> maxpool(2x2, stride: 3) -> flatten -> dense(5)", 1, 0, 0 },
        { "32x31x30", "image -> conv(33, 3x3, pad: 1) -> relu -> maxpool(2x2) -> conv(48, 3x3, pad: 1) -> relu -> maxpool(2x2) -> flatten -> dense(5)", 0, 2, 0 },
        { "32x30x30", "image -> conv(32, 3x3, pad: 1) -> relu -> maxpool(3x3, stride: 2) -> flatten -> dense(5)", 0, 0, 1 },
        { "32x30x30", "image -> conv(32, 3x3, pad: 1) -> relu -> maxpool(2x2, ceil: true) -> flatten -> dense(5)", 0, 1, 0 },
        { "32x31x30", "image -> conv(32, 3x3, pad: 1) -> relu -> maxpool(2x2, ceil: true) -> flatten -> dense(5)", 0, 0, 1 },
        { "32x30x30", "image -> conv(32, 3x3, pad: 2, dilation: 2) -> relu -> maxpool(2x2) -> flatten -> dense(5)", 0, 0, 1 },
        { "16x30x30", "image -> conv(16, 3x3, pad: 1, stride: 2) -> relu -> maxpool(2x2, dilation: 2) -> flatten -> dense(5)", 0, 0, 1 },
        { "16x30x30", "image -> conv(16, 3x3, pad: 1, stride: 2) -> relu -> avgpool(2x2) -> flatten -> dense(5)", 0, 0, 0 },
        { "20x60", "image -> conv(16, 3, stride: 2) -> relu -> maxpool(2) -> flatten -> dense(5)", 0, 0, 1 },
    };

    [Theory]
    [MemberData(nameof(Networks))]
    public void AgreeWithTheOracle(string shape, string body, int direct, int winograd, int pools)
    {
        var compiled = new CompiledText($"network Net {{\n input image: {shape}\n target label: class\n logits = {body}\n output logits\n loss cross_entropy(logits, label)\n}}\n");
        var kernels = Planner.ForInference(compiled.Graph).Steps.Select(s => s.Kernel).ToList();
        Assert.Equal(direct, kernels.Count(k => k is ConvolutionKernel { Pool: not null }));
        Assert.Equal(winograd, kernels.Count(k => k is WinogradKernel { Pooled: true }));
        Assert.Equal(pools, kernels.Count(k => k is MaxPoolKernel));
        OracleComparison.Run(compiled, 1);
        OracleComparison.Run(compiled, 5);
    }

    /// <summary>What else reads the convolution, or asks for it as an output, gets it. Pools may lie in concatenations.</summary>
    [Theory]
    [InlineData("a = image -> conv(16, 3x3, stride: 2) -> relu", "output y = a -> maxpool(2x2)\n output a", 0, 1)]
    [InlineData("a = image -> conv(16, 3x3, stride: 2) -> relu", "output y = (a -> maxpool(3x3, stride: 1, pad: 1)) + a", 0, 1)]
    [InlineData("a = image -> conv(16, 3x3, stride: 2) -> relu -> maxpool(2x2)", "output a\n output y = a -> conv(3, 3x3)", 1, 0)]
    [InlineData("a = image -> conv(16, 3x3, stride: 2) -> relu -> maxpool(2x2)", "output y = concat(a, image -> conv(7, 4x5, stride: 4)) -> conv(3, 3x3, pad: 1)", 1, 0)]
    [InlineData("a = image -> conv(16, 3x3, stride: 2)", "output y = ((image -> conv(16, 3x3, stride: 2)) + a) -> maxpool(2x2)", 1, 0)]
    public void OtherReadersGetTheSums(string first, string second, int direct, int pools)
    {
        var compiled = new CompiledText($"network Net {{\n input image: 5x33x40\n {first}\n {second}\n loss total(y)\n}}\n");
        var kernels = Planner.ForInference(compiled.Graph).Steps.Select(s => s.Kernel).ToList();
        Assert.Equal(direct, kernels.Count(k => k is ConvolutionKernel { Pool: not null }));
        Assert.Equal(pools, kernels.Count(k => k is MaxPoolKernel));
        OracleComparison.Run(compiled, 3);
    }

    /// <summary>In training: where a gradient asks who won, and where none does, as behind an input, or of values that a checkpoint makes again.</summary>
    [Theory]
    [InlineData("image -> conv(20, 3x3) -> relu -> maxpool(3x3, stride: 2, pad: 1) -> flatten -> dense(5)", 0, 1)]
    [InlineData("image -> maxpool(2x2) -> conv(20, 3x3) -> flatten -> dense(5)", 1, 0)]
    [InlineData("image -> checkpoint(conv(20, 3x3) -> relu -> maxpool(2x2) -> conv(5, 1x1)) -> flatten -> dense(5)", 1, 1)]
    [InlineData("image -> conv(20, 3x3) -> checkpoint(maxpool(2x2, stride: 3) -> tanh -> maxpool(2x2)) -> flatten -> dense(5)", 2, 2)]
    public void WinnersAreKeptForGradients(string body, int pools, int withWinners)
    {
        var compiled = new CompiledText($"network Net {{\n input image: 3x15x14\n target label: class\n logits = {body}\n output logits\n loss cross_entropy(logits, label)\n}}\n");
        var kernels = Planner.ForTraining(compiled.Graph, inputGradients: false).Steps.Select(s => s.Kernel).ToList();
        Assert.Equal((pools, withWinners), (kernels.Count(k => k is MaxPoolKernel), kernels.Count(k => k is MaxPoolWinnersKernel)));
        OracleComparison.Run(compiled, 3);
    }

    [Fact]
    [OnEveryHardware]
    public void AgreeOnThisHardware()
    {
        foreach (var row in Networks.Where((_, i) => i is 0 or 1 or 5))
        {
            AgreeWithTheOracle((string)row[0], (string)row[1], (int)row[2], (int)row[3], (int)row[4]);
        }
    }
}
