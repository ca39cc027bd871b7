// Weights from PyTorch's order, which files and users know, to the packed order the kernels stream.
using System.Collections.Immutable;
using System.Globalization;
using ModelCompiler.Emission;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <summary>Which of the source's taps a packed tap is, along each axis: start + index * step.</summary>
public sealed record TapSelection((int Depth, int Rows, int Columns) Size, (int Depth, int Rows, int Columns) Start, (int Depth, int Rows, int Columns) Step)
{
    internal string Identity => FormattableString.Invariant($"{KernelName.Text(Size)},{KernelName.Text(Start)},{KernelName.Text(Step)}");
}

/// <summary>Flat weights [out][in / groups][taps] to the packed form of <paramref name="Geometry"/>.</summary>
/// <param name="Turned">For data gradients: the geometry's inputs are the weights' outputs.</param>
/// <param name="GroupBlocks">Output blocks that lie side by side.</param>
public sealed record PackWeightsKernel(ConvolutionGeometry Geometry, TapSelection Taps, bool Turned, int GroupBlocks) : Kernel
{
    public override string Key => field ??= "Pack " + Identity;

    public override string Name => field ??= KernelName.Of(
        "PackWeights" + (Turned ? "Turned" : ""), IsWhole ? "whole" : Geometry.Groups == 1 ? "many taps" : "groups", ConvolutionKernel.Size(Geometry.Taps), Taps.Identity);

    public override string Comment =>
        $"packs weights as [group of output blocks][input block][{ConvolutionKernel.Size(Geometry.Taps)} taps][channel][block][16]{(Turned ? ", inputs and outputs exchanged" : "")}";

    public override ImmutableArray<KernelNumber> Numbers =>
    [
        new("inputs", Geometry.InputChannels), new("outputs", Geometry.OutputChannels), new("groupBlocks", GroupBlocks), new("outputBlocks", Geometry.OutputBlocks),
        new("packedBlock", Geometry.PackedBlock), new("outputsPerGroup", Geometry.OutputChannels / Geometry.Groups), new("inputsPerGroup", Geometry.InputChannels / Geometry.Groups),
        new("lastWindow", Geometry.InputBlocks - Geometry.BlocksRead), new("windowBlocks", Geometry.BlocksRead), new("taps", Geometry.TapCount),
    ];

    private bool IsWhole => Geometry.Groups == 1 && Taps.Size.Depth * Taps.Size.Rows * Taps.Size.Columns <= MostTaps;

    /// <summary>Blocks of 16 by 16 filters with more taps are too large for the stack.</summary>
    internal const int MostTaps = 64;

    public override KernelScope Scope => KernelScope.Once;

    public override ImmutableArray<Operand> Operands { get; } = ImmutableArray.Create(new Operand("weight"), new Operand("packed"));

    public override int Units => Geometry.OutputBlocks;

    public override int SourceRowFloats => Turned || Geometry.Groups > 1 ? 0 : checked(16 * Geometry.InputChannels * Taps.Size.Depth * Taps.Size.Rows * Taps.Size.Columns);

    private string Identity => FormattableString.Invariant(
        $"{Geometry.InputChannels},{Geometry.OutputChannels},{Geometry.Groups},{Geometry.Taps},{Taps.Identity},{Turned},{GroupBlocks}");

    public bool Equals(PackWeightsKernel? other) => other is not null && Identity == other.Identity;

    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(Identity);

    public override void Emit(KernelWriter writer, Isa isa)
    {
        static string N(long value) => value.ToString(CultureInfo.InvariantCulture);
        var g = Geometry;
        var taps = Taps.Size.Depth * Taps.Size.Rows * Taps.Size.Columns;
        if (IsWhole)
        {
            EmitWhole(writer, isa, taps);
            return;
        }

        writer.OpenMethod();
        writer.Open("for (int block = begin; block < end; block++)");
        writer.Line("int inGroup = block % groupBlocks, start = block - inGroup, step = Math.Min(groupBlocks, outputBlocks - start) * 16;");
        writer.Line("float* to = packed + (long)start * packedBlock + inGroup * 16;");
        writer.Line(g.Groups == 1 ? "int first = 0;"
            : "int first = Math.Min(block * 16 / outputsPerGroup * inputsPerGroup / 16, lastWindow);");
        writer.Open("for (int window = 0; window < windowBlocks; window++)");
        writer.Line($"int channels = {(g.Groups == 1 ? "Math.Min(16, inputs - window * 16)" : "16")};");
        writer.Open("for (int tap = 0; tap < taps; tap++)");
        writer.Line($"int source = {Source()};");
        writer.Open("for (int channel = 0; channel < channels; channel++, to += step)");
        writer.Line("int from = (first + window) * 16 + channel;");
        writer.Open("for (int lane = 0; lane < 16; lane++)");
        writer.Line("int into = block * 16 + lane;");
        var inside = "into < outputs";
        if (g.Groups > 1)
        {
            inside += " && from < inputs && from / inputsPerGroup == into / outputsPerGroup";
        }

        // The flat weights are [out][in / groups][taps] of the forward convolution, whichever way we read them.
        var address = Turned
            ? $"((long)from * outputsPerGroup + into % outputsPerGroup) * {N(taps)} + source"
            : $"((long)into * inputsPerGroup + from % inputsPerGroup) * {N(taps)} + source";
        writer.Line($"to[lane] = {inside} ? weight[{address}] : 0f;");
        writer.Close().Close().Close().Close().Close().Close().Line();
    }

