// Sliding windows of one to three axes as loops over depth, rows and columns, with the part of the plane where
// windows are whole kept apart from its edges.
using System.Collections.Immutable;
using System.Globalization;
using ModelCompiler.Emission;
using ModelCompiler.Graph;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <summary>One axis: windows of <paramref name="Kernel"/> elements over <paramref name="Input"/> ones, giving <paramref name="Output"/>.</summary>
internal sealed record PoolAxis(string Name, int Kernel, int Stride, int Pad, int Dilation, int Input, int Output)
{
    /// <summary>First output whose window starts inside.</summary>
    public int InsideFrom => Math.Min(Output, (Math.Max(0, Pad) + Stride - 1) / Stride);

    /// <summary>One past the last output whose window ends inside.</summary>
    public int InsideTo
    {
        get
        {
            var room = Input - 1 - (Dilation * (Kernel - 1)) + Pad;
            return room < 0 ? InsideFrom : Math.Max(InsideFrom, Math.Min(Output, (room / Stride) + 1));
        }
    }

    /// <summary>How far windows reach beyond the end.</summary>
    public int Overhang => ((Output - 1) * Stride) - Pad + (Dilation * (Kernel - 1)) + 1 - Input;

    public bool IsClipped => InsideFrom > 0 || InsideTo < Output;

    /// <summary>Begins the names of the axis's numbers.</summary>
    public string Word => Name switch { "d" => "plane", "h" => "row", _ => "column" };

    /// <summary>What decides the loops over this axis.</summary>
    public string Structure => FormattableString.Invariant($"{Kernel},{InsideFrom > 0},{InsideTo < Output},{InsideFrom < InsideTo},{IsDisjoint},{IsTiling}");

    /// <summary>How many outputs there are, where windows are whole, and what bounds those at the edges.</summary>
    public IEnumerable<KernelNumber> Numbers =>
    [
        new(Word + "s", Output), new(Word + "sWholeFrom", InsideFrom), new(Word + "sWholeTo", InsideTo), new(Word + "sRead", Input),
        new(Word + "WindowSize", Kernel), new(Word + "WindowStep", Stride), new(Word + "WindowPad", Pad), new(Word + "Dilation", Dilation),
    ];

    /// <summary>No element lies in two windows.</summary>
    public bool IsDisjoint => Output == 1 || (Dilation * (Kernel - 1)) + 1 <= Stride;

    /// <summary>Every element lies in a window, and none in two.</summary>
    public bool IsTiling => IsDisjoint && Pad == 0 && Dilation == 1 && (Kernel == Stride || Output == 1) && Kernel * Output == Input;
}

internal sealed class PoolGeometry
{
    private readonly int unrolled;

    /// <param name="unrolled">Windows up to this many elements are written out whole.</param>
    public PoolGeometry(Window window, Layout input, Layout output, int unrolled = 25)
    {
        this.unrolled = unrolled;
        if (input.Kind != LayoutKind.Blocked || output.Kind != LayoutKind.Blocked)
        {
            throw new InvalidOperationException($"Pooling works on channel blocks, not from {input.Tag} to {output.Tag}.");
        }

        var names = new[] { "d", "h", "w" };
        var sizes = new[] { (input.Depth, output.Depth), (input.Height, output.Height), (input.Width, output.Width) };
        Axes = [.. Enumerable.Range(0, 3).Select(i => i - 3 + window.Rank is var axis and >= 0
            ? new PoolAxis(names[i], window.Kernel[axis], window.Stride[axis], window.PadBegin[axis], window.Dilation[axis], sizes[i].Item1, sizes[i].Item2)
            : new PoolAxis(names[i], 1, 1, 0, 1, sizes[i].Item1, sizes[i].Item2))];
        Input = input;
        Output = output;
    }

    /// <summary>Depth, rows, columns.</summary>
    public ImmutableArray<PoolAxis> Axes { get; }

    public Layout Input { get; }

    public Layout Output { get; }

    public int Count => Axes.Aggregate(1, (count, axis) => count * axis.Kernel);

    public bool IsClipped => Axes.Any(a => a.IsClipped);

    public bool IsDisjoint => Axes.All(a => a.IsDisjoint);

    public bool IsTiling => Axes.All(a => a.IsTiling);

    /// <summary>Rows of output, over all blocks.</summary>
    public int Rows => Output.Blocks * Output.Depth * Output.Height;

    /// <summary>Rows in a unit of work of a kernel that writes rows of output.</summary>
    public int RowsPerUnit => Math.Max(1, Math.Min(Rows, 8192 / (Output.Width * Layout.Lanes * Math.Min(Count, 9))));

