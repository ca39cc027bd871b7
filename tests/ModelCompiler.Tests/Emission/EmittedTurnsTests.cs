// Steps that a sample goes through in turns, part by part: planes so large that the planner lets them, against the oracle, and on several
// threads to the bit.
using ModelCompiler.Kernels;
using ModelCompiler.Planning;

namespace ModelCompiler.Tests.Emission;

public class EmittedTurnsTests
{
    /// <summary>An inverted residual as in MobileNetV2, of one stride or the other, and one whose planes no turn divides evenly.</summary>
    public static readonly TheoryData<string, string> Networks = new()
    {
        { "5x56x56", "conv(96, 1x1, bias: false) -> batchnorm -> relu6 -> conv(96, 3x3, pad: 1, groups: 96, bias: false) -> batchnorm -> relu6 -> conv(20, 1x1, bias: false) -> batchnorm" },
        { "8x112x112", "conv(96, 1x1, bias: false) -> batchnorm -> relu -> conv(96, 3x3, pad: 1, stride: 2, groups: 96, bias: false) -> batchnorm -> relu -> conv(12, 1x1, bias: false) -> batchnorm" },
        { "3x63x65", "conv(80, 1x1, bias: false) -> batchnorm -> silu -> conv(80, 5x5, pad: 2, groups: 80, bias: false) -> batchnorm -> relu6 -> conv(17, 1x1)" },
    };

    [Theory]
    [MemberData(nameof(Networks))]
    public void AgreeWithTheOracle(string shape, string body) => OracleComparison.Run(Compiled(shape, body), 2);

    /// <summary>The first two go in turns everywhere that there is code for; what one turn leaves for the next step is memory for one turn.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void LargePlanesTakeTurns(int network)
    {
        var row = Networks.ElementAt(network);
        var steps = Planner.ForTraining(Compiled((string)row[0], (string)row[1]).Graph, inputGradients: false).Steps;
        Assert.Contains(steps, s => s is { Turns: > 0, Kernel: ConvolutionKernel { GroupByGroup: true } });
        Assert.Contains(steps, s => s is { Turns: > 0, Kernel: PointwiseKernel { Parts: > 1 } });
        Assert.Contains(steps, s => s is { Turns: > 0, Kernel: DepthwiseWeightGradientKernel });
        Assert.Contains(steps, s => s.Kernel is ConvolutionKernel { Sums.Extras.IsEmpty: false });
        Assert.Contains(steps, s => s.Turns > 0 && s.Operands.Any(o => o is { Region: Region.Scratch, Index: > 0 }));
        for (var i = 0; i < steps.Length; i++)
        {
            if (steps[i].Turns > 0)
            {
                Assert.True(steps[i].WithNext);
                Assert.Equal(0, steps[i].Kernel.Units % steps[i].Turns);
                Assert.Equal(0, steps[i + 1].Kernel.Units % steps[i].Turns);
                Assert.True(steps[i + 1].Turns == 0 || steps[i + 1].Turns == steps[i].Turns);
            }
        }
    }

    /// <summary>A widening convolution of few inputs is computed again, in turns with the depthwise gradients that read it: nobody else does so long after it was made.</summary>
    /// <param name="count">Of steps that compute it.</param>
    [Theory]
    [InlineData("8x112x112", "conv(96, 1x1, bias: false) -> batchnorm -> relu -> conv(96, 3x3, pad: 1, groups: 96)", 2)]
    [InlineData("33x112x112", "conv(198, 1x1, bias: false) -> batchnorm -> relu -> conv(198, 3x3, pad: 1, groups: 198)", 1)]
    [InlineData("8x80x80", "conv(96, 1x1, bias: false) -> batchnorm -> relu -> conv(96, 3x3, pad: 1, groups: 96)", 1)]
    [InlineData("8x112x112", "conv(96, 1x1, bias: false) -> batchnorm -> relu -> conv(16, 3x3, pad: 1)", 1)]
    public void ConvolutionsOfFewInputsAreComputedAgain(string shape, string body, int count)
    {
        var steps = Planner.ForTraining(Compiled(shape, body).Graph, inputGradients: false).Steps;
        var widening = Enumerable.Range(0, steps.Length).Where(i => steps[i].Kernel is ConvolutionKernel { Geometry: var g, Formula: not null } && g.OutputChannels > g.InputChannels).ToList();
        Assert.Equal(count, widening.Count);
        if (count > 1)
        {
            var again = steps[widening[1]];
            Assert.IsType<DepthwiseWeightGradientKernel>(steps[widening[1] + 1].Kernel);
            Assert.True(again.Turns > 1);
            Assert.Equal(Region.Scratch, again.Operands[again.Kernel.ReadOperands].Region);
        }
    }

    [Fact]
    public void ThreadsChangeNothing()
    {
        foreach (var row in Networks)
        {
            var compiled = Compiled((string)row[0], (string)row[1]);
            using var first = compiled.Training(3, threads: 1);
            OracleComparison.Randomize(first, new Random(3));
            first.ComputeGradients();
            foreach (var threads in new[] { 2, 3, 8 })
            {
                using var other = compiled.Training(3, threads);
                OracleComparison.Randomize(other, new Random(3));
                other.ComputeGradients();
                Assert.Equal(first.Loss, other.Loss);
                foreach (var gradient in first.Gradients.All)
                {
                    Assert.Equal(gradient.ToArray(), other.Gradients[gradient.Name].ToArray());
                }
            }
        }
    }

    private static CompiledText Compiled(string shape, string body) => new(
        $"network Net {{\n input image: {shape}\n target label: class\n logits = image -> {body} -> global_avgpool -> dense(3)\n output logits\n loss cross_entropy(logits, label)\n}}\n");
}
