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
        writer.Line("float* sums = stackalloc float[16];");
        writer.OpenUnits();
        writer.Open($"for (int part = 0; part < 16; part += {Literals.Int(isa.Width)})");
        var names = Enumerable.Range(0, Sums).Select(i => $"a{Literals.Int(i)}").ToList();
        writer.Line($"{isa.Type} {string.Join(", ", names.Select(a => $"{a} = {isa.Type}.Zero"))};");
        OpenGroups(writer);
        writer.Line($"float* xr = x + unit * {writer.N("channelStride", Input.LaneStride)} + group * xStride + part;");
        writer.Open($"for (int row = 0; row < {writer.N("rows", Input.Height)}; row++, xr += {writer.N("rowStride", Input.RowStride)})").Line("int column = 0;");
        writer.Open($"for (; column <= {writer.N("columns", Input.Width)} - {Literals.Int(Sums)}; column += {Literals.Int(Sums)})");
        for (var i = 0; i < Sums; i++)
        {
            writer.Line($"{names[i]} += {isa.Load($"xr + column * 16 + {Literals.Int(i * 16)}")};");
        }

        writer.Close().Line($"for (; column < {writer.N("columns", Input.Width)}; column++) a0 += {isa.Load("xr + column * 16")};");
        writer.Close();
        CloseGroups(writer, isa, names);
        writer.Line(isa.Store("sums + part", "a0 + a1 + (a2 + a3)")).Close();
        writer.Line("SampleLanes.Add(sums, 1, y + unit);").Close().Close().Line();
    }

    /// <summary>A loop over the groups of sixteen samples, the last one first.</summary>
    internal static void OpenGroups(KernelWriter writer) => writer.Open("for (int group = (batch - 1) / 16; group >= 0; group--)");

    /// <summary>Its end. Lanes that are no samples are cleared where there are any, behind the first group: what is in them may be NaN.</summary>
    internal static void CloseGroups(KernelWriter writer, Isa isa, IEnumerable<string> sums)
    {
        writer.Open("if (group * 16 + 16 > batch)");
        writer.Line($"var there = {isa.Static}.LessThan({isa.IntegerType}.Indices, {isa.Static}.Create(batch - group * 16 - part)).AsSingle();");
        foreach (var sum in sums)
        {
            writer.Line($"{sum} &= there;");
        }

        writer.Close().Close();
    }
}
