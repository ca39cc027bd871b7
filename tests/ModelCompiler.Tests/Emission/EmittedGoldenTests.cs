// Emitted code against PyTorch: outputs, loss, every gradient, running statistics after two steps, and inference with
// batch norm folded.
using ModelCompiler.Runtime;
using ModelCompiler.Tests.Oracle;

namespace ModelCompiler.Tests.Emission;

public class EmittedGoldenTests
{
    [Theory]
    [InlineData("lenet5_tanh")]
    [InlineData("lenet5_relu")]
    public void LeNet5(string name)
    {
        using var training = Compile(name).Training(batch: 3);
        Load(training.Parameters, "lenet5.weights");
        AssertStep(training, name);
    }

    [Fact]
    public void Residual()
    {
        var compiled = Compile("residual");
        using var training = compiled.Training(batch: 5, threads: 2);
        Load(training.Parameters, "residual.weights");
        foreach (var step in new[] { "residual1", "residual2" })
        {
            AssertStep(training, step);
            var buffers = Golden.Read(step + ".buffers");
            foreach (var (name, expected) in buffers)
            {
                AssertClose(expected, training.Parameters[name].ToArray());
            }

            // The second step of the file began from these, rounded.
            Load(training.Parameters, step + ".buffers");
        }

        using var inference = compiled.Inference(batch: 2, parameters: training.Parameters);
        Golden.Read("residual_inference.input")["image"].ToFloats().CopyTo(inference.Inputs[0].Data);
        inference.Forward();
        AssertClose(Golden.Read("residual_inference.output")["logits"], inference.Outputs[0].Data);
    }

    private static CompiledText Compile(string name) => new(File.ReadAllText(Golden.PathOf(name + ".cnn")));

    internal static void Load(ParameterSet parameters, string file)
    {
        foreach (var (name, tensor) in Golden.Read(file))
        {
            parameters[name].Set(tensor.ToFloats());
        }
    }

    internal static void AssertStep(TrainingNetwork training, string step)
    {
        var input = Golden.Read(step + ".input");
        input["image"].ToFloats().CopyTo(training.Inputs[0].Data);
        input["label"].ToIntegers().Select(label => (int)label).ToArray().CopyTo(training.Targets[0].Classes);
        training.ComputeGradients();

        foreach (var (name, expected) in Golden.Read(step + ".output"))
        {
            AssertClose(expected, training.Outputs.Single(output => output.Info.Name == name).Data);
        }

        var gradients = Golden.Read(step + ".gradient");
        Assert.Equal(gradients.Keys.Order(), training.Parameters.All.Where(p => p.Info.Trainable).Select(p => p.Name).Concat(["loss", "input.image"]).Order());
        var largest = gradients.Where(pair => pair.Key != "loss").Max(pair => pair.Value.ToFloats().Max(Math.Abs));
        foreach (var (name, expected) in gradients)
        {
            AssertClose(
                expected,
                name switch
                {
                    "loss" => [training.Loss],
                    "input.image" => training.InputGradients[0].Data,
                    _ => training.Gradients[name].Values,
                },
                largest);
        }
    }

    /// <summary>Sums of some hundred terms of both signs: within 64 roundings of the tensor's largest value, or a single one of the
    /// network's largest gradient: a shift in front of batch norm has the gradient 0, a sum of terms that all cancel.</summary>
    internal static void AssertClose(StoredTensor expected, ReadOnlySpan<float> actual, double largest = 0)
    {
        var wanted = expected.ToFloats();
        Assert.Equal(wanted.Length, actual.Length);
        var tolerance = Math.Pow(2, -24) * Math.Max(64 * wanted.Max(Math.Abs), largest);
        for (var i = 0; i < wanted.Length; i++)
        {
            Assert.True(Math.Abs(wanted[i] - actual[i]) <= tolerance, $"{expected.Name}[{i}]: {actual[i]}, PyTorch has {wanted[i]}; tolerance {tolerance:G3}");
        }
    }
}