    /// <summary>Units of such a kernel.</summary>
    public int RowUnits => Rounding.Ceiling(Rows, RowsPerUnit);

    /// <summary>Runs of such units, each of one block; 0 where a unit may have rows of two.</summary>
    public int Turns => Output.Depth * Output.Height % RowsPerUnit == 0 ? Output.Blocks : 0;

    /// <summary>What decides the code of windows that all are whole: elements, and steps along a row.</summary>
    public string Taps => FormattableString.Invariant($"{Axes[0].Kernel}x{Axes[1].Kernel}x{Axes[2].Kernel},{Axes[2].Stride},{Axes[2].Dilation},{IsUnrolled}");

    /// <summary>Declares where each row of a window starts, of the window at <paramref name="source"/>: <c>source1</c>, <c>source2</c>, …</summary>
    public void EmitRowPointers(SourceWriter writer, PoolOperand operand, string source)
    {
        for (var row = 1; row < Axes[0].Kernel * Axes[1].Kernel; row++)
        {
            var (d, h) = (row / Axes[1].Kernel, row % Axes[1].Kernel);
            var start = h > 0
                ? $"{source}{(row == 1 ? "" : Literals.Int(row - 1))} + {operand.Number("rowTap")}"
                : $"{source}{(d == 1 ? "" : Literals.Int(row - Axes[1].Kernel))} + {operand.Number("planeTap")}";
            writer.Line($"var {source}{Literals.Int(row)} = {start};");
        }
    }

    /// <summary>What decides the code of kernels over these windows, besides what they compute.</summary>
    public string Structure => string.Join(";", Axes.Select(a => a.Structure)) + FormattableString.Invariant($";{Axes[2].Dilation},{Axes[0].Output == 1},{IsUnrolled}");

    /// <summary><c>3x3</c>, for readers of the emitted code.</summary>
    public string Comment => string.Join("x", Axes.Skip(Axes[0] is { Kernel: 1, Output: 1 } ? 1 : 0).Select(a => Literals.Int(a.Kernel)));

    /// <summary>The numbers that code over these windows may refer to, of axes and of operands.</summary>
    public ImmutableArray<KernelNumber> Numbers(params IEnumerable<PoolOperand> operands) =>
    [
        .. Axes.SelectMany(a => a.Numbers), new("rowsInAll", Rows), new("rowsPerUnit", RowsPerUnit), .. operands.SelectMany(o => o.Numbers(this)),
    ];

    /// <summary>From the first element of a block to the first window: negative where there is padding.</summary>
    public int FirstWindow(Layout layout) => -Axes.Zip(Strides(layout), (axis, stride) => axis.Pad * stride).Sum();

    public bool IsUnrolled => Count <= unrolled;

    /// <summary>Visits whole windows in scan order: written out when small, else with loops.</summary>
    public void VisitWhole(SourceWriter writer, Action<PoolElement> body) => Visit(writer, [], body);

    private void Visit(SourceWriter writer, ImmutableArray<PoolIndex> chosen, Action<PoolElement> body)
    {
        var axis = chosen.Length;
        if (axis == 3)
        {
            body(new PoolElement(this, chosen));
        }
        else if (IsUnrolled || (axis == 2 && Axes[2].Kernel <= unrolled))
        {
            for (var k = 0; k < Axes[axis].Kernel; k++)
            {
                Visit(writer, chosen.Add(PoolIndex.Of(k)), body);
            }
        }
        else
        {
            var index = $"k{Axes[axis].Name}";
            writer.Open($"for (var {index} = 0; {index} < {Literals.Int(Axes[axis].Kernel)}; {index}++)");
            Visit(writer, chosen.Add(PoolIndex.Of(index)), body);
            writer.Close();
        }
    }

    /// <summary>Visits windows cut by the plane's edges; the bounds come from <see cref="EmitBounds"/>.</summary>
    public void VisitClipped(SourceWriter writer, Action<PoolElement> body)
    {
        foreach (var axis in Axes)
        {
            writer.Open($"for (var k{axis.Name} = first{axis.Name}; k{axis.Name} < last{axis.Name}; k{axis.Name}++)");
        }

        body(new PoolElement(this, [PoolIndex.Of("kd"), PoolIndex.Of("kh"), PoolIndex.Of("kw")]));
        foreach (var _ in Axes)
        {
            writer.Close();
        }
    }

