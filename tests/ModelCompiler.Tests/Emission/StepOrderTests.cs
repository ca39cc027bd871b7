// Steps of a training product change places, share memory and take turns: no step may come before one that wrote what it reads,
// no value may be overwritten while somebody still needs it, and samples must not meet halfway.
using ModelCompiler.Kernels;
using ModelCompiler.Planning;
using ModelCompiler.Tests.Evaluation;

namespace ModelCompiler.Tests.Emission;

public class StepOrderTests
{
    public static TheoryData<string> Networks => ["mobilenet_v2", "resnet18", "unet", "densenet121", "lenet5", "vgg11", "vit_b_16"];

    [Theory]
    [MemberData(nameof(Networks))]
    public void StepsTakeTurnsOnlyWhereEverySampleIsAlone(string name)
    {
        var plan = Planner.ForTraining(Network(name), inputGradients: false);
        Assert.Contains(plan.Steps, s => s.WithNext);
        for (var i = 0; i < plan.Steps.Length; i++)
        {
            if (plan.Steps[i].WithNext)
            {
                Assert.Equal(KernelScope.Sample, plan.Steps[i].Kernel.Scope);
                Assert.Equal(KernelScope.Sample, plan.Steps[i + 1].Kernel.Scope);
            }
        }
    }

    /// <summary>A piece of memory is read only while it holds what the step that wrote it last has left there.</summary>
    [Theory]
    [MemberData(nameof(Networks))]
    public void NothingIsReadBeforeItIsWritten(string name)
    {
        var plan = Planner.ForTraining(Network(name), inputGradients: false);
        var written = new HashSet<Address>();
        foreach (var step in plan.Steps)
        {
            for (var k = 0; k < step.Operands.Length; k++)
            {
                var address = step.Operands[k];
                // The places between the strides of a 1x1 convolution get zeros, from no weights at all.
                if (address.Region is not (Region.Samples or Region.Common) || step.Kernel is ConvolutionKernel { Macs: 0 })
                {
                    continue;
                }

                Assert.True(k >= step.Kernel.ReadOperands || written.Contains(address), $"{step.Name} reads operand {k}, which no step before it wrote");
                if (k >= step.Kernel.ReadOperands)
                {
                    written.Add(address);
                }
            }
        }
    }

    [Fact]
    public void FormulasTakeThePlaceOfTheirOperands()
    {
        var plan = Planner.ForTraining(Network("mobilenet_v2"), inputGradients: false);
        var formulas = plan.Steps.Where(s => s.Kernel is PointwiseKernel { Scope: KernelScope.Sample } && s.Operands.Last().Region == Region.Samples).ToList();
        Assert.Contains(formulas, s => s.Operands.Take(s.Operands.Length - 1).Contains(s.Operands.Last()));
        Assert.All(formulas, s =>
        {
            var kernel = (PointwiseKernel)s.Kernel;
            for (var k = 0; k < kernel.Inputs.Length; k++)
            {
                Assert.True(s.Operands[k] != s.Operands.Last() || kernel.Inputs[k].Equals(kernel.Output), $"{s.Name} would write over an operand of another layout");
            }
        });
    }

    /// <summary>Weights are packed and sums joined before a chain begins: what a layer normalises for the next one, forward and again in
    /// the backward pass, never leaves the thread's memory; what widens is normalised by the convolution that stores it. (The last blocks have more weights than values:
    /// their weight gradients see the batch.)</summary>
    [Fact]
    public void NothingBreaksAChain()
    {
        var plan = Planner.ForTraining(Network("mobilenet_v2"), inputGradients: false);
        for (var block = 2; block <= 13; block++)
        {
            List<Step> Normalising(string layer) =>
                plan.Steps.Where(s => s.Kernel is PointwiseKernel && s.Description.StartsWith($"features.{block}.conv.{layer}:", StringComparison.Ordinal)).ToList();
            Assert.Empty(Normalising("0.2"));
            var normalised = Normalising("1.2");
            Assert.Equal(2, normalised.Count);
            Assert.All(normalised, s => Assert.Equal(Region.Scratch, s.Operands.Last().Region));
        }
    }

    private static Graph.NetworkGraph Network(string name) => ZooTests.Evaluate(name + ".cnn");
}
