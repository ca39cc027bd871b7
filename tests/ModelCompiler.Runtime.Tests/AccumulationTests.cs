// Large batches in parts, and the mean of the weights.
namespace ModelCompiler.Runtime.Tests;

public class AccumulationTests
{
    [Fact]
    public void PartsOfABatchGiveTheStepOfTheWhole()
    {
        float[] Train(int batch, int parts)
        {
            using var training = new LogisticTraining(batch, optimizer: new Sgd(0.1f, 0.9f));
            var results = new Trainer(training) { BatchesPerStep = parts }.Fit(Logistic.Data(96, 1), 3);
            Assert.Equal(3 * 8, training.Optimizer.Updates);
            return [.. training.Parameters["fc.weight"].ToArray(), (float)results[^1].Loss];
        }

        var (whole, parts) = (Train(12, 1), Train(4, 3));
        Assert.All(whole.Zip(parts), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
    }

    [Fact]
    public void AccumulationIsAMeanAndStartsAnew()
    {
        using var network = new GradientFeeder(3, new Sgd(1));
        foreach (var values in new[] { (1f, 5f), (7f, 7f) })
        {
            network.Parameters["p0"].Set([0, 0, 0]);
            network.Feed = g => g.Storage.Fill(values.Item1);
            network.Accumulate();
            network.Feed = g => g.Storage.Fill(values.Item2);
            network.Accumulate();
            network.ApplyAccumulated();
            Assert.Equal(-(values.Item1 + values.Item2) / 2, network.Parameters["p0"].ToArray()[2]);
        }

        Assert.Equal((4, 2), (network.StepNumber, network.Optimizer.Updates));
        Assert.Throws<InvalidOperationException>(network.ApplyAccumulated);
    }

    [Fact]
    public void TheAverageFollowsTheWeights()
    {
        using var network = new GradientFeeder(20, new Sgd(1)) { Feed = g => g.Storage.Fill(-8) };
        var average = new WeightAverage(network.Parameters, 0.75f);
        network.Step();
        average.Update();
        Assert.All(average.Parameters["p0"].ToArray(), value => Assert.Equal(2, value));
        network.Step();
        average.Update();
        Assert.All(average.Parameters["p0"].ToArray(), value => Assert.Equal(5.5f, value));
        Assert.Throws<ArgumentOutOfRangeException>(() => new WeightAverage(network.Parameters, 1));
    }
}
