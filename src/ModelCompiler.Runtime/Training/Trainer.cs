// The loop around Step: shuffle, fill the batch, follow the schedule, evaluate, report.
using System.Diagnostics;

namespace ModelCompiler.Runtime;

/// <summary>Trains a network on a dataset. The same seed gives the same batches in the same order.</summary>
public sealed class Trainer
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

    /// <summary>Changes every training image anew in each epoch; by the shuffling's seed, sample and epoch.</summary>
    public Augmentation? Augmentation { get; init; }

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

    /// <summary>Where checkpoints go: the state after each epoch, and every <see cref="CheckpointEvery"/> steps; the newest two
    /// are kept. Null writes none.</summary>
    public string? CheckpointFolder { get; init; }

    /// <summary>Steps between checkpoints within an epoch; 0 for none.</summary>
    public int CheckpointEvery { get; init; }

    /// <summary>Steps done, those before a resumed checkpoint included.</summary>
    public long CompletedSteps { get; internal set; }

    /// <summary>Sum of the losses of the running epoch.</summary>
    internal double EpochLoss { get; set; }

    internal TrainingNetwork Network => network;

    private long StepSamples => (long)network.Batch * Math.Max(BatchesPerStep, 1);

    /// <summary>Continues from the newest whole checkpoint in <see cref="CheckpointFolder"/>: what follows has the same bits as if
    /// there had been no interruption, given the same data and settings.</summary>
    /// <returns>False when there is no checkpoint; training then starts from the beginning.</returns>
    /// <exception cref="WeightsException">There are checkpoints, but none that belongs to this network and run.</exception>
    public bool Resume() => CheckpointFolder is not null
        ? Checkpoint.LoadNewest(CheckpointFolder, this)
        : throw new InvalidOperationException($"set {nameof(CheckpointFolder)} to resume from it.");

    /// <summary>Trains until <paramref name="epochs"/> epochs are complete, counted from the trainer's first step.</summary>
    /// <param name="test">Evaluated after each epoch by <see cref="Evaluator"/>.</param>
    /// <returns>One result for each epoch that this call completed.</returns>
    /// <exception cref="DatasetException">The data does not fit the network: nothing was trained.</exception>
    /// <exception cref="TrainingException">The loss became NaN or infinite.</exception>
    public IReadOnlyList<EpochResult> Fit(Dataset training, int epochs, Dataset? test = null, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(epochs);
        Check(training, test);
        var source = new BatchSource(network, training, Augmentation, ShuffleSeed);
        var samples = StepSamples;
        var steps = (int)(LastBatch == LastBatch.Drop ? training.Count / samples : (training.Count + samples - 1) / samples);
        var results = new List<EpochResult>();
        while (CompletedSteps < (long)epochs * steps)
        {
            var epoch = (int)(CompletedSteps / steps);
            var clock = Stopwatch.StartNew();
            source.BeginEpoch(epoch, Shuffle);
            var loss = RunEpoch(source, epoch, epochs, steps, clock, cancellation);
            var duration = clock.Elapsed;
            results.Add(new EpochResult(epoch + 1, loss, duration, test is null ? null : Evaluation.Of(Evaluator!, test)));
            OnEpoch?.Invoke(results[^1]);
        }

        return results;
    }

    private double RunEpoch(
        BatchSource source, int epoch, int epochs, int steps, Stopwatch clock, CancellationToken cancellation)
    {
        var first = (int)(CompletedSteps % steps);
        if (first == 0)
        {
            EpochLoss = 0;
        }

        for (var step = first; step < steps; step++)
        {
            cancellation.ThrowIfCancellationRequested();
            network.Optimizer.LearningRate = (float)(baseRate * Schedule.Factor(CompletedSteps, (long)epochs * steps));
            EpochLoss += RunStep(source, step);
            Average?.Update();
            CompletedSteps++;
            if (CheckpointFolder is not null && (step == steps - 1 || (CheckpointEvery > 0 && CompletedSteps % CheckpointEvery == 0)))
            {
                Checkpoint.SaveInto(CheckpointFolder, this);
            }

            if (OnStep is not null)
            {
                var done = step - first + 1;
                var seconds = clock.Elapsed.TotalSeconds;
                var left = ((long)epochs * steps) - CompletedSteps;
                OnStep(new TrainingProgress(
                    epoch + 1, epochs, step + 1, steps, EpochLoss / (step + 1), done * StepSamples / seconds, TimeSpan.FromSeconds(left * seconds / done)));
            }
        }

        return EpochLoss / steps;
    }

    private float RunStep(BatchSource source, int step)
    {
        var start = step * StepSamples;
        if (BatchesPerStep <= 1)
        {
            source.Fill(start);
            return network.Step();
        }

        var sum = 0f;
        for (var part = 0; part < BatchesPerStep; part++)
        {
            source.Fill(start + ((long)part * network.Batch));
            sum += network.Accumulate();
        }

        network.ApplyAccumulated();
        return sum / BatchesPerStep;
    }

    private void Check(Dataset training, Dataset? test)
    {
        training.CheckInput(network.Info);
        if (network.Info.Targets is not [{ Kind: TensorKind.Class } target])
        {
            throw new DatasetException($"network '{network.Info.Name}' needs one class target to learn from labels; it has {network.Info.Targets.Length} targets.");
        }

        if (!target.Shape.SequenceEqual(training.LabelShape) || target.Classes < training.Classes)
        {
            throw new DatasetException(
                $"target '{target.Name}' of '{network.Info.Name}' takes {Shapes.Text(target.Shape)} of {target.Classes} classes, the dataset holds {Shapes.Text(training.LabelShape)} of {training.Classes}.");
        }

        if (training.Count < StepSamples && (LastBatch == LastBatch.Drop || training.Count == 0))
        {
            throw new DatasetException($"{training.Count} samples do not fill one batch of {StepSamples}; use a smaller batch or {nameof(LastBatch)}.{nameof(LastBatch.Wrap)}.");
        }

        if (test is not null && Evaluator is null)
        {
            throw new ArgumentException($"test data needs an {nameof(Evaluator)}.", nameof(test));
        }
    }
}
