// The product for learning: a step is forward, backward and update, and allocates nothing.
using System.Numerics;

namespace ModelCompiler.Runtime;

/// <summary>Base of generated training classes.</summary>
public abstract unsafe class TrainingNetwork : CompiledNetwork
{
    private readonly AlignedBuffer loss = new(1, "loss");
    private readonly NetworkTensor[] inputGradients;
    private AlignedBuffer? accumulated;
    private int accumulatedRuns;

    /// <param name="optimizer">Null takes <see cref="Adam"/> with its defaults.</param>
    /// <param name="seed">Of the initial weights when <paramref name="parameters"/> is null, and of dropout.</param>
    /// <param name="withInputGradients">Whether the generated code writes gradients of the inputs.</param>
    protected TrainingNetwork(
        NetworkInfo info, ParameterSet? parameters, int batch, int threads, Optimizer? optimizer, ulong seed, bool withInputGradients = false)
        : base(info, parameters, batch, threads, seed)
    {
        Seed = seed;
        Gradients = new GradientSet(info);
        Optimizer = optimizer ?? new Adam();
        Optimizer.Attach(this);
        inputGradients = withInputGradients ? Array.ConvertAll(info.Inputs, t => new NetworkTensor(t, batch)) : [];
    }

    /// <summary>Of the last run: the mean over the batch, as the network's loss defines it.</summary>
    public float Loss { get; private set; }

    /// <summary>Updates done so far; dropout draws from (<see cref="Seed"/>, this number).</summary>
    public long StepNumber { get; set; }

    public ulong Seed { get; set; }

    public Optimizer Optimizer { get; }

    public GradientSet Gradients { get; }

    /// <summary>In the order of the inputs; empty unless the network was compiled to provide them.</summary>
    public IReadOnlyList<NetworkTensor> InputGradients => inputGradients;

    /// <summary>What a trainer fills the batch from.</summary>
    internal BatchSource? Source { get; set; }

    /// <summary>The generated code stores the loss here.</summary>
    protected internal float* LossPointer => loss.Pointer;

    /// <summary>Forward and backward: reads inputs and targets; writes <see cref="Loss"/>, <see cref="Gradients"/>, outputs and running
    /// statistics. The parameters an optimizer owns stay as they are.</summary>
    /// <exception cref="InvalidOperationException">A class number is out of range, or a box or place in an input: nothing was written.</exception>
    public void ComputeGradients()
    {
        ThrowIfDisposed();
        CheckInputs();
        CheckTargets();
        RunTraining();
        Loss = *LossPointer;
        Parameters.Touch();
        GC.KeepAlive(this);
    }

    /// <summary><see cref="ComputeGradients"/>, then one update by the optimizer. Returns the loss before the update.</summary>
    /// <exception cref="TrainingException">The loss, or the norm that gradients are clipped by, is NaN or infinite: the parameters were
    /// not updated.</exception>
    public float Step()
    {
        ComputeFiniteGradients();
        Update();
        StepNumber++;
        Parameters.Touch();
        return Loss;
    }

    /// <summary><see cref="ComputeGradients"/> for a part of a batch that is too large for memory: adds the gradients to a sum that
    /// <see cref="ApplyAccumulated"/> uses. Counts as a step, so that dropout draws anew. Returns the part's loss.</summary>
    /// <exception cref="TrainingException">The loss is NaN or infinite.</exception>
    public float Accumulate()
    {
        ComputeFiniteGradients();
        accumulated ??= new AlignedBuffer(Info.StorageFloats, $"accumulated gradients of '{Info.Name}'");
        if (accumulatedRuns == 0)
        {
            Gradients.Storage.CopyTo(accumulated.Span);
        }
        else
        {
            Add(accumulated.Pointer, Gradients.Pointer, Info.StorageFloats);
        }

        accumulatedRuns++;
        StepNumber++;
        return Loss;
    }

    /// <summary>One update by the mean of the gradients accumulated since the last one.</summary>
    /// <exception cref="InvalidOperationException">Nothing was accumulated.</exception>
    public void ApplyAccumulated()
    {
        if (accumulatedRuns == 0)
        {
            throw new InvalidOperationException($"call {nameof(Accumulate)} before {nameof(ApplyAccumulated)}.");
        }

        Scale(Gradients.Pointer, accumulated!.Pointer, 1f / accumulatedRuns, Info.StorageFloats);
        accumulatedRuns = 0;
        Update();
        Parameters.Touch();
    }

    /// <summary>Generated: for each step of <see cref="RunTraining"/>, the place of its layer in <see cref="NetworkInfo.Layers"/>, or
    /// -1. Read only to explain a loss that is not finite.</summary>
    protected internal virtual ReadOnlySpan<int> StepLayers => [];

    /// <summary>Generated: forward, backward; writes <see cref="LossPointer"/>, <see cref="Gradients"/> and running statistics.</summary>
    protected abstract void RunTraining();

    internal NetworkTensor InputGradientTensor(int index) => inputGradients[index];

    private void Update()
    {
        if (!Optimizer.Update(this))
        {
            throw new TrainingException(
                $"the gradients of '{Info.Name}' became {Divergence.Word(Optimizer.GradientNorm)} at step {StepNumber} though the loss is finite: {Divergence.ExplainGradients(this)}.");
        }
    }

    private void ComputeFiniteGradients()
    {
        ComputeGradients();
        if (!float.IsFinite(Loss))
        {
            throw new TrainingException(
                $"the loss of '{Info.Name}' became {Divergence.Word(Loss)} at step {StepNumber}: {Divergence.Explain(this)}.");
        }
    }

    /// <summary>Runs forward and backward again from the same state, on one thread, with a call of <paramref name="afterStep"/> as
    /// <see cref="CompiledNetwork.Trace"/> makes it; parameters and running statistics end as they are now.</summary>
    internal void Replay(Action<int> afterStep)
    {
        var storage = Parameters.Storage.ToArray();
        try
        {
            ClearArenas();
            Gradients.Storage.Clear();
            Trace(RunTraining, afterStep);
        }
        finally
        {
            storage.CopyTo(Parameters.Storage);
        }
    }

    /// <summary>A value that the run computed and that is NaN or infinite; null when there is none.</summary>
    internal float? NonFinite() => NonFiniteInArenas() ?? Divergence.Find(Gradients.Storage);

    private static void Add(float* sum, float* values, int count)
    {
        var i = 0;
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector.Store(Vector.Load(sum + i) + Vector.Load(values + i), sum + i);
        }

        for (; i < count; i++)
        {
            sum[i] += values[i];
        }
    }

    private static void Scale(float* result, float* values, float factor, int count)
    {
        var i = 0;
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector.Store(Vector.Load(values + i) * factor, result + i);
        }

        for (; i < count; i++)
        {
            result[i] = values[i] * factor;
        }
    }
}

/// <summary>Training cannot go on: the loss diverged, or the data does not fit.</summary>
public sealed class TrainingException(string message) : Exception(message);
