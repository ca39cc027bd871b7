// The rows of a depthwise convolution: a tile is some columns of a row, and small kernels stay in registers for the
// whole row. Turned round it is the gradient with respect to the input.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Graph;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

internal sealed class DepthwiseEmitter(PoolGeometry geometry, KernelWriter writer, Isa isa)
{
    private Layout Input => geometry.Input;

    private Layout Output => geometry.Output;

    /// <summary>Whether there is an operand <c>bias</c>.</summary>
    public bool Bias { get; init; }

    /// <summary>What is stored: input 0 is the sum, input i the operand <c>e{i}</c>.</summary>
    public Expression Formula { get; init; } = new InputFormula(0);

    public ImmutableArray<Layout> Extras { get; init; } = [];

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

    public void Emit(string input, string weights, string output)
    {
        var (depth, rows, columns) = (geometry.Axes[0].Output, geometry.Axes[1].Output, geometry.Axes[2].Output);
        var held = geometry.Count <= (isa.Registers == 32 ? 16 : 9);
        var tile = Tile(columns, isa.Registers - (held ? geometry.Count : 1) - 2);
        writer.OpenMethod();
        new FormulaEmitter(isa, Formula).Prepare(writer);
        writer.Open($"for (var row = begin * {geometry.RowsPerUnit}; row < Math.Min(end * {geometry.RowsPerUnit}, {geometry.Rows}); row++)")
            .Line($"var block = row / {depth * rows};").Line(depth == 1 ? "const int d = 0;" : $"var d = row / {rows} % {depth};").Line($"var h = row % {rows};")
            .Open($"for (var lane = 0; lane < {Layout.Lanes}; lane += {isa.Width})")
            .Line($"var from = {input} + block * {Input.BlockStride} + {geometry.RowStart(Input)} + lane;")
            .Line($"var kernel = {weights} + block * {geometry.Count * Layout.Lanes} + lane;")
            .Line($"var to = {output} + block * {Output.BlockStride} + d * {Output.DepthStride} + h * {Output.RowStride} + lane;");
        for (var i = 0; i < Extras.Length; i++)
        {
            writer.Line($"var extra{i + 1} = e{i + 1}{ExtraOffset(Extras[i])};");
        }

        for (var k = 0; held && k < geometry.Count; k++)
        {
            writer.Line($"var w{k} = {isa.Load($"kernel + {k * Layout.Lanes}")};");
        }

        if (Bias)
        {
            writer.Line($"var start = {isa.Load($"bias + block * {Layout.Lanes} + lane")};");
        }

        var full = columns / tile * tile;
        if (full > tile)
        {
            writer.Open($"for (var c = 0; c < {full}; c += {tile})");
            EmitTile(tile, "c", held);
            writer.Close();
        }
        else
        {
            writer.Open("");
            EmitTile(tile, "0", held);
            writer.Close();
        }

        if (full < columns)
        {
            writer.Open("");
            EmitTile(columns - full, $"{full}", held);
            writer.Close();
        }

        writer.Close().Close().Close();
    }

    // The largest tile that divides the row, unless that is small.
    private static int Tile(int columns, int registers)
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

    private string ExtraOffset(Layout extra) => extra.Shape.Count == 1 ? ""
        : extra.Height == Output.Height && extra.Width == Output.Width && extra.Depth == Output.Depth && extra.Kind == LayoutKind.Blocked
            ? $" + block * {extra.BlockStride} + d * {extra.DepthStride} + h * {extra.RowStride} + lane"
            : $" + block * {extra.BlockStride} + lane";

    private void EmitTile(int tile, string column, bool held)
    {
        var step = geometry.Axes[2].Stride * Layout.Lanes;
        writer.Line($"var source = from{(column == "0" ? "" : $" + {column} * {step}")};");
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
                var value = isa.Load($"source + {element.Offset(Input, t * step)}");
                writer.Line($"sum{t} = {isa.Fma(value, held ? $"w{Number(element)}" : "weight", $"sum{t}")};");
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
            for (var i = 0; i < Extras.Length; i++)
            {
                var isPlane = ExtraOffset(Extras[i]).Contains(" h ");
                var value = Extras[i].Shape.Count == 1 ? isa.Broadcast($"*extra{i + 1}") : isa.Load($"extra{i + 1}{(isPlane ? $" + {offset}" : "")}");
                writer.Line($"var e{i + 1}_{t} = {value};");
            }

            var tileColumn = t;
            var result = emitter.ApplyOne(writer, i => i == 0 ? $"sum{tileColumn}" : $"e{i}_{tileColumn}", $"_{t}");
            writer.Line(isa.Store($"to + {offset}", result));
        }
    }
}
