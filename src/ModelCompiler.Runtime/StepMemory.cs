// What a step works on. Generated steps name their operands as places in here; whose sample it is, and on which
// thread, they need not know.
namespace ModelCompiler.Runtime;

/// <summary>Where the operands of a step lie. For steps that run for each sample, pointers are those of the sample at hand; for
/// steps that see the whole batch, those of the first sample.</summary>
public readonly unsafe ref struct StepMemory
{
    private readonly CompiledNetwork network;
    private readonly int sample;
    private readonly float* source;

    internal StepMemory(CompiledNetwork network, int sample, float* scratch)
    {
        Scratch = scratch;
        this.network = network;
        this.sample = sample;
        Sample = network.Samples + (sample * network.SampleFloats);
    }

    /// <param name="source">See <see cref="Source"/>.</param>
    internal StepMemory(InferenceNetwork network, int sample, float* scratch, float* source)
        : this(network, sample, scratch) => this.source = source;

    /// <summary>The sample's activations and their gradients.</summary>
    public float* Sample { get; }

    /// <summary>The thread's own memory; what is in it ends with the step, or with the last of those that take turns.</summary>
    public float* Scratch { get; }

    /// <summary>Packed weights, folded norms, statistics.</summary>
    public float* Common => network.Common;

    /// <summary>What one step of the preparation leaves for another.</summary>
    public float* Temporary => Inference.Temporary;

    /// <summary>Where number 0 of the parameter lies, or would lie: a step of the preparation reads the rows of its units only.</summary>
    public float* Source => source is null ? Inference.Source : source;

    /// <summary>A parameter that the step of the preparation reads whole, by its place in <see cref="NetworkInfo.Parameters"/>.</summary>
    public float* Parameter(int place) => Inference.StagedParameter(place);

    /// <summary>The parameter set's storage.</summary>
    public float* Parameters => network.Parameters.Pointer;

    /// <summary>The gradients, laid out as the parameters.</summary>
    public float* Gradients => Training.Gradients.Pointer;

    public float* Loss => Training.LossPointer;

    /// <summary>Samples per run.</summary>
    public int Batch => network.Batch;

    private InferenceNetwork Inference => (InferenceNetwork)network;

    private TrainingNetwork Training => (TrainingNetwork)network;

    public float* Input(int index) => At(network.InputTensor(index));

    /// <summary>Real values of a target.</summary>
    public float* Target(int index) => At(network.TargetTensor(index));

    /// <summary>Class numbers of a target.</summary>
    public int* Classes(int index) => (int*)At(network.TargetTensor(index));

    public float* Output(int index) => At(network.OutputTensor(index));

    public float* InputGradient(int index) => At(Training.InputGradientTensor(index));

    /// <summary>The key of a stream of random numbers: different for every step of training and every sample.</summary>
    public uint Key(int stream) => RandomBits.Key(Training.Seed, Training.StepNumber, stream, sample);

    private float* At(NetworkTensor tensor) => tensor.Pointer + ((long)sample * tensor.SampleCount);
}
