// An interrupted run must end where an uninterrupted one does, to the bit, however rudely it was interrupted.
using System.Diagnostics;

namespace ModelCompiler.Runtime.Tests;

public sealed class CheckpointTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void AKilledRunResumesToTheSameBits()
    {
        var random = new RandomGenerator(11);
        for (var kill = 0; kill < 6; kill++)
        {
            // The first dies at its first checkpoint, later ones anywhere after getting ahead.
            using var process = StartTraining();
            var newest = NewestCheckpoint();
            Assert.True(SpinWait.SpinUntil(() => NewestCheckpoint() != newest || process.HasExited, TimeSpan.FromMinutes(1)), "the run does not get ahead");
            Thread.Sleep(kill * random.Next(10));
            process.Kill();
            process.WaitForExit();
            Assert.True(kill > 0 || !File.Exists(folder["weights"]), "the run ended before it was killed");
        }

        using (var process = StartTraining())
        {
            Assert.True(process.WaitForExit(TimeSpan.FromMinutes(2)));
            Assert.Equal(0, process.ExitCode);
        }

        using var whole = Program.Train(null, threads: 1);
        using var resumed = new ParameterSet(Logistic.Info);
        resumed.Load(folder["weights"]);
        Assert.Equal(whole.Parameters.Storage.ToArray(), resumed.Storage.ToArray());
        Assert.Equal(2, Directory.GetFiles(folder["checkpoints"]).Length);
    }

    [Fact]
    public void ADamagedCheckpointFallsBackToTheOneBefore()
    {
        using var training = new LogisticTraining(batch: 4);
        new Trainer(training) { CheckpointFolder = folder.Path }.Fit(Logistic.Data(40, 1), 3);
        var files = Directory.GetFiles(folder.Path).Order().ToArray();
        Assert.Equal(["step-000000000020.safetensors", "step-000000000030.safetensors"], files.Select(Path.GetFileName));
        File.WriteAllBytes(files[1], File.ReadAllBytes(files[1])[..200]);

        using var other = new LogisticTraining(batch: 4, seed: 99);
        var trainer = new Trainer(other) { CheckpointFolder = folder.Path, ShuffleSeed = 1 };
        Assert.True(trainer.Resume());
        Assert.Equal(20, trainer.CompletedSteps);
        Assert.Equal(1UL, other.Seed);
        trainer.Fit(Logistic.Data(40, 1), 3);
        Assert.Equal(training.Parameters.Storage.ToArray(), other.Parameters.Storage.ToArray());
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

    private Process StartTraining() =>
        Process.Start("dotnet", [typeof(Program).Assembly.Location, folder["checkpoints"], folder["weights"], "2"])!;

    private string? NewestCheckpoint() =>
        Directory.Exists(folder["checkpoints"]) ? Directory.GetFiles(folder["checkpoints"], "*.safetensors").Max() : null;
}
