// A Winograd convolution multiplies with transformed filters. They are transformed when weights are packed:
// once before inference, in every step of training.
using System.Collections.Immutable;
using ModelCompiler.Emission;

namespace ModelCompiler.Kernels;

/// <summary>Flat weights [out][in][3][3] to [group of output blocks][point][block in group][in][16 outputs].</summary>
/// <param name="Outputs">2 for F(2x2, 3x3), 4 for F(4x4, 3x3).</param>
/// <param name="GroupBlocks">Output blocks of a group; the last group may have fewer.</param>
/// <param name="Turned">For data gradients: weights are [in][out][3][3], their taps in reverse order.</param>
public sealed record PackWinogradKernel(int Outputs, int InputChannels, int OutputChannels, int GroupBlocks, bool Turned = false) : Kernel
{
    private readonly WinogradTransform transform = new(Outputs);

    public override string Name => FormattableString.Invariant($"PackWinograd{Outputs}{(Turned ? "Turned" : "")}_{InputChannels}to{OutputChannels}_by{GroupBlocks}");

    public override string Comment => FormattableString.Invariant(
        $"transforms filters for F({Outputs}x{Outputs}, 3x3) and packs them as [groups of {GroupBlocks} output blocks][{transform.Points} points][block][{InputChannels} inputs][16]{(Turned ? ", inputs and outputs exchanged" : "")}");

    public override KernelScope Scope => KernelScope.Once;

    public override ImmutableArray<Operand> Operands { get; } = ImmutableArray.Create(new Operand("weight"), new Operand("packed"));

    public override int Units => OutputBlocks;

    /// <summary>Floats of the packed weights.</summary>
    public int PackedSize => checked(OutputBlocks * transform.Points * InputChannels * 16);

    private int OutputBlocks => (OutputChannels + 15) / 16;

    public override void Emit(SourceWriter writer, Isa isa)
    {
        static string N(long value) => Literals.Int(value);
        var side = transform.Inputs;
        writer.Line(Attribute).Open($"internal static void {Name}({Parameters})");
        writer.Line("// [channel][tap][16 outputs] of sixteen channels; for turned weights [tap][channel][16 outputs].");
        writer.Line("float* taps = stackalloc float[2304];");
        if (Turned)
        {
            writer.Line("float* across = stackalloc float[2304];");
        }

        writer.Open("for (int block = begin; block < end; block++)");
        writer.Line($"int group = block / {N(GroupBlocks)}, inGroup = block % {N(GroupBlocks)}, outputs = Math.Min(16, {N(OutputChannels)} - block * 16);");
        writer.Line($"long pointStride = Math.Min({N(GroupBlocks)}, {N(OutputBlocks)} - group * {N(GroupBlocks)}) * {N(InputChannels * 16L)}L;");
        writer.Line($"float* to = packed + group * {N((long)GroupBlocks * transform.Points * InputChannels * 16)}L + inGroup * {N(InputChannels * 16L)}L;");
        writer.Open($"for (int first = 0; first < {N(InputChannels)}; first += 16)");
        writer.Line($"int channels = Math.Min(16, {N(InputChannels)} - first);");
        if (Turned)
        {
            writer.Line($"float* from = weight + (first * {N(OutputChannels)}L + block * 16) * 9;");
            writer.Line($"for (int i = 0; i < outputs * 9; i += 16) Transposition.Turn(from + i, {N(OutputChannels * 9L)}, channels, Math.Min(16, outputs * 9 - i), across + i * 16);");
            writer.Line("for (int tap = 0; tap < 9; tap++) Transposition.Turn(across + tap * 16, 144, outputs, channels, taps + (8 - tap) * 256);");
        }
        else
        {
            writer.Line($"float* from = weight + (block * {N(16L * InputChannels)} + first) * 9;");
            writer.Line($"for (int i = 0; i < channels * 9; i += 16) Transposition.Turn(from + i, {N(InputChannels * 9L)}, outputs, Math.Min(16, channels * 9 - i), taps + i * 16);");
        }

        writer.Open("for (int channel = 0; channel < channels; channel++, to += 16)");
        writer.Open($"for (int lane = 0; lane < 16; lane += {N(isa.Width)})");
        for (var tap = 0; tap < 9; tap++)
        {
            writer.Line($"var g{N(tap)} = {isa.Load(Turned ? $"taps + channel * 16 + {N(tap * 256)} + lane" : $"taps + channel * 144 + {N(tap * 16)} + lane")};");
        }

        for (var row = 0; row < side; row++)
        {
            writer.Open("");
            for (var column = 0; column < 3; column++)
            {
                writer.Line($"var h{N(column)} = {transform.Filter(isa, row, $"g{N(column)}", $"g{N(column + 3)}", $"g{N(column + 6)}")};");
            }

            for (var column = 0; column < side; column++)
            {
                writer.Line(isa.Store($"to + {N((row * side) + column)} * pointStride + lane", transform.Filter(isa, column, "h0", "h1", "h2")));
            }

            writer.Close();
        }

        writer.Close().Close().Close().Close().Close().Line();
    }
}
