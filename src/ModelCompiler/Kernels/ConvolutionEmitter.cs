// Writes the C# of a direct convolution: a driver that walks the output in tiles, and a micro-kernel per tile
// shape. Loops run over input blocks, taps and channels; only up to four channels are unrolled, since unrolling
// taps as well makes the JIT keep broadcasts alive and spill.
using System.Globalization;
using ModelCompiler.Emission;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

internal sealed class ConvolutionEmitter(ConvolutionKernel kernel, KernelWriter writer, Isa isa)
{
    /// <summary>Floats between what a single sample multiplies with and what is asked for meanwhile: weights of dense layers come from memory.</summary>
    private const int StreamAhead = 1024;

    /// <summary>Values of more floats come from beyond the second-level cache.</summary>
    private const int LargePlane = 64 * 1024;

    /// <summary>In a tile of more multiply-adds for an output it does not matter how stores find their places.</summary>
    private const int MostStepsForOutput = 512;

    private readonly ConvolutionGeometry geometry = kernel.Geometry;
    private readonly ConvolutionSchedule schedule = kernel.Schedule;
    private readonly SortedDictionary<string, ConvolutionMicroEmitter> micros = new(StringComparer.Ordinal);

    private Tile Unit => schedule.Tile;

    /// <summary>Floats of a full group's weights, and of that part of the next group's that one call asks for.</summary>
    private long GroupFloats => (long)Unit.Blocks * geometry.PackedBlock;

    private int AheadLines => schedule.CallsAhead == 0 || isa == Isa.Vector128 ? 0 : (int)((GroupFloats / 16 + schedule.CallsAhead - 1) / schedule.CallsAhead);

    public void Emit()
    {
        writer.OpenMethod();
        writer.Open("for (int unit = begin; unit < end; unit++)");
        if (kernel.Samples)
        {
            EmitSamplesUnit();
        }
        else
        {
            EmitPlaneUnit();
        }

        writer.Close().Close().Line();
        foreach (var micro in micros)
        {
            EmitMicro(micro.Key, micro.Value);
        }
    }

    private static string N(long value) => value.ToString(CultureInfo.InvariantCulture);

    /// <param name="packed">Blocks that lie side by side in the weights.</param>
    private string Micro(Tile tile, int packed, int aheadLines = 0, int streamAhead = 0)
    {
        var name = $"{writer.Own}_{tile}" + (packed == Unit.Blocks ? "" : $"_of{N(packed)}");
        if (!micros.ContainsKey(name))
        {
            micros.Add(name, new ConvolutionMicroEmitter(kernel, writer, isa, tile, packed)
            {
                AheadLines = aheadLines,
                StreamAhead = streamAhead,
                InputAhead = IsLongRow(tile) && geometry.TapCount == 1 && geometry.InputLane == 1 && (long)geometry.InputBlocks * geometry.InputBlock > LargePlane
                    ? tile.Columns * geometry.InputStep.Columns : 0,
                PrefetchesOutput = IsLongRow(tile) && geometry.Groups == 1 && (geometry.TapCount == 1 || geometry.InputChannels < 16) && geometry.PackedBlock / 16 <= MostStepsForOutput
                    && geometry.OutputStep.Columns == Layout.Lanes && kernel.Fused.All(e => e.Step.Columns is 0 or Layout.Lanes) && (long)geometry.OutputBlocks * geometry.OutputBlock > LargePlane,
            });
        }

        return name;
    }

    private bool IsLongRow(Tile tile) => !kernel.Samples && isa != Isa.Vector128 && tile.Rows == 1 && schedule.ColumnTiles > 1;

