// The loops over the elements of several operands at once. Layouts become strides, axes that lie end to end
// in every operand become one loop, and the innermost loop is the one that vectors run along.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Graph;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <param name="Strides">Floats from one step to the next, for each operand; 0 where it is broadcast.</param>
internal sealed record LoopAxis(int Size, ImmutableArray<int> Strides);

/// <param name="Axes">From the outermost to the innermost; never empty.</param>
internal sealed record LoopNest(ImmutableArray<LoopAxis> Axes)
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
                axes.Add(new LoopAxis(shape[axis], [.. operands.Select(o => FlatStride(o, axis))]));
            }
        }
        else
        {
            var whole = new Layout(LayoutKind.Flat, shape);
            if (blocked)
            {
                axes.Add(new LoopAxis(whole.Blocks, [.. operands.Select(o => o.Channels == 1 ? 0 : BlockStride(o))]));
            }
            else
            {
                axes.Add(new LoopAxis(whole.Channels, [.. operands.Select(o => o.Channels == 1 ? 0 : o.LaneStride)]));
            }

            axes.Add(new LoopAxis(whole.Depth, [.. operands.Select(o => o.Depth == 1 ? 0 : o.DepthStride)]));
            axes.Add(new LoopAxis(whole.Height, [.. operands.Select(o => o.Height == 1 ? 0 : o.RowStride)]));
            axes.Add(new LoopAxis(whole.Width, [.. operands.Select(o => o.Width == 1 ? 0 : o.ColumnStride)]));
            if (blocked)
            {
                // A single channel is broadcast to all lanes, unless there is only one channel at all.
                axes.Add(new LoopAxis(Layout.Lanes, [.. operands.Select(o => o.Channels == 1 && (whole.Channels > 1 || o.Kind != LayoutKind.Blocked) ? 0 : o.LaneStride)]));
            }
        }

        return new LoopNest(axes.ToImmutable());
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
            if (merged.Count > 0 && Enumerable.Range(0, axis.Strides.Length).All(i => merged[merged.Count - 1].Strides[i] == axis.Strides[i] * axis.Size))
            {
                merged[merged.Count - 1] = new LoopAxis(merged[merged.Count - 1].Size * axis.Size, axis.Strides);
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
            merged.Add(new LoopAxis(1, [.. Axes[0].Strides.Select(_ => 1)]));
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

    /// <summary>Writes the loops: units over the first <paramref name="unitAxes"/>, then the rest but the innermost, with pointers that follow.
    /// Calls <paramref name="inner"/> with the operands' pointers at the innermost run's start.</summary>
    /// <param name="names">Of the operands' pointers, and of integers for operands from <paramref name="pointers"/> on.</param>
    public void Emit(SourceWriter writer, int unitAxes, string unit, ImmutableArray<string> names, Action<ImmutableArray<string>> inner)
    {
        var current = names;
        for (var i = 0; i < Axes.Length - 1; i++)
        {
            var index = $"i{i}";
            if (i < unitAxes)
            {
                var below = (int)Axes.Skip(i + 1).Take(unitAxes - i - 1).Aggregate(1L, (count, axis) => count * axis.Size);
                var quotient = below == 1 ? unit : $"{unit} / {below}";
                writer.Line($"var {index} = {(i == 0 ? quotient : $"{(below == 1 ? unit : $"({quotient})")} % {Axes[i].Size}")};");
            }
            else
            {
                writer.Open($"for (var {index} = 0; {index} < {Axes[i].Size}; {index}++)");
            }

            current = Advance(writer, names, current, i, index);
        }

        inner(current);
        for (var i = unitAxes; i < Axes.Length - 1; i++)
        {
            writer.Close();
        }
    }

    private ImmutableArray<string> Advance(SourceWriter writer, ImmutableArray<string> names, ImmutableArray<string> current, int axis, string index)
    {
        var next = current.ToBuilder();
        for (var k = 0; k < names.Length; k++)
        {
            if (Axes[axis].Strides[k] is var stride and not 0)
            {
                next[k] = $"{names[k]}_{axis}";
                writer.Line($"var {next[k]} = {current[k]} + {(stride == 1 ? index : $"{index} * {stride}")};");
            }
        }

        return next.ToImmutable();
    }

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
