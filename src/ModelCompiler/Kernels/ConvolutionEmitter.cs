// Writes the C# of a direct convolution: a driver that walks the output in tiles and calls a micro-kernel for each. Tiles
// decide its code; the plane, channels and strides are numbers, so that layers of one tile share it.
using System.Globalization;
using ModelCompiler.Emission;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

internal sealed class ConvolutionEmitter(ConvolutionKernel kernel, Isa isa)
{
    /// <summary>Floats between what a single sample multiplies with and what is asked for meanwhile: weights of dense layers come from memory.</summary>
    private const int StreamAhead = 1024;

    /// <summary>Values of more floats come from beyond the second-level cache.</summary>
    private const int LargePlane = 64 * 1024;

    /// <summary>In a tile of more multiply-adds for an output it does not matter how stores find their places.</summary>
    private const int MostStepsForOutput = 512;

    private readonly ConvolutionGeometry geometry = kernel.Geometry;
    private readonly ConvolutionSchedule schedule = kernel.Schedule;

    private Tile Unit => schedule.Tile;

    /// <summary>Everything that decides the code of the driver on this instruction set.</summary>
    public string Structure => string.Join(";", GroupSizes().Select(g => $"{g.Condition}{N(g.Blocks)}:" + string.Join(",", kernel.Samples
        ? SampleTiles(g.Blocks).Select(t => $"{t.Tile}@{N(t.FirstBlock)}={Micro(t.Tile, g.Blocks).Name}")
        : PlaneTiles(g.Blocks).Select(t => $"{t.Tile}@{N(t.FirstBlock)}+{N(t.FirstRow)}={Micro(t.Tile, g.Blocks).Name}"))));

    public void Emit(KernelWriter writer)
    {
        writer.OpenMethod();
        if (kernel.Samples)
        {
            writer.Open("for (int unit = begin; unit < end; unit++)");
            EmitSamplesUnit(writer);
            writer.Close();
        }
        else if (kernel.Pool is { } pool)
        {
            pool.Emit(writer, isa, () =>
            {
                writer.Open("for (int place = line * spans, part = 0; place < (line + 1) * spans; place++)");
                EmitPlaneUnit(writer);
                writer.Close();
            });
        }
        else
        {
            // Whatever the units are, weights of a part stay while places pass by.
            writer.Open("for (int part = byPlace != 0 ? 0 : begin / places; part < (byPlace != 0 ? parts : (end + places - 1) / places); part++)");
            writer.Line("int firstPlace = byPlace != 0 ? (begin - part + parts - 1) / parts : Math.Max(0, begin - part * places), lastPlace = byPlace != 0 ? (end - part + parts - 1) / parts : Math.Min(places, end - part * places);");
            writer.Open("for (int place = firstPlace; place < lastPlace; place++)");
            EmitPlaneUnit(writer);
            writer.Close().Close();
        }

        writer.Close().Line();
    }

    private static string N(long value) => value.ToString(CultureInfo.InvariantCulture);

    /// <param name="packed">Blocks that lie side by side in the weights.</param>
    private ConvolutionMicroEmitter Micro(Tile tile, int packed)
    {
        if (kernel.Samples)
        {
            return new ConvolutionMicroEmitter(kernel, isa, tile, packed) { StreamAhead = tile.Columns == 1 && tile.Blocks == packed && isa != Isa.Vector128 ? StreamAhead : 0 };
        }

        // Wide tiles have time to ask for what may be in the cache already: that saves a method for small planes. On these it is what a formula reads that may be
        // far away: the values that an activation was computed from, for its gradient.
        var isRow = isa != Isa.Vector128 && tile.Rows == 1 && geometry.TapCount == 1 && geometry.InputLane == 1;
        var isWide = isRow && tile.Columns >= 8;
        var readsPlanes = isRow && tile.Columns >= 4 && kernel.Fused.Any(e => e.Step.Columns != 0);
        return new ConvolutionMicroEmitter(kernel, isa, tile, packed)
        {
            AsksAhead = isa != Isa.Vector128 && geometry.TapCount > 0,
            PrefetchesInput = isWide,
            PrefetchesOutput = isa != Isa.Vector128 && tile.Rows == 1 && geometry.Groups == 1 && (isWide || readsPlanes || (geometry.InputChannels < 16 && IsLargeOutput))
                && geometry.OutputStep.Columns == Layout.Lanes && kernel.Fused.All(e => e.Step.Columns is 0 or Layout.Lanes),
        };
    }