    /// <summary>Which window elements lie in the plane, for the output at (d, h, w).</summary>
    public void EmitBounds(SourceWriter writer)
    {
        foreach (var axis in Axes)
        {
            // The first k with d * stride - pad + k * dilation >= 0, and one past the last with it < input.
            var (name, word) = (axis.Name, axis.Word);
            writer.Line($"var start{name} = {name} * {word}WindowStep - {word}WindowPad;")
                .Line($"var first{name} = start{name} >= 0 ? 0 : ({word}Dilation - 1 - start{name}) / {word}Dilation;")
                .Line($"var last{name} = Math.Min({word}WindowSize, ({word}sRead - start{name} + {word}Dilation - 1) / {word}Dilation);");
        }
    }

    /// <summary>Start of the window of the output at (d, h, w), from the block's first element: perhaps outside the plane.</summary>
    public string WindowStart(Layout layout)
    {
        var pad = Axes.Zip(Strides(layout), (axis, stride) => axis.Pad * stride).Sum();
        var terms = Axes.Zip(Strides(layout), (axis, stride) => axis.Output == 1 ? "" : $"{axis.Name} * {axis.Stride * stride}").Where(t => t.Length > 0);
        return string.Join(" + ", terms.DefaultIfEmpty("0")) + Minus(pad);
    }

    /// <summary>The output at (d, h, w), from the block's first element.</summary>
    public string OutputOffset(Layout layout)
    {
        var terms = Axes.Zip(Strides(layout), (axis, stride) => axis.Output == 1 ? "" : $"{axis.Name} * {stride}").Where(t => t.Length > 0);
        return string.Join(" + ", terms.DefaultIfEmpty("0"));
    }

    // A crop is a negative padding.
    private static string Minus(int number) => number == 0 ? "" : number > 0 ? $" - {number}" : $" + {-number}";

    public static int[] Strides(Layout layout) => [layout.DepthStride, layout.RowStride, layout.ColumnStride];
}

/// <summary>An index as a number, or as the name of a loop variable.</summary>
internal sealed record PoolIndex(int? Value, string Name)
{
    public static PoolIndex Of(int value) => new(value, Literals.Int(value));

    public static PoolIndex Of(string name) => new(null, name);
}

/// <summary>One element of a window.</summary>
internal sealed class PoolElement(PoolGeometry geometry, ImmutableArray<PoolIndex> indices)
{
    /// <summary>Place in scan order, where it is known.</summary>
    public int? Place => indices.All(i => i.Value is not null)
        ? (((indices[0].Value * geometry.Axes[1].Kernel) + indices[1].Value) * geometry.Axes[2].Kernel) + indices[2].Value : null;

    /// <summary>Place in scan order as text.</summary>
    public string Number => Place is { } place
        ? Literals.Int(place) : $"({indices[0].Name} * {geometry.Axes[1].Kernel} + {indices[1].Name}) * {geometry.Axes[2].Kernel} + {indices[2].Name}";

    public bool IsFirst => Place == 0;

    /// <summary>Of the pointer that <see cref="PoolGeometry.EmitRowPointers"/> declares for the element's row.</summary>
    public string RowSuffix => ((indices[0].Value * geometry.Axes[1].Kernel) + indices[1].Value) is var row and not (null or 0) ? Literals.Int(row.Value) : "";

    /// <summary>Distance from the start of its row.</summary>
    public string ColumnOffset(int part) => Literals.Int((indices[2].Value!.Value * geometry.Axes[2].Dilation * Layout.Lanes) + part);

    /// <summary>Distance from the window's start, by the names of the operand's numbers.</summary>
    public string Offset(PoolOperand operand, int part)
    {
        var step = geometry.Axes[2].Dilation * Layout.Lanes;
        var text = "";
        foreach (var axis in new[] { 0, 1 })
        {
            var index = indices[axis];
            if (index.Value != 0)
            {
                var tap = operand.Number(geometry.Axes[axis].Word + "Tap");
                text += index.Value == 1 ? $"{tap} + " : $"{index.Name} * {tap} + ";
            }
        }

        return indices[2].Value is { } column ? $"{text}{Literals.Int((column * step) + part)}" : $"{text}{indices[2].Name} * {Literals.Int(step)} + {Literals.Int(part)}";
    }

    /// <summary>Distance from the window's start.</summary>
    public string Offset(Layout layout, int part)
    {
        var number = part;
        var text = "";
        for (var axis = 0; axis < 3; axis++)
        {
            var step = geometry.Axes[axis].Dilation * PoolGeometry.Strides(layout)[axis];
            if (indices[axis].Value is { } index)
            {
                number += index * step;
            }
            else
            {
                text += $"{indices[axis].Name} * {step} + ";
            }
        }

        return $"{text}{number}";
    }
}
