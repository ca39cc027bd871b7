// A training run as a file: whoever continues from it ends with the same bits as one never interrupted. Everything
// that the next step depends on is in it; shuffling and dropout are functions of the seeds and counters below.
using System.Globalization;

namespace ModelCompiler.Runtime;

/// <summary>Writes and reads the state of a <see cref="Trainer"/> as a safetensors file: the weights under their own names,
/// so that any tool can use it as a weight file, and the rest under <c>optimizer.</c> and <c>trainer.</c>.</summary>
internal static class Checkpoint
{
    private const string Extension = ".safetensors";
    private const string Prefix = "step-";

    /// <summary>How many the folder keeps: should the newest be damaged, the one before it is there.</summary>
    private const int Kept = 2;

    public static void Save(string path, Trainer trainer)
    {
        var network = trainer.Network;
        var tensors = network.Parameters.All.Select(p => new StoredTensor(p.Name, p.Shape, p.Values)).ToList();
        for (var state = 0; state < network.Optimizer.StateNames.Count; state++)
        {
            foreach (var parameter in Trainable(network))
            {
                var values = network.Optimizer.State(state).Slice(parameter.Offset, parameter.Count);
                tensors.Add(new StoredTensor(StateName(network.Optimizer.StateNames[state], parameter), parameter.Shape, values));
            }
        }

        if (trainer.Average is { } average)
        {
            tensors.AddRange(average.Parameters.All.Select(p => new StoredTensor(AverageName(p), p.Shape, p.Values)));
        }

        void Add(string name, long value) => tensors.Add(new StoredTensor(name, [], [value]));
        Add("trainer.average_updates", trainer.Average?.Updates ?? 0);
        Add("trainer.best_score_bits", BitConverter.DoubleToInt64Bits(trainer.BestScore));
        Add("trainer.epochs_without_gain", trainer.EpochsWithoutGain);
        Add("optimizer.updates", network.Optimizer.Updates);
        Add("trainer.step_number", network.StepNumber);
        Add("trainer.seed", unchecked((long)network.Seed));
        Add("trainer.shuffle_seed", unchecked((long)trainer.ShuffleSeed));
        Add("trainer.completed_steps", trainer.CompletedSteps);
        Add("trainer.epoch_loss_bits", BitConverter.DoubleToInt64Bits(trainer.EpochLoss));
        Add("trainer.batch", network.Batch);
        Safetensors.Write(path, tensors);
    }

    /// <exception cref="WeightsException">The file is damaged or of another run; the trainer is as it was.</exception>
    public static void Load(string path, Trainer trainer)
    {
        var network = trainer.Network;
        var comparison = new TensorComparison(path, Safetensors.Read(path));
        var values = comparison.Floats(network.Parameters.All.Select(p => (p.Name, p.Info.Shape)));
        var states = comparison.Floats(
            from state in network.Optimizer.StateNames
            from parameter in Trainable(network)
            select (StateName(state, parameter), parameter.Shape));
        var averaged = comparison.Floats((trainer.Average?.Parameters.All ?? []).Select(p => (AverageName(p), p.Info.Shape)));
        var averageUpdates = comparison.Integer("trainer.average_updates");
        var bestScore = BitConverter.Int64BitsToDouble(comparison.Integer("trainer.best_score_bits"));
        var epochsWithoutGain = comparison.Integer("trainer.epochs_without_gain");
        var updates = comparison.Integer("optimizer.updates");
        var stepNumber = comparison.Integer("trainer.step_number");
        var seed = unchecked((ulong)comparison.Integer("trainer.seed"));
        var shuffleSeed = unchecked((ulong)comparison.Integer("trainer.shuffle_seed"));
        var completedSteps = comparison.Integer("trainer.completed_steps");
        var epochLoss = BitConverter.Int64BitsToDouble(comparison.Integer("trainer.epoch_loss_bits"));
        var batch = comparison.Integer("trainer.batch");
        comparison.ThrowIfDifferent(strict: true);
        if (batch != network.Batch || shuffleSeed != trainer.ShuffleSeed)
        {
            throw new WeightsException(
                path, $"the run used a batch of {batch} and the shuffling seed {shuffleSeed}, this one {network.Batch} and {trainer.ShuffleSeed}: it would not continue with the same samples.");
        }

        foreach (var parameter in network.Parameters.All)
        {
            values[parameter.Name].ToFloats().CopyTo(parameter.Values);
        }

        for (var state = 0; state < network.Optimizer.StateNames.Count; state++)
        {
            foreach (var parameter in Trainable(network))
            {
                var stored = states[StateName(network.Optimizer.StateNames[state], parameter)];
                stored.ToFloats().CopyTo(network.Optimizer.State(state)[parameter.Offset..]);
            }
        }

        foreach (var parameter in trainer.Average?.Parameters.All ?? [])
        {
            averaged[AverageName(parameter)].ToFloats().CopyTo(parameter.Values);
        }

        if (trainer.Average is { } average)
        {
            average.Updates = averageUpdates;
            average.Parameters.Touch();
        }

        network.Optimizer.Updates = updates;
        network.StepNumber = stepNumber;
        network.Seed = seed;
        trainer.CompletedSteps = completedSteps;
        trainer.EpochLoss = epochLoss;
        trainer.BestScore = bestScore;
        trainer.EpochsWithoutGain = (int)epochsWithoutGain;
        network.Parameters.Touch();
    }

    /// <summary>Writes one more into <paramref name="folder"/> and removes all but the newest two, and what killed runs left.</summary>
    public static void SaveInto(string folder, Trainer trainer)
    {
        Directory.CreateDirectory(folder);
        foreach (var unfinished in Directory.GetFiles(folder, $"{Prefix}*{AtomicFile.Extension}"))
        {
            File.Delete(unfinished);
        }

        var number = trainer.CompletedSteps.ToString("D12", CultureInfo.InvariantCulture);
        Save(Path.Combine(folder, $"{Prefix}{number}{Extension}"), trainer);
        foreach (var old in NewestFirst(folder).Skip(Kept))
        {
            File.Delete(old);
        }
    }

    /// <summary>Loads the newest checkpoint of <paramref name="folder"/> that is whole, and warns of those it passes over.</summary>
    /// <returns>False when there is none.</returns>
    /// <exception cref="WeightsException">There are checkpoints, but none fits; it tells why the newest does not.</exception>
    public static bool LoadNewest(string folder, Trainer trainer)
    {
        var failures = new List<WeightsException>();
        foreach (var path in Directory.Exists(folder) ? NewestFirst(folder) : [])
        {
            try
            {
                Load(path, trainer);
                failures.ForEach(failure => trainer.OnWarning($"warning: {failure.Message} Continuing from {path}, the one before it."));
                return true;
            }
            catch (WeightsException exception)
            {
                failures.Add(exception);
            }
        }

        return failures.Count == 0 ? false : throw failures[0];
    }

    private static IEnumerable<string> NewestFirst(string folder) =>
        Directory.GetFiles(folder, $"{Prefix}*{Extension}").OrderDescending(StringComparer.Ordinal);

    private static IEnumerable<ParameterInfo> Trainable(TrainingNetwork network) => network.Info.Parameters.Where(p => p.Trainable);

    private static string AverageName(Parameter parameter) => $"average.{parameter.Name}";

    private static string StateName(string state, ParameterInfo parameter) => $"optimizer.{state}.{parameter.Name}";
}
