// The loops over the elements of several operands at once. Layouts become strides, axes that lie end to end
// in every operand become one loop, and the innermost loop is the one that vectors run along. Sizes and strides are
// numbers with names; how many loops there are, and which operands each moves, is structure.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Graph;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <param name="Name">In the singular: <c>row</c>.</param>
/// <param name="Strides">Floats from one step to the next, for each operand; 0 where it is broadcast.</param>
internal sealed record LoopAxis(string Name, int Size, ImmutableArray<int> Strides)
{
    /// <summary>The name of <see cref="Size"/>.</summary>
    public string Count => Name + "s";

    /// <summary>The name of an operand's stride: <c>yRowStride</c>.</summary>
    public string Stride(string operand) => $"{operand}{char.ToUpperInvariant(Name[0])}{Name.Substring(1)}Stride";
}

/// <param name="Axes">From the outermost to the innermost; never empty.</param>
/// <param name="Prefix">Begins the names of numbers, where a kernel has several nests.</param>
internal sealed record LoopNest(ImmutableArray<LoopAxis> Axes, string Prefix = "")
{
    /// <summary>Elements that a unit of work should have at least: about a microsecond, what handing it to a thread costs.</summary>
    private const int UnitElements = 4096;

    public LoopAxis Inner => Axes[Axes.Length - 1];

    public long Count => Axes.Aggregate(1L, (count, axis) => count * axis.Size);

    /// <summary>The axes of <paramref name="shape"/> as loops, unmerged: channels, depth, rows, columns (and 16 lanes, when an operand is
    /// Blocked); for shapes of more axes one loop each.</summary>
    public static LoopNest Over(Shape shape, ImmutableArray<Layout> operands)
    {
        var blocked = operands.Any(o => o.Kind == LayoutKind.Blocked);
        var axes = ImmutableArray.CreateBuilder<LoopAxis>();
        if (shape.Rank > 4)
        {
            for (var axis = 0; axis < shape.Rank; axis++)
            {
                axes.Add(new LoopAxis($"index{Literals.Int(axis)}", shape[axis], [.. operands.Select(o => FlatStride(o, axis))]));
            }
        }
        else
        {
            var whole = new Layout(LayoutKind.Flat, shape);
            if (blocked)
            {
                axes.Add(new LoopAxis("block", whole.Blocks, [.. operands.Select(o => o.Channels == 1 ? 0 : BlockStride(o))]));
            }
            else
            {
                axes.Add(new LoopAxis("channel", whole.Channels, [.. operands.Select(o => o.Channels == 1 ? 0 : o.LaneStride)]));
            }

            axes.Add(new LoopAxis("plane", whole.Depth, [.. operands.Select(o => o.Depth == 1 ? 0 : o.DepthStride)]));
            axes.Add(new LoopAxis("row", whole.Height, [.. operands.Select(o => o.Height == 1 ? 0 : o.RowStride)]));
            axes.Add(new LoopAxis("column", whole.Width, [.. operands.Select(o => o.Width == 1 ? 0 : o.ColumnStride)]));
            if (blocked)
            {
                // A single channel is broadcast to all lanes, unless there is only one channel at all.
                axes.Add(new LoopAxis("lane", Layout.Lanes, [.. operands.Select(o => o.Channels == 1 && (whole.Channels > 1 || o.Kind != LayoutKind.Blocked) ? 0 : o.LaneStride)]));
            }
        }

        return new LoopNest(axes.ToImmutable());
    }

    /// <summary>The same, of blocks of channels, with planes cut into <paramref name="parts"/> of equal size, part by part through all blocks; null where planes are
    /// not runs in every operand, or do not divide.</summary>
    public LoopNest? InParts(int parts)
    {
        if (Axes.Length != 5 || Axes[0].Name != "block")
        {
            return null;
        }

        var (plane, row, column) = (Axes[1], Axes[2], Axes[3]);
        var places = plane.Size * row.Size * column.Size;
        var areRuns = Enumerable.Range(0, column.Strides.Length).All(k =>
            (row.Size == 1 || row.Strides[k] == column.Size * column.Strides[k]) && (plane.Size == 1 || plane.Strides[k] == row.Size * column.Size * column.Strides[k]));
        return !areRuns || column.Size == 1 || places % parts != 0 ? null : new LoopNest(
        [
            new LoopAxis("part", parts, [.. column.Strides.Select(s => s * (places / parts))]), Axes[0], new LoopAxis("position", places / parts, column.Strides), Axes[4],
        ]);
    }

