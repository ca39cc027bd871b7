// The rule that kernels are shared by: equal names have equal code, whatever the numbers are. Checked over published
// networks, in inference and training: a name that leaves out something that decides code would make wrong networks.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Kernels;
using ModelCompiler.Planning;
using ModelCompiler.Tests.Evaluation;

namespace ModelCompiler.Tests.Kernels;

public class KernelNameTests
{
    [Fact]
    public void EqualNamesHaveEqualCode()
    {
        var codes = new Dictionary<string, (string Code, string Network)>();
        var shared = new Dictionary<string, string>();
        foreach (var file in Files)
        {
            var network = ZooTests.Evaluate(file);
            var plans = new List<Plan> { Planner.ForInference(network) };
            if (network.Loss is not null)
            {
                plans.Add(Planner.ForTraining(network, inputGradients: true));
            }

            foreach (var kernel in plans.SelectMany(p => p.Prepare.Concat(p.Steps)).SelectMany(s => s.Kernels).DistinctBy(k => k.Key))
            {
                var code = Code(kernel, shared);
                if (codes.TryGetValue(kernel.Name, out var known))
                {
                    Assert.True(known.Code == code, $"{kernel.Name} of {file} differs from that of {known.Network}:\n{known.Code}\n{code}");
                }
                else
                {
                    codes.Add(kernel.Name, (code, file));
                }
            }
        }
    }

    /// <summary>Steps pass one value to whatever instruction set there is: another set's would be lost in silence.</summary>
    [Fact]
    public void ANumberThatDiffersBetweenInstructionSetsIsAFault()
    {
        var fault = Assert.Throws<InvalidOperationException>(() => new Undecided().Numbers);
        Assert.Equal("The number 'vectors' of a Undecided differs between instruction sets: 1, 2, 4.", fault.Message);
    }

    private sealed record Undecided : Kernel
    {
        public override string Comment => "";

        public override ImmutableArray<Operand> Operands => [new("x"), new("y")];

        public override int Units => 1;

        public override void Emit(KernelWriter writer, Isa isa) => writer.OpenMethod().Line($"y[0] = x[{writer.N("vectors", Layout.Lanes / isa.Width)}];").Close();
    }

    /// <summary>Small and large, plain and odd: every kind of kernel is in one of them, most of them with many numbers.</summary>
    private static readonly string[] Files =
    [
        "lenet5.cnn", "resnet18.cnn", "mobilenet_v2.cnn", "densenet121.cnn", "squeezenet1_1.cnn", "googlenet.cnn", "shufflenet_v2_x1_0.cnn", "unet.cnn", "vit_b_16.cnn",
        "swin_t.cnn", "convnext_tiny.cnn", "r3d_18.cnn", "tcn.cnn", "deeplabv3_resnet50.cnn", "alexnet_grouped.cnn", "hrnet_stage.cnn", "efficientnet_b0.cnn",
    ];

    // With every number as a name. Methods that kernels share have equal code wherever they come from.
    private static string Code(Kernel kernel, Dictionary<string, string> shared)
    {
        var text = string.Join(" ", kernel.Numbers.Select(n => n.Name)) + "\n" + kernel.Comment + "\n";
        foreach (var isa in Isa.All)
        {
            var writer = new KernelWriter(kernel);
            kernel.Emit(writer, isa);
            text += writer.Finish([.. kernel.Numbers.Select(n => n.Name)]);
            foreach (var (name, write) in writer.Shared)
            {
                var method = new SourceWriter();
                write(method);
                if (!shared.TryAdd($"{name} {isa.Suffix}", method.ToString()))
                {
                    Assert.Equal(shared[$"{name} {isa.Suffix}"], method.ToString());
                }
            }
        }

        return text;
    }
}
