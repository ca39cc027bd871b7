// The body of one micro-kernel: accumulators in registers from the first tap to the last, then bias, formula
// and store. Everything hot of every network is in here, so its shape follows measurements (docs/kernels.md).
using System.Globalization;
using ModelCompiler.Emission;

namespace ModelCompiler.Kernels;

internal sealed class ConvolutionMicroEmitter(ConvolutionKernel kernel, SourceWriter writer, Isa isa, Tile tile)
{
    private readonly ConvolutionGeometry geometry = kernel.Geometry;

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
            EmitTaps(cursor, 16);
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

            writer.Line($"w += {N(WeightsBehind(channels) + (unroll * 16))};");
            return;
        }

        var inner = kernel.Samples ? "ati" : "xi";
        writer.Open("");
        writer.Line($"{(kernel.Samples ? "long" : "float*")} {inner} = {cursor};");
        writer.Open($"for (int channel = 0; channel < {N(channels)}; channel += {N(unroll)})");
        for (var u = 0; u < unroll; u++)
        {
            EmitProducts(inner, u);
        }

        writer.Line($"{inner} += {N(unroll * geometry.InputLane)};").Line($"w += {N(unroll * 16)};").Close();
        if (WeightsBehind(channels) > 0)
        {
            writer.Line($"w += {N(WeightsBehind(channels))};");
        }

        writer.Close();
    }

    /// <summary>With groups, weights are packed for whole blocks, also of a block that is not full.</summary>
    private int WeightsBehind(int channels) => geometry.Groups == 1 ? 0 : (16 - channels) * 16;

    private void EmitProducts(string cursor, int lane)
    {
        var pixels = (from r in Enumerable.Range(0, tile.Rows) from c in Enumerable.Range(0, tile.Columns) select (r, c)).ToList();
        string Scalar(int r, int c) => kernel.Samples
            ? $"x{N(c)}[{cursor} + {N(lane * geometry.InputLane)}]"
            : $"{cursor}[{N((r * geometry.InputStep.Rows) + (c * geometry.InputStep.Columns) + (lane * geometry.InputLane))}]";
        string Weight(int j, int p) => isa.Load($"w + {N(((long)j * geometry.PackedBlock) + (lane * 16) + (p * isa.Width))}");

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
