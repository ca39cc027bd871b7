// Seed and data decide every bit of losses, gradients and weights, whatever the number of threads.
namespace ModelCompiler.Training.Tests;

public class ReproducibilityTests
{
    [Theory]
    [InlineData("sgd")]
    [InlineData("adamw")]
    [InlineData("lamb")]
    public void ThreadsAndRunsGiveTheSameBits(string name)
    {
        Optimizer Make() => name switch
        {
            "sgd" => new Sgd(0.05f, 0.9f, 1e-3f, nesterov: true) { ClipValue = 0.1f },
            "adamw" => new AdamW(3e-3f) { ClipNorm = 1, Rules = [ParameterRule.NoDecayForVectors] },
            _ => new Lamb(0.01f) { ClipNorm = 1, ClipValue = 0.5f },
        };
        AssertSame(threads => new Kept.Training(6, threads, optimizer: Make(), seed: 9), mixup: 0);
    }

    [Fact]
    public void MixedSamplesToo() =>
        AssertSame(threads => new Mixed.Training(5, threads, optimizer: new AdamW(3e-3f), seed: 9), mixup: 0.4);

    [Fact]
    public void SamplesSideBySideToo()
    {
        Assert.True(Small.Training.Info.GroupBytes > 0);
        AssertSame(threads => new Small.Training(35, threads, optimizer: new AdamW(3e-3f), seed: 9), mixup: 0);
    }

    [Fact]
    public void OtherSeedsGiveOtherBits()
    {
        using var one = new Kept.Training(6, 1, seed: 1);
        using var other = new Kept.Training(6, 1, seed: 2);
        Assert.NotEqual(Record(one, 0)[0], Record(other, 0)[0]);

        // Dropout alone: the same weights, data and order.
        using var first = new Kept.Training(6, 1, one.Parameters, seed: 1);
        using var second = new Kept.Training(6, 1, one.Parameters, seed: 2);
        Data.Fill(first, 1);
        Data.Fill(second, 1);
        first.ComputeGradients();
        second.ComputeGradients();
        Assert.NotEqual(first.Loss, second.Loss);
    }

    private static void AssertSame(Func<int, TrainingNetwork> make, double mixup)
    {
        uint[][]? expected = null;
        foreach (var threads in new[] { 1, 1, 2, 3, 8 })
        {
            using var training = make(threads);
            var bits = Record(training, mixup);
            expected ??= bits;
            Assert.Equal(expected.Length, bits.Length);
            for (var step = 0; step < bits.Length; step++)
            {
                Assert.Equal(expected[step], bits[step]);
            }
        }
    }

    /// <summary>After each step loss, gradients, weights, running statistics and their averages.</summary>
    private static uint[][] Record(TrainingNetwork training, double mixup)
    {
        var steps = new List<uint[]>();
        var average = WeightAverage.Equal(training.Parameters, start: 3, every: 2);
        var trainer = new Trainer(training)
        {
            Schedule = Schedule.Cosine().WithWarmUp(3),
            Augmentation = Augmentation.Of(Augmentation.Flip(), Augmentation.Crop(2), Augmentation.ColorJitter(0.2f, 0.2f, 0.2f), Augmentation.Cutout(3)),
            Mixup = mixup,
            BatchesPerStep = 2,
            LastBatch = LastBatch.Wrap,
            Average = average,
            OnStep = progress => steps.Add(
                [(uint)progress.Loss.GetHashCode(), .. Data.Bits(training.Gradients.Storage), .. Data.Bits(training.Parameters.Storage), .. Data.Bits(average.Parameters.Storage)]),
        };
        trainer.Fit(Data.Images(50, 1), 2);
        return steps.ToArray();
    }
}
