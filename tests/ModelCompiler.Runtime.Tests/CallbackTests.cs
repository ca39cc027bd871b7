// What a trainer does at the end of an epoch: judge it, keep the best weights, stop when nothing gets better.
namespace ModelCompiler.Runtime.Tests;

public sealed class CallbackTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void TheBestWeightsAreKeptAndPatienceEnds()
    {
        var scores = new Queue<double>([1, 3, 2, 3, 2.5, 9]);
        var weights = new List<float[]>();
        using var training = new LogisticTraining(batch: 4);
        var trainer = new Trainer(training)
        {
            Score = _ => scores.Dequeue(),
            Patience = 3,
            BestWeights = folder["best"],
            OnEpoch = _ => weights.Add(training.Parameters.Storage.ToArray()),
        };
        var results = trainer.Fit(Logistic.Data(40, 1), 6);
        Assert.Equal([true, true, false, false, false], results.Select(r => r.IsBest));
        using var best = new ParameterSet(Logistic.Info);
        best.Load(folder["best"]);
        Assert.Equal(weights[1], best.Storage.ToArray());
        Assert.Empty(trainer.Fit(Logistic.Data(40, 1), 6));
    }

    [Fact]
    public void PatienceAndScoreSurviveAnInterruption()
    {
        Trainer Make(LogisticTraining training, params double[] scores)
        {
            var queue = new Queue<double>(scores);
            return new Trainer(training) { Score = _ => queue.Dequeue(), Patience = 2, CheckpointFolder = folder.Path };
        }

        using var first = new LogisticTraining(batch: 4);
        Make(first, 5, 4).Fit(Logistic.Data(8, 1), 2);
        using var second = new LogisticTraining(batch: 4);
        var resumed = Make(second, 4.5, 9);
        Assert.True(resumed.Resume());
        Assert.Single(resumed.Fit(Logistic.Data(8, 1), 9));
    }

    [Fact]
    public void TheAverageIsWhatIsKept()
    {
        using var training = new LogisticTraining(batch: 4);
        var average = new WeightAverage(training.Parameters, 0.9f);
        new Trainer(training) { Average = average, BestWeights = folder["best"] }.Fit(Logistic.Data(8, 1), 1);
        using var best = new ParameterSet(Logistic.Info);
        best.Load(folder["best"]);
        Assert.Equal(average.Parameters.Storage.ToArray(), best.Storage.ToArray());
    }

    [Fact]
    public void AnAugmentationThatFailsEndsTheRun()
    {
        using var training = new LogisticTraining(batch: 4);
        var trainer = new Trainer(training) { Augmentation = new Failing() };
        Assert.Equal("no more", Assert.Throws<InvalidDataException>(() => trainer.Fit(Logistic.Data(40, 1), 3)).Message);
        Assert.InRange(trainer.CompletedSteps, 10, 11);
    }

    [Fact]
    public void FeaturesAreLoadedWithoutTheHead()
    {
        using var source = new ParameterSet(Logistic.Info);
        source.Initialize(1);
        source.Save(folder["weights"]);
        using var target = new ParameterSet(Logistic.Info);
        target.Initialize(2);
        var weight = target["fc.weight"].ToArray();
        var version = target.Version;
        target.LoadMatching(folder["weights"], "*.bias");
        Assert.NotEqual(version, target.Version);
        Assert.Equal(weight, target["fc.weight"].ToArray());
        Assert.Equal(source["fc.bias"].ToArray(), target["fc.bias"].ToArray());
        target.LoadMatching(folder["weights"], "fc.*");
        Assert.Equal(source["fc.weight"].ToArray(), target["fc.weight"].ToArray());
        Assert.Contains("matches no parameter", Assert.Throws<ArgumentException>(() => target.LoadMatching(folder["weights"], "features.*")).Message);
    }

    [Fact]
    public void ClassesAreChosenAndNumberedAnew()
    {
        var data = new Dataset([2], [0, 0, 1, 1, 2, 2, 3, 3], [5, 7, 6, 7], 8);
        var chosen = data.OfClasses(7, 5);
        Assert.Equal((3, 2), (chosen.Count, chosen.Classes));
        Assert.Equal([1, 0, 0], Enumerable.Range(0, 3).Select(i => chosen.Labels(i)[0]));
        Assert.Equal([0f, 1, 3], Enumerable.Range(0, 3).Select(i => chosen.Input(i)[1]));
        Assert.Throws<InvalidOperationException>(() => new Dataset([2], [0, 0], [1, 1], 2, [2]).OfClasses(1));
    }

    private sealed class Failing : Augmentation
    {
        private int calls;

        public override void Apply(Span<float> image, IReadOnlyList<int> shape, RandomGenerator random)
        {
            if (++calls > 44)
            {
                throw new InvalidDataException("no more");
            }
        }
    }
}