    /// <summary>Which of the source's taps tap <c>tap</c> is.</summary>
    private string Source()
    {
        static string N(long value) => value.ToString(CultureInfo.InvariantCulture);
        var (rows, columns) = (Geometry.Taps.Rows, Geometry.Taps.Columns);
        return $"(({N(Taps.Start.Depth)} + tap / {N(rows * columns)} * ({N(Taps.Step.Depth)})) * {N(Taps.Size.Rows)} + {N(Taps.Start.Rows)} + tap / {N(columns)} % {N(rows)} * ({N(Taps.Step.Rows)})) * {N(Taps.Size.Columns)} + {N(Taps.Start.Columns)} + tap % {N(columns)} * ({N(Taps.Step.Columns)})";
    }

    /// <summary>Without groups: sixteen outputs and sixteen inputs at a time, by transposition.</summary>
    private void EmitWhole(KernelWriter writer, Isa isa, int taps)
    {
        static string N(long value) => value.ToString(CultureInfo.InvariantCulture);
        var g = Geometry;
        writer.OpenMethod();
        if (taps > 1)
        {
            writer.Line($"float* across = stackalloc float[{N(taps * 256)}];");
        }

        writer.Open("for (int block = begin; block < end; block++)");
        writer.Line("int inGroup = block % groupBlocks, start = block - inGroup, step = Math.Min(groupBlocks, outputBlocks - start) * 16;");
        writer.Line("float* to = packed + (long)start * packedBlock + inGroup * 16;");
        writer.Line("int rest = Math.Min(16, outputs - block * 16);");
        writer.Open("for (int first = 0; first < inputs; first += 16)").Line("int channels = Math.Min(16, inputs - first);");
        writer.Line(Turned ? $"float* from = weight + ((long)first * outputs + block * 16) * {N(taps)};" : $"float* from = weight + (block * 16L * inputs + first) * {N(taps)};");
        if (taps == 1 && Turned)
        {
            writer.Open("for (int channel = 0; channel < channels; channel++, to += step, from += outputs)");
            writer.Open("if (rest == 16)");
            CopyBlock(writer, isa, "from", "to");
            writer.Close().Line("else for (int lane = 0; lane < 16; lane++) to[lane] = lane < rest ? from[lane] : 0f;").Close();
        }
        else if (taps == 1)
        {
            writer.Line("Transposition.Turn(from, inputs, rest, channels, to, step);").Line("to += channels * step;");
        }
        else
        {
            var (rows, columns, stride) = Turned ? ("channels", "rest", "outputs") : ("rest", "channels", "inputs");
            writer.Line($"for (int i = 0; i < {columns} * {N(taps)}; i += 16) Transposition.Turn(from + i, {stride} * {N(taps)}, {rows}, Math.Min(16, {columns} * {N(taps)} - i), across + i * 16);");
            writer.Open("for (int tap = 0; tap < taps; tap++)").Line($"float* source = across + ({Source()}) * 16;");
            if (Turned)
            {
                writer.Line($"Transposition.Turn(source, {N(taps * 16)}, rest, channels, to, step);").Line("to += channels * step;");
            }
            else
            {
                writer.Open($"for (int channel = 0; channel < channels; channel++, to += step, source += {N(taps * 16)})");
                CopyBlock(writer, isa, "source", "to");
                writer.Close();
            }

            writer.Close();
        }

        writer.Close().Close().Close().Line();
    }

    private static void CopyBlock(SourceWriter writer, Isa isa, string from, string to)
    {
        for (var p = 0; p < isa.Parts; p++)
        {
            writer.Line(isa.Store(to + isa.Part(p), isa.Load(from + isa.Part(p))));
        }
    }
}