    /// <summary>Whether outputs come from beyond the second-level cache, and so little is computed for each that it matters.</summary>
    private bool IsLargeOutput => schedule.ColumnTiles > 1 && geometry.PackedBlock / 16 <= MostStepsForOutput && (long)geometry.OutputBlocks * geometry.OutputBlock > LargePlane;

    /// <summary>Full groups of blocks, and the rest where blocks do not divide.</summary>
    private IEnumerable<(string Condition, int Blocks)> GroupSizes()
    {
        var rest = geometry.OutputBlocks % Unit.Blocks;
        if (rest == 0)
        {
            return [("", Unit.Blocks)];
        }

        return geometry.OutputBlocks == rest ? [("", rest)] : [("if (block < fullBlocks)", Unit.Blocks), ("else", rest)];
    }

    /// <summary>The tiles that a unit's rows and some of its blocks are cut into.</summary>
    private IEnumerable<(Tile Tile, int FirstBlock, int FirstRow)> PlaneTiles(int blocks)
    {
        var tile = isa == Isa.Avx512 ? Unit : kernel.TileOf(isa);
        for (var b = 0; b < blocks; b += tile.Blocks)
        {
            for (var r = 0; r < Unit.Rows; r += tile.Rows)
            {
                yield return (tile with { Blocks = Math.Min(tile.Blocks, blocks - b) }, b, Math.Min(r, Unit.Rows - tile.Rows));
            }
        }
    }

    private void EmitPlaneUnit(KernelWriter writer)
    {
        if (geometry.Plane.Depth > 1)
        {
            writer.Line("int depth = place / depthPlaces;");
        }

        writer.Line($"int row = Math.Min(place / spans % rowTiles * {N(Unit.Rows)}, lastRow), first = place % spans * spanColumns, last = Math.Min(columns, first + spanColumns);");
        writer.Open("for (int group = part * partGroups; group < Math.Min(groups, (part + 1) * partGroups); group++)");
        writer.Line($"int block = group * {N(Unit.Blocks)};");
        writer.Line("float* wg = w + (long)block * packedBlock;");
        foreach (var (condition, blocks) in GroupSizes())
        {
            Open(writer, condition);
            var tiles = PlaneTiles(blocks).ToList();
            foreach (var (tile, firstBlock, firstRow) in tiles)
            {
                if (tiles.Count > 1)
                {
                    writer.Open("");
                }

                EmitRow(writer, Micro(tile, blocks), firstBlock, firstRow);
                if (tiles.Count > 1)
                {
                    writer.Close();
                }
            }

            Close(writer, condition);
        }

        writer.Close();
    }

    private static void Open(KernelWriter writer, string condition)
    {
        if (condition.Length > 0)
        {
            writer.Open(condition);
        }
    }

    private static void Close(KernelWriter writer, string condition)
    {
        if (condition.Length > 0)
        {
            writer.Close();
        }
    }

    /// <summary>The part of a row that belongs to the unit.</summary>
    private void EmitRow(KernelWriter writer, ConvolutionMicroEmitter micro, int firstBlock, int firstRow)
    {
        var block = firstBlock == 0 ? "block" : $"(block + {N(firstBlock)})";
        var row = firstRow == 0 ? "row" : $"(row + {N(firstRow)})";
        var depth = geometry.Plane.Depth > 1;
        writer.Line($"float* xr = x + {(depth ? "depth * inputDepth + " : "")}{row} * inputRow{(geometry.Groups == 1 ? "" : $" + {FirstBlock(block)} * inputBlock")};");
        writer.Line($"float* yr = y + {block} * outputBlock + {(depth ? "depth * outputDepth + " : "")}{row} * outputRow;");
        for (var i = 0; i < kernel.Fused.Length; i++)
        {
            var e = $"e{N(i)}";
            writer.Line(kernel.Fused[i].IsVector ? $"float* {e}r = {e} + {block} * 16;" : $"float* {e}r = {e} + {block} * {e}Block + {(depth ? $"depth * {e}Depth + " : "")}{row} * {e}Row;");
        }

        List<string> arguments =
        [
            "xr", Weights(firstBlock), .. kernel.Bias ? [$"bias + {block} * 16"] : Array.Empty<string>(), .. kernel.Fused.Select((_, i) => $"e{N(i)}r"), "yr", .. GroupArguments(block),
        ];
        if (micro.AsksAhead)
        {
            arguments.Add(firstBlock + firstRow == 0 ? "wg + aheadGroup + place * aheadPlace, aheadFloats, (aheadFloats + packedBlock - 1) / packedBlock" : "wg, 0, 1");
        }

        if (kernel.Sums is not { } sums)
        {
            writer.Line(Call(writer, micro, [.. arguments, "first", "last", "columns"]));
            return;
        }

        writer.Open("for (int from = first; from < last; from += sumColumns)").Line("int to = Math.Min(last, from + sumColumns);");
        writer.Line(Call(writer, micro, [.. arguments, "from", "to", "columns"]));
        for (var b = 0; b < micro.Blocks; b++)
        {
            writer.Line(sums.Call(
                writer, isa, $"yr{(b == 0 ? "" : $" + {N(b)} * outputBlock")} + from * {N(Layout.Lanes)}", $"{block}{(b == 0 ? "" : $" + {N(b)}")}", row, "from / sumColumns", "from", "to - from"));
        }

        writer.Close();
    }

