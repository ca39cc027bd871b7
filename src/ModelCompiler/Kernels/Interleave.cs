// To sixteen samples side by side, and back. A chain of small layers does both once, at its ends.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <summary>Operands x (Flat, of each sample) and y (Interleaved, of each sixteen). Lanes beyond the last sample repeat it.</summary>
public sealed record InterleaveKernel(Layout From, Layout To) : Kernel
{
    public override string Comment => $"y = sixteen samples of x side by side{InterleaveLoops.Comment(To)}";

    public override string Choice => "sixteen samples side by side";

    public override string Layouts => $"{From.Tag} -> {To.Tag}";

    public override KernelScope Scope => KernelScope.Batch;

    public override ImmutableArray<Operand> Operands => [new("x"), new("y", Offset: To.Origin)];

    public override int Units => InterleaveLoops.Parts;

    public override void Emit(KernelWriter writer, Isa isa) => InterleaveLoops.Emit(
        writer, From, To, (columns, at, place) => $"Transposition.Repeat(x + group * 16 * xStride + {at}, xStride, samples, {columns}, y + group * yStride + {place});");
}

/// <summary>Operands x (Interleaved, of each sixteen samples) and y (Flat, of each sample).</summary>
public sealed record SeparateKernel(Layout From, Layout To) : Kernel
{
    public override string Comment => $"y = samples of x one by one{InterleaveLoops.Comment(From)}";

    public override string Choice => "samples one by one";

    public override string Layouts => $"{From.Tag} -> {To.Tag}";

    public override KernelScope Scope => KernelScope.Batch;

    public override ImmutableArray<Operand> Operands => [new("x", Offset: From.Origin), new("y")];

    public override int Units => InterleaveLoops.Parts;

    public override void Emit(KernelWriter writer, Isa isa) => InterleaveLoops.Emit(
        writer, To, From, (columns, at, place) => $"Transposition.Return(x + group * xStride + {place}, {columns}, samples, y + group * 16 * yStride + {at}, yStride);");
}

internal static class InterleaveLoops
{
    /// <summary>Units: parts of the groups.</summary>
    public const int Parts = 8;

    public static string Comment(Layout interleaved) => interleaved.Halo.IsNone ? "" : ", row by row";

    /// <summary>Calls for every sixteen elements: how many there are, where they lie in a sample, and where they lie interleaved. The last sixteen of a
    /// run are moved back over some that are done.</summary>
    public static void Emit(KernelWriter writer, Layout flat, Layout interleaved, Func<string, string, string, string> call)
    {
        writer.OpenMethod();
        writer.Line($"int groups = (batch + 15) / 16, last = groups * end / {Parts};");
        writer.Open($"for (int group = groups * begin / {Parts}; group < last; group++)");
        writer.Line("int samples = Math.Min(16, batch - group * 16);");
        if (interleaved.Halo.IsNone)
        {
            EmitRun(writer, writer.N("elements", flat.Shape.Count), flat.Shape.Count, "element", "", "", call);
        }
        else
        {
            var (rows, width) = (writer.N("rows", (long)flat.Depth * flat.Height), writer.N("columns", flat.Width));
            writer.Open($"for (int channel = 0; channel < {writer.N("channels", flat.Channels)}; channel++)").Open($"for (int row = 0; row < {rows}; row++)");
            EmitRun(
                writer, width, flat.Width, "column", $"(channel * {rows} + row) * {width} + ",
                $"channel * {writer.N("channelStride", interleaved.LaneStride)} + row * {writer.N("rowStride", interleaved.RowStride)} + ", call);
            writer.Close().Close();
        }

        writer.Close().Close().Line();
    }

    private static void EmitRun(KernelWriter writer, string count, long length, string index, string at, string place, Func<string, string, string, string> call)
    {
        if (length < 16)
        {
            writer.Line(call(count, $"{at}0", $"{place}0"));
            return;
        }

        writer.Open($"for (int i = 0; i < {count}; i += 16)").Line($"int {index} = Math.Min(i, {count} - 16);");
        writer.Line(call("16", $"{at}{index}", $"{place}{index} * 16")).Close();
    }
}
