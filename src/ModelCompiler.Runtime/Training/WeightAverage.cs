// The mean of the weights along the way is often better than the last of them (Polyak and Juditsky 1992).
using System.Numerics;

namespace ModelCompiler.Runtime;

/// <summary>A mean of all parameters and buffers over the steps of a run, as a set that an inference network can use.</summary>
public sealed unsafe class WeightAverage
{
    private readonly ParameterSet source;
    private readonly float decay;
    private readonly long start;
    private readonly long every;

    /// <summary>An exponential moving average: average = decay · average + (1 - decay) · weights after each step.</summary>
    /// <param name="source">The set in training; the average starts as its copy.</param>
    /// <param name="decay">0 … 1, 1 excluded.</param>
    public WeightAverage(ParameterSet source, float decay = 0.999f)
        : this(source, decay, 0, 0)
    {
        if (decay is not (>= 0 and < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(decay), decay, "the decay lies in 0 … 1, 1 excluded.");
        }
    }

    private WeightAverage(ParameterSet source, float decay, long start, long every)
    {
        ArgumentNullException.ThrowIfNull(source);
        this.source = source;
        this.decay = decay;
        this.start = start;
        this.every = every;
        Parameters = new ParameterSet(source.Info);
        source.Storage.CopyTo(Parameters.Storage);
    }

    public ParameterSet Parameters { get; }

    /// <summary>Steps seen.</summary>
    internal long Updates { get; set; }

    /// <summary>Stochastic weight averaging (Izmailov et al. 2018): the plain mean of the weights after the steps
    /// <paramref name="start"/>, <paramref name="start"/> + <paramref name="every"/>, …, counted from 1.</summary>
    /// <param name="every">Steps between two that count: those of an epoch, in the paper.</param>
    public static WeightAverage Equal(ParameterSet source, long start, long every = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(start, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(every, 1);
        return new WeightAverage(source, 0, start, every);
    }

    /// <summary>Takes in the present weights; the trainer calls it after every step.</summary>
    public void Update()
    {
        Updates++;
        var keep = decay;
        if (every > 0)
        {
            if (Updates < start || (Updates - start) % every != 0)
            {
                return;
            }

            var before = (Updates - start) / every;
            keep = before / (before + 1f);
        }

        Blend(Parameters.Pointer, source.Pointer, source.Storage.Length, keep);
        Parameters.Touch();
    }

    private static void Blend(float* average, float* weights, int count, float keep)
    {
        var rest = 1 - keep;
        var i = 0;
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector.Store((Vector.Load(average + i) * keep) + (Vector.Load(weights + i) * rest), average + i);
        }

        for (; i < count; i++)
        {
            average[i] = (average[i] * keep) + (weights[i] * rest);
        }
    }
}
