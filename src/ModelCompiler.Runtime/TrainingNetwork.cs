// The product for learning: a step is forward, backward and update, and allocates nothing.
namespace ModelCompiler.Runtime;

/// <summary>Base of generated training classes.</summary>
public abstract unsafe class TrainingNetwork : CompiledNetwork
{
    private readonly AlignedBuffer loss = new(1, "loss");
    private readonly NetworkTensor[] inputGradients;

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

    /// <summary>The generated code stores the loss here.</summary>
    protected float* LossPointer => loss.Pointer;

    /// <summary>Forward and backward: reads inputs and targets; writes <see cref="Loss"/>, <see cref="Gradients"/>, outputs and running
    /// statistics. The parameters an optimizer owns stay as they are.</summary>
    /// <exception cref="InvalidOperationException">A class number is out of range: nothing was written.</exception>
    public void ComputeGradients()
    {
        ThrowIfDisposed();
        CheckTargets();
        RunTraining();
        Loss = *LossPointer;
        Parameters.Touch();
        GC.KeepAlive(this);
    }

    /// <summary><see cref="ComputeGradients"/>, then one update by the optimizer. Returns the loss before the update.</summary>
    /// <exception cref="TrainingException">The loss is NaN or infinite: the parameters were not updated.</exception>
    public float Step()
    {
        ComputeGradients();
        if (!float.IsFinite(Loss))
        {
            throw new TrainingException(
                $"the loss of '{Info.Name}' became {(float.IsNaN(Loss) ? "NaN" : "infinite")} at step {StepNumber}: lower the learning rate ({Optimizer.LearningRate:G4}), clip the gradients, or check the inputs.");
        }

        Optimizer.Update(this);
        StepNumber++;
        Parameters.Touch();
        return Loss;
    }

    /// <summary>Generated: forward, backward; writes <see cref="LossPointer"/>, <see cref="Gradients"/> and running statistics.</summary>
    protected abstract void RunTraining();

    protected float* InputGradientPointer(int index) => inputGradients[index].Pointer;
}

/// <summary>Training cannot go on: the loss diverged, or the data does not fit.</summary>
public sealed class TrainingException(string message) : Exception(message);
