// Convolution where every channel has a kernel of its own: a multiply-add of whole channel blocks. A tile is some
// columns of a row; small kernels stay in registers for the whole row.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Graph;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <summary>Operands x, w, [bias], e1, e2, …, y. Groups = channels = outputs. x is Blocked with a halo of zeros that covers the
/// padding; w is Blocked of shape C x kernel (a Flat weight C x 1 x kernel, converted); bias is [C], Flat or Blocked.</summary>
/// <param name="Epilogue">Applied to the result: input 0 is the sum with its bias, input i operand e{i}. Null for none.</param>
/// <param name="Extras">Layouts of e1, e2, …: Blocked of the output's shape, [C, 1, …], or scalar.</param>
public sealed record DepthwiseKernel(
    Window Window, Layout Input, Layout Output, bool Bias, Expression? Epilogue, ImmutableArray<Layout> Extras) : Kernel
{
    private Expression Formula => Epilogue ?? new InputFormula(0);

    public override string Name => KernelName.Of(
        "Depthwise", $"{Input.Tag}_{Output.Tag}", WindowText.Of(Window), $"{Bias}", new FormulaProgram([Formula]).Text, string.Join(",", Extras.Select(e => e.Tag)));

    public override string Comment =>
        $"y[{Output.Tag}] = depthwise convolution of x[{Input.Tag}] by {WindowText.Of(Window)}{(Bias ? " + bias" : "")}"
        + (Epilogue is null ? "" : $", then {new FormulaProgram([Epilogue]).Readable}");

    public override ImmutableArray<Operand> Operands =>
        [new("x"), new("w"), .. Bias ? [new Operand("bias")] : Array.Empty<Operand>(), .. Extras.Select((_, i) => new Operand($"e{i + 1}")), new("y")];

    public override ImmutableArray<ScalarArgument> Scalars => new FormulaProgram([Formula]).Scalars;

    public override int Units
    {
        get
        {
            var geometry = new PoolGeometry(Window, Input, Output);
            return (geometry.Rows + geometry.RowsPerUnit - 1) / geometry.RowsPerUnit;
        }
    }

    public override void Emit(SourceWriter writer, Isa isa)
    {
        var geometry = new PoolGeometry(Window, Input, Output);
        DepthwiseWindow.RequireHalo(geometry);
        var (depth, rows, columns) = (geometry.Axes[0].Output, geometry.Axes[1].Output, geometry.Axes[2].Output);
        var held = geometry.Count <= (isa.Registers == 32 ? 16 : 9);
        var tile = Tile(columns, isa.Registers - (held ? geometry.Count : 1) - 2);
        writer.OpenMethod(this);
        writer.Skip("x", Input.Origin);
        writer.Skip("y", Output.Origin);
        for (var i = 0; i < Extras.Length; i++)
        {
            writer.Skip($"e{i + 1}", Extras[i].Origin);
        }

        new FormulaEmitter(isa, Formula).Prepare(writer);
        writer.Open($"for (var row = begin * {geometry.RowsPerUnit}; row < Math.Min(end * {geometry.RowsPerUnit}, {geometry.Rows}); row++)")
            .Line($"var block = row / {depth * rows};").Line(depth == 1 ? "const int d = 0;" : $"var d = row / {rows} % {depth};").Line($"var h = row % {rows};")
            .Open($"for (var lane = 0; lane < {Layout.Lanes}; lane += {isa.Width})")
            .Line($"var from = x + block * {Input.BlockStride} + {geometry.RowStart(Input)} + lane;")
            .Line($"var weights = w + block * {geometry.Count * Layout.Lanes} + lane;")
            .Line($"var to = y + block * {Output.BlockStride} + d * {Output.DepthStride} + h * {Output.RowStride} + lane;");
        for (var i = 0; i < Extras.Length; i++)
        {
            writer.Line($"var extra{i + 1} = e{i + 1}{ExtraOffset(Extras[i])};");
        }

        for (var k = 0; held && k < geometry.Count; k++)
        {
            writer.Line($"var w{k} = {isa.Load($"weights + {k * Layout.Lanes}")};");
        }

        if (Bias)
        {
            writer.Line($"var start = {isa.Load($"bias + block * {Layout.Lanes} + lane")};");
        }

        var full = columns / tile * tile;
        if (full > tile)
        {
            writer.Open($"for (var c = 0; c < {full}; c += {tile})");
            EmitTile(writer, isa, geometry, tile, "c", held);
            writer.Close();
        }
        else
        {
            writer.Open("");
            EmitTile(writer, isa, geometry, tile, "0", held);
            writer.Close();
        }

        if (full < columns)
        {
            writer.Open("");
            EmitTile(writer, isa, geometry, columns - full, $"{full}", held);
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

    private string ExtraOffset(Layout extra) => extra.Shape.Count == 1 ? ""
        : extra.Height == Output.Height && extra.Width == Output.Width && extra.Depth == Output.Depth && extra.Kind == LayoutKind.Blocked
            ? $" + block * {extra.BlockStride} + d * {extra.DepthStride} + h * {extra.RowStride} + lane"
            : $" + block * {extra.BlockStride} + lane";

    private void EmitTile(SourceWriter writer, Isa isa, PoolGeometry geometry, int tile, string column, bool held)
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
                writer.Open("").Line($"var weight = {isa.Load($"weights + ({element.Number}) * {Layout.Lanes}")};");
            }

            for (var t = 0; t < tile; t++)
            {
                var value = isa.Load($"source + {element.Offset(Input, t * step)}");
                writer.Line($"sum{t} = {isa.Fma(value, held ? $"w{element.Number}" : "weight", $"sum{t}")};");
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

internal static class DepthwiseWindow
{
    /// <summary>The input's halo must hold all that windows reach beyond the plane.</summary>
    public static void RequireHalo(PoolGeometry geometry)
    {
        var halo = geometry.Input.Halo;
        var before = new[] { halo.DepthBefore, halo.RowsBefore, halo.ColumnsBefore };
        var after = new[] { halo.DepthAfter, halo.RowsAfter, halo.ColumnsAfter };
        for (var i = 0; i < 3; i++)
        {
            var axis = geometry.Axes[i];
            var last = ((axis.Output - 1) * axis.Stride) - axis.Pad + (axis.Dilation * (axis.Kernel - 1));
            if (before[i] < axis.Pad || after[i] < last - axis.Input + 1)
            {
                throw new InvalidOperationException($"The halo of {geometry.Input.Tag} does not cover the windows' padding.");
            }
        }
    }
}
