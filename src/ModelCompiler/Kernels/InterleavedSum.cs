// Sums over the planes of all samples where sixteen lie side by side: the gradient of a bias. Lanes beyond the last sample are left out.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <summary>Operands x (Interleaved) and y, a number for each channel, summed over the batch.</summary>
public sealed record InterleavedSumKernel(Layout Input) : Kernel
{
    private const int Sums = 4;

    public override string Comment => "y = sum of x over planes and samples, sixteen samples side by side";

    public override string Choice => "sum, samples side by side";

    public override string Layouts => Input.Tag;

    public override KernelScope Scope => KernelScope.Batch;

    public override ImmutableArray<Operand> Operands => [new("x", Offset: Input.Origin), new("y")];

    /// <summary>Channels.</summary>
    public override int Units => Input.Channels;

    public override void Emit(KernelWriter writer, Isa isa)
    {
        writer.OpenMethod();
        writer.Line("float* sums = stackalloc float[16], lanes = stackalloc float[16];");
        writer.OpenUnits();
        writer.Open($"for (int part = 0; part < 16; part += {Literals.Int(isa.Width)})");
        var names = Enumerable.Range(0, Sums).Select(i => $"a{Literals.Int(i)}").ToList();
        writer.Line($"{isa.Type} {string.Join(", ", names.Select(a => $"{a} = {isa.Type}.Zero"))};");
        OpenGroups(writer, isa);
        writer.Line($"float* xr = x + unit * {writer.N("channelStride", Input.LaneStride)} + group * xStride + part;");
        writer.Open($"for (int row = 0; row < {writer.N("rows", Input.Height)}; row++, xr += {writer.N("rowStride", Input.RowStride)})").Line("int column = 0;");
        writer.Open($"for (; column <= {writer.N("columns", Input.Width)} - {Literals.Int(Sums)}; column += {Literals.Int(Sums)})");
        for (var i = 0; i < Sums; i++)
        {
            writer.Line($"{names[i]} += {isa.Load($"xr + column * 16 + {Literals.Int(i * 16)}")} & there;");
        }

        writer.Close().Line($"for (; column < {writer.N("columns", Input.Width)}; column++) a0 += {isa.Load("xr + column * 16")} & there;");
        writer.Close().Close();
        writer.Line(isa.Store("sums + part", "a0 + a1 + (a2 + a3)")).Close();
        writer.Line($"y[unit] = {OfLanes("sums")};").Close().Close().Line();
    }

    /// <summary>A loop over the groups of sixteen samples; <c>there</c> keeps the lanes that are samples. Needs room for sixteen floats in <c>lanes</c>.</summary>
    internal static void OpenGroups(KernelWriter writer, Isa isa)
    {
        writer.Open("for (int group = 0; group * 16 < batch; group++)");
        writer.Line("for (int lane = 0; lane < 16; lane++) ((int*)lanes)[lane] = group * 16 + lane < batch ? -1 : 0;");
        writer.Line($"var there = {isa.Load("lanes + part")};");
    }

    /// <summary>Sixteen numbers, added in pairs.</summary>
    internal static string OfLanes(string at)
    {
        string Sum(int from, int count) => count == 1 ? $"{at}[{Literals.Int(from)}]" : $"({Sum(from, count / 2)} + {Sum(from + (count / 2), count / 2)})";
        return Sum(0, 16);
    }
}
