// A box of elements cut into parts that are strided on both sides. Only channel blocks force a cut: where a box
// starts or ends inside a block, or where the blocks of the two sides are not aligned to each other.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Graph;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <summary>Loops over (source, target); a segment without a source writes zeros.</summary>
internal sealed record CopySegment(LoopNest Nest, int FromOffset, int ToOffset, bool IsZero)
{
    public int Units => Nest.UnitCount(UnitAxes);

    private bool IsRun => Nest.Inner.Strides[0] == 1 && Nest.Inner.Strides[1] == 1;

    // The two innermost loops belong to one tile when the sides are contiguous along different axes.
    private int UnitAxes => Math.Min(Nest.UnitAxes(), Math.Max(0, Nest.Axes.Length - (IsRun ? 1 : 2)));

    public static ImmutableArray<CopySegment> Of(CopyKernel copy)
    {
        var segments = ImmutableArray.CreateBuilder<CopySegment>();
        Cut(copy, copy.ToStart, copy.Extent, false, segments);
        if (copy.Clear)
        {
            // The rest of the target, axis by axis: before and after the box, as far as earlier axes are inside it.
            for (var axis = 0; axis < copy.Extent.Length; axis++)
            {
                var end = copy.ToStart[axis] + copy.Extent[axis];
                foreach (var (start, size) in new[] { (0, copy.ToStart[axis]), (end, copy.To.Shape[axis] - end) })
                {
                    if (size > 0)
                    {
                        var starts = copy.ToStart.Select((s, i) => i < axis ? s : i == axis ? start : 0).ToImmutableArray();
                        var sizes = copy.Extent.Select((s, i) => i < axis ? s : i == axis ? size : copy.To.Shape[i]).ToImmutableArray();
                        Cut(copy, starts, sizes, true, segments);
                    }
                }
            }
        }

        return segments.ToImmutable();
    }

    public void Emit(SourceWriter writer, Isa isa, int first)
    {
        writer.Open(first == 0 ? $"for (var unit = begin; unit < Math.Min(end, {Units}); unit++)"
            : $"for (var unit = Math.Max(begin, {first}); unit < Math.Min(end, {first + Units}); unit++)");
        var target = ToOffset == 0 ? "y" : $"(y + {ToOffset})";
        var source = IsZero ? target : FromOffset == 0 ? "x" : $"(x + {FromOffset})";
        writer.Line($"var from = {source};").Line($"var to = {target};");
        if (first > 0 && UnitAxes > 0)
        {
            writer.Line($"var part = unit - {first};");
        }

        var inner = Nest.Inner;
        var tile = IsRun || Nest.Axes.Length == 1 ? null : Nest.Axes[Nest.Axes.Length - 2];
        var loops = tile is null ? Nest : new LoopNest([.. Nest.Axes.RemoveAt(Nest.Axes.Length - 1)]);
        loops.Emit(writer, UnitAxes, first > 0 ? "part" : "unit", ["from", "to"], pointers =>
        {
            if (IsRun)
            {
                EmitRun(writer, isa, inner.Size, pointers[0], pointers[1]);
            }
            else if (tile is not null)
            {
                EmitTile(writer, tile, inner, pointers[0], pointers[1]);
            }
            else
            {
                writer.Open($"for (var i = 0; i < {inner.Size}; i++)")
                    .Line($"{pointers[1]}[i * {inner.Strides[1]}] = {pointers[0]}[i * {inner.Strides[0]}];").Close();
            }
        });
        writer.Close();
    }

    private void EmitRun(SourceWriter writer, Isa isa, int size, string from, string to)
    {
        foreach (var piece in RunPiece.Cover(isa, size))
        {
            string Value(string offset) => IsZero ? $"{piece.Isa.Type}.Zero" : piece.Isa.Load(from + offset);
            if (piece.IsPartial)
            {
                for (var i = piece.Start; i < piece.Start + piece.Count; i++)
                {
                    writer.Line($"{to}[{i}] = {(IsZero ? "0f" : $"{from}[{i}]")};");
                }
            }
            else if (piece.Count <= 4 * piece.Isa.Width)
            {
                for (var i = piece.Start; i < piece.Start + piece.Count; i += piece.Isa.Width)
                {
                    writer.Line(piece.Isa.Store($"{to} + {i}", Value($" + {i}")));
                }
            }
            else
            {
                writer.Open($"for (var i = {piece.Start}; i < {piece.Start + piece.Count}; i += {piece.Isa.Width})")
                    .Line(piece.Isa.Store($"{to} + i", Value(" + i"))).Close();
            }
        }
    }

