// The loops that all pooling kernels share: rows of output, whole windows in the middle, clipped ones at the edges.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <summary>An operand that follows the input's plane (the body finds it at the window's start) or the output's.</summary>
/// <param name="IsFixed">It follows neither, only the block: weights.</param>
internal sealed record PoolOperand(string Name, Layout Layout, bool IsInput, bool IsFixed = false)
{
    /// <summary>The pointer the body uses.</summary>
    public string At => IsFixed ? $"{Name}Block" : $"{Name}At";
}

/// <summary>Writes what happens with one window.</summary>
/// <param name="isWhole">Whether the window lies in the plane; else its bounds are first{d,h,w} and last{d,h,w}.</param>
/// <param name="visit">Visits the window's elements.</param>
internal delegate void PoolBody(bool isWhole, Action<Action<PoolElement>> visit);

internal sealed class PoolEmitter(Kernel kernel, PoolGeometry geometry, SourceWriter writer, ImmutableArray<PoolOperand> operands)
{
    private string Pointers => string.Join(", ", operands.Select(o => $"{o.Name}Block"));

    /// <summary>A unit is some rows of output.</summary>
    public void EmitByRows(PoolBody body)
    {
        var (depth, rows) = (geometry.Axes[0].Output, geometry.Axes[1].Output);
        var perUnit = geometry.RowsPerUnit;
        Open();
        writer.Open($"for (var row = begin * {perUnit}; row < Math.Min(end * {perUnit}, {geometry.Rows}); row++)");
        writer.Line($"var block = row / {depth * rows};").Line(depth == 1 ? "const int d = 0;" : $"var d = row / {rows} % {depth};").Line($"var h = row % {rows};");
        EmitBlockPointers();
        EmitRow(body);
        writer.Close().Close();
        EmitEdge(body);
    }

    /// <summary>A unit is a block of channels, for kernels that scatter into it.</summary>
    public void EmitByBlocks(Action prepareBlock, PoolBody body)
    {
        Open();
        writer.Open("for (var block = begin; block < end; block++)");
        EmitBlockPointers();
        prepareBlock();
        writer.Open($"for (var d = 0; d < {geometry.Axes[0].Output}; d++)").Open($"for (var h = 0; h < {geometry.Axes[1].Output}; h++)");
        EmitRow(body);
        writer.Close().Close().Close().Close();
        EmitEdge(body);
    }

    /// <summary>Zeros for the whole plane of a block.</summary>
    public void EmitClear(PoolOperand operand, Isa isa)
    {
        var layout = operand.Layout;
        writer.Open($"for (var d = 0; d < {layout.Depth}; d++)").Open($"for (var h = 0; h < {layout.Height}; h++)")
            .Line($"var clear = {operand.Name}Block + d * {layout.DepthStride} + h * {layout.RowStride};")
            .Open($"for (var w = 0; w < {layout.Width * Layout.Lanes}; w += {isa.Width})").Line(isa.Store("clear + w", $"{isa.Type}.Zero")).Close().Close().Close();
    }

    private void Open()
    {
        writer.OpenMethod(kernel);
        foreach (var operand in operands)
        {
            writer.Skip(operand.Name, operand.Layout.Origin);
        }
    }

    private void EmitBlockPointers()
    {
        foreach (var operand in operands)
        {
            writer.Line($"var {operand.Name}Block = {operand.Name} + block * {operand.Layout.BlockStride};");
        }
    }

    private void EmitRow(PoolBody body)
    {
        var columns = geometry.Axes[2];
        var conditions = geometry.Axes.Take(2).Where(a => a.IsClipped).Select(a => $"{a.Name} >= {a.InsideFrom} && {a.Name} < {a.InsideTo}").ToList();
        var (from, to) = ($"{columns.InsideFrom}", $"{columns.InsideTo}");
        if (conditions.Count > 0)
        {
            writer.Line($"var isInside = {string.Join(" && ", conditions)};")
                .Line($"var left = isInside ? {from} : {columns.Output};").Line($"var right = isInside ? {to} : {columns.Output};");
            (from, to) = ("left", "right");
        }

        EmitEdgeCalls("0", from);
        if (geometry.Axes.All(a => a.InsideFrom < a.InsideTo))
        {
            writer.Open($"for (var w = {from}; w < {to}; w++)");
            EmitPointers();
            body(true, visit => geometry.VisitWhole(writer, visit));
            writer.Close();
        }

        EmitEdgeCalls(to, $"{columns.Output}");
    }

    private void EmitEdgeCalls(string first, string last)
    {
        if (first != last)
        {
            writer.Open($"for (var w = {first}; w < {last}; w++)").Line($"{kernel.Name}_edge({Pointers}, d, h, w);").Close();
        }
    }

    private void EmitPointers()
    {
        foreach (var operand in operands.Where(o => !o.IsFixed))
        {
            writer.Line($"var {operand.At} = {operand.Name}Block + {(operand.IsInput ? geometry.WindowStart(operand.Layout) : geometry.OutputOffset(operand.Layout))};");
        }
    }

    private void EmitEdge(PoolBody body)
    {
        if (geometry.IsClipped)
        {
            writer.Line("// One window that is cut by the plane's edges.").Line(Kernel.Attribute);
            writer.Open($"private static void {kernel.Name}_edge({string.Join(", ", operands.Select(o => $"float* {o.Name}Block"))}, int d, int h, int w)");
            geometry.EmitBounds(writer);
            EmitPointers();
            body(false, visit => geometry.VisitClipped(writer, visit));
            writer.Close();
        }
    }
}
