// The next batch is made while the network learns from this one, by one thread that does nothing else. What a batch
// holds depends on its place in the run alone, so doing it early changes no bit.
using System.Runtime.ExceptionServices;

namespace ModelCompiler.Runtime;

/// <summary>Calls its function ahead of need, on a thread of its own. Allocates nothing per call.</summary>
internal sealed class Prefetcher : IDisposable
{
    private readonly Action<int, long> make;
    private readonly object gate = new();
    private readonly Thread thread;
    private (int Epoch, long Start) wanted = (-1, -1);
    private bool busy;
    private bool ends;
    private ExceptionDispatchInfo? failure;

    public Prefetcher(Action<int, long> make)
    {
        this.make = make;
        thread = new Thread(Work) { IsBackground = true, Name = "ModelCompiler data" };
        thread.Start();
    }

    /// <summary>Returns when the batch is made, whether it was begun before or not.</summary>
    public void Wait(int epoch, long start)
    {
        lock (gate)
        {
            WaitUntilIdle();
            if (wanted != (epoch, start))
            {
                Begin(epoch, start);
                WaitUntilIdle();
            }
        }
    }

    /// <summary>Begins a batch and returns at once.</summary>
    public void Begin(int epoch, long start)
    {
        lock (gate)
        {
            WaitUntilIdle();
            (wanted, busy) = ((epoch, start), true);
            Monitor.PulseAll(gate);
        }
    }

    /// <summary>Returns when the thread has ended.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            ends = true;
            Monitor.PulseAll(gate);
        }

        thread.Join();
    }

    private void WaitUntilIdle()
    {
        while (busy)
        {
            Monitor.Wait(gate);
        }

        failure?.Throw();
    }

    private void Work()
    {
        while (true)
        {
            (int Epoch, long Start) next;
            lock (gate)
            {
                while (!busy && !ends)
                {
                    Monitor.Wait(gate);
                }

                if (ends)
                {
                    return;
                }

                next = wanted;
            }

            ExceptionDispatchInfo? failed = null;
            try
            {
                make(next.Epoch, next.Start);
            }
            catch (Exception exception)
            {
                failed = ExceptionDispatchInfo.Capture(exception);
            }

            lock (gate)
            {
                (failure, busy) = (failed, false);
                Monitor.PulseAll(gate);
            }
        }
    }
}
