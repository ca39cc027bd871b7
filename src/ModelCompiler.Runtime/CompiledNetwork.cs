// What every generated class has in common: checked construction, buffers, and the split of work over threads.
using System.Runtime.CompilerServices;

namespace ModelCompiler.Runtime;

/// <summary>Base of generated networks. An object is used by one thread at a time; several objects may run at once and share a
/// <see cref="ParameterSet"/>.</summary>
public abstract unsafe class CompiledNetwork : IDisposable
{
    private const int ScratchUseStride = 16;

    private readonly NetworkTensor[] inputs;
    private readonly NetworkTensor[] targets;
    private readonly NetworkTensor[] outputs;
    private Workers? workers;
    private StepClock? clock;
    private Action<int>? afterStep;

    /// <summary>Steps that have run while somebody traces them.</summary>
    private int traced;

    /// <summary>Neither threads nor a clock: a step is a plain call.</summary>
    private bool direct;
    private AlignedBuffer? common;
    private AlignedBuffer? samples;
    private AlignedBuffer? groups;
    private AlignedBuffer? scratch;

    /// <summary>For each thread, a cache line apart: 1 while somebody uses its scratch memory.</summary>
    private readonly int[] scratchUse;
    private StepCode step;

    /// <summary>Steps that wait to be run sample by sample.</summary>
    private StepCode[] waiting = new StepCode[8];
    private int waitingCount;

    /// <param name="parameters">Weights to share; null makes a set of its own, initialised with <paramref name="seed"/>.</param>
    /// <param name="batch">Samples per run, 1 or more.</param>
    /// <param name="threads">Threads per run; 0 takes one per processor.</param>
    /// <exception cref="ArgumentException">The parameters belong to another network.</exception>
    protected CompiledNetwork(NetworkInfo info, ParameterSet? parameters, int batch, int threads, ulong seed = 0)
    {
        ArgumentNullException.ThrowIfNull(info);
        if (batch < 1)
        {
            throw new ArgumentOutOfRangeException(nameof(batch), batch, $"'{info.Name}': a batch holds at least 1 sample.");
        }

        if (threads is < 0 or > Workers.MaximumThreads)
        {
            throw new ArgumentOutOfRangeException(nameof(threads), threads, $"'{info.Name}': threads range from 1 to {Workers.MaximumThreads}; 0 takes one per processor.");
        }

        if (parameters is not null && !ReferenceEquals(parameters.Info, info) && !SameLayout(parameters.Info, info))
        {
            throw new ArgumentException($"the parameters belong to network '{parameters.Info.Name}', whose weights are not those of '{info.Name}'.", nameof(parameters));
        }

        Info = info;
        Batch = batch;
        Threads = threads == 0 ? Math.Min(Environment.ProcessorCount, Workers.MaximumThreads) : threads;
        if (parameters is null)
        {
            parameters = new ParameterSet(info);
            parameters.Initialize(seed);
        }

        Parameters = parameters;
        SampleFloats = info.SampleBytes / sizeof(float);
        GroupFloats = info.GroupBytes / sizeof(float);
        common = new AlignedBuffer(info.CommonBytes / sizeof(float), $"packed weights of '{info.Name}'");
        samples = new AlignedBuffer(batch * SampleFloats, $"activations of '{info.Name}' for a batch of {batch}");
        groups = new AlignedBuffer(GroupCount * GroupFloats, $"activations of '{info.Name}' for a batch of {batch}");
        scratch = new AlignedBuffer(Threads * (info.ScratchBytes / sizeof(float)), $"scratch memory of '{info.Name}'");
        scratchUse = new int[Threads * ScratchUseStride];
        inputs = Array.ConvertAll(info.Inputs, t => new NetworkTensor(t, batch));
        targets = Array.ConvertAll(info.Targets, t => new NetworkTensor(t, batch));
        outputs = Array.ConvertAll(info.Outputs, t => new NetworkTensor(t, batch));
        workers = Threads > 1 ? Workers.Shared(Threads) : null;
        direct = workers is null;
    }

    public NetworkInfo Info { get; }

    public ParameterSet Parameters { get; }

    /// <summary>Samples per run.</summary>
    public int Batch { get; }

    /// <summary>Threads per run. Results do not depend on it.</summary>
    public int Threads { get; }

    /// <summary>Takes the time of every step while it is set; null, the default, costs nothing. Steps that take turns run on the calling thread
    /// meanwhile.</summary>
    public StepClock? Clock
    {
        get => clock;
        set
        {
            clock = value;
            direct = workers is null && clock is null;
        }
    }

    public IReadOnlyList<NetworkTensor> Inputs => inputs;

