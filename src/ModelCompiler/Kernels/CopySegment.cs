// A box of elements cut into parts that are strided on both sides. Only channel blocks force a cut: where a box
// starts or ends inside a block, or where the blocks of the two sides are not aligned to each other.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Graph;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <summary>Loops over (source, target); a segment without a source writes zeros.</summary>
/// <param name="FromSpare">Elements behind the run that is contiguous in the source which may be read: free lanes of its block.</param>
/// <param name="ToSpare">Elements behind the run that is contiguous in the target which may be written.</param>
internal sealed record CopySegment(LoopNest Nest, int FromOffset, int ToOffset, bool IsZero, int FromSpare, int ToSpare)
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

    // Rows are contiguous in the source, columns in the target: 4x4 elements at a time are transposed in registers. The
    // last tile overlaps the one before; a side of less than four elements borrows free lanes.
    private void EmitTile(SourceWriter writer, LoopAxis rows, LoopAxis columns, string from, string to)
    {
        if (rows.Strides[0] != 1 || columns.Strides[1] != 1 || rows.Size + FromSpare < 4 || columns.Size + ToSpare < 4)
        {
            writer.Open($"for (var r = 0; r < {rows.Size}; r++)").Open($"for (var c = 0; c < {columns.Size}; c++)")
                .Line($"{to}[r * {rows.Strides[1]} + c * {columns.Strides[1]}] = {from}[r * {rows.Strides[0]} + c * {columns.Strides[0]}];")
                .Close().Close();
            return;
        }

        var row = OpenTiles(writer, "r", rows.Size);
        var column = OpenTiles(writer, "c", columns.Size);
        writer.Line($"var source = {from} + {column} * {columns.Strides[0]} + {row};").Line($"var target = {to} + {row} * {rows.Strides[1]} + {column};");
        for (var i = 0; i < 4; i++)
        {
            writer.Line($"var a{i} = {(i < columns.Size ? Isa.Vector128.Load($"source + {i * columns.Strides[0]}") : $"a{columns.Size - 1}")};");
        }

        writer.Line("VectorMath.Transpose(ref a0, ref a1, ref a2, ref a3);");
        for (var i = 0; i < Math.Min(4, rows.Size); i++)
        {
            writer.Line(Isa.Vector128.Store($"target + {i * rows.Strides[1]}", $"a{i}"));
        }

        writer.Close().Close();
    }

    private static string OpenTiles(SourceWriter writer, string index, int size)
    {
        writer.Open($"for (var {index} = 0; {index} < {size}; {index} += 4)");
        if (size < 4 || size % 4 == 0)
        {
            return index;
        }

        writer.Line($"var {index}At = Math.Min({index}, {size - 4});");
        return $"{index}At";
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
            var (fromSpare, toSpare) = (chosen.Sum(c => c.FromSpare), chosen.Sum(c => c.ToSpare));
            var nest = axes.IsEmpty ? new LoopNest([new LoopAxis(1, [1, 1])]) : Arranged(new LoopNest(axes).Merged(0), fromSpare > 0, toSpare > 0);
            segments.Add(new CopySegment(
                nest, copy.From.Origin + chosen.Sum(c => c.FromOffset), copy.To.Origin + chosen.Sum(c => c.ToOffset), isZero, fromSpare, toSpare));
        }
    }

    // The axis that is contiguous in the target last, the one contiguous in the source just before it.
    private static LoopNest Arranged(LoopNest nest, bool hasFromSpare, bool hasToSpare)
    {
        var axes = nest.Axes.ToList();
        foreach (var side in new[] { 0, 1 })
        {
            var unit = axes.FindIndex(a => a.Strides[side] == 1);
            if (unit < 0 && (side == 0 ? hasFromSpare : hasToSpare))
            {
                // A single channel is a run of one, with free lanes behind it.
                axes.Add(new LoopAxis(1, side == 0 ? [1, 0] : [0, 1]));
                continue;
            }

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

    private sealed record AxisPart(LoopAxis Outer, LoopAxis? Lanes, int FromOffset, int ToOffset, int FromSpare = 0, int ToSpare = 0);

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
            var (start, size) = group.First();
            var isEnd = to.Start + start + size == to.Size;
            yield return new AxisPart(
                new LoopAxis(group.Count(), [from.BlockStep, to.BlockStep]), new LoopAxis(size, [from.Stride, to.Stride]), from.Offset(start), to.Offset(start),
                from.IsBlocked && !to.IsBlocked ? Layout.Lanes - from.Lane(start) - size : 0,
                to.IsBlocked && !from.IsBlocked && isEnd ? Layout.Lanes - to.Lane(start) - size : 0);
        }
    }
}
