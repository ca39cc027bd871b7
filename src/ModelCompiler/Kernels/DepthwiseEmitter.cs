// The rows of a depthwise convolution: a tile is some columns of a row, and small kernels stay in registers for the
// whole row. Turned round it is the gradient with respect to the input. Planes and strides are numbers.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Graph;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <param name="input">Follows the window.</param>
internal sealed class DepthwiseEmitter(PoolGeometry geometry, PoolOperand input, PoolOperand output, Isa isa)
{
    /// <summary>Whether there is an operand <c>bias</c>.</summary>
    public bool Bias { get; init; }

    /// <summary>What is stored: input 0 is the sum, input i the operand <c>e{i}</c>.</summary>
    public Expression Formula { get; init; } = new InputFormula(0);

    public ImmutableArray<Layout> Extras { get; init; } = [];

    /// <summary>What is summed up of each row.</summary>
    public ChannelSums? Sums { get; init; }

    /// <summary>Take the kernel's elements from last to first.</summary>
    public bool IsTurned { get; init; }

    /// <summary>Whether the input's halo holds all that windows reach beyond the plane.</summary>
    public static bool HaloCovers(PoolGeometry geometry)
    {
        var halo = geometry.Input.Halo;
        var before = new[] { halo.DepthBefore, halo.RowsBefore, halo.ColumnsBefore };
        var after = new[] { halo.DepthAfter, halo.RowsAfter, halo.ColumnsAfter };
        return Enumerable.Range(0, 3).All(i => before[i] >= geometry.Axes[i].Pad && after[i] >= geometry.Axes[i].Overhang);
    }

    private int Columns => geometry.Axes[2].Output;

    /// <summary>Whether the kernel stays in registers.</summary>
    private bool IsHeld => geometry.Count <= (isa.Registers == 32 ? 16 : 9);

    private int Tile => TileOf(Columns, isa.Registers - (IsHeld ? geometry.Count : 1) - 2);

    private int Rest => Columns % Tile;

    /// <summary>Everything that decides the code on this instruction set.</summary>
    public string Structure => FormattableString.Invariant($"{Tile}+{Rest},{Columns == Tile}|{geometry.Taps}|{geometry.Axes[0].Output == 1}|{Bias}|{new FormulaProgram([Formula]).Text}|{string.Join(",", Extras.Select(e => Kind(e, output.Layout)))}|{IsTurned}|{Sums?.Structure}");

    /// <summary>Floats from a block of an operand to the next one. Operands are the input, others that blocks share, extras, those of the sums, the result, the sums.</summary>
    /// <param name="shared">Operands before the extras.</param>
    internal static int TurnStride(int operand, Layout input, int shared, ImmutableArray<Layout> extras, ChannelSums? sums, Layout result)
    {
        var extra = operand - shared;
        var sum = extra - extras.Length;
        var output = sum - (sums?.Extras.Length ?? 0);
        return operand == 0 ? input.BlockStride
            : extra < 0 ? 0
            : sum < 0 ? ChannelSums.Step(extras[extra])
            : output < 0 ? ChannelSums.Step(sums!.Extras[sum])
            : output == 0 ? result.BlockStride : sums!.Parts.BlockStride;
    }

    /// <summary>Sizes and strides that the code names.</summary>
    /// <param name="extras">Names of the extras.</param>
    public static ImmutableArray<KernelNumber> Numbers(PoolGeometry geometry, PoolOperand input, PoolOperand output, ImmutableArray<Layout> extras) =>
    [
        .. geometry.Numbers(input, output),
        .. extras.SelectMany((e, i) => new KernelNumber[]
        {
            new($"e{i + 1}Block", e.BlockStride), new($"e{i + 1}Plane", e.DepthStride), new($"e{i + 1}Row", e.RowStride),
        }),
    ];

    public void Emit(KernelWriter writer, string weights)
    {
        var (isFlat, held) = (geometry.Axes[0].Output == 1, IsHeld);
        writer.OpenMethod();
        new FormulaEmitter(isa, Formula).Prepare(writer);
        writer.Open("for (var row = begin * rowsPerUnit; row < Math.Min(end * rowsPerUnit, rowsInAll); row++)")
            .Line(isFlat ? "int block = row / rows, h = row % rows;" : "int block = row / (rows * planes), d = row / rows % planes, h = row % rows;")
            .Open($"for (var lane = 0; lane < {Layout.Lanes}; lane += {isa.Width})")
            .Line($"var from = {input.Name} + block * {input.Number("blockStride")}{(isFlat ? "" : $" + d * {input.Number("planeStep")}")} + h * {input.Number("rowStep")} + lane;")
            .Line($"var kernel = {weights} + block * {geometry.Count * Layout.Lanes} + lane;")
            .Line($"var to = {output.Name} + block * {output.Number("blockStride")}{(isFlat ? "" : $" + d * {output.Number("planeStride")}")} + h * {output.Number("rowStride")} + lane;");
        EmitExtras(writer, Extras, output.Layout, e => $"{(isFlat ? "" : $" + d * {e}Plane")} + h * {e}Row");

        for (var k = 0; held && k < geometry.Count; k++)
        {
            writer.Line($"var w{k} = {isa.Load($"kernel + {k * Layout.Lanes}")};");
        }

        if (Bias)
        {
            writer.Line($"var start = {isa.Load($"bias + block * {Layout.Lanes} + lane")};");
        }

        writer.Open(Columns == Tile ? "" : $"for (var c = 0; c {(Rest == 0 ? "< columns" : $"<= columns - {Tile}")}; c += {Tile})");
        EmitTile(writer, Tile, Columns == Tile ? "0" : "c", held);
        writer.Close();
        if (Rest > 0)
        {
            writer.Open("").Line($"var c = columns - {Rest};");
            EmitTile(writer, Rest, "c", held);
            writer.Close();
        }

        writer.Close();
        EmitSums(writer, isa, Sums, $"{output.Name} + block * {output.Number("blockStride")} + h * {output.Number("rowStride")}", "h", "columns");
        writer.Close().Close();
    }