    /// <summary>Empty in inference objects.</summary>
    public IReadOnlyList<NetworkTensor> Targets => targets;

    public IReadOnlyList<NetworkTensor> Outputs => outputs;

    /// <summary>Packed weights and scratch, <see cref="NetworkInfo.CommonBytes"/>; zeroed at construction, 64-byte aligned.</summary>
    protected internal float* Common => common!.Pointer;

    /// <summary>Activations, batch times <see cref="NetworkInfo.SampleBytes"/>; zeroed at construction, 64-byte aligned.</summary>
    protected internal float* Samples => samples!.Pointer;

    /// <summary>Floats from one sample's activations to the next one's.</summary>
    internal long SampleFloats { get; }

    /// <summary>Values of samples side by side, of one group of sixteen after another; zeroed at construction, 64-byte aligned.</summary>
    internal float* Groups => groups!.Pointer;

    internal long GroupFloats { get; }

    private int GroupCount => NetworkInfo.GroupCount(Batch);

    protected bool IsDisposed => samples is null;

    /// <summary>Makes later runs fail; memory returns when no span of it is left.</summary>
    public void Dispose()
    {
        common = null;
        samples = null;
        groups = null;
        scratch = null;
        GC.SuppressFinalize(this);
    }

    /// <summary>Memory of <see cref="NetworkInfo.ScratchBytes"/> that nobody else uses until <see cref="ReturnScratch"/>: a run has no
    /// more parts at a time than threads.</summary>
    private protected float* BorrowScratch(out int slot)
    {
        for (slot = 0; ; slot = slot + 1 == Threads ? 0 : slot + 1)
        {
            if (Interlocked.CompareExchange(ref scratchUse[slot * ScratchUseStride], 1, 0) == 0)
            {
                return scratch!.Pointer + (slot * (Info.ScratchBytes / sizeof(float)));
            }
        }
    }

    private protected void ReturnScratch(int slot) => Volatile.Write(ref scratchUse[slot * ScratchUseStride], 0);

    protected float* InputPointer(int index) => inputs[index].Pointer;

    /// <summary>Class numbers of target <paramref name="index"/>.</summary>
    protected int* TargetPointer(int index) => (int*)targets[index].Pointer;

    protected float* OutputPointer(int index) => outputs[index].Pointer;

    internal NetworkTensor InputTensor(int index) => inputs[index];

    internal NetworkTensor TargetTensor(int index) => targets[index];

    internal NetworkTensor OutputTensor(int index) => outputs[index];

    /// <summary>Begins a statement of the schedule.</summary>
    protected Steps Steps => new(this);

    /// <summary>Which of two ways a schedule takes: whether filters that Winograd's algorithm has transformed, to up to four times their size, are kept, or transformed
    /// in every run because memory is slow. No result depends on it.</summary>
    protected static bool KeepsFilters => Machine.KeepsFilters;

    /// <summary>Does a step for every sample; with steps that were <see cref="Defer">deferred</see>, all of them for one sample after another,
    /// so that each finds in the caches what those before it left there.</summary>
    internal void RunSamples(StepCode step) => RunEach(step, Batch);

    /// <summary>The same for every group of sixteen samples.</summary>
    internal void RunGroups(StepCode step) => RunEach(step, GroupCount);

    private void RunEach(StepCode step, int count)
    {
        if (waitingCount > 0)
        {
            Defer(step);
            RunTogether(count);
            return;
        }

        this.step = step;
        Run(&RunSamplesPart, count * step.Units, (long)count * step.Cycles);
    }

    /// <summary>Puts a step off until the next <see cref="RunSamples"/> or <see cref="RunGroups"/>, which must follow before any other step.</summary>
    internal void Defer(StepCode step)
    {
        if (waitingCount == waiting.Length)
        {
            Array.Resize(ref waiting, 2 * waitingCount);
        }

        waiting[waitingCount++] = step;
    }

    private void RunTogether(int count)
    {
        if (workers is not null && clock is null)
        {
            workers.Run(&RunTogetherPart, this, count);
        }
        else
        {
            RunTogetherPart(this, 0, count);
            clock?.Advance(waitingCount);
        }

        traced += waitingCount;
        waitingCount = 0;
    }

