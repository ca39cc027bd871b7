// Weights between PyTorch's order, which files and users know, and the packed order the kernels stream.
using System.Collections.Immutable;
using System.Globalization;
using ModelCompiler.Emission;

namespace ModelCompiler.Kernels;

/// <summary>Which of the source's taps a packed tap is, along each axis: start + index * step.</summary>
public sealed record TapSelection((int Depth, int Rows, int Columns) Size, (int Depth, int Rows, int Columns) Start, (int Depth, int Rows, int Columns) Step)
{
    internal string Identity => FormattableString.Invariant($"{KernelName.Text(Size)},{KernelName.Text(Start)},{KernelName.Text(Step)}");
}

/// <summary>Flat weights [out][in / groups][taps] to the packed form of <paramref name="Geometry"/>.</summary>
/// <param name="Turned">For data gradients: the geometry's inputs are the weights' outputs.</param>
public sealed record PackWeightsKernel(ConvolutionGeometry Geometry, TapSelection Taps, bool Turned) : Kernel
{
    public override string Name => FormattableString.Invariant(
        $"Pack{(Turned ? "Turned" : "")}_{Geometry.InputChannels}to{Geometry.OutputChannels}_k{Geometry.Taps.Rows}x{Geometry.Taps.Columns}_{KernelName.Hash(Identity)}");

    public override string Comment => FormattableString.Invariant(
        $"packs weights as [{Geometry.OutputBlocks} output blocks][{Geometry.BlocksRead} input blocks][{ConvolutionKernel.Size(Geometry.Taps)} taps][channel][16]{(Turned ? ", inputs and outputs exchanged" : "")}");

    public override KernelScope Scope => KernelScope.Once;

    public override ImmutableArray<Operand> Operands { get; } = ImmutableArray.Create(new Operand("weight"), new Operand("packed"));

    public override int Units => Geometry.OutputBlocks;

    private string Identity => FormattableString.Invariant(
        $"{Geometry.InputChannels},{Geometry.OutputChannels},{Geometry.Groups},{Geometry.Taps},{Taps.Identity},{Turned}");

    public bool Equals(PackWeightsKernel? other) => other is not null && Identity == other.Identity;

    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(Identity);

    public override void Emit(SourceWriter writer, Isa isa)
    {
        static string N(long value) => value.ToString(CultureInfo.InvariantCulture);
        var g = Geometry;
        var (inPerGroup, outPerGroup) = (g.InputChannels / g.Groups, g.OutputChannels / g.Groups);
        var taps = Taps.Size.Depth * Taps.Size.Rows * Taps.Size.Columns;
        writer.Line(Attribute).Open($"internal static void {Name}({Parameters})");
        writer.Open("for (int block = begin; block < end; block++)");
        writer.Line($"float* to = packed + block * {N(g.PackedBlock)}L;");
        writer.Line(g.Groups == 1 ? "int first = 0;"
            : $"int first = Math.Min(block * 16 / {N(outPerGroup)} * {N(inPerGroup)} / 16, {N(g.InputBlocks - g.BlocksRead)});");
        writer.Open($"for (int window = 0; window < {N(g.BlocksRead)}; window++)");
        writer.Line($"int channels = {(g.Groups == 1 ? $"Math.Min(16, {N(g.InputChannels)} - window * 16)" : "16")};");
        writer.Open($"for (int tap = 0; tap < {N(g.TapCount)}; tap++)");
        var (kd, kr, kc) = ($"tap / {N(g.Taps.Rows * g.Taps.Columns)}", $"tap / {N(g.Taps.Columns)} % {N(g.Taps.Rows)}", $"tap % {N(g.Taps.Columns)}");
        writer.Line($"int source = (({N(Taps.Start.Depth)} + {kd} * ({N(Taps.Step.Depth)})) * {N(Taps.Size.Rows)} + {N(Taps.Start.Rows)} + {kr} * ({N(Taps.Step.Rows)})) * {N(Taps.Size.Columns)} + {N(Taps.Start.Columns)} + {kc} * ({N(Taps.Step.Columns)});");
        writer.Open("for (int channel = 0; channel < channels; channel++, to += 16)");
        writer.Line("int from = (first + window) * 16 + channel;");
        writer.Open("for (int lane = 0; lane < 16; lane++)");
        writer.Line("int into = block * 16 + lane;");
        var inside = $"into < {N(g.OutputChannels)}";
        if (g.Groups > 1)
        {
            inside += $" && from < {N(g.InputChannels)} && from / {N(inPerGroup)} == into / {N(outPerGroup)}";
        }

        // The flat weights are [out][in / groups][taps] of the forward convolution, whichever way we read them.
        var address = Turned
            ? $"((long)from * {N(outPerGroup)} + into % {N(outPerGroup)}) * {N(taps)} + source"
            : $"((long)into * {N(inPerGroup)} + from % {N(inPerGroup)}) * {N(taps)} + source";
        writer.Line($"to[lane] = {inside} ? weight[{address}] : 0f;");
        writer.Close().Close().Close().Close().Close().Close().Line();
    }
}

