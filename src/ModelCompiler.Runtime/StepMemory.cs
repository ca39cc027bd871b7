// What a step works on. A generated step is data: which kernel, and a list of places and numbers; the kernel finds its operands
// through this, and whose sample it is, and on which thread, it need not know.
namespace ModelCompiler.Runtime;

/// <summary>Where the operands of a step lie. For steps that run for each sample, or each group of sixteen, pointers are those of the one
/// at hand; for steps that see the whole batch, those of the first one.</summary>
public readonly unsafe ref struct StepMemory
{
    private readonly CompiledNetwork network;
    private readonly long* operands;
    private readonly int sample;
    private readonly float* scratch;
    private readonly float* weight;
    private readonly int turn;

    /// <param name="operands">Of the step: places (<see cref="Place"/>), then numbers.</param>
    /// <param name="scratch">The thread's own memory; what is in it ends with the step, or with the last of those that take turns.</param>
    /// <param name="weight">Where number 0 of the step's <see cref="Place.Weight"/> lies, or would lie; null where it is staged.</param>
    /// <param name="turn">Which turn it is of steps that take turns; the first is 0.</param>
    internal StepMemory(CompiledNetwork network, long* operands, int sample, float* scratch, float* weight, int turn)
    {
        this.turn = turn;
        this.weight = weight;
        this.network = network;
        this.operands = operands;
        this.sample = sample;
        this.scratch = scratch;
    }

    /// <summary>Where an operand lies.</summary>
    public float* this[int operand]
    {
        get
        {
            var place = operands[operand];
            var offset = Place.OffsetOf(place);
            return offset + Place.RegionOf(place) switch
            {
                Place.Samples => network.Samples + (sample * network.SampleFloats),
                Place.Groups => network.Groups + (sample * network.GroupFloats),
                Place.Common => network.Common,
                Place.Parameters => network.Parameters.Pointer,
                Place.Scratch => scratch - ((long)turn * Place.IndexOf(place) * Place.TurnUnit),
                Place.Gradients => Training.Gradients.Pointer,
                Place.Loss => Training.LossPointer,
                Place.Preparation => Inference.Temporary,
                Place.Weight => weight is null ? Inference.StagedParameter(Place.IndexOf(place)) : weight,
                _ => At(Tensor(place)),
            };
        }
    }

    /// <summary>Floats from an operand of one sample (in <see cref="Place.Groups"/>, of one group) to that of the next; 0 where all share it.</summary>
    public long Stride(int operand) => Place.RegionOf(operands[operand]) switch
    {
        Place.Samples => network.SampleFloats,
        Place.Groups => network.GroupFloats,
        Place.Common or Place.Parameters or Place.Scratch or Place.Gradients or Place.Loss or Place.Preparation or Place.Weight => 0,
        _ => Tensor(operands[operand]).SampleCount,
    };

    /// <summary>An entry that is a number and no place.</summary>
    public int Number(int operand) => (int)operands[operand];

    /// <summary>Samples per run.</summary>
    public int Batch => network.Batch;

    /// <summary>The key of the stream of random numbers that an entry names: different for every step of training and every sample.</summary>
    public uint Key(int operand) => RandomBits.Key(Training.Seed, Training.StepNumber, Number(operand), sample);

    private InferenceNetwork Inference => (InferenceNetwork)network;

    private TrainingNetwork Training => (TrainingNetwork)network;

    private float* At(NetworkTensor tensor) => tensor.Pointer + ((long)sample * tensor.SampleCount);

    private NetworkTensor Tensor(long place) => (Place.RegionOf(place), Place.IndexOf(place)) switch
    {
        (Place.Input, var index) => network.InputTensor(index),
        (Place.Target, var index) => network.TargetTensor(index),
        (Place.Output, var index) => network.OutputTensor(index),
        (_, var index) => Training.InputGradientTensor(index),
    };
}
