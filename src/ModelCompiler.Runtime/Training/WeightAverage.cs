// The mean of the weights along the way is often better than the last of them (Polyak and Juditsky 1992).
using System.Numerics;

namespace ModelCompiler.Runtime;

/// <summary>An exponential moving average of all parameters and buffers, as a set that an inference network can use.</summary>
public sealed unsafe class WeightAverage
{
    private readonly ParameterSet source;
    private readonly float decay;

    /// <param name="source">The set in training; the average starts as its copy.</param>
    /// <param name="decay">average = decay · average + (1 - decay) · weights after each step; 0 … 1.</param>
    public WeightAverage(ParameterSet source, float decay = 0.999f)
    {
        ArgumentNullException.ThrowIfNull(source);
        if (decay is not (>= 0 and < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(decay), decay, "the decay lies in 0 … 1, 1 excluded.");
        }

        this.source = source;
        this.decay = decay;
        Parameters = new ParameterSet(source.Info);
        source.Storage.CopyTo(Parameters.Storage);
    }

    public ParameterSet Parameters { get; }

    /// <summary>Takes in the present weights; the trainer calls it after every step.</summary>
    public void Update()
    {
        var average = Parameters.Pointer;
        var weights = source.Pointer;
        var rest = 1 - decay;
        var count = source.Storage.Length;
        var i = 0;
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector.Store((Vector.Load(average + i) * decay) + (Vector.Load(weights + i) * rest), average + i);
        }

        for (; i < count; i++)
        {
            average[i] = (average[i] * decay) + (weights[i] * rest);
        }

        Parameters.Touch();
    }
}