    // Rows are contiguous in the source, columns in the target: 4x4 elements at a time are transposed in registers.
    private static void EmitTile(SourceWriter writer, LoopAxis rows, LoopAxis columns, string from, string to)
    {
        // rows: the axis that is contiguous in the source; columns: the one contiguous in the target.
        var height = rows.Size / 4 * 4;
        var width = columns.Size / 4 * 4;
        var canTranspose = rows.Strides[0] == 1 && columns.Strides[1] == 1 && height > 0 && width > 0;
        if (canTranspose)
        {
            writer.Open($"for (var r = 0; r < {height}; r += 4)").Open($"for (var c = 0; c < {width}; c += 4)");
            writer.Line($"var source = {from} + c * {columns.Strides[0]} + r;").Line($"var target = {to} + r * {rows.Strides[1]} + c;");
            for (var i = 0; i < 4; i++)
            {
                writer.Line($"var a{i} = {Isa.Vector128.Load($"source + {i * columns.Strides[0]}")};");
            }

            writer.Line("VectorMath.Transpose(ref a0, ref a1, ref a2, ref a3);");
            for (var i = 0; i < 4; i++)
            {
                writer.Line(Isa.Vector128.Store($"target + {i * rows.Strides[1]}", $"a{i}"));
            }

            writer.Close().Close();
        }

        // What is left, at most three rows and three columns when tiles were possible.
        void Rest(int rowStart, int rowEnd, int columnStart, int columnEnd)
        {
            if (rowStart < rowEnd && columnStart < columnEnd)
            {
                writer.Open($"for (var r = {rowStart}; r < {rowEnd}; r++)").Open($"for (var c = {columnStart}; c < {columnEnd}; c++)")
                    .Line($"{to}[r * {rows.Strides[1]} + c * {columns.Strides[1]}] = {from}[r * {rows.Strides[0]} + c * {columns.Strides[0]}];")
                    .Close().Close();
            }
        }

        if (canTranspose)
        {
            Rest(height, rows.Size, 0, columns.Size);
            Rest(0, height, width, columns.Size);
        }
        else
        {
            Rest(0, rows.Size, 0, columns.Size);
        }
    }

    private static void Cut(CopyKernel copy, ImmutableArray<int> start, ImmutableArray<int> extent, bool isZero, ImmutableArray<CopySegment>.Builder segments)
    {
        var parts = new List<AxisPart[]>();
        for (var axis = 0; axis < extent.Length; axis++)
        {
            var target = Side.Of(copy.To, axis, start[axis]);
            var sourceAxis = copy.Permutation[axis];
            parts.Add(CutAxis(extent[axis], isZero ? target : Side.Of(copy.From, sourceAxis, copy.FromStart[sourceAxis]), target).ToArray());
        }

        var combinations = parts.Aggregate(
            (IEnumerable<ImmutableArray<AxisPart>>)[ImmutableArray<AxisPart>.Empty],
            (all, choices) => all.SelectMany(chosen => choices.Select(chosen.Add)));
        foreach (var chosen in combinations)
        {
            var axes = chosen.Select(c => c.Outer).Concat(chosen.Where(c => c.Lanes is not null).Select(c => c.Lanes!)).ToImmutableArray();
            var nest = axes.IsEmpty ? new LoopNest([new LoopAxis(1, [1, 1])]) : Arranged(new LoopNest(axes).Merged(0));
            segments.Add(new CopySegment(
                nest, copy.From.Origin + chosen.Sum(c => c.FromOffset), copy.To.Origin + chosen.Sum(c => c.ToOffset), isZero));
        }
    }

