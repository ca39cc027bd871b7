// Emitted code against PyTorch, operator by operator: results, losses and all gradients. Tolerances are roundings
// (2^-24) of the tensor's largest value, stated for each case.
using ModelCompiler.Graph;
using ModelCompiler.Runtime;
using ModelCompiler.Tests.Oracle;

namespace ModelCompiler.Tests.Emission;

public class EmittedOperatorGoldenTests
{
    /// <summary>What is made of a few operations on each element or of short sums.</summary>
    private const int Usual = 8;

    /// <summary>Cases that need more: sums over all steps of a sequence, in another order; a division by a singular value that is itself
    /// a result; and a norm of two samples, whose gradient is what is left when terms 50,000 times as large cancel.</summary>
    private static readonly Dictionary<string, int> Roundings = new()
    {
        ["gru/deep"] = 16, ["rnn/relu"] = 16, ["conv/spectral_norm"] = 16, ["batchnorm/vector"] = 1 << 16,
    };

    public static TheoryData<string, int, int> Parts => new() { { "operators", 0, 3 }, { "operators", 1, 3 }, { "operators", 2, 3 }, { "losses", 0, 1 } };

    [Theory]
    [MemberData(nameof(Parts))]
    public void EqualPyTorch(string file, int part, int parts)
    {
        var cases = GoldenCase.Read(file).Where((_, i) => i % parts == part).ToList();
        var compiled = new CompiledTexts(GoldenCase.Blocks + string.Concat(cases.Select((c, i) => c.Network($"Case{i}"))));
        var problems = cases.SelectMany((golden, i) => Compare(golden, compiled, $"Case{i}")).ToList();
        Assert.True(problems.Count == 0, string.Join("\n", problems));
    }

    private static IEnumerable<string> Compare(GoldenCase golden, CompiledTexts compiled, string name)
    {
        using var training = compiled.Training(name, golden.Batch);
        foreach (var parameter in training.Parameters.All.Where(p => golden.Has(GoldenCase.NameOf(p.Name))))
        {
            parameter.Set(golden.Tensor(GoldenCase.NameOf(parameter.Name)).ToFloats());
        }

        foreach (var input in training.Inputs)
        {
            golden.Tensor(input.Info.Name).ToFloats().CopyTo(input.Data);
        }

        if (training.Targets[0].Info.Kind == TensorKind.Class)
        {
            golden.Tensor("wanted").ToIntegers().Select(label => (int)label).ToArray().CopyTo(training.Targets[0].Classes);
        }
        else
        {
            golden.Tensor("wanted").ToFloats().CopyTo(training.Targets[0].Data);
        }

        training.ComputeGradients();
        List<string?> problems = [golden.Has("loss") ? Difference(golden, "loss", [training.Loss]) : Difference(golden, "y", training.Outputs[0].Data)];
        foreach (var gradient in training.InputGradients.Where(g => golden.Has($"gradient.input.{g.Info.Name}")))
        {
            problems.Add(Difference(golden, $"gradient.input.{gradient.Info.Name}", gradient.Data));
        }

        foreach (var parameter in training.Parameters.All.Where(p => p.Info.Trainable))
        {
            problems.Add(Difference(golden, $"gradient.{GoldenCase.NameOf(parameter.Name)}", training.Gradients[parameter.Name].Values));
        }

        return problems.OfType<string>();
    }

    private static string? Difference(GoldenCase golden, string tensor, ReadOnlySpan<float> actual)
    {
        var (allowed, roundings) = (Roundings.GetValueOrDefault(golden.Name, Usual), Golden.Roundings(golden.Tensor(tensor), actual));
        return roundings <= allowed ? null : $"{golden.Name}, {tensor}: {roundings:F1} roundings from PyTorch, {allowed} allowed";
    }
}
