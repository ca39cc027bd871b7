// Means of samples in the bins of boxes (He et al., Mask R-CNN, 2017), each interpolated between the four elements around it,
// and where their gradients go. Only places are data: along the channels everything is vectors. Samples more than one element
// outside of the plane count as 0, and those nearer take the edge, whatever a box says.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Operators;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <summary>Operands x (Blocked, C x H x W), boxes (Flat, N x 4), y (Blocked, C x N x rows x columns).</summary>
public sealed record RegionAlignKernel(RegionAlignAttributes Attributes, Layout Input, Layout Output) : Kernel
{
    public override string Comment => "y = means of samples between the elements of x, in the bins of each box";

    public override string Layouts => $"{Input.Tag} -> {Output.Tag}";

    public override ImmutableArray<Operand> Operands => [new("x", Offset: Input.Origin), new("boxes"), new("y", Offset: Output.Origin)];

    public override int Units => checked(Input.Blocks * Output.Depth);

    public override void Emit(KernelWriter writer, Isa isa)
    {
        var parts = Enumerable.Range(0, isa.Parts).ToArray();
        writer.OpenMethod();
        writer.OpenUnits();
        writer.Line($"int block = unit / {writer.N("regions", Output.Depth)}, region = unit % regions;").Line($"var plane = x + (long)block * {writer.N("xBlock", Input.BlockStride)};");
        RegionSamples.OpenBins(writer, Attributes);
        foreach (var p in parts)
        {
            writer.Line($"var sum{p} = {isa.Type}.Zero;");
        }

        RegionSamples.OpenSamples(writer, Attributes, Input, "plane");
        foreach (var corner in RegionSamples.Corners)
        {
            writer.Line($"var {corner}Weight = {isa.Broadcast(RegionSamples.Weight(corner))};");
            foreach (var p in parts)
            {
                writer.Line($"sum{p} += {corner}Weight * {isa.Load($"{corner} + {p * isa.Width}")};");
            }
        }

        writer.Close().Close();
        writer.Line(RegionSamples.Bin(writer, "to", "y", Output)).Line($"var share = {isa.Broadcast(RegionSamples.Share(Attributes))};");
        foreach (var p in parts)
        {
            writer.Line(isa.Store($"to + {p * isa.Width}", $"sum{p} * share"));
        }

        writer.Close().Close().Close().Close();
    }
}

/// <summary>Operands boxes (Flat, N x 4), dy (Blocked, C x N x rows x columns), dx (Blocked, C x H x W).</summary>
public sealed record RegionAlignGradientKernel(RegionAlignAttributes Attributes, Layout OutputGradient, Layout InputGradient) : Kernel
{
    public override string Comment => "dx = dy spread over the elements around each sample in the bins of each box";

    public override string Layouts => $"{OutputGradient.Tag} -> {InputGradient.Tag}";

    public override ImmutableArray<Operand> Operands => [new("boxes"), new("dy", Offset: OutputGradient.Origin), new("dx", Offset: InputGradient.Origin)];

    /// <summary>Boxes may share elements, so a block of channels has one owner.</summary>
    public override int Units => InputGradient.Blocks;

    public override void Emit(KernelWriter writer, Isa isa)
    {
        var parts = Enumerable.Range(0, isa.Parts).ToArray();
        writer.OpenMethod();
        writer.Open("for (var block = begin; block < end; block++)");
        writer.Line($"var plane = dx + (long)block * {writer.N("xBlock", InputGradient.BlockStride)};");
        writer.Open($"for (var row = 0; row < {writer.N("height", InputGradient.Height)}; row++)")
            .Line($"new Span<float>(plane + row * {writer.N("xRow", InputGradient.RowStride)}, {writer.N("rowFloats", InputGradient.Width * Layout.Lanes)}).Clear();").Close();
        writer.Open($"for (var region = 0; region < {writer.N("regions", OutputGradient.Depth)}; region++)");
        RegionSamples.OpenBins(writer, Attributes);
        writer.Line(RegionSamples.Bin(writer, "from", "dy", OutputGradient)).Line($"var share = {isa.Broadcast(RegionSamples.Share(Attributes))};");
        foreach (var p in parts)
        {
            writer.Line($"var g{p} = share * {isa.Load($"from + {p * isa.Width}")};");
        }

        // One corner after another: at the plane's edges two of them are the same element.
        RegionSamples.OpenSamples(writer, Attributes, InputGradient, "plane");
        foreach (var corner in RegionSamples.Corners)
        {
            writer.Line($"var {corner}Weight = {isa.Broadcast(RegionSamples.Weight(corner))};");
            foreach (var p in parts)
            {
                writer.Line(isa.Store($"{corner} + {p * isa.Width}", $"{isa.Load($"{corner} + {p * isa.Width}")} + {corner}Weight * g{p}"));
            }
        }

        writer.Close().Close().Close().Close().Close().Close().Close();
    }
}

