// Learning for real, on three clusters; and the promise that seed and data decide every bit.
namespace ModelCompiler.Runtime.Tests;

public class TrainerTests
{
    [Fact]
    public void LearnsAndReports()
    {
        using var training = new LogisticTraining(batch: 10, optimizer: new Adam(0.05f));
        using var evaluator = new LogisticInference(batch: 7, parameters: training.Parameters);
        var steps = new List<TrainingProgress>();
        var epochs = new List<EpochResult>();
        var trainer = new Trainer(training) { Schedule = Schedule.OneCycle(), Evaluator = evaluator, OnStep = steps.Add, OnEpoch = epochs.Add };
        var results = trainer.Fit(Logistic.Data(305, 1), 5, Logistic.Data(100, 2));
        Assert.Equal(results, epochs);
        Assert.Equal(150, steps.Count);
        Assert.Equal((5, 5, 30, 30), (steps[^1].Epoch, steps[^1].Epochs, steps[^1].Step, steps[^1].Steps));
        Assert.Equal(TimeSpan.Zero, steps[^1].Remaining);
        Assert.Equal(results[^1].Loss, steps[^1].Loss);
        Assert.True(steps.All(s => s.SamplesPerSecond > 0));
        Assert.True(results[^1].Loss < results[0].Loss);
        Assert.True(results[^1].Test!.Accuracy > 0.9, $"accuracy {results[^1].Test!.Accuracy}");
        Assert.Equal(100, results[^1].Test!.Confusion.Total);
        Assert.Equal(150, training.StepNumber);
        Assert.Empty(trainer.Fit(Logistic.Data(305, 1), 5));
        Assert.Single(trainer.Fit(Logistic.Data(305, 1), 6));
    }

    [Fact]
    public void SeedAndDataDecideEveryBit()
    {
        (float[], double) Train(int threads, ulong seed)
        {
            using var training = new LogisticTraining(batch: 8, threads: threads, optimizer: new Adam(0.02f) { ClipNorm = 1 }, seed: seed);
            var results = new Trainer(training).Fit(Logistic.Data(100, 1), 3);
            return (training.Parameters.Storage.ToArray(), results[^1].Loss);
        }

        var (expected, expectedLoss) = Train(1, 5);
        foreach (var threads in new[] { 1, 2, 3, 8 })
        {
            var (actual, loss) = Train(threads, 5);
            Assert.Equal(expected, actual);
            Assert.Equal(expectedLoss, loss);
        }

        Assert.NotEqual(expected, Train(1, 6).Item1);
    }

    [Theory]
    [InlineData(LastBatch.Drop, 8)]
    [InlineData(LastBatch.Wrap, 12)]
    public void TheLastBatchIsDroppedOrWrapped(LastBatch last, int seen)
    {
        using var training = new LogisticTraining(batch: 4);
        new Trainer(training) { LastBatch = last, Shuffle = false }.Fit(Logistic.Data(10, 1), 1);
        Assert.Equal(seen, training.Parameters["seen"].ToArray()[0]);
        var data = Logistic.Data(10, 1);
        var expected = last == LastBatch.Drop ? data.Input(7) : data.Input(1);
        Assert.Equal(expected.ToArray(), training.Inputs[0].Sample(3).ToArray());
    }

    [Fact]
    public void EveryEpochHasAnOrderOfItsOwnAndSeesEverySample()
    {
        using var training = new LogisticTraining(batch: 1);
        var data = new Dataset([1, 2, 3], Enumerable.Range(0, 60).Select(i => i / 6 / 10f).ToArray(), new int[10], 3);
        var order = new List<float>();
        new Trainer(training) { OnStep = _ => order.Add(training.Inputs[0].Data[0]) }.Fit(data, 2);
        Assert.Equal(order[..10].Order(), order[10..].Order());
        Assert.Equal(10, order.Distinct().Count());
        Assert.NotEqual(order[..10], order[10..]);
    }

