// The body of one micro-kernel: accumulators in registers from the first tap to the last, then bias, formula
// and store. Everything hot of every network is in here, so its shape follows measurements (docs/kernels.md).
using System.Globalization;
using ModelCompiler.Emission;

namespace ModelCompiler.Kernels;

/// <param name="packed">Output blocks whose weights lie side by side: at least the tile's.</param>
internal sealed class ConvolutionMicroEmitter(ConvolutionKernel kernel, SourceWriter writer, Isa isa, Tile tile, int packed)
{
    private readonly ConvolutionGeometry geometry = kernel.Geometry;

    /// <summary>Whether what is being written is repeated for each input block, or follows such blocks.</summary>
    private bool isInLoop;
    private bool isBehindLoop;

    /// <summary>Cache lines from the pointer <c>ahead</c> on that are asked for meanwhile; 0: there is no such pointer.</summary>
    public int AheadLines { get; init; }

    /// <summary>Floats by which asking for weights precedes their use; 0: nothing is asked for.</summary>
    public int StreamAhead { get; init; }

    /// <summary>Floats from a block's inputs to those that are asked for meanwhile: of the next tile, or of the next block; 0 for none.</summary>
    public int InputAhead { get; init; }

    /// <summary>Asks for the places of the outputs, and for operands of the formula, before they are needed.</summary>
    public bool PrefetchesOutput { get; init; }

    public void EmitBody()
    {
        if (kernel.Samples)
        {
            for (var c = 0; c < tile.Columns; c++)
            {
                writer.Line(c == 0 ? "float* x0 = x;" : $"float* x{N(c)} = x{N(c - 1)} + xStride;");
            }
        }

        foreach (var vector in Accumulators().GroupBy(a => (a.Block, a.Part)))
        {
            // One line per vector of output channels, one sum per pixel.
            var sums = vector.Select(a => A(a.Block, a.Part, a.Row, a.Column)).ToList();
            var start = kernel.Bias ? isa.Load($"bias + {N((vector.Key.Block * 16) + (vector.Key.Part * isa.Width))}") : $"{isa.Type}.Zero";
            writer.Line($"{isa.Type} {sums[0]} = {start}{string.Concat(sums.Skip(1).Select(a => $", {a} = {sums[0]}"))};");
        }

        writer.Line($"{isa.Type} b;");
        if (PrefetchesOutput)
        {
            writer.Line("long late = 0;");
        }

        var full = geometry.Groups == 1 ? geometry.InputChannels / 16 : geometry.BlocksRead;
        var tail = geometry.TailChannels % 16;
        var cursor = kernel.Samples ? "at" : "x";
        if (kernel.Samples)
        {
            writer.Line("long at = 0;");
        }

        var grouped = geometry.Groups > 1 && tail > 0;
        if (full > 1 || grouped)
        {
            writer.Open($"for (int block = 0; block < {(grouped ? $"(tail ? {N(full - 1)} : {N(full)})" : N(full))}; block++)");
            isInLoop = true;
            EmitTaps(cursor, 16);
            isInLoop = false;
            writer.Line($"{cursor} += {N(geometry.InputBlock)};").Close();
        }
        else if (full == 1)
        {
            EmitTaps(cursor, 16);
            if (tail > 0)
            {
                writer.Line($"{cursor} += {N(geometry.InputBlock)};");
            }
        }

        isBehindLoop = full > 0;
        if (grouped)
        {
            writer.Open("if (tail)");
            EmitTaps(cursor, tail);
            writer.Close();
        }
        else if (geometry.Groups == 1 && tail > 0)
        {
            EmitTaps(cursor, tail);
        }

        EmitStores();
    }

    private static string N(long value) => value.ToString(CultureInfo.InvariantCulture);

    private string A(int block, int part, int row, int column) =>
        $"a{N(block)}" + (isa.Parts > 1 ? $"{(char)('a' + part)}" : "") + (tile.Rows > 1 ? $"_{N(row)}_{N(column)}" : $"_{N(column)}");

    private IEnumerable<(int Block, int Part, int Row, int Column)> Accumulators() =>
        from j in Enumerable.Range(0, tile.Blocks)
        from p in Enumerable.Range(0, isa.Parts)
        from r in Enumerable.Range(0, tile.Rows)
        from c in Enumerable.Range(0, tile.Columns)
        select (j, p, r, c);

