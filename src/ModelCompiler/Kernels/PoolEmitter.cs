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

    /// <summary>The name of a number that belongs to this operand.</summary>
    public string Number(string number) => Name + char.ToUpperInvariant(number[0]) + number.Substring(1);

    /// <summary>As the kernel's method gets it: at the first window, or at the first element of the output.</summary>
    public Operand Operand(PoolGeometry geometry) => new(Name, Offset: IsFixed ? 0 : Layout.Origin + (IsInput ? geometry.FirstWindow(Layout) : 0));

    /// <summary>Strides, steps from window to window, and from tap to tap.</summary>
    public IEnumerable<KernelNumber> Numbers(PoolGeometry geometry)
    {
        yield return new KernelNumber(Number("blockStride"), Layout.BlockStride);
        foreach (var (axis, stride) in geometry.Axes.Zip(PoolGeometry.Strides(Layout), (axis, stride) => (axis, stride)).Where(_ => !IsFixed))
        {
            yield return new KernelNumber(Number(axis.Word + "Stride"), stride);
            yield return new KernelNumber(Number(axis.Word + "Step"), IsInput ? checked(stride * axis.Stride) : stride);
            yield return new KernelNumber(Number(axis.Word + "Tap"), checked(stride * axis.Dilation));
        }

        if (IsInput)
        {
            yield return new KernelNumber(Number("planes"), Layout.Depth);
            yield return new KernelNumber(Number("rows"), Layout.Height);
            yield return new KernelNumber(Number("rowFloats"), Layout.Width * Layout.Lanes);
            yield return new KernelNumber(Number("firstElement"), -geometry.FirstWindow(Layout));
        }
    }
}

/// <summary>Writes what happens with one window.</summary>
/// <param name="isWhole">Whether the window lies in the plane; else its bounds are first{d,h,w} and last{d,h,w}.</param>
/// <param name="visit">Visits the window's elements.</param>
internal delegate void PoolBody(bool isWhole, Action<Action<PoolElement>> visit);

/// <param name="keepsEdge">Whether the body of whole windows calls the method for windows at an edge, by <see cref="EmitEdgeCall"/>, even where no window is cut.</param>
internal sealed class PoolEmitter(PoolGeometry geometry, KernelWriter writer, ImmutableArray<PoolOperand> operands, bool keepsEdge = false)
{
    private string Pointers => string.Join(", ", operands.Select(o => $"{o.Name}Block"));

    /// <summary>A unit is some rows of output.</summary>
    public void EmitByRows(PoolBody body)
    {
        writer.OpenMethod();
        writer.Open("for (var row = begin * rowsPerUnit; row < Math.Min(end * rowsPerUnit, rowsInAll); row++)");
        var isPlane = geometry.Axes[0].Output == 1;
        writer.Line(isPlane ? "const int d = 0;" : "var d = row / rows % planes;").Line("var h = row % rows;").Line(isPlane ? "var block = row / rows;" : "var block = row / (rows * planes);");
        EmitBlockPointers();
        EmitRow(body);
        writer.Close().Close();
        EmitEdge(body);
    }

    /// <summary>A unit is a block of channels, for kernels that scatter into it.</summary>
    public void EmitByBlocks(Action prepareBlock, PoolBody body)
    {
        writer.OpenMethod();
        writer.Open("for (var block = begin; block < end; block++)");
        EmitBlockPointers();
        prepareBlock();
        writer.Open("for (var d = 0; d < planes; d++)").Open("for (var h = 0; h < rows; h++)");
        EmitRow(body);
        writer.Close().Close().Close().Close();
        EmitEdge(body);
    }

    /// <summary>Zeros for the whole plane of a block.</summary>
    public void EmitClear(PoolOperand operand, Isa isa)
    {
        string Number(string number) => operand.Number(number);
        writer.Open($"for (var d = 0; d < {Number("planes")}; d++)").Open($"for (var h = 0; h < {Number("rows")}; h++)")
            .Line($"var clear = {operand.Name}Block + {Number("firstElement")} + d * {Number("planeStride")} + h * {Number("rowStride")};")
            .Open($"for (var w = 0; w < {Number("rowFloats")}; w += {isa.Width})").Line(isa.Store("clear + w", $"{isa.Type}.Zero")).Close().Close().Close();
    }

    private void EmitBlockPointers()
    {
        foreach (var operand in operands)
        {
            writer.Line($"var {operand.Name}Block = {operand.Name} + block * {operand.Number("blockStride")};");
        }
    }

    private void EmitRow(PoolBody body)
    {
        var columns = geometry.Axes[2];
        var conditions = geometry.Axes.Take(2).Where(a => a.IsClipped).Select(a => $"{a.Name} >= {a.Word}sWholeFrom && {a.Name} < {a.Word}sWholeTo").ToList();
        var (from, to) = (columns.InsideFrom == 0 ? "0" : "columnsWholeFrom", columns.InsideTo == columns.Output ? "columns" : "columnsWholeTo");
        if (conditions.Count > 0)
        {
            writer.Line($"var isInside = {string.Join(" && ", conditions)};")
                .Line($"var left = isInside ? {from} : columns;").Line($"var right = isInside ? {to} : columns;");
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

        EmitEdgeCalls(to, "columns");
    }

    private void EmitEdgeCalls(string first, string last)
    {
        if (first != last)
        {
            writer.Open($"for (var w = {first}; w < {last}; w++)");
            EmitEdgeCall();
            writer.Close();
        }
    }

    /// <summary>Treats the window at (d, h, w) as if it were cut.</summary>
    public void EmitEdgeCall() => writer.Line(writer.Call("edge", $"{Pointers}, d, h, w") + ";");

    private void EmitPointers()
    {
        foreach (var operand in operands.Where(o => !o.IsFixed))
        {
            var terms = geometry.Axes.Skip(geometry.Axes[0].Output == 1 ? 1 : 0).Select(a => $"{a.Name} * {operand.Number(a.Word + "Step")}");
            writer.Line($"var {operand.At} = {operand.Name}Block + {string.Join(" + ", terms)};");
        }
    }

    private void EmitEdge(PoolBody body)
    {
        if (geometry.IsClipped || keepsEdge)
        {
            writer.Line(keepsEdge ? "// One window, whole or cut by the plane's edges." : "// One window that is cut by the plane's edges.");
            writer.OpenHelper("edge", $"{string.Join(", ", operands.Select(o => $"float* {o.Name}Block"))}, int d, int h, int w");
            geometry.EmitBounds(writer);
            EmitPointers();
            body(false, visit => geometry.VisitClipped(writer, visit));
            writer.Close();
        }
    }
}
