// Emitted classes against the oracle: every operator in a small network, odd shapes first, batch 1 and 5, forward,
// loss, all gradients, running statistics.
using ModelCompiler.Tests.Kernels;

namespace ModelCompiler.Tests.Emission;

public class EmittedNetworkTests
{
    /// <summary>Bodies of networks: from 'image' to 'logits' of 5 features.</summary>
    public static readonly TheoryData<string, string> Networks = new()
    {
        { "1x7x7", "image -> flatten -> dense(5)" },
        { "3x1x1", "image -> conv(17, 1x1) -> flatten -> dense(5)" },
        { "1x9x9", "image -> conv(3, 3x3) -> relu -> flatten -> dense(5)" },
        { "3x8x8", "image -> conv(17, 3x3, pad: 1) -> tanh -> conv(33, 3x3, pad: 1, stride: 2) -> relu -> flatten -> dense(5)" },
        { "17x7x7", "image -> conv(5, 5x5, pad: 2, stride: 3) -> sigmoid -> flatten -> dense(40) -> relu -> dense(5)" },
        { "3x13x11", "image -> conv(16, 7x7, stride: 2, pad: 3, bias: false) -> batchnorm -> relu -> maxpool(3x3, stride: 2, pad: 1) -> global_avgpool -> flatten -> dense(5)" },
        { "6x9x9", "image -> conv(12, 3x3, groups: 3, pad: 1) -> relu -> conv(12, 3x3, groups: 12, pad: 1) -> relu -> flatten -> dense(5)" },
        { "48x6x6", "image -> conv(96, 3x3, groups: 3, pad: 1, bias: false) -> relu -> global_avgpool -> flatten -> dense(5)" },
        { "20x6x6", "image -> conv(40, 3x3, groups: 4, stride: 2) -> relu -> global_avgpool -> flatten -> dense(5)" },
        { "4x12x12", "image -> conv(8, 3x3, dilation: 3) -> leaky_relu(0.1) -> avgpool(2x2) -> flatten -> dense(5)" },
        { "2x10x10", "image -> conv(5, 2x2, stride: 3) -> relu -> flatten -> dense(5)" },
        { "4x15", "image -> conv(9, 5, pad: 2) -> relu -> maxpool(3) -> conv(7, 3, dilation: 2) -> tanh -> flatten -> dense(5)" },
        { "2x5x6x7", "image -> conv(6, 3x3x3, pad: 1) -> relu -> maxpool(2x2x2) -> conv(4, 2, stride: 2) -> flatten -> dense(5)" },
        { "3x6x6", "image -> dropout(0.4) -> conv(18, 3x3, pad: same) -> relu -> dropout(0.5) -> flatten -> dense(5)" },
        { "5x6x6", "concat(image -> conv(16, 1x1), image -> conv(3, 3x3, pad: 1), image -> maxpool(3x3, stride: 1, pad: 1)) -> relu -> flatten -> dense(5)" },
        { "8x6x6", "(image + (image -> conv(8, 3x3, pad: 1) -> batchnorm)) -> relu -> flatten -> dense(5)" },
        { "8x6x6", "image * (image -> global_avgpool -> dense(4) -> relu -> dense(8) -> sigmoid) -> flatten -> dense(5)" },
        { "8x5x5", "image -> upconv(6, 2x2, stride: 2) -> relu -> upconv(3, 3x3, stride: 2, pad: 1) -> flatten -> dense(5)" },
        { "7x12", "image -> dense(16) -> gelu -> layernorm -> dense(9) -> flatten -> dense(5)" },
        { "20x17x15", "(image -> conv(32, 3x3, pad: 1) -> relu) + (image -> conv(32, 3x3, pad: 1, bias: false) -> batchnorm) -> relu -> conv(18, 3x3) -> global_avgpool -> flatten -> dense(5)" },
        { "3x6x6", "image -> checkpoint((conv(17, 3x3, pad: 1, bias: false) -> batchnorm -> relu -> dropout(0.3)) * 2) -> conv(4, 1x1) -> flatten -> dense(5)" },
        { "6x5x3", "image -> checkpoint([conv(8, 3x3, pad: 1) -> tanh, conv(8, 1x1) -> sigmoid] -> add) * 2 -> flatten -> checkpoint(dense(7) -> relu) -> dense(5)" },
        { "16x3x13x11", "image -> conv(20, 3x3x3, pad: 1) -> relu -> conv(33, 1x3x3, pad: 0x1x1) -> global_avgpool -> flatten -> dense(5)" },
        { "16x11x14", "image -> conv(20, 3x3, pad: 2, dilation: 2) -> relu -> conv(33, 3x3, pad: 3, dilation: 3, bias: false) -> batchnorm -> relu -> conv(18, 3x3, pad: 1, dilation: 2) -> global_avgpool -> flatten -> dense(5)" },
        { "3x7x6", "(image -> conv(24, 3x3, pad: 1)) + (image -> conv(24, 1x1) -> tokens -> layernorm -> dense(19) -> gelu -> dense(24) -> transpose -> reshape([24, 7, 6])) -> conv(5, 3x3) -> flatten -> dense(5)" },
        { "17x4x3", "image -> reshape([17, 12]) -> transpose -> dense(16) -> transpose -> reshape([16, 3, 4]) -> maxpool(2x2) -> flatten -> dense(5)" },
        { "3x9x11", "image -> conv(17, 1x1, bias: false) -> batchnorm -> relu6 -> depthwise(3x3, stride: 2, pad: 1, bias: false) -> batchnorm -> relu6 -> depthwise(5x5, stride: 2, pad: 2) -> hardswish -> conv(20, 1x1) -> relu -> depthwise(2x2, stride: 3) -> flatten -> dense(5)" },
        { "3x18x19", "image -> conv(5, 1x1, bias: false) -> batchnorm -> conv(33, 1x1, bias: false) -> batchnorm -> relu6 -> depthwise(3x3, pad: 1, bias: false) -> batchnorm -> relu6 -> conv(5, 1x1, bias: false) -> batchnorm -> conv(37, 1x1, bias: false) -> batchnorm -> relu -> global_avgpool -> flatten -> dense(5)" },
        { "3x94x93", "image -> conv(18, 3x3, pad: 1, bias: false) -> batchnorm -> relu6 -> depthwise(3x3, pad: 1, bias: false) -> batchnorm -> relu6 -> depthwise(3x3, stride: 2, pad: 1, bias: false) -> batchnorm -> conv(66, 1x1, bias: false) -> batchnorm -> relu -> avgpool(8x8) -> conv(3, 1x1) -> flatten -> dense(5)" },
        { "4x259", "(image + (image -> conv(25, 1, bias: false) -> batchnorm -> tanh -> conv(4, 1, bias: false) -> batchnorm(affine: false))) -> conv(24, 1, bias: false) -> batchnorm -> relu -> flatten -> dense(5)" },
        { "3x16x17", "(image + 8) -> conv(33, 1x1, bias: false) -> batchnorm -> relu6 -> depthwise(3x3, pad: 1, bias: false) -> global_avgpool -> flatten -> dense(5)" },
        { "6x4x4", "image -> groupnorm(3) -> silu -> conv(4, 3x3, pad: 1) -> elu -> flatten -> dense(5) -> softplus" },
    };

    [Theory]
    [MemberData(nameof(Networks))]
    public void AgreeWithTheOracle(string shape, string body)
    {
        var text = $"network Net {{\n input image: {shape}\n target label: class\n logits = {body}\n output logits\n output probabilities = logits -> softmax\n loss cross_entropy(logits, label)\n}}\n";
        var compiled = new CompiledText(text);
        foreach (var batch in new[] { 1, 5 })
        {
            OracleComparison.Run(compiled, batch);
        }
    }

    [Fact]
    [OnEveryHardware]
    public void AgreeOnThisHardware()
    {
        foreach (var row in Networks.Take(8))
        {
            AgreeWithTheOracle((string)row[0], (string)row[1]);
        }
    }
}
