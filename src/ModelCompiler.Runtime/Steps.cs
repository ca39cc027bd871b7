// The sentences of a generated schedule. What a line of the `.cnn` file became is one statement, so that debuggers and stack traces
// of the schedule speak of that line.
namespace ModelCompiler.Runtime;

/// <summary>Runs steps one after another. Kernels are static methods; operands (<see cref="Place"/>s, then numbers) must be constants
/// of the assembly, whose memory never moves.</summary>
public readonly unsafe ref struct Steps
{
    private readonly CompiledNetwork network;

    internal Steps(CompiledNetwork network) => this.network = network;

    /// <summary>Does units [0, units) of a step for every sample.</summary>
    /// <param name="cycles">About how many a core takes for a sample: a step of few is not shared by threads.</param>
    public Steps Samples(delegate*<in StepMemory, int, int, void> kernel, int units, ReadOnlySpan<long> operands, int cycles = int.MaxValue)
    {
        network.RunSamples(new StepCode(kernel, units, operands, cycles));
        return this;
    }

    /// <summary>Does units [0, units) of a step for every group of sixteen samples; the last group may have fewer.</summary>
    public Steps Groups(delegate*<in StepMemory, int, int, void> kernel, int units, ReadOnlySpan<long> operands)
    {
        network.RunGroups(new StepCode(kernel, units, operands));
        return this;
    }

    /// <summary>The same, put off until the next step for every sample, or for every group, which must follow before any other step.</summary>
    /// <param name="turns">Where this step and the next one take turns within each sample: at how many parts, of as many units each. 0: the next one
    /// begins when this one is done.</param>
    public Steps Defer(delegate*<in StepMemory, int, int, void> kernel, int units, ReadOnlySpan<long> operands, int turns = 0)
    {
        network.Defer(new StepCode(kernel, units, operands, turns: turns));
        return this;
    }

    /// <summary>Does units [0, units) of a step that sees the whole batch, or none of its samples.</summary>
    /// <param name="cycles">As for <see cref="Samples"/>.</param>
    public Steps Batch(delegate*<in StepMemory, int, int, void> kernel, int units, ReadOnlySpan<long> operands, int cycles = int.MaxValue)
    {
        network.RunBatch(new StepCode(kernel, units, operands, cycles));
        return this;
    }

    /// <summary>Does units [0, units) of a step of the preparation that reads parameters (<see cref="Place.Weight"/>) whole.</summary>
    public Steps Pack(delegate*<in StepMemory, int, int, void> kernel, int units, ReadOnlySpan<long> operands)
    {
        ((InferenceNetwork)network).Pack(new StepCode(kernel, units, operands), operands);
        return this;
    }

    /// <summary>The same for a step whose unit u reads numbers [u * floats, (u + 1) * floats) of its only parameter, which is
    /// its first operand: what is still in a file comes from there in pieces.</summary>
    public Steps PackRows(delegate*<in StepMemory, int, int, void> kernel, int units, int floats, ReadOnlySpan<long> operands)
    {
        ((InferenceNetwork)network).PackRows(new StepCode(kernel, units, operands), operands, floats);
        return this;
    }
}

/// <summary>A step: what is called, on what, and how many units it has.</summary>
internal readonly unsafe struct StepCode
{
    private readonly delegate*<in StepMemory, int, int, void> kernel;
    private readonly long* operands;

    public StepCode(delegate*<in StepMemory, int, int, void> kernel, int units, ReadOnlySpan<long> operands, int cycles = int.MaxValue, int turns = 0)
    {
        this.kernel = kernel;
        Units = units;
        Turns = turns;
        Cycles = cycles;

        // Constants of an assembly stay where they are.
        this.operands = (long*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref System.Runtime.InteropServices.MemoryMarshal.GetReference(operands));
    }

    public int Units { get; }

    /// <summary>At how many parts it and the next step take turns; 0 where the next one waits until it is done.</summary>
    public int Turns { get; }

    /// <summary>About how many a core takes for a sample.</summary>
    public int Cycles { get; }

    /// <param name="weight">As for <see cref="StepMemory"/>.</param>
    public void Run(CompiledNetwork network, int sample, float* scratch, int begin, int end, float* weight = null, int turn = 0) =>
        kernel(new StepMemory(network, operands, sample, scratch, weight, turn), begin, end);
}