internal static class RegionSamples
{
    /// <summary>The elements around a sample: pointers to their channels in the emitted code.</summary>
    public static readonly ImmutableArray<string> Corners = ["upperLeft", "upperRight", "lowerLeft", "lowerRight"];

    public static string Weight(string corner) =>
        (corner.StartsWith("upper", StringComparison.Ordinal) ? "(1f - down)" : "down") + " * " + (corner.EndsWith("Left", StringComparison.Ordinal) ? "(1f - right)" : "right");

    public static string Share(RegionAlignAttributes a) => $"1f / {Literals.Int(a.Samples * a.Samples)}";

    /// <summary>A pointer to the channels of one bin.</summary>
    public static string Bin(KernelWriter writer, string name, string operand, Layout layout) =>
        $"var {name} = {operand} + (long)block * {writer.N("binBlock", layout.BlockStride)} + region * {writer.N("binRegion", layout.DepthStride)} + binRow * {writer.N("binRowStride", layout.RowStride)} + binColumn * {writer.N("binColumnStride", layout.ColumnStride)};";

    /// <summary>Loops over the bins of box <c>region</c>.</summary>
    public static void OpenBins(KernelWriter writer, RegionAlignAttributes a)
    {
        string Edge(int coordinate) => $"box[{coordinate}] * {Literals.Float((float)a.Scale)}{(a.Aligned ? " - 0.5f" : "")}";
        string Size(string size) => a.Aligned ? size : $"Math.Max({size}, 1f)";
        writer.Line("var box = boxes + region * 4;").Line($"float x1 = {Edge(0)}, y1 = {Edge(1)};")
            .Line($"float boxWidth = {Size($"{Edge(2)} - x1")}, boxHeight = {Size($"{Edge(3)} - y1")};")
            .Open($"for (var binRow = 0; binRow < {writer.N("binRows", a.Rows)}; binRow++)").Open($"for (var binColumn = 0; binColumn < {writer.N("binColumns", a.Columns)}; binColumn++)");
    }

    /// <summary>Loops over the samples of a bin, with pointers to the elements around, and how far down and right between them it is.</summary>
    public static void OpenSamples(KernelWriter writer, RegionAlignAttributes a, Layout layout, string plane)
    {
        OpenAxis(writer, a, "Row", "y1", "boxHeight", "binRows", writer.N("height", layout.Height), "upper", "lower", "down");
        OpenAxis(writer, a, "Column", "x1", "boxWidth", "binColumns", writer.N("width", layout.Width), "left", "farther", "right");
        foreach (var corner in Corners)
        {
            var (row, column) = (corner.StartsWith("upper", StringComparison.Ordinal) ? "upper" : "lower", corner.EndsWith("Left", StringComparison.Ordinal) ? "left" : "farther");
            writer.Line($"var {corner} = {plane} + {row} * {writer.N("xRow", layout.RowStride)} + {column} * {writer.N("xColumn", layout.ColumnStride)};");
        }
    }

    private static void OpenAxis(KernelWriter writer, RegionAlignAttributes a, string axis, string start, string size, string bins, string elements, string first, string second, string fraction)
    {
        var samples = writer.N("samples", a.Samples);
        writer.Open($"for (var sample{axis} = 0; sample{axis} < {samples}; sample{axis}++)")
            .Line($"var at{axis} = {start} + (bin{axis} * {samples} + sample{axis} + 0.5f) * {size} / ({bins} * {samples});")
            .Open($"if (!(at{axis} >= -1f && at{axis} <= {elements}))").Line("continue;").Close()
            .Line($"at{axis} = Math.Clamp(at{axis}, 0f, {elements} - 1);").Line($"int {first} = (int)at{axis}, {second} = Math.Min({first} + 1, {elements} - 1);").Line($"var {fraction} = at{axis} - {first};");
    }
}
