// Maxima of the bins of boxes (Girshick, Fast R-CNN, 2015), and where their gradients go. Only the bins' bounds are data:
// along the channels everything is vectors. Bounds are held inside the plane, whatever a box says.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Operators;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <summary>Operands x (Blocked, C x H x W), boxes (Flat, N x 4), y (Blocked, C x N x rows x columns). Empty bins are 0.</summary>
public sealed record RegionPoolKernel(RegionPoolAttributes Attributes, Layout Input, Layout Output) : Kernel
{
    public override string Name => KernelName.Of("RegionPool", Input.Tag, Output.Tag, RegionBins.Text(Attributes));

    public override string Comment => $"y[{Output.Tag}] = maxima of x[{Input.Tag}] over {Attributes.Rows}x{Attributes.Columns} bins of each box";

    public override string Layouts => $"{Input.Tag} -> {Output.Tag}";

    public override ImmutableArray<Operand> Operands => [new("x", Offset: Input.Origin), new("boxes"), new("y", Offset: Output.Origin)];

    public override int Units => checked(Input.Blocks * Output.Depth);

    public override void Emit(KernelWriter writer, Isa isa)
    {
        var parts = Enumerable.Range(0, isa.Parts).ToArray();
        writer.OpenMethod();
        writer.OpenUnits().Line($"var block = unit / {Output.Depth};").Line($"var region = unit % {Output.Depth};").Line($"var plane = x + block * {Input.BlockStride};");
        RegionBins.OpenBins(writer, Attributes, Input);
        writer.Line("var isEmpty = bottom <= top || right <= left;");
        foreach (var p in parts)
        {
            writer.Line($"var max{p} = {isa.Broadcast("isEmpty ? 0f : float.NegativeInfinity")};");
        }

        RegionBins.OpenElements(writer, Input, "plane");
        foreach (var p in parts)
        {
            writer.Line($"max{p} = {isa.Static}.Max(max{p}, {isa.Load($"at + {p * isa.Width}")});");
        }

        writer.Close().Close();
        writer.Line($"var to = y + block * {Output.BlockStride} + region * {Output.DepthStride} + row * {Output.RowStride} + column * {Output.ColumnStride};");
        foreach (var p in parts)
        {
            writer.Line(isa.Store($"to + {p * isa.Width}", $"max{p}"));
        }

        writer.Close().Close().Close().Close();
    }
}

/// <summary>Operands x (Blocked, C x H x W), boxes (Flat, N x 4), dy (Blocked, C x N x rows x columns), dx (Blocked, C x H x W).</summary>
public sealed record RegionPoolGradientKernel(RegionPoolAttributes Attributes, Layout Input, Layout OutputGradient, Layout InputGradient) : Kernel
{
    public override string Name => KernelName.Of("RegionPoolGradient", Input.Tag, OutputGradient.Tag, InputGradient.Tag, RegionBins.Text(Attributes));

    public override string Comment => $"dx[{InputGradient.Tag}] = dy[{OutputGradient.Tag}] at the maxima of x[{Input.Tag}] over the bins of each box";

    public override string Layouts => $"{OutputGradient.Tag} -> {InputGradient.Tag}";

    public override ImmutableArray<Operand> Operands => [new("x", Offset: Input.Origin), new("boxes"), new("dy", Offset: OutputGradient.Origin), new("dx", Offset: InputGradient.Origin)];

    /// <summary>Boxes may share elements, so a block of channels has one owner.</summary>
    public override int Units => Input.Blocks;

