// Layers of many filters that serve few tiles run in one of two ways, which the machine decides: with filters that were transformed once, or
// transformed in every run. Both in processes of their own, against the oracle and against each other, to the bit.
using System.Reflection;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using ModelCompiler.Kernels;
using ModelCompiler.Planning;

namespace ModelCompiler.Tests.Emission;

public class EmittedFiltersTests
{
    /// <summary>The first argument of a process that runs the networks with the value behind it.</summary>
    public const string Argument = "filters";

    /// <summary>Shape of the image, and what its only layer of 3x3 is a part of.</summary>
    private static readonly (string Shape, string Body)[] Networks =
    [
        ("3x7x7", "image -> conv(310, 1x1) -> relu -> conv(330, 3x3, pad: 1) -> batchnorm -> relu -> flatten -> dense(2)"),
        ("3x14x13", "image -> conv(205, 1x1) -> conv(213, 3x3, pad: 1, bias: false) -> maxpool(2x2) -> flatten -> dense(2)"),
        ("3x14x14", "((image -> conv(208, 1x1) -> conv(208, 3x3, pad: 1) -> batchnorm) + (image -> conv(208, 1x1))) -> relu -> flatten -> dense(2)"),
        ("3x13x14", "image -> conv(785, 1x1) -> conv(65, 3x3, pad: 1) -> gelu -> flatten -> dense(2)"),
    ];

    [Fact]
    public void BothWaysGiveTheSameBits()
    {
        var runs = new[] { "true", "false" }.AsParallel().AsOrdered().Select(keeps => Program.RunAgain([Argument, keeps])).ToList();
        Assert.All(runs, run => Assert.True(run.ExitCode == 0, run.Output));
        var (kept, made) = (runs[0].Output.Split('\n'), runs[1].Output.Split('\n'));
        Assert.Equal(("True", "False"), (kept[0].Trim(), made[0].Trim()));
        Assert.Equal(2 + Networks.Length, kept.Length);
        Assert.Equal(kept.Skip(1), made.Skip(1));
    }

    /// <summary>Runs all networks, and writes which way was taken and what came out.</summary>
    /// <param name="keeps">Whether filters are kept.</param>
    public static int Run(bool keeps)
    {
        AppContext.SetSwitch("ModelCompiler.KeepsFilters", keeps);
        Console.WriteLine(typeof(Runtime.CompiledNetwork).GetProperty("KeepsFilters", BindingFlags.NonPublic | BindingFlags.Static)!.GetValue(null));
        foreach (var (shape, body) in Networks)
        {
            var compiled = new CompiledText($"network Net {{\n input image: {shape}\n target label: class\n logits = {body}\n output logits\n loss cross_entropy(logits, label)\n}}\n");
            var plan = Planner.ForInference(compiled.Graph);
            var step = Assert.Single(plan.Steps, s => s.WithoutKeptFilters is not null);
            Assert.Equal(WinogradFilterForm.Packed, Assert.IsType<WinogradKernel>(step.Kernel).Filters);
            Assert.Equal(WinogradFilterForm.Ordered, Assert.IsType<WinogradKernel>(step.WithoutKeptFilters).Filters);
            Assert.IsType<PackWeightsKernel>(Assert.Single(plan.Prepare, s => s.WithoutKeptFilters is not null).WithoutKeptFilters);
            using var training = compiled.Training(batch: 2);
            using var inference = compiled.Inference(batch: 2, parameters: training.Parameters);
            OracleComparison.Infer(compiled.Graph, training, inference, new Random(1));
            Console.WriteLine(Convert.ToHexString(SHA256.HashData(MemoryMarshal.AsBytes(inference.Outputs[0].Data))));
        }

        return 0;
    }
}