    /// <summary>Of the row that has just been stored.</summary>
    internal static void EmitSums(KernelWriter writer, Isa isa, ChannelSums? sums, string result, string row, string columns)
    {
        if (sums is not null)
        {
            writer.Line(sums.Call(writer, isa, result, "block", row, "0", "0", columns));
        }
    }

    // The largest tile that divides the row, unless that is small.
    private static int TileOf(int columns, int registers)
    {
        var most = Math.Min(columns, Math.Min(8, registers));
        for (var tile = most; tile >= Math.Min(4, most); tile--)
        {
            if (columns % tile == 0)
            {
                return tile;
            }
        }

        return most;
    }

    // Written out windows have numbers, others expressions.
    private string Number(PoolElement element) => !IsTurned ? element.Number
        : element.Place is { } place ? $"{geometry.Count - 1 - place}" : $"{geometry.Count - 1} - ({element.Number})";

    /// <summary>How an operand of a formula is read: one number, a number for each channel, or an element for each result.</summary>
    internal enum ExtraKind
    {
        Number,
        Vector,
        Plane,
    }

    internal static ExtraKind Kind(Layout extra, Layout output) => extra.Shape.Count == 1 ? ExtraKind.Number
        : extra.Height == output.Height && extra.Width == output.Width && extra.Depth == output.Depth && extra.Kind == LayoutKind.Blocked ? ExtraKind.Plane : ExtraKind.Vector;

    /// <summary>Pointers <c>extra1</c>, … to what a formula reads besides: at the block and, of planes, at the row.</summary>
    /// <param name="row">Where the row lies in the operand of a name, as text behind its block.</param>
    internal static void EmitExtras(SourceWriter writer, ImmutableArray<Layout> extras, Layout output, Func<string, string> row)
    {
        for (var i = 0; i < extras.Length; i++)
        {
            var e = $"e{i + 1}";
            writer.Line($"var extra{i + 1} = {e}" + Kind(extras[i], output) switch
            {
                ExtraKind.Number => ";",
                ExtraKind.Vector => $" + block * {e}Block + lane;",
                _ => $" + block * {e}Block{row(e)} + lane;",
            });
        }
    }

    /// <summary>Their values at a place in the row, <c>e1_suffix</c>, …</summary>
    internal static void LoadExtras(SourceWriter writer, Isa isa, ImmutableArray<Layout> extras, Layout output, string offset, string suffix)
    {
        for (var i = 0; i < extras.Length; i++)
        {
            var kind = Kind(extras[i], output);
            var value = kind == ExtraKind.Number ? isa.Broadcast($"*extra{i + 1}") : isa.Load($"extra{i + 1}{(kind == ExtraKind.Plane ? $" + {offset}" : "")}");
            writer.Line($"var e{i + 1}_{suffix} = {value};");
        }
    }

    /// <summary>For the results and what a formula reads for them; the window's rows are read several times.</summary>
    internal static string Ask(Isa isa, ImmutableArray<Layout> extras, Layout output, string offset) => Streaming.Ask(
        isa,
        Enumerable.Range(0, extras.Length).Where(i => Kind(extras[i], output) == ExtraKind.Plane).Select(i => $"extra{i + 1}").Prepend("to").Select(row => $"{row} + {offset}"));

    private void EmitTile(SourceWriter writer, int tile, string column, bool held)
    {
        var step = geometry.Axes[2].Stride * Layout.Lanes;
        writer.Line($"var source = from{(column == "0" ? "" : $" + {column} * {step}")};");
        if (geometry.IsUnrolled)
        {
            geometry.EmitRowPointers(writer, input, "source");
        }

        for (var t = 0; t < tile; t++)
        {
            writer.Line($"var sum{t} = {(Bias ? "start" : $"{isa.Type}.Zero")};");
        }

        geometry.VisitWhole(writer, element =>
        {
            if (!held)
            {
                writer.Open("").Line($"var weight = {isa.Load($"kernel + ({Number(element)}) * {Layout.Lanes}")};");
            }

            for (var t = 0; t < tile; t++)
            {
                var address = geometry.IsUnrolled ? $"source{element.RowSuffix} + {element.ColumnOffset(t * step)}" : $"source + {element.Offset(input, t * step)}";
                writer.Line($"sum{t} = {isa.Fma(isa.Load(address), held ? $"w{Number(element)}" : "weight", $"sum{t}")};");
            }

            if (!held)
            {
                writer.Close();
            }
        });
        var emitter = new FormulaEmitter(isa, Formula);
        for (var t = 0; t < tile; t++)
        {
            var offset = column == "0" ? $"{t * Layout.Lanes}" : $"({column} + {t}) * {Layout.Lanes}";
            LoadExtras(writer, isa, Extras, output.Layout, offset, $"{t}");
            var tileColumn = t;
            var result = emitter.ApplyOne(writer, i => i == 0 ? $"sum{tileColumn}" : $"e{i}_{tileColumn}", $"_{t}");
            writer.Line(isa.Store($"to + {offset}", result) + Ask(isa, Extras, output.Layout, offset));
        }
    }
}
