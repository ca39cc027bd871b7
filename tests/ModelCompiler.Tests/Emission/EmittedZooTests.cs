// Small members of families of the zoo against torchvision's: weights by their names, outputs in use and in training,
// the loss and every gradient (Goldens/pytorch/zoo.py).
using ModelCompiler.Tests.Evaluation;
using ModelCompiler.Tests.Oracle;

namespace ModelCompiler.Tests.Emission;

public class EmittedZooTests
{
    [Theory]
    [InlineData("mobilenet_v2")]
    [InlineData("densenet121")]
    [InlineData("vit_b_16")]
    public void IsEqualToTorchvision(string name)
    {
        var parts = File.ReadLines(Golden.PathOf("zoo.txt")).Select(line => line.Split(" | ")).Single(parts => parts[0] == name);
        var compiled = new CompiledText($"use \"{parts[1]}\"\nnetwork Small = {parts[2]}", import: ZooTests.Import);
        using var training = compiled.Training(batch: 4, threads: 2);
        EmittedGoldenTests.Load(training.Parameters, $"zoo_{name}.weights");

        using var inference = compiled.Inference(batch: 4, parameters: training.Parameters);
        Golden.Read($"zoo_{name}.input")["image"].ToFloats().CopyTo(inference.Inputs[0].Data);
        inference.Forward();
        EmittedGoldenTests.AssertClose(Golden.Read($"zoo_{name}.use")["logits"], inference.Outputs[0].Data);

        // Last, since it moves the running statistics
        EmittedGoldenTests.AssertStep(training, $"zoo_{name}");
    }
}