    private static void RunTogetherPart(CompiledNetwork network, int begin, int end)
    {
        var scratch = network.BorrowScratch(out var slot);
        var (clock, afterStep) = (network.clock, network.afterStep);
        try
        {
            for (var sample = begin; sample < end; sample++)
            {
                for (var first = 0; first < network.waitingCount;)
                {
                    var last = first;
                    while (network.waiting[last].Turns > 0)
                    {
                        last++;
                    }

                    var turns = Math.Max(1, network.waiting[first].Turns);
                    for (var turn = 0; turn < turns; turn++)
                    {
                        for (var i = first; i <= last; i++)
                        {
                            var units = network.waiting[i].Units / turns;
                            clock?.Start();
                            network.waiting[i].Run(network, sample, scratch, turn * units, (turn + 1) * units, turn: turn);
                            clock?.Stop(i, sample == 0 && turn == 0);
                            afterStep?.Invoke(network.traced + i);
                        }
                    }

                    first = last + 1;
                }
            }
        }
        finally
        {
            network.ReturnScratch(slot);
        }
    }

    /// <summary>Does a step that sees the whole batch, or none of its samples.</summary>
    internal void RunBatch(StepCode step)
    {
        this.step = step;
        Run(&RunBatchPart, step.Units, (long)Batch * step.Cycles);
    }

    /// <summary>Splits [0, units) into <see cref="Threads"/> contiguous parts, calls <paramref name="body"/>(this, begin, end) for
    /// each, at once on several threads, and returns when all are done. Allocates nothing.</summary>
    /// <param name="cycles">About how many a core takes for it all: there are fewer parts where this is little.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    protected internal void Run(delegate*<CompiledNetwork, int, int, void> body, int units, long cycles = long.MaxValue)
    {
        if (direct)
        {
            body(this, 0, units);
        }
        else
        {
            Dispatch(body, units, cycles);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Dispatch(delegate*<CompiledNetwork, int, int, void> body, int units, long cycles)
    {
        clock?.Start();
        if (workers is null || units <= 1 || cycles < 2 * Workers.LeastCycles)
        {
            body(this, 0, units);
        }
        else
        {
            workers.Run(body, this, units, cycles);
        }

        clock?.Stop();
        afterStep?.Invoke(traced++);
    }

    private static void RunSamplesPart(CompiledNetwork network, int begin, int end)
    {
        var scratch = network.BorrowScratch(out var slot);
        var units = network.step.Units;
        while (begin < end)
        {
            var sample = begin / units;
            var from = begin - (sample * units);
            var to = Math.Min(units, from + end - begin);
            network.step.Run(network, sample, scratch, from, to);
            begin += to - from;
        }

        network.ReturnScratch(slot);
    }

    private static void RunBatchPart(CompiledNetwork network, int begin, int end)
    {
        var scratch = network.BorrowScratch(out var slot);
        network.step.Run(network, 0, scratch, begin, end);
        network.ReturnScratch(slot);
    }

    /// <summary>Numbers that the network cannot use: boxes outside of their plane, places that do not exist.</summary>
    private protected void CheckInputs()
    {
        foreach (var input in inputs)
        {
            input.CheckValues();
        }
    }

    /// <summary>Runs <paramref name="run"/> on the calling thread, with a call of <paramref name="afterStep"/> after every step, and after
    /// every sample's turn where steps take turns: it gets the step's number, from 0.</summary>
    private protected void Trace(Action run, Action<int> afterStep)
    {
        (traced, waitingCount) = (0, 0);
        var (pool, wasDirect) = (workers, direct);
        (workers, direct, this.afterStep) = (null, false, afterStep);
        try
        {
            run();
        }
        finally
        {
            (workers, direct, this.afterStep) = (pool, wasDirect, null);
        }
    }

    /// <summary>All memory as it is at construction: halos and padding are zeros that no kernel writes.</summary>
    private protected void ClearArenas()
    {
        common!.Span.Clear();
        samples!.Span.Clear();
        groups!.Span.Clear();
        scratch!.Span.Clear();
    }

    /// <summary>The first value in the arenas that is NaN or infinite; null when there is none.</summary>
    private protected float? NonFiniteInArenas() => Divergence.Find(samples!.Span) ?? Divergence.Find(groups!.Span) ?? Divergence.Find(common!.Span) ?? Divergence.Find(scratch!.Span);

    /// <summary>Class numbers outside their range would make kernels read and write outside of buffers.</summary>
    private protected void CheckTargets()
    {
        foreach (var target in targets)
        {
            target.CheckClasses();
        }
    }

    protected void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(IsDisposed, this);

    /// <summary>Inference and training descriptions of one network differ in arena sizes only.</summary>
    private static bool SameLayout(NetworkInfo a, NetworkInfo b) =>
        a.StorageFloats == b.StorageFloats && a.Parameters.Length == b.Parameters.Length
        && a.Parameters.Zip(b.Parameters).All(pair =>
            pair.First.Name == pair.Second.Name && pair.First.Offset == pair.Second.Offset
            && pair.First.Shape.AsSpan().SequenceEqual(pair.Second.Shape));
}
