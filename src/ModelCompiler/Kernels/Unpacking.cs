// Weight gradients from the order that sums are made in to PyTorch's, which optimizers and users know.
using System.Collections.Immutable;
using System.Globalization;
using ModelCompiler.Emission;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <summary>Adds the partial sums of a weight gradient in their order and writes them as PyTorch has weights: [out][in / groups][taps].</summary>
public sealed record UnpackWeightGradientKernel(WeightGradientGeometry Geometry) : Kernel
{
    public override string Key => field ??= "Unpack " + Identity;

    public override string Name => field ??= KernelName.Of(Geometry.IsTurned ? "UnpackTurnedWeightGradient" : "UnpackWeightGradient", FormattableString.Invariant($"{IsWhole},{Geometry.Groups == 1},{Geometry.TapCount},{Geometry.Lanes},{Geometry.Splits}"));

    public override string Comment => Geometry.Splits == 1 ? "unpacks a weight gradient" : FormattableString.Invariant($"adds {Geometry.Splits} partial sums of a weight gradient and unpacks them");

    public override ImmutableArray<KernelNumber> Numbers =>
    [
        new("inputs", Geometry.InputChannels), new("outputs", Geometry.OutputChannels), new("packedBlock", Geometry.PackedBlock), new("outputsPerGroup", Geometry.OutputChannels / Geometry.Groups),
        new("inputsPerGroup", Geometry.InputChannels / Geometry.Groups), new("lastWindow", Geometry.InputBlocks - Geometry.BlocksRead), new("splitFloats", (long)Geometry.OutputBlocks * Geometry.PackedBlock),
    ];

    public override KernelScope Scope => KernelScope.Once;

    public override ImmutableArray<Operand> Operands { get; } = ImmutableArray.Create(new Operand("packed"), new Operand("gradient"));

    public override int Units => IsWhole ? Geometry.OutputBlocks : Geometry.OutputChannels;

    private bool IsWhole => Geometry.Groups == 1 && Geometry.TapCount <= PackWeightsKernel.MostTaps;

    private string Identity => FormattableString.Invariant(
        $"{Geometry.InputChannels},{Geometry.OutputChannels},{Geometry.Groups},{Geometry.Taps},{Geometry.Lanes},{Geometry.Splits},{Geometry.IsTurned}");

    public bool Equals(UnpackWeightGradientKernel? other) => other is not null && Identity == other.Identity;

    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(Identity);

    public override void Emit(KernelWriter writer, Isa isa)
    {
        static string N(long value) => value.ToString(CultureInfo.InvariantCulture);
        var g = Geometry;
        if (g.IsTurned)
        {
            EmitTurned(writer, isa);
            return;
        }

        if (IsWhole)
        {
            EmitWhole(writer, isa);
            return;
        }

        writer.OpenMethod();
        writer.Open("for (int output = begin; output < end; output++)");
        writer.Line("float* from = packed + (long)(output / 16) * packedBlock + output % 16;");
        writer.Line($"float* to = gradient + (long)output * (inputsPerGroup * {N(g.TapCount)});");
        writer.Line(g.Groups == 1 ? "int first = 0, start = 0;"
            : "int first = Math.Min(output / 16 * 16 / outputsPerGroup * inputsPerGroup / 16, lastWindow) * 16, start = output / outputsPerGroup * inputsPerGroup;");
        writer.Open("for (int channel = 0; channel < inputsPerGroup; channel++)");
        writer.Line("int at = start + channel - first;");
        writer.Line($"float* source = from + (at / 16 * {N(g.TapCount * g.Lanes)} + at % 16) * 16;");
        writer.Open($"for (int tap = 0; tap < {N(g.TapCount)}; tap++, source += {N(g.Lanes * 16)})");
        writer.Line("float sum = source[0];");
        if (g.Splits > 1)
        {
            writer.Line($"for (int split = 1; split < {N(g.Splits)}; split++) sum += source[split * splitFloats];");
        }

        writer.Line("*to++ = sum;").Close().Close().Close().Close().Line();
    }

    /// <summary>Without groups: sixteen outputs and sixteen inputs at a time, by transposition.</summary>
    private void EmitWhole(KernelWriter writer, Isa isa)
    {
        static string N(long value) => value.ToString(CultureInfo.InvariantCulture);
        var g = Geometry;
        var taps = g.TapCount;
        var gather = taps > 1 || g.Splits > 1;
        writer.OpenMethod();
        if (gather)
        {
            writer.Line($"float* across = stackalloc float[{N(taps * 256)}];");
        }

        writer.Open("for (int block = begin; block < end; block++)");
        writer.Line("float* from = packed + (long)block * packedBlock;").Line("int rest = Math.Min(16, outputs - block * 16);");
        writer.Open($"for (int first = 0; first < inputs; first += 16, from += {N(taps * g.Lanes * 16)})").Line("int channels = Math.Min(16, inputs - first);");
        writer.Line($"float* to = gradient + (block * 16L * inputs + first) * {N(taps)};");
        if (gather)
        {
            writer.Open($"for (int tap = 0; tap < {N(taps)}; tap++)").Open("for (int channel = 0; channel < channels; channel++)");
            writer.Line($"float* source = from + (tap * {N(g.Lanes)} + channel) * 16;");
            for (var p = 0; p < Layout.Lanes; p += isa.Width)
            {
                writer.Line($"var sum{N(p)} = {isa.Load($"source + {N(p)}")};");
                for (var s = 1; s < g.Splits; s++)
                {
                    writer.Line($"sum{N(p)} += {isa.Load($"source + {N(s)} * splitFloats + {N(p)}")};");
                }

                writer.Line(isa.Store($"across + (channel * {N(taps)} + tap) * 16 + {N(p)}", $"sum{N(p)}"));
            }

            writer.Close().Close();
            writer.Line($"for (int i = 0; i < channels * {N(taps)}; i += 16) Transposition.Return(across + i * 16, Math.Min(16, channels * {N(taps)} - i), rest, to + i, inputs * {N(taps)});");
        }
        else
        {
            writer.Line("Transposition.Return(from, channels, rest, to, inputs);");
        }

        writer.Close().Close().Close().Line();
    }

    /// <summary>What is side by side in a vector is so in the weights.</summary>
    private void EmitTurned(KernelWriter writer, Isa isa)
    {
        writer.OpenMethod();
        writer.Open("for (int block = begin; block < end; block++)");
        writer.Line("float* from = packed + (long)block * packedBlock, to = gradient + block * 16;").Line("int rest = Math.Min(16, outputs - block * 16);");
        writer.Open("for (int channel = 0; channel < inputs; channel++, from += 16, to += outputs)");
        writer.Open("if (rest == 16)");
        for (var p = 0; p < Layout.Lanes; p += isa.Width)
        {
            writer.Line(isa.Store($"to + {Literals.Int(p)}", Sum(split => isa.Load($"from + {Part(split)}{Literals.Int(p)}"))));
        }

        writer.Close().Line($"else for (int lane = 0; lane < rest; lane++) to[lane] = {Sum(split => $"from[{Part(split)}lane]")};").Close().Close().Close().Line();

        string Sum(Func<int, string> term) => string.Join(" + ", Enumerable.Range(0, Geometry.Splits).Select(term));

        static string Part(int split) => split == 0 ? "" : $"{Literals.Int(split)} * splitFloats + ";
    }
}
