// Run as a process of its own by tests that kill it: trains with checkpoints, and writes the final weights.
namespace ModelCompiler.Runtime.Tests;

internal static class Program
{
    /// <param name="arguments">Folder for checkpoints, file for the weights, number of threads.</param>
    public static int Main(string[] arguments)
    {
        using var training = Train(arguments[0], int.Parse(arguments[2]));
        training.Parameters.Save(arguments[1]);
        return 0;
    }

    /// <summary>Trains to the end, from the newest checkpoint if there is one.</summary>
    public static LogisticTraining Train(string? folder, int threads)
    {
        var training = new LogisticTraining(batch: 4, threads: threads, optimizer: new AdamW(0.01f) { ClipNorm = 1 });
        var trainer = new Trainer(training)
        {
            Schedule = Schedule.OneCycle(),
            Augmentation = Augmentation.Crop(1),
            BatchesPerStep = 2,
            Average = new WeightAverage(training.Parameters, 0.9f),
            CheckpointFolder = folder,
            CheckpointEvery = 7,
        };
        if (folder is not null)
        {
            trainer.Resume();
        }

        trainer.Fit(Logistic.Data(300, 3), 80);

        // The caller compares one set of weights: let it depend on the average too.
        training.Parameters["seen"].Set([trainer.Average.Parameters["fc.weight"].ToArray().Sum()]);
        return training;
    }
}
