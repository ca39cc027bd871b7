// Writes the C# of a direct convolution: a driver that walks the output in tiles, and a micro-kernel per tile
// shape. Loops run over input blocks, taps and channels; only up to four channels are unrolled, since unrolling
// taps as well makes the JIT keep broadcasts alive and spill.
using System.Globalization;
using ModelCompiler.Emission;

namespace ModelCompiler.Kernels;

internal sealed class ConvolutionEmitter(ConvolutionKernel kernel, KernelWriter writer, Isa isa)
{
    private readonly ConvolutionGeometry geometry = kernel.Geometry;
    private readonly Dictionary<Tile, string> micros = new();

    /// <summary>Blocks and rows of one unit; the same on every instruction set.</summary>
    public static Tile UnitTile(ConvolutionKernel kernel) =>
        Tile.Choose(kernel.Geometry, kernel.Samples, Isa.Avx512, int.MaxValue, MostBlocks(kernel));

    public void Emit()
    {
        var unit = UnitTile(kernel);
        var tile = isa == Isa.Avx512 ? unit : Tile.Choose(geometry, kernel.Samples, isa, unit.Rows, unit.Blocks);
        if (kernel.Samples)
        {
            EmitSamplesDriver(unit, tile);
        }
        else
        {
            EmitPlaneDriver(unit, tile);
        }

        foreach (var micro in micros.OrderBy(m => m.Value, StringComparer.Ordinal).ToList())
        {
            EmitMicro(micro.Key, micro.Value);
        }
    }

    /// <summary>Weights of different blocks often lie a power of two apart, and more than four of them evict one another from the
    /// cache: eight ran at half the speed. With groups, only blocks that read the same input blocks may share a tile.</summary>
    private static int MostBlocks(ConvolutionKernel kernel)
    {
        const int Most = 4;
        var perGroup = kernel.Geometry.OutputChannels / kernel.Geometry.Groups;
        return kernel.Geometry.Groups == 1 ? Most : Enumerable.Range(1, Most).Last(b => b == 1 || perGroup % (16 * b) == 0);
    }

    private static string N(long value) => value.ToString(CultureInfo.InvariantCulture);

    private string Micro(Tile tile)
    {
        if (!micros.TryGetValue(tile, out var name))
        {
            name = $"{writer.Own}_{tile}";
            micros.Add(tile, name);
        }

        return name;
    }

    private void EmitPlaneDriver(Tile unit, Tile tile)
    {
        var plane = geometry.Plane;
        var rowTiles = Ceiling(plane.Rows, unit.Rows);
        var perBlock = rowTiles * plane.Depth;
        writer.OpenMethod();
        writer.Open("for (int unit = begin; unit < end; unit++)");
        writer.Line($"int block = unit / {N(perBlock)} * {N(unit.Blocks)}, place = unit % {N(perBlock)};");
        writer.Line(plane.Depth == 1
            ? $"int row = Math.Min(place * {N(unit.Rows)}, {N(plane.Rows - unit.Rows)});"
            : $"int depth = place / {N(rowTiles)}, row = Math.Min(place % {N(rowTiles)} * {N(unit.Rows)}, {N(plane.Rows - unit.Rows)});");
        var depth = plane.Depth == 1 ? "0" : "depth";
        foreach (var (condition, blocks) in GroupSizes(unit.Blocks))
        {
            if (condition.Length > 0)
            {
                writer.Open(condition);
            }

            for (var b = 0; b < blocks; b += tile.Blocks)
            {
                var nb = Math.Min(tile.Blocks, blocks - b);
                for (var r = 0; r < unit.Rows; r += tile.Rows)
                {
                    var row = Math.Min(r, unit.Rows - tile.Rows);
                    EmitRow(tile with { Blocks = nb }, b == 0 ? "block" : $"(block + {N(b)})", depth, row == 0 ? "row" : $"(row + {N(row)})");
                }
            }

            if (condition.Length > 0)
            {
                writer.Close();
            }
        }

        writer.Close().Close().Line();
    }