    [Fact]
    public void CancellationStopsBetweenStepsAndFitContinues()
    {
        using var source = new CancellationTokenSource();
        using var interrupted = new LogisticTraining(batch: 4);
        var trainer = new Trainer(interrupted) { OnStep = p => { if (p is { Epoch: 2, Step: 3 }) { source.Cancel(); } } };
        Assert.Throws<OperationCanceledException>(() => trainer.Fit(Logistic.Data(40, 1), 4, cancellation: source.Token));
        Assert.Equal(13, trainer.CompletedSteps);
        trainer.Fit(Logistic.Data(40, 1), 4);
        using var whole = new LogisticTraining(batch: 4);
        new Trainer(whole).Fit(Logistic.Data(40, 1), 4);
        Assert.Equal(whole.Parameters.Storage.ToArray(), interrupted.Parameters.Storage.ToArray());
    }

    [Fact]
    public void DataThatDoesNotFitIsRefusedBeforeTraining()
    {
        using var training = new LogisticTraining(batch: 4);
        using var inference = new LogisticInference();
        var trainer = new Trainer(training);
        void Refuses(Dataset data, string reason) => Assert.Contains(reason, Assert.Throws<DatasetException>(() => trainer.Fit(data, 1)).Message);
        Refuses(new Dataset([6], new float[60], new int[10], 3), "takes 1x2x3, the dataset holds 6");
        Refuses(new Dataset([1, 2, 3], new float[60], new int[10], 4), "3 classes, the dataset holds scalar of 4");
        Refuses(new Dataset([1, 2, 3], new float[60], new int[20], 3, [2]), "holds 2 of 3");
        Refuses(Logistic.Data(3, 1), "do not fill one batch of 4");
        Assert.Throws<ArgumentException>(() => trainer.Fit(Logistic.Data(8, 1), 1, Logistic.Data(8, 1)));
        Assert.Contains("must be 5", Assert.Throws<DatasetException>(() => Evaluation.Of(inference, new Dataset([1, 2, 3], new float[6], [0], 5))).Message);
        Assert.Equal(0, training.StepNumber);
    }

    [Fact]
    public void EvaluationCountsTheLastPartialBatchOnce()
    {
        using var inference = new LogisticInference(batch: 4);
        inference.Parameters["fc.weight"].Set(new float[18]);
        inference.Parameters["fc.bias"].Set([1, 3, 2]);
        var evaluation = Evaluation.Of(inference, new Dataset([1, 2, 3], new float[36], [0, 1, 1, 2, 0, 0], 3));
        Assert.Equal([1, 1, 1, 1, 1, 1], evaluation.Predictions);
        Assert.Equal(2 / 6.0, evaluation.Accuracy);
        Assert.Equal(2 / 6.0, evaluation.TopK(1));
        Assert.Equal(3 / 6.0, evaluation.TopK(2));
        Assert.Equal(1, evaluation.TopK(3));
    }

    [Fact]
    public void MetricsFollowFromTheConfusionMatrix()
    {
        var confusion = new ConfusionMatrix(3);
        foreach (var (truth, predicted, times) in new[] { (0, 0, 5), (0, 1, 1), (1, 1, 3), (1, 0, 2) })
        {
            for (var i = 0; i < times; i++)
            {
                confusion.Add(truth, predicted);
            }
        }

        Assert.Equal((11, 8), (confusion.Total, confusion.Correct));
        Assert.Equal(8 / 11.0, confusion.Accuracy);
        Assert.Equal(5 / 7.0, confusion.Precision(0));
        Assert.Equal(5 / 6.0, confusion.Recall(0));
        Assert.Equal(10 / 13.0, confusion.F1(0), 1e-12);
        Assert.Equal(5 / 8.0, confusion.IntersectionOverUnion(0));
        Assert.Equal(((5 / 8.0) + (3 / 6.0)) / 2, confusion.MeanIntersectionOverUnion, 1e-12);
        Assert.True(double.IsNaN(confusion.Recall(2)));
        Assert.Equal(2, confusion[1, 0]);
        Assert.Equal(6, confusion.Support(0));
    }
}