    private void EmitPlaneUnit()
    {
        var (plane, tile) = (geometry.Plane, isa == Isa.Avx512 ? Unit : Tile.Choose(geometry, samples: false, isa, Unit.Rows, Unit.Blocks));
        var (places, spans, perDepth) = (schedule.Places, schedule.Spans, schedule.RowTiles * schedule.Spans);
        writer.Line(schedule.Parts == 1 ? "int place = unit;" : $"int part = unit / {N(places)}, place = unit % {N(places)};");
        if (plane.Depth > 1)
        {
            writer.Line($"int depth = place / {N(perDepth)};");
        }

        var rowTile = $"{(spans == 1 ? "place" : $"(place / {N(spans)})")}{(plane.Depth == 1 ? "" : $" % {N(schedule.RowTiles)}")}";
        if (plane.Rows > Unit.Rows)
        {
            writer.Line(plane.Rows % Unit.Rows == 0 ? $"int row = {rowTile} * {N(Unit.Rows)};" : $"int row = Math.Min({rowTile} * {N(Unit.Rows)}, {N(plane.Rows - Unit.Rows)});");
        }

        if (spans > 1)
        {
            writer.Line($"int first = place % {N(spans)} * {N(schedule.SpanTiles * Unit.Columns)}, last = Math.Min({N(plane.Columns)}, first + {N(schedule.SpanTiles * Unit.Columns)});");
        }

        var part = schedule.Parts == 1 ? "0" : "part";
        var parts = schedule.PartGroups > 1;
        if (parts)
        {
            var end = schedule.Parts == 1 ? N(schedule.Groups) : $"Math.Min({N(schedule.Groups)}, (part + 1) * {N(schedule.PartGroups)})";
            writer.Open($"for (int group = {(schedule.Parts == 1 ? "0" : $"part * {N(schedule.PartGroups)}")}; group < {end}; group++)");
        }

        writer.Line($"int block = {(parts ? "group" : part)} * {N(Unit.Blocks)};");
        writer.Line($"float* wg = w + block * {N(geometry.PackedBlock)}L;");
        foreach (var (condition, blocks) in GroupSizes())
        {
            OpenIf(condition);
            for (var b = 0; b < blocks; b += tile.Blocks)
            {
                var nb = Math.Min(tile.Blocks, blocks - b);
                for (var r = 0; r < Unit.Rows; r += tile.Rows)
                {
                    EmitRow(tile with { Blocks = nb }, blocks, b, plane.Rows > Unit.Rows ? "row" : "0", Math.Min(r, Unit.Rows - tile.Rows));
                }
            }

            CloseIf(condition);
        }

        if (parts)
        {
            writer.Close();
        }
    }

    private void OpenIf(string condition)
    {
        if (condition.Length > 0)
        {
            writer.Open(condition);
        }
    }

    private void CloseIf(string condition)
    {
        if (condition.Length > 0)
        {
            writer.Close();
        }
    }

    /// <summary>Full groups of blocks, and the rest where blocks do not divide.</summary>
    private IEnumerable<(string Condition, int Blocks)> GroupSizes()
    {
        var rest = geometry.OutputBlocks % Unit.Blocks;
        if (rest == 0)
        {
            return [("", Unit.Blocks)];
        }

        var limit = geometry.OutputBlocks - rest;
        return limit == 0 ? [("", rest)] : [($"if (block < {N(limit)})", Unit.Blocks), ("else", rest)];
    }

