// What a trainer is told and what it tells.
namespace ModelCompiler.Runtime;

/// <summary>What happens to the samples that do not fill a batch at the end of an epoch.</summary>
public enum LastBatch
{
    /// <summary>They are left out; shuffling leaves out others in every epoch.</summary>
    Drop,

    /// <summary>The batch is filled with the first samples of the epoch's order.</summary>
    Wrap,
}

/// <summary>Where training stands, after every step.</summary>
/// <param name="Epoch">Counts from 1.</param>
/// <param name="Step">Steps done in this epoch.</param>
/// <param name="Steps">Steps of an epoch.</param>
/// <param name="Loss">Mean over the steps of this epoch so far.</param>
/// <param name="SamplesPerSecond">Of this epoch.</param>
/// <param name="Remaining">Estimate until the last epoch ends, evaluations not counted.</param>
public readonly record struct TrainingProgress(
    int Epoch, int Epochs, int Step, int Steps, double Loss, double SamplesPerSecond, TimeSpan Remaining);

/// <summary>How an epoch ended.</summary>
/// <param name="Epoch">Counts from 1.</param>
/// <param name="Loss">Mean over the epoch's steps.</param>
/// <param name="Test">Null without test data.</param>
/// <param name="IsBest">Whether its score is the best so far.</param>
public sealed record EpochResult(int Epoch, double Loss, TimeSpan Duration, Evaluation? Test, bool IsBest = false);