    /// <summary>Full groups of blocks, and the rest where blocks do not divide.</summary>
    private IEnumerable<(string Condition, int Blocks)> GroupSizes(int blocks)
    {
        var rest = geometry.OutputBlocks % blocks;
        if (rest == 0)
        {
            return [("", blocks)];
        }

        var limit = geometry.OutputBlocks - rest;
        return [($"if (block < {N(limit)})", blocks), ("else", rest)];
    }

    private void EmitRow(Tile tile, string block, string depth, string row)
    {
        var columns = geometry.Plane.Columns;
        var tiles = Ceiling(columns, tile.Columns);
        var arguments = new List<string>();
        writer.Open("");
        writer.Line($"float* xr = x + {Sum(geometry.InputOffset, (depth, geometry.InputStep.Depth), (row, geometry.InputStep.Rows))}{FirstBlockOffset(block)};");
        writer.Line($"float* yr = y + {Sum(geometry.OutputOffset, (block, geometry.OutputBlock), (depth, geometry.OutputStep.Depth), (row, geometry.OutputStep.Rows))};");
        for (var i = 0; i < kernel.Fused.Length; i++)
        {
            var e = kernel.Fused[i];
            writer.Line($"float* e{i}r = e{i} + {Sum(e.Offset, (block, e.Block), (depth, e.Step.Depth), (row, e.Step.Rows))};");
        }

        var column = tiles == 1 ? "0" : "column";
        arguments.Add(Plus("xr", column, geometry.InputStep.Columns));
        arguments.Add($"w + {block} * {N(geometry.PackedBlock)}L");
        if (kernel.Bias)
        {
            arguments.Add($"bias + {block} * 16");
        }

        for (var i = 0; i < kernel.Fused.Length; i++)
        {
            arguments.Add(Plus($"e{i}r", column, kernel.Fused[i].Step.Columns));
        }

        arguments.Add(Plus("yr", column, geometry.OutputStep.Columns));
        AddGroupArguments(arguments, block);
        var call = $"{Micro(tile)}({string.Join(", ", arguments)});";
        if (tiles == 1)
        {
            writer.Line(call);
        }
        else if (columns % tile.Columns == 0)
        {
            writer.Open($"for (int column = 0; column < {N(columns)}; column += {N(tile.Columns)})").Line(call).Close();
        }
        else
        {
            // The last tile is moved back over columns that are already done: it stores the same numbers again.
            writer.Open($"for (int tile = 0; tile < {N(tiles)}; tile++)");
            writer.Line($"int column = Math.Min(tile * {N(tile.Columns)}, {N(columns - tile.Columns)});").Line(call).Close();
        }

        writer.Close();
    }

    private void EmitSamplesDriver(Tile unit, Tile tile)
    {
        writer.OpenMethod();
        writer.Open("for (int unit = begin; unit < end; unit++)");
        writer.Line($"int block = unit * {N(unit.Blocks)};");
        foreach (var (condition, blocks) in GroupSizes(unit.Blocks))
        {
            if (condition.Length > 0)
            {
                writer.Open(condition);
            }

            for (var b = 0; b < blocks; b += tile.Blocks)
            {
                var nb = Math.Min(tile.Blocks, blocks - b);
                EmitSamples(tile with { Blocks = nb }, b == 0 ? "block" : $"(block + {N(b)})");
            }

            if (condition.Length > 0)
            {
                writer.Close();
            }
        }

        writer.Close().Close().Line();
    }