    /// <summary>All taps of one input block of <paramref name="channels"/> channels; leaves w behind them and the cursor where it was.</summary>
    private void EmitTaps(string cursor, int channels)
    {
        var opened = 0;
        foreach (var (count, step, name) in new[]
        {
            (geometry.Taps.Depth, geometry.TapStep.Depth, "depthTap"), (geometry.Taps.Rows, geometry.TapStep.Rows, "rowTap"), (geometry.Taps.Columns, geometry.TapStep.Columns, "columnTap"),
        })
        {
            if (count == 1)
            {
                continue;
            }

            writer.Open("");
            var next = (kernel.Samples ? "at" : "x") + (name == "depthTap" ? "d" : name == "rowTap" ? "r" : "c");
            writer.Line($"{(kernel.Samples ? "long" : "float*")} {next} = {cursor};");
            writer.Open($"for (int {name} = 0; {name} < {N(count)}; {name}++, {next} += {N(step)})");
            cursor = next;
            opened += 2;
        }

        EmitChannels(cursor, channels);
        while (opened-- > 0)
        {
            writer.Close();
        }
    }

    private void EmitChannels(string cursor, int channels)
    {
        // Many sums hide the loop behind them; few want more work in each turn of it. More code would only take longer to compile.
        var most = Math.Max(1, 16 / (tile.Pixels * tile.Blocks * isa.Parts));
        var unroll = Enumerable.Range(1, Math.Min(4, most)).Last(u => channels % u == 0);
        if (unroll == channels)
        {
            for (var u = 0; u < unroll; u++)
            {
                EmitProducts(cursor, u);
            }

            EmitPrefetches(unroll);
            EmitOutputPrefetches(unroll, channels);
            writer.Line($"w += {N((WeightsBehind(channels) + (unroll * 16)) * packed)};");
            return;
        }

        var inner = kernel.Samples ? "ati" : "xi";
        writer.Open("");
        writer.Line($"{(kernel.Samples ? "long" : "float*")} {inner} = {cursor};");
        if (InputAhead > 0)
        {
            writer.Line($"float* next = {cursor} + {N(InputAhead)};");
        }

        writer.Open($"for (int channel = 0; channel < {N(channels)}; channel += {N(unroll)})");
        for (var u = 0; u < unroll; u++)
        {
            EmitProducts(inner, u);
        }

        EmitPrefetches(unroll);
        EmitOutputPrefetches(unroll, channels);
        if (InputAhead > 0)
        {
            var lines = (tile.Columns * unroll + 15) / 16;
            for (var line = 0; line < lines; line++)
            {
                writer.Line($"Sse.Prefetch0(next + {N(line * geometry.InputStep.Columns)});");
            }

            writer.Line($"next += {N(lines * geometry.InputStep.Columns)};");
        }

        writer.Line($"{inner} += {N(unroll * geometry.InputLane)};").Line($"w += {N(unroll * 16 * packed)};").Close();
        if (WeightsBehind(channels) > 0)
        {
            writer.Line($"w += {N(WeightsBehind(channels) * packed)};");
        }

        writer.Close();
    }

    /// <summary>What the products of some channels leave time to ask for: weights needed soon, so that none of them is waited for.</summary>
    private void EmitPrefetches(int channels)
    {
        if (StreamAhead > 0)
        {
            for (var line = 0; line < channels * packed; line++)
            {
                writer.Line($"Sse.Prefetch0(w + {N(StreamAhead + (line * 16))});");
            }
        }

        if (AheadLines > 0)
        {
            var steps = geometry.PackedBlock / 16;
            var lines = ((AheadLines * channels) + steps - 1) / steps;
            for (var line = 0; line < lines; line++)
            {
                writer.Line($"Sse.Prefetch1(ahead{(line == 0 ? "" : $" + {N(line * 16)}")});");
            }

            writer.Line($"ahead += {N(lines * 16)};");
        }
    }

    /// <summary>Spread over the first turns of the loops: the channels of the first block, or the taps of the first row.</summary>
    private void EmitOutputPrefetches(int unroll, int channels)
    {
        if (!PrefetchesOutput || isBehindLoop)
        {
            return;
        }

        var byTaps = geometry.TapCount > 1;
        var turns = byTaps ? geometry.Taps.Columns * (channels / unroll) : channels / unroll;
        var lines = (tile.Columns + turns - 1) / turns;
        var first = byTaps
            ? string.Join(" && ", new[] { (geometry.Taps.Depth, "depthTap == 0"), (geometry.Taps.Rows, "rowTap == 0") }.Where(t => t.Item1 > 1).Select(t => t.Item2))
            : isInLoop ? "block == 0" : "";
        if (first.Length > 0)
        {
            writer.Open($"if ({first})");
        }

        for (var line = 0; line < lines; line++)
        {
            for (var j = 0; j < tile.Blocks; j++)
            {
                writer.Line($"Sse.Prefetch0(y + late + {N((j * (long)geometry.OutputBlock) + (line * geometry.OutputStep.Columns))});");
                foreach (var (e, i) in kernel.Fused.Select((e, i) => (e, i)).Where(f => f.e.Step.Columns != 0))
                {
                    writer.Line($"Sse.Prefetch0(e{N(i)} + late + {N((j * (long)e.Block) + (line * e.Step.Columns))});");
                }
            }
        }

        writer.Line($"late += {N(lines * geometry.OutputStep.Columns)};");
        if (first.Length > 0)
        {
            writer.Close();
        }
    }

