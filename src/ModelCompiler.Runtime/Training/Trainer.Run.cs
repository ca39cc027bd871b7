// The loop itself. A step allocates nothing; epochs do (results, evaluations, checkpoints).
using System.Diagnostics;

namespace ModelCompiler.Runtime;

public sealed partial class Trainer
{
    /// <summary>Continues from the newest whole checkpoint in <see cref="CheckpointFolder"/>: what follows has the same bits as if
    /// there had been no interruption, given the same data and settings.</summary>
    /// <returns>False when there is no checkpoint; training then starts from the beginning.</returns>
    /// <exception cref="WeightsException">There are checkpoints, but none that belongs to this network and run.</exception>
    public bool Resume() => CheckpointFolder is not null
        ? Checkpoint.LoadNewest(CheckpointFolder, this)
        : throw new InvalidOperationException($"set {nameof(CheckpointFolder)} to resume from it.");

    /// <summary>Trains until <paramref name="epochs"/> epochs are complete, counted from the trainer's first step, or until
    /// <see cref="Patience"/> is at its end.</summary>
    /// <param name="test">Evaluated after each epoch by <see cref="Evaluator"/>.</param>
    /// <returns>One result for each epoch that this call completed.</returns>
    /// <exception cref="DatasetException">The data does not fit the network: nothing was trained.</exception>
    /// <exception cref="TrainingException">The loss became NaN or infinite.</exception>
    public IReadOnlyList<EpochResult> Fit(Dataset training, int epochs, Dataset? test = null, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(epochs);
        Check(training, test);
        var samples = StepSamples;
        var steps = (int)(LastBatch == LastBatch.Drop ? training.Count / samples : (training.Count + samples - 1) / samples);
        using var source = new BatchSource(network, training, this, steps * samples);
        var results = new List<EpochResult>();
        while (CompletedSteps < (long)epochs * steps && (Patience <= 0 || EpochsWithoutGain < Patience))
        {
            var epoch = (int)(CompletedSteps / steps);
            var clock = Stopwatch.StartNew();
            var loss = RunEpoch(source, epoch, epochs, steps, clock, cancellation);
            var duration = clock.Elapsed;
            results.Add(EndEpoch(new EpochResult(epoch + 1, loss, duration, test is null ? null : Evaluation.Of(Evaluator!, test))));
        }

        return results;
    }

    /// <summary>The checkpoint comes last: a run killed before it repeats the epoch's end, with the same result.</summary>
    private EpochResult EndEpoch(EpochResult result)
    {
        var score = Score(result);
        var isBest = score > BestScore;
        (BestScore, EpochsWithoutGain) = isBest ? (score, 0) : (BestScore, EpochsWithoutGain + 1);
        if (isBest && BestWeights is not null)
        {
            (Average?.Parameters ?? network.Parameters).Save(BestWeights);
        }

        if (CheckpointFolder is not null)
        {
            Checkpoint.SaveInto(CheckpointFolder, this);
        }

        result = result with { IsBest = isBest };
        OnEpoch?.Invoke(result);
        return result;
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
            EpochLoss += RunStep(source, epoch, step);
            Average?.Update();
            CompletedSteps++;
            if (CheckpointFolder is not null && CheckpointEvery > 0 && CompletedSteps % CheckpointEvery == 0 && step < steps - 1)
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

    private float RunStep(BatchSource source, int epoch, int step)
    {
        var start = step * StepSamples;
        if (BatchesPerStep <= 1)
        {
            source.Fill(epoch, start);
            return network.Step();
        }

        var sum = 0f;
        for (var part = 0; part < BatchesPerStep; part++)
        {
            source.Fill(epoch, start + ((long)part * network.Batch));
            sum += network.Accumulate();
        }

        network.ApplyAccumulated();
        return sum / BatchesPerStep;
    }

    private void Check(Dataset training, Dataset? test)
    {
        training.CheckInput(network.Info);
        if (network.Info.Targets is not [var target])
        {
            throw new DatasetException($"network '{network.Info.Name}' needs one target to learn from labels; it has {network.Info.Targets.Length}.");
        }

        if (target.Kind == TensorKind.Class ? !target.Shape.SequenceEqual(training.LabelShape) || target.Classes < training.Classes
            : !target.Shape.SequenceEqual([training.Classes, .. training.LabelShape]))
        {
            var takes = target.Kind == TensorKind.Class ? $"{Shapes.Text(target.Shape)} of {target.Classes} classes" : $"probabilities of shape {Shapes.Text(target.Shape)}";
            throw new DatasetException(
                $"target '{target.Name}' of '{network.Info.Name}' takes {takes}, the dataset holds {Shapes.Text(training.LabelShape)} of {training.Classes}.");
        }

        if (Mixup > 0 && target.Kind == TensorKind.Class)
        {
            throw new DatasetException(
                $"{nameof(Mixup)} mixes labels too, and target '{target.Name}' of '{network.Info.Name}' takes one class: declare probabilities, 'target {target.Name}: {Shapes.Text([training.Classes, .. training.LabelShape])}'.");
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