    /// <summary>Adds the element's row-major number in <paramref name="shape"/> as one more operand.</summary>
    public LoopNest WithNumbers(Shape shape, bool blocked)
    {
        var sizes = shape.Rank > 4 ? shape.Dimensions : Canonical(shape);
        var strides = new int[sizes.Length];
        var stride = 1;
        for (var axis = sizes.Length - 1; axis >= 0; axis--)
        {
            strides[axis] = stride;
            stride = checked(stride * sizes[axis]);
        }

        return new LoopNest([.. Axes.Select((axis, i) => axis with
        {
            Strides = axis.Strides.Add(!blocked ? strides[i] : i == 0 ? strides[0] * Layout.Lanes : i == 4 ? strides[0] : strides[i]),
        })]);
    }

    /// <summary>Without axes of size 1, neighbours joined where every operand allows it. The innermost axis then has
    /// stride 0 or 1 for every operand; it is of size 1 where nothing better is left.</summary>
    public LoopNest Merged(int operands)
    {
        var merged = new List<LoopAxis>();
        foreach (var axis in Axes.Where(a => a.Size != 1))
        {
            var above = merged.Count > 0 ? merged[merged.Count - 1] : null;
            if (above is not null && Enumerable.Range(0, axis.Strides.Length).All(i => above.Strides[i] == axis.Strides[i] * axis.Size))
            {
                merged[merged.Count - 1] = new LoopAxis(Joined(above.Name, axis.Name), above.Size * axis.Size, axis.Strides);
            }
            else
            {
                merged.Add(axis);
            }
        }

        if (operands == 0 && merged.Count > 0)
        {
            return new LoopNest([.. merged]);
        }

        if (merged.Count == 0 || merged[merged.Count - 1].Strides.Take(operands).Any(s => s is not (0 or 1)))
        {
            merged.Add(new LoopAxis("element", 1, [.. Axes[0].Strides.Select(_ => 1)]));
        }

        return new LoopNest([.. merged]);
    }

    /// <summary>How many of the outer loops are spread over units: enough for several threads, but no unit tiny.</summary>
    public int UnitAxes()
    {
        var units = 1L;
        var axes = 0;
        while (axes < Axes.Length - 1 && units < 8 && Count / (units * Axes[axes].Size) >= UnitElements / 4 && Count >= 2 * UnitElements)
        {
            units *= Axes[axes].Size;
            axes++;
        }

        return axes;
    }

    public int UnitCount(int axes) => (int)Axes.Take(axes).Aggregate(1L, (count, axis) => count * axis.Size);

    /// <summary>Floats per unit when the nest is a single run: a whole number of vectors.</summary>
    public static int Chunk(long run) => run >= 2 * UnitElements ? UnitElements : (int)run;

    /// <summary>The run along the innermost axis.</summary>
    public Run Run => new(Inner.Size, Named(Inner.Count));

    /// <summary>Which loops there are and which operands they move.</summary>
    public string Structure => $"{StructureOf(Axes.Length - 1)},{Run.Structure}:{string.Join(".", Inner.Strides)}";

    /// <summary>The structure of the first <paramref name="loops"/>.</summary>
    public string StructureOf(int loops) => string.Join(",", Axes.Take(loops).Select(a => $"{a.Name}:{string.Concat(a.Strides.Select(s => s == 0 ? '0' : 's'))}"));

    /// <summary>Sizes and strides of all loops but the innermost, and the length of the run.</summary>
    /// <param name="run">Where it is not <see cref="Run"/>.</param>
    public IEnumerable<KernelNumber> Numbers(ImmutableArray<string> operands, Run? run = null) =>
        Axes.Take(Axes.Length - 1).SelectMany(axis => Numbers(axis, operands)).Concat((run ?? Run).Numbers);

