// Times of the steps of a network, taken while it runs as a whole.
using System.Diagnostics;
using ModelCompiler.Runtime;

namespace ModelCompiler.Tool;

internal static class StepTimes
{
    private const int LeastRuns = 5;

    /// <summary>One run: a forward pass, or a training step without the optimizer's.</summary>
    public static Action Run(CompiledNetwork network) => network is TrainingNetwork training ? training.ComputeGradients : ((InferenceNetwork)network).Forward;

    /// <summary>Milliseconds of each step.</summary>
    /// <param name="steps">How many the plan has.</param>
    /// <param name="quantile">Of the runs: 0.5 takes the median, 0 the fastest.</param>
    public static double[] Measure(CompiledNetwork network, int steps, TimeSpan duration, double quantile)
    {
        var run = Run(network);
        WarmUp.Run(run);
        var clock = new StepClock(steps);
        network.Clock = clock;
        var samples = Enumerable.Range(0, steps).Select(_ => new List<long>()).ToArray();
        var total = Stopwatch.StartNew();
        for (var count = 0; count < LeastRuns || total.Elapsed < duration; count++)
        {
            clock.Restart();
            run();
            for (var step = 0; step < steps; step++)
            {
                samples[step].Add(clock.Ticks[step]);
            }
        }

        network.Clock = null;
        return clock.Count == steps
            ? Array.ConvertAll(samples, ticks => ticks.Order().ElementAt((int)(ticks.Count * quantile)) * 1000.0 / Stopwatch.Frequency)
            : throw new InvalidOperationException($"The plan has {steps} steps, the emitted code {clock.Count}.");
    }
}
