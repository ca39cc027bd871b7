// One turn of the micro-kernel's inner loop, and what follows the last one: the products of some channels, what is asked of
// memory meanwhile, and the stores with their formula.
using ModelCompiler.Emission;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

internal sealed partial class ConvolutionMicroEmitter
{
    /// <summary>What the products of some channels leave time to ask for: weights needed soon, so that none of them is waited for.</summary>
    private void EmitPrefetches(SourceWriter writer, int channels)
    {
        if (StreamAhead > 0)
        {
            for (var line = 0; line < channels * packed; line++)
            {
                writer.Line($"Sse.Prefetch0(w + {N(StreamAhead + (line * 16))});");
            }
        }

        if (AsksAhead)
        {
            string Lines(int from, int to) => string.Join(" ", Enumerable.Range(from, to - from).Select(line => $"Sse.Prefetch1(ahead{Literals.Plus(line * 16)});"));
            writer.Line(Lines(0, channels));
            var more = Enumerable.Range(2, packed - 1).Select(lines => $"if (aheadLines >= {N(lines)}) {{ {Lines(channels, 2 * channels)} ahead += {N(channels * 16)}; }} ");
            writer.Line($"{string.Concat(more)}ahead += {N(channels * 16)};");
        }
    }

    /// <summary>Spread over the first turns of the loops: the channels of the first block, or the taps of the first row.</summary>
    private void EmitOutputPrefetches(SourceWriter writer, int unroll, int channels)
    {
        if (!PrefetchesOutput || isBehindLoop)
        {
            return;
        }

        var byTaps = TapLoops.Any();
        var turns = byTaps ? geometry.Taps.Columns * (channels / unroll) : channels / unroll;
        var lines = (tile.Columns + turns - 1) / turns;
        var first = byTaps ? string.Join(" && ", TapLoops.Where(t => t.Name != "column").Select(t => $"{t.Name}Tap == 0")) : isInLoop ? "block == 0" : "";
        if (first.Length > 0)
        {
            writer.Open($"if ({first})");
        }

        for (var line = 0; line < lines; line++)
        {
            for (var j = 0; j < tile.Blocks; j++)
            {
                writer.Line($"Sse.Prefetch0({Place("y", j, 0)} + late{Literals.Plus(line * geometry.OutputStep.Columns)});");
                foreach (var (e, i) in kernel.Fused.Select((e, i) => (e, i)).Where(f => f.e.Step.Columns != 0))
                {
                    writer.Line($"Sse.Prefetch0({Place($"e{N(i)}", j, 0)} + late{Literals.Plus(line * e.Step.Columns)});");
                }
            }
        }

        writer.Line($"late += {N(lines * geometry.OutputStep.Columns)};");
        if (first.Length > 0)
        {
            writer.Close();
        }
    }

    /// <summary>The products of some channels.</summary>
    private void EmitProducts(SourceWriter writer, string cursor, int channels)
    {
        for (var lane = 0; lane < channels; lane++)
        {
            if (channels > 1)
            {
                writer.Open("");
            }

            EmitProduct(writer, cursor, lane);
            if (channels > 1)
            {
                writer.Close();
            }
        }
    }

    private void EmitProduct(SourceWriter writer, string cursor, int lane)
    {
        var channel = lane;
        var pixels = (from r in Enumerable.Range(0, tile.Rows) from c in Enumerable.Range(0, tile.Columns) select (r, c)).ToList();
        if (geometry.InputLane != 1 && lane > 0)
        {
            writer.Line($"float* p = {cursor} + {(lane == 1 ? "" : $"{N(lane)} * ")}inputLane;");
            (cursor, lane) = ("p", 0);
        }

        for (var r = 1; r < tile.Rows; r++)
        {
            writer.Line($"float* p{N(r)} = {(r == 1 ? cursor : $"p{N(r - 1)}")} + inputRow;");
        }

        string Scalar(int r, int c) => kernel.Samples
            ? $"x{N(c)}[{cursor}{Literals.Plus(lane)}]"
            : $"{(r == 0 ? cursor : $"p{N(r)}")}[{N((c * geometry.InputStep.Columns) + lane)}]";
        int At(int j, int p) => (((channel * packed) + j) * 16) + (p * isa.Width);
        string Weight(int j, int p) => isa.Load($"w{(MakesWeights ? " + made" : "")} + {N(At(j, p))}");
        if (MakesWeights)
        {
            foreach (var at in Accumulators().Select(a => N(At(a.Block, a.Part))).Distinct())
            {
                writer.Line(isa.Store($"w + made + {at}", $"{isa.Load($"w + {at}")} - {isa.Load($"w + less + {at}")}"));
            }
        }

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
    }

    private void EmitStores(SourceWriter writer)
    {
        var formula = kernel.Formula is null ? null : new FormulaEmitter(isa, kernel.Formula);
        formula?.Prepare(writer);
        foreach (var pixel in Accumulators().GroupBy(a => (a.Row, a.Column)))
        {
            var stores = new List<string>();
            foreach (var (j, p, r, c) in pixel)
            {
                var value = A(j, p, r, c);
                if (formula is not null)
                {
                    value = formula.ApplyOne(writer, index => index == 0 ? A(j, p, r, c) : isa.Load(FusedAddress(index - 1, j, p, r, c)), "_" + A(j, p, r, c));
                }

                var place = Place("y", j, r) + Literals.Plus((p * isa.Width) + (kernel.Samples ? 0 : c * geometry.OutputStep.Columns));
                stores.Add(isa.Store(place + (kernel.Samples && c > 0 ? $" + {N(c)} * yStride" : ""), value));
            }

            writer.Line(string.Join(" ", stores));
        }
    }

    private string FusedAddress(int index, int j, int p, int r, int c)
    {
        var e = kernel.Fused[index];
        var name = $"e{N(index)}";
        return (e.IsVector ? name + Literals.Plus((j * Layout.Lanes) + (p * isa.Width)) : Place(name, j, r) + Literals.Plus((p * isa.Width) + (kernel.Samples ? 0 : c * e.Step.Columns)))
            + (kernel.Samples && c > 0 ? $" + {N(c)} * {name}Stride" : "");
    }
}