    /// <summary>The size of an axis, and its strides that are not 0.</summary>
    public IEnumerable<KernelNumber> Numbers(LoopAxis axis, ImmutableArray<string> operands, bool withZeros = false)
    {
        yield return new KernelNumber(Named(axis.Count), axis.Size);
        for (var k = 0; k < axis.Strides.Length; k++)
        {
            if (withZeros || axis.Strides[k] != 0)
            {
                yield return new KernelNumber(Named(axis.Stride(operands[k])), axis.Strides[k]);
            }
        }
    }

    /// <summary>The name of one of the nest's numbers.</summary>
    public string Named(string number) => Prefix.Length == 0 ? number : Prefix + char.ToUpperInvariant(number[0]) + number.Substring(1);

    /// <summary>Writes the loops: units over the first <paramref name="unitAxes"/>, then the rest but the innermost, with pointers that follow.
    /// Calls <paramref name="inner"/> with the operands' pointers at the innermost run's start.</summary>
    /// <param name="names">Of the operands' pointers, and of integers for operands without memory.</param>
    /// <param name="beforeLast">Is called before the last of the loops begins.</param>
    public void Emit(SourceWriter writer, int unitAxes, string unit, ImmutableArray<string> names, Action<ImmutableArray<string>> inner, Action<ImmutableArray<string>>? beforeLast = null)
    {
        var current = names;
        for (var i = 0; i < Axes.Length - 1; i++)
        {
            if (i == Axes.Length - 2)
            {
                beforeLast?.Invoke(current);
            }

            var index = Axes[i].Name;
            var count = Named(Axes[i].Count);
            if (i < unitAxes)
            {
                var place = Quotient(unit, Axes.Skip(i + 1).Take(unitAxes - i - 1).Select(a => Named(a.Count)));
                writer.Line($"var {index} = {(i == 0 ? place : $"{place} % {count}")};");
            }
            else
            {
                writer.Open($"for (var {index} = 0; {index} < {count}; {index}++)");
            }

            current = Advance(writer, names, current, Axes[i]);
        }

        inner(current);
        for (var i = unitAxes; i < Axes.Length - 1; i++)
        {
            writer.Close();
        }
    }

    /// <summary><c>unit / (rows * columns)</c>, or <c>unit</c> where nothing divides it.</summary>
    public static string Quotient(string unit, IEnumerable<string> divisors)
    {
        var list = divisors.ToList();
        return list.Count switch
        {
            0 => unit,
            1 => $"{unit} / {list[0]}",
            _ => $"{unit} / ({string.Join(" * ", list)})",
        };
    }

    private ImmutableArray<string> Advance(SourceWriter writer, ImmutableArray<string> names, ImmutableArray<string> current, LoopAxis axis)
    {
        var next = current.ToBuilder();
        for (var k = 0; k < names.Length; k++)
        {
            if (axis.Strides[k] != 0)
            {
                next[k] = $"{names[k]}{char.ToUpperInvariant(axis.Name[0])}{axis.Name.Substring(1)}";
                writer.Line($"var {next[k]} = {current[k]} + {axis.Name} * {Named(axis.Stride(names[k]))};");
            }
        }

        return next.ToImmutable();
    }

    // What an axis is called with the next one joined to it.
    private static string Joined(string outer, string inner) => inner switch
    {
        "lane" or "element" => "element",
        "column" or "position" => "position",
        _ => outer,
    };

    private static ImmutableArray<int> Canonical(Shape shape)
    {
        var whole = new Layout(LayoutKind.Flat, shape);
        return [whole.Channels, whole.Depth, whole.Height, whole.Width];
    }

    private static int FlatStride(Layout layout, int axis)
    {
        if (layout.Shape.Rank == 0 || layout.Shape[axis] == 1)
        {
            return 0;
        }

        return checked((int)layout.Shape.Dimensions.Skip(axis + 1).Aggregate(1L, (product, size) => product * size));
    }

    private static int BlockStride(Layout layout) =>
        layout.LaneStride == 1 ? layout.BlockStride : throw new InvalidOperationException($"The layout {layout.Tag} cannot be walked in channel blocks.");
}