    /// <summary>With groups, weights are packed for whole blocks, also of a block that is not full.</summary>
    private int WeightsBehind(int channels) => geometry.Groups == 1 ? 0 : (16 - channels) * 16;

    private void EmitProducts(string cursor, int lane)
    {
        var pixels = (from r in Enumerable.Range(0, tile.Rows) from c in Enumerable.Range(0, tile.Columns) select (r, c)).ToList();
        string Scalar(int r, int c) => kernel.Samples
            ? $"x{N(c)}[{cursor} + {N(lane * geometry.InputLane)}]"
            : $"{cursor}[{N((r * geometry.InputStep.Rows) + (c * geometry.InputStep.Columns) + (lane * geometry.InputLane))}]";
        string Weight(int j, int p) => isa.Load($"w + {N((((lane * packed) + j) * 16) + (p * isa.Width))}");

        writer.Open("");
        if (pixels.Count == 1)
        {
            writer.Line($"b = {isa.Broadcast(Scalar(0, 0))};");
            foreach (var block in Accumulators().GroupBy(a => a.Block))
            {
                writer.Line(string.Join(" ", block.Select(a => $"{A(a.Block, a.Part, 0, 0)} = {isa.Fma("b", Weight(a.Block, a.Part), A(a.Block, a.Part, 0, 0))};")));
            }
        }
        else if (isa == Isa.Vector128)
        {
            // Sixteen registers without memory operands: broadcasts stay, weights pass through one register.
            writer.Line($"{isa.Type} {string.Join(", ", pixels.Select(q => $"b{N(q.r)}_{N(q.c)} = {isa.Broadcast(Scalar(q.r, q.c))}"))};");
            for (var j = 0; j < tile.Blocks; j++)
            {
                for (var p = 0; p < isa.Parts; p++)
                {
                    writer.Line($"b = {Weight(j, p)}; " + string.Join(" ", pixels.Select(q => $"{A(j, p, q.r, q.c)} = {isa.Fma($"b{N(q.r)}_{N(q.c)}", "b", A(j, p, q.r, q.c))};")));
                }
            }
        }
        else
        {
            for (var j = 0; j < tile.Blocks; j++)
            {
                for (var p = 0; p < isa.Parts; p++)
                {
                    writer.Line($"var w{N(j)}{(isa.Parts > 1 ? ((char)('a' + p)).ToString() : "")} = {Weight(j, p)};");
                }
            }

            foreach (var pixel in Accumulators().GroupBy(a => (a.Row, a.Column)))
            {
                var products = pixel.Select(a => $"{A(a.Block, a.Part, a.Row, a.Column)} = {isa.Fma("b", $"w{N(a.Block)}{(isa.Parts > 1 ? ((char)('a' + a.Part)).ToString() : "")}", A(a.Block, a.Part, a.Row, a.Column))};");
                writer.Line($"b = {isa.Broadcast(Scalar(pixel.Key.Row, pixel.Key.Column))}; {string.Join(" ", products)}");
            }
        }

        writer.Close();
    }

    private void EmitStores()
    {
        var formula = kernel.Formula is null ? null : new FormulaEmitter(isa, kernel.Formula);
        formula?.Prepare(writer);
        foreach (var (j, p, r, c) in Accumulators())
        {
            var value = A(j, p, r, c);
            if (formula is not null)
            {
                value = formula.ApplyOne(writer, index => index == 0 ? A(j, p, r, c) : isa.Load(FusedAddress(index - 1, j, p, r, c)), "_" + A(j, p, r, c));
            }

            var offset = ((long)j * geometry.OutputBlock) + (p * isa.Width) + (r * geometry.OutputStep.Rows) + (kernel.Samples ? 0 : c * geometry.OutputStep.Columns);
            writer.Line(isa.Store($"y + {N(offset)}{(kernel.Samples && c > 0 ? $" + {N(c)} * yStride" : "")}", value));
        }
    }

    private string FusedAddress(int index, int j, int p, int r, int c)
    {
        var e = kernel.Fused[index];
        var offset = ((long)j * e.Block) + (p * isa.Width) + (r * e.Step.Rows) + (kernel.Samples ? 0 : c * e.Step.Columns);
        return $"e{N(index)} + {N(offset)}{(kernel.Samples && c > 0 ? $" + {N(c)} * e{N(index)}Stride" : "")}";
    }
}
