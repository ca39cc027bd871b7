// Threads that stay: a layer is often a few microseconds of work, less than the system takes to wake a thread,
// so workers spin shortly before they block, and a caller that has finished its own part takes over the parts
// that no worker has begun. A run therefore never waits for a thread that the system has put aside, only for work in progress.
using System.Runtime.ExceptionServices;

namespace ModelCompiler.Runtime;

/// <summary>A pool of background threads, shared by all networks of the process that use the same number of threads.</summary>
internal sealed unsafe class Workers
{
    public const int MaximumThreads = 256;

    /// <summary>Of a part: handing it to another thread, and fetching from that thread's caches what it has written, takes about as long.</summary>
    public const int LeastCycles = 8192;

    /// <summary>About 40 ns each.</summary>
    private const int SpinCount = 1000;

    /// <summary>Slots lie a cache line apart.</summary>
    private const int Stride = 8;

    private static readonly Dictionary<int, Workers> Pools = [];
    private static readonly int Spins = Environment.ProcessorCount > 1 ? SpinCount : 0;

    private readonly int threads;

    /// <summary>Of part p at p * Stride: 2 * generation when it waits for a thread, one more when one has it. A thread that
    /// comes late to a generation finds neither and goes away; one that gets a part keeps the generation from ending.</summary>
    private readonly long[] slots;
    private readonly object wake = new();
    private readonly object done = new();
    private long generation;
    private int busy;
    private int pending;
    private int sleepers;
    private bool callerSleeps;
    private Exception? failure;

    private delegate*<CompiledNetwork, int, int, void> body;
    private CompiledNetwork? network;
    private int units;
    private int parts;

    private Workers(int threads)
    {
        this.threads = threads;
        slots = new long[threads * Stride];
        for (var i = 1; i < threads; i++)
        {
            var index = i;
            new Thread(() => Work(index)) { IsBackground = true, Name = $"ModelCompiler {i}/{threads}" }.UnsafeStart();
        }
    }

    /// <summary>The pool for <paramref name="threads"/> threads, the caller's included.</summary>
    public static Workers Shared(int threads)
    {
        lock (Pools)
        {
            if (!Pools.TryGetValue(threads, out var pool))
            {
                pool = new Workers(threads);
                Pools.Add(threads, pool);
            }

            return pool;
        }
    }

    /// <summary>See <see cref="CompiledNetwork.Run"/>. Whoever finds the pool in use does all parts itself: no waiting, no deadlock.</summary>
    /// <param name="cycles">About how many a core takes for all units.</param>
    public void Run(delegate*<CompiledNetwork, int, int, void> body, CompiledNetwork network, int units, long cycles = long.MaxValue)
    {
        var parts = (int)Math.Min(Math.Min(threads, units), Math.Max(1, cycles / LeastCycles));
        if (Interlocked.CompareExchange(ref busy, 1, 0) != 0)
        {
            for (var part = 0; part < parts; part++)
            {
                body(network, Begin(units, part, parts), Begin(units, part + 1, parts));
            }

            return;
        }

        this.body = body;
        this.network = network;
        this.units = units;
        this.parts = parts;
        Volatile.Write(ref pending, parts);
        var current = generation + 1;
        for (var part = 0; part < parts; part++)
        {
            Volatile.Write(ref slots[part * Stride], 2 * current);
        }

        Interlocked.Increment(ref generation);
        if (Volatile.Read(ref sleepers) > 0)
        {
            lock (wake)
            {
                Monitor.PulseAll(wake);
            }
        }

        TakeParts(current, 0);
        WaitForOthers();

        this.network = null;
        var failed = failure;
        failure = null;
        Volatile.Write(ref busy, 0);
        if (failed is not null)
        {
            ExceptionDispatchInfo.Throw(failed);
        }
    }

    private static int Begin(int units, int part, int parts) => (int)((long)units * part / parts);

    private void Work(int index)
    {
        var seen = 0L;
        while (true)
        {
            seen = WaitForNext(seen);
            TakeParts(seen, index);
        }
    }

    private long WaitForNext(long seen)
    {
        for (var spin = 0; spin < Spins; spin++)
        {
            var now = Volatile.Read(ref generation);
            if (now != seen)
            {
                return now;
            }

            Thread.SpinWait(1);
        }

        lock (wake)
        {
            Interlocked.Increment(ref sleepers);
            while (Volatile.Read(ref generation) == seen)
            {
                Monitor.Wait(wake);
            }

            Interlocked.Decrement(ref sleepers);
            return Volatile.Read(ref generation);
        }
    }

    /// <summary>Does its own part first (its caches know it from the layer before), then whatever nobody has begun.</summary>
    private void TakeParts(long current, int own)
    {
        for (var i = 0; i < threads; i++)
        {
            var part = (own + i) % threads;
            if (Interlocked.CompareExchange(ref slots[part * Stride], (2 * current) + 1, 2 * current) == 2 * current)
            {
                try
                {
                    body(network!, Begin(units, part, parts), Begin(units, part + 1, parts));
                }
                catch (Exception exception)
                {
                    Interlocked.CompareExchange(ref failure, exception, null);
                }

                if (Interlocked.Decrement(ref pending) == 0 && Volatile.Read(ref callerSleeps))
                {
                    lock (done)
                    {
                        Monitor.Pulse(done);
                    }
                }
            }
        }
    }

    private void WaitForOthers()
    {
        for (var spin = 0; spin < Spins; spin++)
        {
            if (Volatile.Read(ref pending) == 0)
            {
                return;
            }

            Thread.SpinWait(1);
        }

        lock (done)
        {
            Volatile.Write(ref callerSleeps, true);
            Interlocked.MemoryBarrier();
            while (Volatile.Read(ref pending) != 0)
            {
                Monitor.Wait(done);
            }

            callerSleeps = false;
        }
    }
}
