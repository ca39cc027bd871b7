// Where the time of a run goes. Steps run one after another with the data of the run, so that what a step finds in the
// caches is what it finds in use; timed alone and again and again it would look faster than it is.
using System.Diagnostics;

namespace ModelCompiler.Runtime;

/// <summary>The time of every step of one run, in the order in which they run. Assign it to
/// <see cref="CompiledNetwork.Clock"/> after a first run, and call <see cref="Restart"/> before each run.</summary>
/// <param name="steps">How many steps are kept; those behind them are not timed.</param>
public sealed class StepClock(int steps)
{
    private readonly long[] ticks = new long[steps];
    private long start;

    /// <summary>Of each step, in units of <see cref="Stopwatch.Frequency"/>.</summary>
    public ReadOnlySpan<long> Ticks => ticks;

    /// <summary>Steps that have run since <see cref="Restart"/>, also those that are not kept.</summary>
    public int Count { get; private set; }

    /// <summary>The next step is the first.</summary>
    public void Restart() => Count = 0;

    internal void Start() => start = Stopwatch.GetTimestamp();

    /// <summary>One sample's turn has ended, of step <paramref name="index"/> of several that take turns.</summary>
    internal void Stop(int index, bool isFirstSample)
    {
        var end = Stopwatch.GetTimestamp();
        if (Count + index < ticks.Length)
        {
            ticks[Count + index] = end - start + (isFirstSample ? 0 : ticks[Count + index]);
        }
    }

    /// <summary><paramref name="count"/> steps that took turns are done.</summary>
    internal void Advance(int count) => Count += count;

    internal void Stop()
    {
        var end = Stopwatch.GetTimestamp();
        if (Count < ticks.Length)
        {
            ticks[Count] = end - start;
        }

        Count++;
    }
}
