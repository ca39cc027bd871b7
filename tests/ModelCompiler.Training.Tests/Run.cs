// One training run with everything in it that has a state.
namespace ModelCompiler.Training.Tests;

internal static class Run
{
    public const int Epochs = 30;
    public const int StepsPerEpoch = 20;

    /// <summary>From the newest checkpoint of <paramref name="folder"/> if there is one, to the end.</summary>
    /// <param name="best">File for the weights of the best epoch.</param>
    /// <param name="every">Steps between checkpoints.</param>
    public static void Train(string folder, string best, int threads, int every)
    {
        var optimizer = new AdamW(3e-3f) { ClipNorm = 1, ClipValue = 0.5f, Rules = [ParameterRule.NoDecayForVectors, new("conv1.*", LearningRate: 0.5f)] };
        using var training = new Kept.Training(batch: 4, threads: threads, optimizer: optimizer, seed: 11);
        var average = new WeightAverage(training.Parameters, 0.95f);
        using var evaluator = new Kept(batch: 7, threads: threads, parameters: average.Parameters);
        var trainer = new Trainer(training)
        {
            Schedule = Schedule.OneCycle().WithWarmUp(30),
            Augmentation = Augmentation.Of(Augmentation.Flip(), Augmentation.Crop(1), Augmentation.Cutout(2), Augmentation.ColorJitter(0.1f, 0.1f, 0.1f)),
            BatchesPerStep = 2,
            Average = average,
            Evaluator = evaluator,
            BestWeights = best,
            Patience = 100,
            CheckpointFolder = folder,
            CheckpointEvery = every,
            OnWarning = message => throw new InvalidOperationException(message),
        };
        trainer.Resume();
        trainer.Fit(Data.Images(8 * StepsPerEpoch, 1), Epochs, Data.Images(21, 2));
    }
}

/// <summary>Run as a process of its own by tests that kill it: folder for checkpoints, file for the best weights, file that
/// tells the end, threads, steps between checkpoints.</summary>
internal static class Program
{
    public static int Main(string[] arguments)
    {
        Run.Train(arguments[0], arguments[1], int.Parse(arguments[3]), int.Parse(arguments[4]));
        File.WriteAllText(arguments[2], "done");
        return 0;
    }
}
