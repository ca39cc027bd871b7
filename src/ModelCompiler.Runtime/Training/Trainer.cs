// The loop around Step, and what can be asked of it: shuffle, fill the batch, follow the schedule, evaluate, report.
namespace ModelCompiler.Runtime;

/// <summary>Trains a network on a dataset. The same seed gives the same batches in the same order.</summary>
public sealed partial class Trainer
{
    private readonly TrainingNetwork network;
    private readonly float baseRate;

    public Trainer(TrainingNetwork network)
    {
        ArgumentNullException.ThrowIfNull(network);
        this.network = network;
        baseRate = network.Optimizer.LearningRate;
        ShuffleSeed = network.Seed;
    }

    /// <summary>Factor on the learning rate that the optimizer has when the trainer is made.</summary>
    public Schedule Schedule { get; init; } = Schedule.Constant;

    /// <summary>Whether every epoch has an order of its own.</summary>
    public bool Shuffle { get; init; } = true;

    /// <summary>By default the network's seed.</summary>
    public ulong ShuffleSeed { get; init; }

    public LastBatch LastBatch { get; init; } = LastBatch.Drop;

    /// <summary>Changes every training image anew in each epoch; by the shuffling's seed, sample and epoch. A thread of its own
    /// does so for the next batch while the network learns from this one.</summary>
    public Augmentation? Augmentation { get; init; }

    /// <summary>When above 0, pairs of samples and of their labels are mixed, in a proportion that each batch draws from
    /// Beta(Mixup, Mixup) (Zhang et al. 2018; 0.2 is usual). The target must be probabilities, <c>target label: 10</c>, so that
    /// labels can be mixed.</summary>
    public double Mixup { get; init; }

    /// <summary>Batches whose gradients are averaged for one update: a large batch in little memory.</summary>
    public int BatchesPerStep { get; init; } = 1;

    /// <summary>Updated after every step, and part of checkpoints.</summary>
    public WeightAverage? Average { get; init; }

    /// <summary>Evaluates test data after each epoch; shares the training network's parameters.</summary>
    public InferenceNetwork? Evaluator { get; init; }

    /// <summary>Called after every step.</summary>
    public Action<TrainingProgress>? OnStep { get; init; }

    /// <summary>Called after every epoch, its evaluation included.</summary>
    public Action<EpochResult>? OnEpoch { get; init; }

    /// <summary>Told what does not stop training: a damaged checkpoint that was passed over. By default the error stream.</summary>
    public Action<string> OnWarning { get; init; } = Console.Error.WriteLine;

    /// <summary>How good an epoch is; more is better. By default the test accuracy, without test data minus the loss.</summary>
    public Func<EpochResult, double> Score { get; init; } = result => result.Test?.Accuracy ?? -result.Loss;

    /// <summary>When above 0, <see cref="Fit"/> ends after so many epochs in a row whose <see cref="Score"/> is no better than the best
    /// before them.</summary>
    public int Patience { get; init; }

    /// <summary>A file that gets the weights of every epoch whose <see cref="Score"/> is the best so far: those of
    /// <see cref="Average"/> where there is one. Null writes none.</summary>
    public string? BestWeights { get; init; }

    /// <summary>Where checkpoints go: the state after each epoch, and every <see cref="CheckpointEvery"/> steps; the newest two
    /// are kept. Null writes none.</summary>
    public string? CheckpointFolder { get; init; }

    /// <summary>Steps between checkpoints within an epoch; 0 for none.</summary>
    public int CheckpointEvery { get; init; }

    /// <summary>Steps done, those before a resumed checkpoint included.</summary>
    public long CompletedSteps { get; internal set; }

    /// <summary>Sum of the losses of the running epoch.</summary>
    internal double EpochLoss { get; set; }

    internal double BestScore { get; set; } = double.NegativeInfinity;

    /// <summary>Since <see cref="BestScore"/>.</summary>
    internal int EpochsWithoutGain { get; set; }

    internal TrainingNetwork Network => network;

    private long StepSamples => (long)network.Batch * Math.Max(BatchesPerStep, 1);
}
