// A loss that is not finite names the layer where it began.
namespace ModelCompiler.Training.Tests;

public class DivergenceTests
{
    [Theory]
    [InlineData("conv1.weight", "layer 'conv1' (conv) is the first to give")]
    [InlineData("layer1.1.conv2.weight", "layer 'layer1.1.conv2' (conv) is the first to give")]
    [InlineData("fc2.weight", "layer 'fc2' (dense) is the first to give")]
    public void TheFirstLayerIsNamed(string parameter, string message)
    {
        foreach (var threads in new[] { 1, 3 })
        {
            using var training = new Kept.Training(4, threads, seed: 5);
            Assert.True(float.IsFinite(StepOn(training, 1)));
            training.Parameters[parameter].Set(Enumerable.Repeat(3e38f, training.Parameters[parameter].Count).ToArray());
            var before = training.Parameters.All.Where(p => p.Trainable).Select(p => p.ToArray()).ToArray();
            var exception = Assert.Throws<TrainingException>(() => StepOn(training, 2));
            Assert.Contains("the loss of 'Kept' became", exception.Message);
            Assert.Contains("at step 1: " + message, exception.Message);
            Assert.Equal(before, training.Parameters.All.Where(p => p.Trainable).Select(p => p.ToArray()));
        }
    }

    [Fact]
    public void ValuesComputedAgainAreSearchedToo()
    {
        using var training = new Again.Training(2, 1, seed: 5);
        training.Parameters["layer1.0.conv1.weight"].Set(Enumerable.Repeat(3e38f, 17 * 17 * 9).ToArray());
        Assert.Contains("layer 'layer1.0.conv1' (conv)", Assert.Throws<TrainingException>(() => StepOn(training, 2)).Message);
    }

    [Fact]
    public void DamagedParametersAreTracedToWhereTheBackwardPassMetThem()
    {
        using var training = new Kept.Training(4, 1, seed: 5);
        foreach (var name in new[] { "conv1.weight", "layer1.0.conv2.weight" })
        {
            training.Parameters[name].Set(Enumerable.Repeat(float.NaN, training.Parameters[name].Count).ToArray());
        }

        Assert.Contains(
            "parameter 'layer1.0.conv2.weight' (and 1 before it) holds NaN; an update before made it so",
            Assert.Throws<TrainingException>(() => StepOn(training, 1)).Message);
    }

    [Fact]
    public void AGradientThatIsNotFiniteStopsBeforeTheUpdateWhereItsNormIsKnown()
    {
        using var training = new Root.Training(2, 1, optimizer: new Adam { ClipNorm = 1 });
        training.Parameters.Storage.Clear();
        training.Wanted.Fill(1);
        var message = Assert.Throws<TrainingException>(() => training.Step()).Message;
        Assert.Contains("the gradients of 'Root' became", message);
        Assert.Contains("in the backward pass layer '", message);
        Assert.All(training.Parameters.Storage.ToArray(), value => Assert.Equal(0, value));
        Assert.Equal((0, 0), (training.StepNumber, training.Optimizer.Updates));
    }

    private static float StepOn(TrainingNetwork training, ulong seed)
    {
        Data.Fill(training, seed);
        return training.Step();
    }
}