    public override void Emit(KernelWriter writer, Isa isa)
    {
        var parts = Enumerable.Range(0, isa.Parts).ToArray();
        writer.OpenMethod();
        writer.Open("for (var block = begin; block < end; block++)");
        writer.Line($"var plane = x + block * {Input.BlockStride};").Line($"var slopes = dx + block * {InputGradient.BlockStride};");
        writer.Open($"for (var row = 0; row < {Input.Height}; row++)").Line($"new Span<float>(slopes + row * {InputGradient.RowStride}, {Input.Width * Layout.Lanes}).Clear();").Close();
        writer.Open($"for (var region = 0; region < {OutputGradient.Depth}; region++)");
        RegionBins.OpenBins(writer, Attributes, Input);
        foreach (var p in parts)
        {
            writer.Line($"var best{p} = {isa.Broadcast("float.NegativeInfinity")};").Line($"var winner{p} = {isa.Static}.Create(-1);");
        }

        RegionBins.OpenElements(writer, Input, "plane");
        writer.Line($"var number = {isa.Static}.Create(h * {Input.Width} + w);");
        foreach (var p in parts)
        {
            writer.Line($"var v{p} = {isa.Load($"at + {p * isa.Width}")};")
                .Line($"var wins{p} = {isa.Static}.GreaterThan(v{p}, best{p}) | ~{isa.Static}.Equals(v{p}, v{p}) | {isa.Static}.LessThan(winner{p}, {isa.IntegerType}.Zero).AsSingle();")
                .Line($"best{p} = {isa.Static}.ConditionalSelect(wins{p}, v{p}, best{p});")
                .Line($"winner{p} = {isa.Static}.ConditionalSelect(wins{p}.AsInt32(), number, winner{p});");
        }

        writer.Close().Close();
        writer.Line($"var from = dy + block * {OutputGradient.BlockStride} + region * {OutputGradient.DepthStride} + row * {OutputGradient.RowStride} + column * {OutputGradient.ColumnStride};");
        foreach (var p in parts)
        {
            writer.Line($"var g{p} = {isa.Load($"from + {p * isa.Width}")};");
        }

        RegionBins.OpenElements(writer, InputGradient, "slopes");
        writer.Line($"var number = {isa.Static}.Create(h * {Input.Width} + w);");
        foreach (var p in parts)
        {
            writer.Line(isa.Store($"at + {p * isa.Width}", $"{isa.Load($"at + {p * isa.Width}")} + ({isa.Static}.Equals(winner{p}, number).AsSingle() & g{p})"));
        }

        writer.Close().Close().Close().Close().Close().Close().Close();
    }
}

internal static class RegionBins
{
    public static string Text(RegionPoolAttributes a) => $"{a.Rows}x{a.Columns} {Literals.Float((float)a.Scale)}";

    /// <summary>Loops over the bins of box <c>region</c>, with the bounds top, bottom, left and right of each.</summary>
    public static void OpenBins(SourceWriter writer, RegionPoolAttributes a, Layout plane)
    {
        string Round(int coordinate) => $"(int)MathF.Round(box[{coordinate}] * {Literals.Float((float)a.Scale)}, MidpointRounding.AwayFromZero)";
        writer.Line("var box = boxes + region * 4;");
        writer.Line($"var x1 = {Round(0)};").Line($"var y1 = {Round(1)};");
        writer.Line($"var width = Math.Max({Round(2)} - x1 + 1, 1);").Line($"var height = Math.Max({Round(3)} - y1 + 1, 1);");
        OpenBin(writer, "row", a.Rows, "height", "y1", "top", "bottom", plane.Height);
        OpenBin(writer, "column", a.Columns, "width", "x1", "left", "right", plane.Width);
    }

    /// <summary>Loops over the elements of a bin, at (h, w), with a pointer to their channels.</summary>
    public static void OpenElements(SourceWriter writer, Layout layout, string plane) => writer
        .Open("for (var h = top; h < bottom; h++)").Open("for (var w = left; w < right; w++)")
        .Line($"var at = {plane} + h * {layout.RowStride} + w * {layout.ColumnStride};");

    /// <summary>From floor(i · size / n) to ceil((i + 1) · size / n) of the box, in whole numbers: no rounding can move a bound.</summary>
    private static void OpenBin(SourceWriter writer, string index, int count, string size, string start, string first, string last, int limit) => writer
        .Open($"for (var {index} = 0; {index} < {count}; {index}++)")
        .Line($"var {first} = (int)Math.Clamp({start} + (long){index} * {size} / {count}, 0, {limit});")
        .Line($"var {last} = (int)Math.Clamp({start} + ((long)({index} + 1) * {size} + {count - 1}) / {count}, 0, {limit});");
}