    /// <summary>The part of a row that belongs to the unit.</summary>
    private void EmitRow(Tile tile, int packed, int firstBlock, string rowName, int rowOffset)
    {
        var columns = geometry.Plane.Columns;
        var depth = geometry.Plane.Depth == 1 ? "0" : "depth";
        var block = firstBlock == 0 ? "block" : $"(block + {N(firstBlock)})";
        var row = rowOffset == 0 ? rowName : rowName == "0" ? N(rowOffset) : $"({rowName} + {N(rowOffset)})";
        writer.Open("");
        writer.Line($"float* xr = x + {Sum(geometry.InputOffset, (depth, geometry.InputStep.Depth), (row, geometry.InputStep.Rows))}{FirstBlockOffset(block)};");
        writer.Line($"float* yr = y + {Sum(geometry.OutputOffset, (block, geometry.OutputBlock), (depth, geometry.OutputStep.Depth), (row, geometry.OutputStep.Rows))};");
        for (var i = 0; i < kernel.Fused.Length; i++)
        {
            var e = kernel.Fused[i];
            writer.Line($"float* e{i}r = e{i} + {Sum(e.Offset, (block, e.Block), (depth, e.Step.Depth), (row, e.Step.Rows))};");
        }

        var aheadLines = firstBlock == 0 && rowOffset == 0 ? AheadLines : 0;
        if (aheadLines > 0)
        {
            writer.Line($"float* ahead = wg + {N(GroupFloats)}{(schedule.PartGroups == 1 ? $" + place * {N((long)schedule.SpanTiles * aheadLines * 16)}" : "")};");
        }

        var single = schedule.Spans == 1 && columns <= tile.Columns;
        var column = single ? "0" : "column";
        var arguments = new List<string> { Plus("xr", column, geometry.InputStep.Columns), firstBlock == 0 ? "wg" : $"wg + {N(firstBlock * 16)}" };
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
        if (AheadLines > 0)
        {
            arguments.Add(aheadLines > 0 ? "ahead" : "wg");
        }

        var call = $"{Micro(tile, packed, AheadLines)}({string.Join(", ", arguments)});";
        if (single)
        {
            writer.Line(call);
        }
        else
        {
            // The last tile is moved back over columns that are already done: it stores the same numbers again.
            var (first, last) = schedule.Spans == 1 ? ("0", N(columns)) : ("first", "last");
            writer.Open($"for (int c = {first}; c < {last}; c += {N(tile.Columns)})");
            writer.Line(columns % tile.Columns == 0 && (schedule.Spans == 1 || schedule.SpanTiles * Unit.Columns % tile.Columns == 0)
                ? "int column = c;" : $"int column = Math.Min(c, {N(columns - tile.Columns)});").Line(call);
            if (aheadLines > 0)
            {
                writer.Line($"ahead += {N(aheadLines * 16)};");
            }

            writer.Close();
        }

        writer.Close();
    }

    private void EmitSamplesUnit()
    {
        writer.Line($"int block = unit * {N(Unit.Blocks)};");
        writer.Line($"float* wg = w + block * {N(geometry.PackedBlock)}L;");
        foreach (var (condition, blocks) in GroupSizes())
        {
            OpenIf(condition);

            // A full tile of samples at a time, then one by one; a single sample takes more blocks, so that enough sums are in flight.
            var many = Tile.ChooseSamples(geometry, isa, blocks);
            var one = new Tile(1, 1, Enumerable.Range(1, blocks).Last(b => b == 1 || (blocks % b == 0 && new Tile(1, 1, b).Fits(isa))));
            if (many.Columns > 1)
            {
                writer.Line("// The last tile of samples is moved back over some that are done.");
                writer.Open($"if (batch >= {N(many.Columns)})");
                for (var b = 0; b < blocks; b += many.Blocks)
                {
                    writer.Open($"for (int s = 0; s < batch; s += {N(many.Columns)})").Line($"int sample = Math.Min(s, batch - {N(many.Columns)});");
                    writer.Line(SamplesCall(many with { Blocks = Math.Min(many.Blocks, blocks - b) }, blocks, b)).Close();
                }

                writer.Close().Open("else");
            }

            for (var b = 0; b < blocks; b += one.Blocks)
            {
                writer.Line($"for (int sample = 0; sample < batch; sample++) {SamplesCall(one, blocks, b)}");
            }

            if (many.Columns > 1)
            {
                writer.Close();
            }

            CloseIf(condition);
        }
    }

    private string SamplesCall(Tile tile, int packed, int firstBlock)
    {
        var block = firstBlock == 0 ? "block" : $"(block + {N(firstBlock)})";
        var arguments = new List<string> { $"x + {N(geometry.InputOffset)} + sample * xStride{FirstBlockOffset(block)}", "xStride", firstBlock == 0 ? "wg" : $"wg + {N(firstBlock * 16)}" };
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
        var streams = tile.Columns == 1 && tile.Blocks == packed && isa != Isa.Vector128;
        return $"{Micro(tile, packed, streamAhead: streams ? StreamAhead : 0)}({string.Join(", ", arguments)});";
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

    private void EmitMicro(string name, ConvolutionMicroEmitter micro)
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

        if (micro.AheadLines > 0)
        {
            parameters.Add("float* ahead");
        }

        writer.Line(Kernel.Attribute).Open($"private static void {name}({string.Join(", ", parameters)})");
        micro.EmitBody();
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

}
