// A box of elements cut into parts that are strided on both sides. Only channel blocks force a cut: where a box
// starts or ends inside a block, or where the blocks of the two sides are not aligned to each other.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Graph;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <summary>Loops over (source, target); a segment without a source writes zeros.</summary>
/// <param name="Index">Among the segments; units of all follow one another.</param>
/// <param name="FromOffset">Of the first segment, from the start of the source; of others, from where the first one reads.</param>
/// <param name="ToOffset">The same in the target.</param>
/// <param name="FromSpare">Elements behind the run that is contiguous in the source which may be read: free lanes of its block.</param>
/// <param name="ToSpare">Elements behind the run that is contiguous in the target which may be written.</param>
/// <param name="FirstUnit">Units of the segments before.</param>
internal sealed record CopySegment(
    LoopNest Nest, int FromOffset, int ToOffset, bool IsZero, int FromSpare, int ToSpare, int Index = 0, int FirstUnit = 0)
{
    private static readonly ImmutableArray<string> Names = ["from", "to"];

    public int Units => Nest.UnitCount(UnitAxes);

    /// <summary>Whether what is contiguous in the source is not contiguous in the target.</summary>
    public bool IsTransposed => Tile is not null;

    /// <summary>What the code depends on. Sides of a tile of up to four elements are written out.</summary>
    public string Structure => $"{UnitAxes},{IsZero},"
        + (IsRun ? Nest.Structure : Nest.StructureOf(Outer) + (Tile is null ? "single" : TileStructure(Tile) + TileStructure(Nest.Inner) + (IsSquared ? "squared" : "")));

    public ImmutableArray<KernelNumber> Numbers =>
    [
        .. Index > 0 && !IsZero ? [new KernelNumber(Nest.Named("from"), FromOffset)] : Array.Empty<KernelNumber>(),
        .. Index > 0 ? [new KernelNumber(Nest.Named("to"), ToOffset), new KernelNumber(Nest.Named("firstUnit"), FirstUnit)] : Array.Empty<KernelNumber>(),
        new(Nest.Named("endUnit"), FirstUnit + Units),
        .. IsRun ? Nest.Numbers(Names) : Nest.Axes.SelectMany((axis, i) => Nest.Numbers(axis, Names, withZeros: i >= Outer)),
    ];

    /// <summary>Loops around the run, the tile or the single elements.</summary>
    private int Outer => Nest.Axes.Length - (Tile is null ? 1 : 2);

    private bool IsRun => Nest.Inner.Strides[0] == 1 && Nest.Inner.Strides[1] == 1;

    // The two innermost loops belong to one tile when the sides are contiguous along different axes.
    private LoopAxis? Tile => IsRun || Nest.Axes.Length == 1 ? null : Nest.Axes[Nest.Axes.Length - 2];

    private LoopNest Loops => Tile is null ? Nest : Nest with { Axes = Nest.Axes.RemoveAt(Nest.Axes.Length - 1) };

    private int UnitAxes => Math.Min(Nest.UnitAxes(), Math.Max(0, Nest.Axes.Length - (IsRun ? 1 : 2)));

    /// <summary>Whether four times four elements can be transposed at a time.</summary>
    private bool IsSquared => Tile!.Strides[0] == 1 && Nest.Inner.Strides[1] == 1 && Tile.Size + FromSpare >= 4 && Nest.Inner.Size + ToSpare >= 4;

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

        // The first segment's places go into the operands' pointers, the others' count from there.
        var first = 0;
        for (var i = 0; i < segments.Count; i++)
        {
            var segment = segments[i];
            segments[i] = i == 0 ? segment : segment with
            {
                Index = i, FirstUnit = first, Nest = segment.Nest with { Prefix = $"part{Literals.Int(i)}" },
                FromOffset = segment.FromOffset - segments[0].FromOffset, ToOffset = segment.ToOffset - segments[0].ToOffset,
            };
            first += segments[i].Units;
        }

        return segments.ToImmutable();
    }

    public void Emit(SourceWriter writer, Isa isa)
    {
        string N(string number) => Nest.Named(number);
        writer.Open($"for (var unit = {(Index == 0 ? "begin" : $"Math.Max(begin, {N("firstUnit")})")}; unit < Math.Min(end, {N("endUnit")}); unit++)");
        var target = Index == 0 ? "y" : $"y + {N("to")}";
        writer.Line($"var from = {(IsZero ? target : Index == 0 ? "x" : $"x + {N("from")}")};").Line($"var to = {target};");
        if (Index > 0 && UnitAxes > 0)
        {
            writer.Line($"var part = unit - {N("firstUnit")};");
        }

        Loops.Emit(writer, UnitAxes, Index > 0 ? "part" : "unit", Names, pointers =>
        {
            if (IsRun)
            {
                EmitRun(writer, isa, pointers[0], pointers[1]);
            }
            else if (Tile is not null)
            {
                EmitTile(writer, Tile, Nest.Inner, pointers[0], pointers[1]);
            }
            else
            {
                writer.Open($"for (var i = 0; i < {N(Nest.Inner.Count)}; i++)").Line($"{pointers[1]}[i * {Stride(Nest.Inner, 1)}] = {Element($"{pointers[0]}[i * {Stride(Nest.Inner, 0)}]")};").Close();
            }
        });
        writer.Close();
    }

    /// <summary>What one element becomes.</summary>
    private string Element(string source) => IsZero ? "0f" : source;

    private string Stride(LoopAxis axis, int side) => Nest.Named(axis.Stride(Names[side]));

    private void EmitRun(SourceWriter writer, Isa isa, string from, string to)
    {
        foreach (var piece in RunPiece.Cover(isa, Nest.Run))
        {
            string Value(string offset) => IsZero ? $"{piece.Isa.Type}.Zero" : piece.Isa.Load(from + offset);
            if (piece.IsPartial)
            {
                for (var i = piece.Start; i < piece.Start + piece.Count; i++)
                {
                    writer.Line($"{to}[{piece.At(i)}] = {Element($"{from}[{piece.At(i)}]")};");
                }
            }
            else if (!Nest.Run.IsNamed || !piece.IsLoop)
            {
                for (var i = piece.Start; i < piece.Start + piece.Count; i += piece.Isa.Width)
                {
                    writer.Line(piece.Isa.Store($"{to} + {piece.At(i)}", Value($" + {piece.At(i)}")));
                }
            }
            else
            {
                writer.Open($"for (var i = {piece.From}; i < {piece.To}; i += {piece.Isa.Width})").Line(piece.Isa.Store($"{to} + i", Value(" + i"))).Close();
            }
        }
    }

    private static string TileStructure(LoopAxis axis) => axis.Size < 4 ? $"{axis.Name}={Literals.Int(axis.Size)}" : axis.Size % 4 == 0 ? $"{axis.Name}%4" : axis.Name;

    // Rows are contiguous in the source, columns in the target: 4x4 elements at a time are transposed in registers. The
    // last tile overlaps the one before; a side of less than four elements borrows free lanes.
    private void EmitTile(SourceWriter writer, LoopAxis rows, LoopAxis columns, string from, string to)
    {
        if (!IsSquared)
        {
            writer.Open($"for (var r = 0; r < {Nest.Named(rows.Count)}; r++)").Open($"for (var c = 0; c < {Nest.Named(columns.Count)}; c++)")
                .Line($"{to}[r * {Stride(rows, 1)} + c * {Stride(columns, 1)}] = {Element($"{from}[r * {Stride(rows, 0)} + c * {Stride(columns, 0)}]")};")
                .Close().Close();
            return;
        }

        var row = OpenTiles(writer, "r", rows);
        var column = OpenTiles(writer, "c", columns);
        writer.Line($"var source = {from} + {column} * {Stride(columns, 0)} + {row};").Line($"var target = {to} + {row} * {Stride(rows, 1)} + {column};");
        for (var i = 0; i < 4; i++)
        {
            writer.Line($"var a{i} = {(i < columns.Size ? Isa.Vector128.Load(i == 0 ? "source" : $"source + {i} * {Stride(columns, 0)}") : $"a{columns.Size - 1}")};");
        }

        writer.Line("VectorMath.Transpose(ref a0, ref a1, ref a2, ref a3);");
        for (var i = 0; i < Math.Min(4, rows.Size); i++)
        {
            writer.Line(Isa.Vector128.Store(i == 0 ? "target" : $"target + {i} * {Stride(rows, 1)}", $"a{i}"));
        }

        writer.Close().Close();
    }

    private string OpenTiles(SourceWriter writer, string index, LoopAxis axis)
    {
        writer.Open($"for (var {index} = 0; {index} < {Nest.Named(axis.Count)}; {index} += 4)");
        if (axis.Size < 4 || axis.Size % 4 == 0)
        {
            return index;
        }

        writer.Line($"var {index}At = Math.Min({index}, {Nest.Named(axis.Count)} - 4);");
        return $"{index}At";
    }

    private static void Cut(CopyKernel copy, ImmutableArray<int> start, ImmutableArray<int> extent, bool isZero, ImmutableArray<CopySegment>.Builder segments)
    {
        var parts = new List<AxisPart[]>();
        for (var axis = 0; axis < extent.Length; axis++)
        {
            var target = Side.Of(copy.To, axis, start[axis]);
            var sourceAxis = copy.Permutation[axis];
            parts.Add(CutAxis(AxisName(axis, extent.Length), extent[axis], isZero ? target : Side.Of(copy.From, sourceAxis, copy.FromStart[sourceAxis]), target).ToArray());
        }

        var combinations = parts.Aggregate(
            (IEnumerable<ImmutableArray<AxisPart>>)[ImmutableArray<AxisPart>.Empty],
            (all, choices) => all.SelectMany(chosen => choices.Select(chosen.Add)));
        foreach (var chosen in combinations)
        {
            var axes = chosen.Select(c => c.Outer).Concat(chosen.Where(c => c.Lanes is not null).Select(c => c.Lanes!)).ToImmutableArray();
            var (fromSpare, toSpare) = (chosen.Sum(c => c.FromSpare), chosen.Sum(c => c.ToSpare));
            var nest = axes.IsEmpty ? new LoopNest([new LoopAxis("element", 1, [1, 1])]) : Arranged(new LoopNest(axes).Merged(0), fromSpare > 0, toSpare > 0);
            segments.Add(new CopySegment(
                nest, copy.From.Origin + chosen.Sum(c => c.FromOffset), copy.To.Origin + chosen.Sum(c => c.ToOffset), isZero, fromSpare, toSpare));
        }
    }

    private static string AxisName(int axis, int rank) => rank > 4 ? $"index{Literals.Int(axis)}"
        : axis == 0 ? "channel" : axis == rank - 1 ? "column" : axis == rank - 2 ? "row" : "plane";

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
                axes.Add(new LoopAxis(side == 0 ? "borrowedFrom" : "borrowedTo", 1, side == 0 ? [1, 0] : [0, 1]));
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
                axes = [new LoopAxis("chunk", axes[0].Size / chunk, [.. axes[0].Strides.Select(s => s * chunk)]), axes[0] with { Size = chunk }];
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

    private static IEnumerable<AxisPart> CutAxis(string name, int extent, Side from, Side to)
    {
        if (!from.IsBlocked && !to.IsBlocked)
        {
            yield return new AxisPart(new LoopAxis(name, extent, [from.Stride, to.Stride]), null, from.Offset(0), to.Offset(0));
            yield break;
        }

        // Lanes beyond the last channel may be written: a last part that is aligned on both sides becomes a whole block.
        if (from.IsBlocked && to.IsBlocked && from.Lane(0) == to.Lane(0) && to.Start + extent == to.Size)
        {
            extent = ((to.Start + extent + Layout.Lanes - 1) / Layout.Lanes * Layout.Lanes) - to.Start;
        }

        var (blocks, lanes) = name == "channel" ? ("block", "lane") : (name + "Block", name + "Lane");
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
                new LoopAxis(blocks, group.Count(), [from.BlockStep, to.BlockStep]), new LoopAxis(lanes, size, [from.Stride, to.Stride]), from.Offset(start), to.Offset(start),
                from.IsBlocked && !to.IsBlocked ? Layout.Lanes - from.Lane(start) - size : 0,
                to.IsBlocked && !from.IsBlocked && isEnd ? Layout.Lanes - to.Lane(start) - size : 0);
        }
    }
}