    // The axis that is contiguous in the target last, the one contiguous in the source just before it.
    private static LoopNest Arranged(LoopNest nest)
    {
        var axes = nest.Axes.ToList();
        foreach (var side in new[] { 0, 1 })
        {
            var unit = axes.FindIndex(a => a.Strides[side] == 1);
            if (unit >= 0)
            {
                var axis = axes[unit];
                axes.RemoveAt(unit);
                axes.Add(axis);
            }
        }

        // A single long run becomes chunks, so that threads can share it.
        for (var chunk = 4096; axes.Count == 1 && axes[0].Size > chunk && chunk >= 512; chunk /= 2)
        {
            if (axes[0].Size % chunk == 0)
            {
                axes = [new LoopAxis(axes[0].Size / chunk, [.. axes[0].Strides.Select(s => s * chunk)]), axes[0] with { Size = chunk }];
            }
        }

        return new LoopNest([.. axes]);
    }

    private sealed record AxisPart(LoopAxis Outer, LoopAxis? Lanes, int FromOffset, int ToOffset);

    /// <summary>One axis of a layout: where index i lies, with blocks or without.</summary>
    private sealed record Side(int Start, int Stride, int BlockStride, bool IsBlocked, int Size)
    {
        public static Side Of(Layout layout, int axis, int start)
        {
            var rank = layout.Shape.Rank;
            if (layout.Kind == LayoutKind.Flat || rank > 4)
            {
                var stride = checked((int)layout.Shape.Dimensions.Skip(axis + 1).Aggregate(1L, (product, size) => product * size));
                return new Side(start, stride, stride * Layout.Lanes, false, layout.Shape[axis]);
            }

            return axis == 0 ? new Side(start, layout.LaneStride, layout.BlockStride, layout.Kind == LayoutKind.Blocked, layout.Channels)
                : axis == rank - 1 ? new Side(start, layout.ColumnStride, 0, false, layout.Width)
                : axis == rank - 2 ? new Side(start, layout.RowStride, 0, false, layout.Height)
                : new Side(start, layout.DepthStride, 0, false, layout.Depth);
        }

        public int Offset(int index) => !IsBlocked ? (Start + index) * Stride : ((Start + index) / Layout.Lanes * BlockStride) + ((Start + index) % Layout.Lanes);

        public int Lane(int index) => IsBlocked ? (Start + index) % Layout.Lanes : 0;

        public int BlockStep => IsBlocked ? BlockStride : Stride * Layout.Lanes;
    }

    private static IEnumerable<AxisPart> CutAxis(int extent, Side from, Side to)
    {
        if (!from.IsBlocked && !to.IsBlocked)
        {
            yield return new AxisPart(new LoopAxis(extent, [from.Stride, to.Stride]), null, from.Offset(0), to.Offset(0));
            yield break;
        }

        // Lanes beyond the last channel may be written: a last part that is aligned on both sides becomes a whole block.
        if (from.IsBlocked && to.IsBlocked && from.Lane(0) == to.Lane(0) && to.Start + extent == to.Size)
        {
            extent = ((to.Start + extent + Layout.Lanes - 1) / Layout.Lanes * Layout.Lanes) - to.Start;
        }

        var pieces = new List<(int Start, int Size)>();
        for (var i = 0; i < extent;)
        {
            var room = Math.Min(from.IsBlocked ? Layout.Lanes - from.Lane(i) : extent, to.IsBlocked ? Layout.Lanes - to.Lane(i) : extent);
            var size = Math.Min(room, extent - i);
            pieces.Add((i, size));
            i += size;
        }

        // Equal parts a block apart are one loop.
        foreach (var group in pieces.GroupBy(p => (p.Start % Layout.Lanes, p.Size)))
        {
            var start = group.First().Start;
            yield return new AxisPart(
                new LoopAxis(group.Count(), [from.BlockStep, to.BlockStep]), new LoopAxis(group.First().Size, [from.Stride, to.Stride]), from.Offset(start), to.Offset(start));
        }
    }
}
