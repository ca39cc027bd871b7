// Why a loss is not finite. Nothing is recorded while all goes well: when it does not, the step is run again from the
// same state (dropout and data are what they were) and searched for the first layer whose values stop being finite.
using System.Numerics;

namespace ModelCompiler.Runtime;

internal static class Divergence
{
    /// <summary>The cause, for the end of a sentence.</summary>
    public static string Explain(TrainingNetwork network) =>
        InInputs(network) ?? InParameters(network) ?? InLayers(network)
        ?? $"inputs and parameters are finite, so a value inside overflowed: {Remedy(network)}";

    /// <summary>The same for gradients that are not finite while the loss is.</summary>
    public static string ExplainGradients(TrainingNetwork network)
    {
        // Backward goes from the last layer to the first and takes what is wrong along.
        var origin = network.Gradients.All.LastOrDefault(gradient => Find(gradient.Values) is not null);
        return InLayers(network) is { } layer ? $"in the backward pass {layer}"
            : origin is null ? Remedy(network)
            : $"the gradient of '{origin.Name}' holds {Word(Find(origin.Values)!.Value)}: {Remedy(network)}";
    }

    public static string Word(float value) => float.IsNaN(value) ? "NaN" : "infinite";

    /// <summary>The first value that is not finite.</summary>
    public static float? Find(ReadOnlySpan<float> values)
    {
        var place = IndexOfNonFinite(values);
        return place < 0 ? null : values[place];
    }

    private static string? InInputs(TrainingNetwork network)
    {
        foreach (var tensor in network.Inputs.Concat(network.Targets).Where(t => t.Info.Kind == TensorKind.Float))
        {
            var place = IndexOfNonFinite(tensor.Data);
            if (place >= 0)
            {
                return $"'{tensor.Info.Name}' holds {Noun(tensor.Data[place])} in sample {place / tensor.SampleCount}";
            }
        }

        return null;
    }

    /// <summary>Trainable ones only: running statistics are a result of the run that failed.</summary>
    private static string? InParameters(TrainingNetwork network)
    {
        var damaged = network.Parameters.All.Where(p => p.Trainable && Find(p.Values) is not null).ToArray();
        if (damaged.Length == 0)
        {
            return null;
        }

        // Their gradients came from the last layer to the first: the last of them is where it began.
        var origin = damaged[^1];
        var others = damaged.Length == 1 ? "" : $" (and {damaged.Length - 1} before it)";
        return $"parameter '{origin.Name}'{others} holds {Noun(Find(origin.Values)!.Value)}; an update before made it so: {Remedy(network)}";
    }

    private static string? InLayers(TrainingNetwork network)
    {
        var turns = new List<int>();
        network.Replay(turns.Add);
        var layers = network.StepLayers;
        if (turns.Count == 0 || layers.Length != turns[^1] + 1 || network.NonFinite() is null)
        {
            return null;
        }

        // After `clean` turns all is finite, after `damaged` it is not: what is damaged damages what is made of it.
        var (clean, damaged) = (0, turns.Count);
        while (damaged - clean > 1)
        {
            var middle = (clean + damaged) / 2;
            (clean, damaged) = After(network, middle) is null ? (middle, damaged) : (clean, middle);
        }

        var value = After(network, damaged);
        network.Replay(_ => { });
        return value is not null && layers[turns[damaged - 1]] is >= 0 and var index && network.Info.Layers[index] is var layer
            ? $"layer '{layer.Path}' ({layer.Operator}) is the first to give {Noun(value.Value)}, from finite inputs and weights: {Remedy(network)}"
            : null;
    }

    /// <summary>The first value that is not finite after so many turns.</summary>
    private static float? After(TrainingNetwork network, int turns)
    {
        var left = turns;
        try
        {
            network.Replay(_ =>
            {
                if (--left == 0)
                {
                    throw new ReplayEnds();
                }
            });
        }
        catch (ReplayEnds)
        {
        }

        return network.NonFinite();
    }

    private static string Remedy(TrainingNetwork network) =>
        FormattableString.Invariant($"lower the learning rate ({network.Optimizer.LearningRate:G4}), clip the gradients, or normalise the inputs");

    private static string Noun(float value) => float.IsNaN(value) ? "NaN" : "infinity";

    private static int IndexOfNonFinite(ReadOnlySpan<float> values)
    {
        // x - x is 0 for every finite x, and NaN for others.
        var i = 0;
        while (i <= values.Length - Vector<float>.Count && new Vector<float>(values[i..]) is var v && Vector.EqualsAll(v - v, Vector<float>.Zero))
        {
            i += Vector<float>.Count;
        }

        for (; i < values.Length; i++)
        {
            if (!float.IsFinite(values[i]))
            {
                return i;
            }
        }

        return -1;
    }

    private sealed class ReplayEnds : Exception;
}