/// <summary>Adds the partial sums of a weight gradient in their order and writes them as PyTorch has weights: [out][in / groups][taps].</summary>
public sealed record UnpackWeightGradientKernel(WeightGradientGeometry Geometry) : Kernel
{
    public override string Name => FormattableString.Invariant(
        $"Unpack_{Geometry.InputChannels}to{Geometry.OutputChannels}_k{Geometry.Taps.Rows}x{Geometry.Taps.Columns}_{KernelName.Hash(Identity)}");

    public override string Comment => FormattableString.Invariant($"adds {Geometry.Splits} partial sums of a weight gradient and unpacks them");

    public override KernelScope Scope => KernelScope.Once;

    public override ImmutableArray<Operand> Operands { get; } = ImmutableArray.Create(new Operand("packed"), new Operand("gradient"));

    public override int Units => Geometry.OutputChannels;

    private string Identity => FormattableString.Invariant(
        $"{Geometry.InputChannels},{Geometry.OutputChannels},{Geometry.Groups},{Geometry.Taps},{Geometry.Lanes},{Geometry.Splits}");

    public bool Equals(UnpackWeightGradientKernel? other) => other is not null && Identity == other.Identity;

    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(Identity);

    public override void Emit(SourceWriter writer, Isa isa)
    {
        static string N(long value) => value.ToString(CultureInfo.InvariantCulture);
        var g = Geometry;
        var (inPerGroup, outPerGroup) = (g.InputChannels / g.Groups, g.OutputChannels / g.Groups);
        writer.Line(Attribute).Open($"internal static void {Name}({Parameters})");
        writer.Open("for (int output = begin; output < end; output++)");
        writer.Line($"float* from = packed + output / 16 * {N(g.PackedBlock)}L + output % 16;");
        writer.Line($"float* to = gradient + output * {N(inPerGroup * g.TapCount)}L;");
        writer.Line(g.Groups == 1 ? "int first = 0, start = 0;"
            : $"int first = Math.Min(output / 16 * 16 / {N(outPerGroup)} * {N(inPerGroup)} / 16, {N(g.InputBlocks - g.BlocksRead)}) * 16, start = output / {N(outPerGroup)} * {N(inPerGroup)};");
        writer.Open($"for (int channel = 0; channel < {N(inPerGroup)}; channel++)");
        writer.Line("int at = start + channel - first;");
        writer.Line($"float* source = from + (at / 16 * {N(g.TapCount * g.Lanes)} + at % 16) * 16;");
        writer.Open($"for (int tap = 0; tap < {N(g.TapCount)}; tap++, source += {N(g.Lanes * 16)})");
        writer.Line("float sum = source[0];");
        if (g.Splits > 1)
        {
            writer.Line($"for (int split = 1; split < {N(g.Splits)}; split++) sum += source[split * {N((long)g.OutputBlocks * g.PackedBlock)}];");
        }

        writer.Line("*to++ = sum;").Close().Close().Close().Close().Line();
    }
}
