// An interrupted run must end where an uninterrupted one does, to the bit, however rudely it was interrupted.
namespace ModelCompiler.Runtime.Tests;

public sealed class CheckpointTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("cut", "truncated or damaged")]
    [InlineData("flipped", "the checksum differs")]
    [InlineData("empty", "it has only 0 bytes")]
    public void ADamagedCheckpointFallsBackToTheOneBefore(string damage, string reason)
    {
        using var training = new LogisticTraining(batch: 4);
        new Trainer(training) { CheckpointFolder = folder.Path }.Fit(Logistic.Data(40, 1), 3);
        var files = Directory.GetFiles(folder.Path).Order().ToArray();
        Assert.Equal(["step-000000000020.safetensors", "step-000000000030.safetensors"], files.Select(Path.GetFileName));
        Damage(files[1], damage);

        var warnings = new List<string>();
        using var other = new LogisticTraining(batch: 4, seed: 99);
        var trainer = new Trainer(other) { CheckpointFolder = folder.Path, ShuffleSeed = 1, OnWarning = warnings.Add };
        Assert.True(trainer.Resume());
        Assert.Equal(20, trainer.CompletedSteps);
        Assert.Equal(1UL, other.Seed);
        var warning = Assert.Single(warnings);
        Assert.Contains(files[1], warning);
        Assert.Contains(reason, warning);
        Assert.EndsWith($"Continuing from {files[0]}, the one before it.", warning);
        trainer.Fit(Logistic.Data(40, 1), 3);
        Assert.Equal(training.Parameters.Storage.ToArray(), other.Parameters.Storage.ToArray());
    }

    [Fact]
    public void EveryByteOfACheckpointCounts()
    {
        using var training = new LogisticTraining(batch: 4);
        new Trainer(training) { CheckpointFolder = folder.Path }.Fit(Logistic.Data(8, 1), 1);
        var file = Directory.GetFiles(folder.Path).Single();
        var bytes = File.ReadAllBytes(file);
        var header = 8 + (int)BitConverter.ToInt64(bytes);
        var before = training.Parameters.Storage.ToArray();
        for (var place = header; place < bytes.Length; place += 7)
        {
            var damaged = (byte[])bytes.Clone();
            damaged[place] ^= 0x10;
            File.WriteAllBytes(file, damaged);
            Assert.Throws<WeightsException>(() => new Trainer(training) { CheckpointFolder = folder.Path }.Resume());
            Assert.Equal(before, training.Parameters.Storage.ToArray());
        }
    }

    [Fact]
    public void TheLossOfAResumedEpochIsTheWholeEpochs()
    {
        double Loss(bool interrupted)
        {
            using var source = new CancellationTokenSource();
            using var training = new LogisticTraining(batch: 4);
            var name = folder[interrupted ? "a" : "b"];
            var trainer = new Trainer(training) { CheckpointFolder = name, CheckpointEvery = 3, OnStep = p => { if (p.Step == 5 && interrupted) { source.Cancel(); } } };
            if (!interrupted)
            {
                return trainer.Fit(Logistic.Data(40, 1), 1)[0].Loss;
            }

            Assert.Throws<OperationCanceledException>(() => trainer.Fit(Logistic.Data(40, 1), 1, cancellation: source.Token));
            using var again = new LogisticTraining(batch: 4);
            var resumed = new Trainer(again) { CheckpointFolder = name };
            Assert.True(resumed.Resume());
            Assert.Equal(3, resumed.CompletedSteps);
            return resumed.Fit(Logistic.Data(40, 1), 1)[0].Loss;
        }

        Assert.Equal(Loss(interrupted: false), Loss(interrupted: true));
    }

    [Fact]
    public void CheckpointsOfOtherRunsAreRefused()
    {
        using var training = new LogisticTraining(batch: 4);
        new Trainer(training) { CheckpointFolder = folder.Path }.Fit(Logistic.Data(8, 1), 1);
        string Refusal(LogisticTraining other, ulong shuffleSeed = 1)
        {
            var before = other.Parameters.Storage.ToArray();
            var trainer = new Trainer(other) { CheckpointFolder = folder.Path, ShuffleSeed = shuffleSeed };
            var message = Assert.Throws<WeightsException>(() => trainer.Resume()).Message;
            Assert.Equal(before, other.Parameters.Storage.ToArray());
            Assert.Equal(0, trainer.CompletedSteps);
            return message;
        }

        using var otherOptimizer = new LogisticTraining(batch: 4, optimizer: new Sgd(momentum: 0.5f), seed: 2);
        using var otherBatch = new LogisticTraining(batch: 5, seed: 2);
        using var otherSeed = new LogisticTraining(batch: 4, seed: 2);
        Assert.Contains("missing: 'optimizer.momentum_buffer.fc.weight'", Refusal(otherOptimizer));
        Assert.Contains("batch of 4", Refusal(otherBatch));
        Assert.Contains("shuffling seed 1", Refusal(otherSeed, shuffleSeed: 5));
    }

    [Fact]
    public void WithoutCheckpointsTrainingStartsFresh()
    {
        using var training = new LogisticTraining();
        Assert.False(new Trainer(training) { CheckpointFolder = folder["none"] }.Resume());
        Assert.Throws<InvalidOperationException>(() => new Trainer(training).Resume());
    }

    private static void Damage(string file, string how)
    {
        var bytes = File.ReadAllBytes(file);
        if (how == "flipped")
        {
            bytes[^5] ^= 1;
        }

        File.WriteAllBytes(file, how == "cut" ? bytes[..^9] : how == "empty" ? [] : bytes);
    }
}