    private static string Weights(int firstBlock) => firstBlock == 0 ? "wg" : $"wg + {N(firstBlock * 16)}";

    private static string Call(KernelWriter writer, ConvolutionMicroEmitter micro, IEnumerable<string> pointers) =>
        $"{writer.Share(micro.Name, micro.Emit)}({string.Join(", ", pointers.Concat(micro.Numbers.Select(n => n.Name)))});";

    /// <summary>A full tile of samples at a time, then one by one; a single sample takes more blocks, so that enough sums are in flight.</summary>
    private IEnumerable<(Tile Tile, int FirstBlock)> SampleTiles(int blocks)
    {
        var many = Tile.ChooseSamples(geometry, isa, blocks);
        var one = new Tile(1, 1, Enumerable.Range(1, blocks).Last(b => b == 1 || (blocks % b == 0 && new Tile(1, 1, b).Fits(isa))));
        foreach (var tile in many.Columns > 1 ? new[] { many, one } : [one])
        {
            for (var b = 0; b < blocks; b += tile.Blocks)
            {
                yield return (tile with { Blocks = Math.Min(tile.Blocks, blocks - b) }, b);
            }
        }
    }

    private void EmitSamplesUnit(KernelWriter writer)
    {
        writer.Line($"int block = unit * {N(Unit.Blocks)};");
        writer.Line("float* wg = w + (long)block * packedBlock;");
        foreach (var (condition, blocks) in GroupSizes())
        {
            Open(writer, condition);
            var tiles = SampleTiles(blocks).ToList();
            var many = tiles.Where(t => t.Tile.Columns > 1).ToList();
            if (many.Count > 0)
            {
                var columns = N(many[0].Tile.Columns);
                writer.Line("// The last tile of samples is moved back over some that are done.");
                writer.Open($"if (batch >= {columns})");
                foreach (var (tile, firstBlock) in many)
                {
                    writer.Open($"for (int s = 0; s < batch; s += {columns})").Line($"int sample = Math.Min(s, batch - {columns});");
                    writer.Line(SamplesCall(writer, tile, blocks, firstBlock)).Close();
                }

                writer.Close().Open("else");
            }

            foreach (var (tile, firstBlock) in tiles.Skip(many.Count))
            {
                writer.Line($"for (int sample = 0; sample < batch; sample++) {SamplesCall(writer, tile, blocks, firstBlock)}");
            }

            if (many.Count > 0)
            {
                writer.Close();
            }

            Close(writer, condition);
        }
    }

    private string SamplesCall(KernelWriter writer, Tile tile, int packed, int firstBlock)
    {
        var block = firstBlock == 0 ? "block" : $"(block + {N(firstBlock)})";
        string[] arguments =
        [
            $"x + sample * xStride{(geometry.Groups == 1 ? "" : $" + {FirstBlock(block)} * inputBlock")}", "xStride", Weights(firstBlock), .. kernel.Bias ? [$"bias + {block} * 16"] : Array.Empty<string>(),
            .. kernel.Fused.SelectMany((e, i) => new[] { $"e{N(i)} + {block} * {(e.IsVector ? "16" : $"e{N(i)}Block")} + sample * e{N(i)}Stride", $"e{N(i)}Stride" }),
            $"y + {block} * outputBlock + sample * yStride", "yStride", .. GroupArguments(block),
        ];
        return Call(writer, Micro(tile, packed), arguments);
    }

    private static string FirstBlock(string block) => $"Math.Min({block} * 16 / outputsPerGroup * inputsPerGroup / 16, lastWindow)";

    /// <summary>Only the windows that end with the last, partly filled block meet lanes that are no channels.</summary>
    private IEnumerable<string> GroupArguments(string block) => geometry.Groups > 1 && geometry.TailChannels < 16 ? [$"{FirstBlock(block)} == lastWindow"] : [];
}