    private void EmitSamples(Tile tile, string block)
    {
        writer.Open("");
        writer.Line("int sample = 0;");
        if (tile.Columns > 1)
        {
            writer.Line($"for (; sample + {N(tile.Columns)} <= batch; sample += {N(tile.Columns)}) {Call(tile)}");
            writer.Line("// The rest of the batch: a tile moved back over samples already done, or one by one when there are too few.");
            writer.Line($"if (sample < batch && batch >= {N(tile.Columns)}) {{ sample = batch - {N(tile.Columns)}; {Call(tile)} sample = batch; }}");
        }

        writer.Line($"for (; sample < batch; sample++) {Call(tile with { Columns = 1 })}");
        writer.Close();

        string Call(Tile t)
        {
            var arguments = new List<string> { $"x + {N(geometry.InputOffset)} + sample * xStride{FirstBlockOffset(block)}", "xStride", $"w + {block} * {N(geometry.PackedBlock)}L" };
            if (kernel.Bias)
            {
                arguments.Add($"bias + {block} * 16");
            }

            for (var i = 0; i < kernel.Fused.Length; i++)
            {
                var e = kernel.Fused[i];
                arguments.Add($"e{i} + {Sum(e.Offset, (block, e.Block))} + sample * e{i}Stride");
                arguments.Add($"e{i}Stride");
            }

            arguments.Add($"y + {Sum(geometry.OutputOffset, (block, geometry.OutputBlock))} + sample * yStride");
            arguments.Add("yStride");
            AddGroupArguments(arguments, block);
            return $"{Micro(t)}({string.Join(", ", arguments)});";
        }
    }

    private string FirstBlockOffset(string block)
    {
        if (geometry.Groups == 1)
        {
            return "";
        }

        return $" + {FirstBlock(block)} * {N(geometry.InputBlock)}";
    }

    private string FirstBlock(string block)
    {
        var inPerGroup = geometry.InputChannels / geometry.Groups;
        var outPerGroup = geometry.OutputChannels / geometry.Groups;
        return $"Math.Min({block} * 16 / {N(outPerGroup)} * {N(inPerGroup)} / 16, {N(geometry.InputBlocks - geometry.BlocksRead)})";
    }

    private void AddGroupArguments(List<string> arguments, string block)
    {
        if (geometry.Groups > 1 && geometry.TailChannels < 16)
        {
            // Only the windows that end with the last, partly filled block meet lanes that are no channels.
            arguments.Add($"{FirstBlock(block)} + {N(geometry.BlocksRead)} == {N(geometry.InputBlocks)}");
        }
    }

    private void EmitMicro(Tile tile, string name)
    {
        var parameters = new List<string> { "float* x" };
        if (kernel.Samples)
        {
            parameters.Add("long xStride");
        }

        parameters.Add("float* w");
        if (kernel.Bias)
        {
            parameters.Add("float* bias");
        }

        for (var i = 0; i < kernel.Fused.Length; i++)
        {
            parameters.Add($"float* e{i}");
            if (kernel.Samples)
            {
                parameters.Add($"long e{i}Stride");
            }
        }

        parameters.Add("float* y");
        if (kernel.Samples)
        {
            parameters.Add("long yStride");
        }

        if (geometry.Groups > 1 && geometry.TailChannels < 16)
        {
            parameters.Add("bool tail");
        }

        writer.Line(Kernel.Attribute).Open($"private static void {name}({string.Join(", ", parameters)})");
        new ConvolutionMicroEmitter(kernel, writer, isa, tile).EmitBody();
        writer.Close().Line();
    }

    private static string Plus(string pointer, string index, int step) =>
        step == 0 || index == "0" ? pointer : step == 1 ? $"{pointer} + {index}" : $"{pointer} + {index} * {N(step)}";

    /// <summary><c>offset + a * 3 + b</c> without what is zero.</summary>
    internal static string Sum(int offset, params (string Variable, int Factor)[] terms)
    {
        var parts = terms.Where(t => t.Factor != 0 && t.Variable != "0").Select(t => t.Factor == 1 ? t.Variable : $"{t.Variable} * {N(t.Factor)}").ToList();
        if (offset != 0 || parts.Count == 0)
        {
            parts.Add(offset < 0 ? $"({N(offset)})" : N(offset));
        }

        return string.Join(" + ", parts);
    }

    private static int Ceiling(int a, int b) => (a + b - 1) / b;
}
