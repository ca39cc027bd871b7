// A Winograd convolution multiplies with transformed filters. They are transformed when weights are packed:
// once before inference, in every step of training.
using System.Collections.Immutable;
using ModelCompiler.Emission;

namespace ModelCompiler.Kernels;

/// <summary>Flat weights [out][in][depth taps][3][3] to [group of output blocks][point][block of inputs][depth tap][in][block in group][16 outputs].</summary>
/// <param name="Outputs">2 for F(2x2, 3x3), 4 for F(4x4, 3x3).</param>
/// <param name="GroupBlocks">Output blocks of a group; the last group may have fewer.</param>
/// <param name="Turned">For data gradients: weights are [in][out][3][3], their taps in reverse order.</param>
/// <param name="DepthTaps">1 for turned weights.</param>
public sealed record PackWinogradKernel(int Outputs, int InputChannels, int OutputChannels, int GroupBlocks, bool Turned = false, int DepthTaps = 1) : Kernel
{
    private readonly WinogradTransform transform = new(Outputs);

    public override string Name => $"PackWinograd{Literals.Int(Outputs)}{(Turned ? "Turned" : "")}";

    public override string Comment => FormattableString.Invariant(
        $"transforms filters for F({Outputs}x{Outputs}, 3x3) and packs them as [group of output blocks][{transform.Points} points][input][block][16]{(Turned ? ", inputs and outputs exchanged" : "")}");

    public override KernelScope Scope => KernelScope.Once;

    public override ImmutableArray<Operand> Operands { get; } = ImmutableArray.Create(new Operand("weight"), new Operand("packed"));

    public override ImmutableArray<KernelNumber> Numbers =>
        [new("inputs", InputChannels), new("outputs", OutputChannels), new("outputBlocks", OutputBlocks), new("groupBlocks", GroupBlocks), new("depthTaps", DepthTaps)];

    public override int Units => OutputBlocks;

    public override int SourceRowFloats => Turned ? 0 : checked(16 * 9 * InputChannels * DepthTaps);

    /// <summary>Floats of the packed weights.</summary>
    public int PackedSize => checked(((OutputBlocks + GroupBlocks - 1) / GroupBlocks * transform.Points * 16) + (OutputBlocks * transform.Points * InputChannels * DepthTaps * 16));

    /// <summary>Floats from point to point in a group of <paramref name="blocks"/> (inputs count once for each tap along depth): a cache line more than there is, for all points of a filter
    /// are written one after another, and at a power of two they would fall into the same sets of the cache.</summary>
    public static int PointFloats(int inputs, int blocks) => checked((blocks * inputs * 16) + 16);

    private int OutputBlocks => (OutputChannels + 15) / 16;

    public override void Emit(KernelWriter writer, Isa isa)
    {
        writer.OpenMethod();
        writer.Open("for (int block = begin; block < end; block++)");
        writer.Line("int inGroup = block % groupBlocks, start = block - inGroup, step = Math.Min(groupBlocks, outputBlocks - start) * 16;");
        writer.Line($"float* to = packed + start / groupBlocks * {Literals.Int(transform.Points)}L * (groupBlocks * inputs * depthTaps * 16 + 16) + inGroup * 16;");
        writer.Line(new WinogradFilters(transform, Turned ? WinogradFilterForm.Turned : WinogradFilterForm.Flat, isa).Call(writer, "weight, to, block, step * inputs * depthTaps + 16, step, 0, inputs, inputs, outputs, depthTaps"));
        writer.Close().Close().Line();
    }
}
