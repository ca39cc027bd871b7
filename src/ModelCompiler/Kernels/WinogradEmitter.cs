// Writes the C# of a Winograd convolution: a driver over chunks of tiles, the matrix products, whose micro-kernel is that of
// direct convolution, and the way back to outputs.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

internal sealed class WinogradEmitter(WinogradKernel kernel, KernelWriter writer, Isa isa)
{
    private readonly WinogradTransform transform = kernel.Transform;
    private readonly int outputs = kernel.Outputs;
    private readonly int side = kernel.Transform.Inputs;
    private readonly int channels = kernel.Input.Channels;
    private readonly int chunk = kernel.Chunk;
    private readonly int groupBlocks = kernel.Tile.Blocks;

    public void Emit()
    {
        EmitDriver();
        var input = kernel.Input;
        new WinogradTiles(
            $"{writer.Own}_input", transform, Gradients: false, input, input.Origin - (kernel.PadRows * input.RowStride) - (kernel.PadColumns * input.ColumnStride),
            kernel.Output.Height + 2, kernel.Output.Width + 2, kernel.TileRows, kernel.TileColumns, chunk, kernel.InputPoint).Emit(writer, isa);
        EmitOutput();
        if (kernel.Filters != WinogradFilterForm.Packed)
        {
            new WinogradFilters(transform, channels, kernel.Output.Channels, kernel.Filters == WinogradFilterForm.Turned).Emit(writer, isa, $"{writer.Own}_filters");
        }

        var full = isa == Isa.Avx512 ? kernel.Tile : Tile.Choose(kernel.Product(chunk), samples: false, isa, 1, groupBlocks);
        var micros = new SortedDictionary<string, ConvolutionMicroEmitter>(StringComparer.Ordinal);
        foreach (var blocks in new[] { Math.Min(groupBlocks, kernel.Output.Blocks), kernel.Output.Blocks % groupBlocks }.Where(b => b > 0).Distinct())
        {
            EmitProducts(blocks, full, micros);
        }

        foreach (var micro in micros)
        {
            writer.Line(Kernel.Attribute).Open($"private static void {micro.Key}(float* x, float* w, float* y{(micro.Value.AheadLines > 0 ? ", float* ahead" : "")})");
            micro.Value.EmitBody();
            writer.Close().Line();
        }
    }

    private static string N(long value) => Literals.Int(value);

    private void EmitDriver()
    {
        var points = transform.Points;
        var (groups, units, columns) = (kernel.Groups, kernel.Units, kernel.Tile.Columns);
        var rest = kernel.Output.Blocks % groupBlocks;
        var groupWeights = (long)points * PackWinogradKernel.PointFloats(channels, groupBlocks);
        writer.OpenMethod();
        writer.Line($"float* products = scratch + {N((long)points * kernel.InputPoint)}, halfway = products + {N((long)points * kernel.ProductPoint)}{(kernel.FilterFloats > 0 ? $", filters = halfway + {N(2 * points * Layout.Lanes)}" : "")};");
        writer.Line($"int from = 0, to = batch * {N(kernel.Tiles)}, firstGroup = 0, lastGroup = {N(groups)}, pieces = (to + {N(columns - 1)}) / {N(columns)};");
        if (groups > 1)
        {
            writer.Line("// Units are parts of the tiles, or of the weights where there are few tiles or many weights.");
            writer.Open(kernel.HasManyWeights ? "" : "if (pieces < 8)").Line($"firstGroup = {N(groups)} * begin / {N(units)};").Line($"lastGroup = {N(groups)} * end / {N(units)};").Close();
        }

        if (groups == 1 || !kernel.HasManyWeights)
        {
            writer.Open(groups == 1 ? "" : "else").Line($"from = (int)((long)pieces * begin / {N(units)}) * {N(columns)};").Line($"to = Math.Min(to, (int)((long)pieces * end / {N(units)}) * {N(columns)});").Close();
        }

        writer.Open($"for (int first = {(groups == 1 ? "from" : "firstGroup < lastGroup ? from : to")}; first < to; first += {N(chunk)})");
        writer.Line($"int tiles = Math.Min({N(chunk)}, to - first);").Line($"{writer.Own}_input(x, xStride, scratch, halfway, first, tiles, {N(kernel.Input.Blocks)});");
        writer.Open("for (int group = firstGroup; group < lastGroup; group++)");
        var packed = kernel.Filters == WinogradFilterForm.Packed;
        var call = $"{writer.Own}_products{{0}}(scratch, {(packed ? $"w + group * {N(groupWeights)}L" : "filters")}, products, tiles);";
        var pointers = string.Join("", Enumerable.Range(0, kernel.Fused.Length).Select(i => $"e{i}, e{i}Stride, "));
        var blocks = rest == 0 ? N(groupBlocks) : $"(group < {N(groups - 1)} ? {N(groupBlocks)} : {N(rest)})";
        if (!packed)
        {
            writer.Line($"int blocks = Math.Min({N(groupBlocks)}, {N(kernel.Output.Blocks)} - group * {N(groupBlocks)});");
            writer.Line($"for (int b = 0; b < blocks; b++) {writer.Own}_filters(w, filters + b * 16, group * {N(groupBlocks)} + b, blocks * {N(channels * 16L)} + 16, blocks * 16);");
        }

        if (rest == 0 || groups == 1)
        {
            writer.Line(call.Replace("{0}", N(Math.Min(groupBlocks, kernel.Output.Blocks))));
        }
        else
        {
            writer.Line($"if (group < {N(groups - 1)}) {call.Replace("{0}", N(groupBlocks))}").Line($"else {call.Replace("{0}", N(rest))}");
        }

        writer.Line($"{writer.Own}_output(products, halfway, {(kernel.Bias ? "bias, " : "")}{pointers}y, yStride, first, tiles, group * {N(groupBlocks)}, {blocks});");
        writer.Close().Close().Close().Line();
    }

    /// <summary>At every point: transformed inputs times transformed weights, for one group of output blocks.</summary>
    private void EmitProducts(int blocks, Tile full, SortedDictionary<string, ConvolutionMicroEmitter> micros)
    {
        var product = new ConvolutionKernel(kernel.Product(chunk), false, null, ImmutableArray<FusedOperand>.Empty, Samples: false, "WinogradProduct");
        var pointWeights = PackWinogradKernel.PointFloats(channels, blocks);

        // While a point is computed the weights of the next one, which lie behind its own, come nearer.
        var calls = (chunk + full.Columns - 1) / full.Columns;
        var aheadLines = isa == Isa.Vector128 ? 0 : (int)((pointWeights / Layout.Lanes + calls - 1) / calls);
        writer.Line(Kernel.Attribute).Open($"private static void {writer.Own}_products{N(blocks)}(float* u, float* w, float* products, int tiles)");
        writer.Open($"for (int point = 0; point < {N(transform.Points)}; point++)");
        if (aheadLines > 0)
        {
            writer.Line($"float* ahead = w + {N(pointWeights)};");
        }

        for (var b = 0; b < blocks; b += full.Blocks)
        {
            var tile = full with { Blocks = Math.Min(full.Blocks, blocks - b) };
            var name = $"{writer.Own}_{tile}{(blocks == groupBlocks ? "" : $"_of{N(blocks)}")}";
            var lines = b == 0 ? aheadLines : 0;
            if (!micros.ContainsKey(name))
            {
                micros.Add(name, new ConvolutionMicroEmitter(product, writer, isa, tile, blocks)
                {
                    AheadLines = aheadLines, InputAhead = isa == Isa.Vector128 ? 0 : chunk * Layout.Lanes, PrefetchesOutput = isa != Isa.Vector128 && channels <= 512,
                });
            }

            writer.Open($"for (int t = 0; t < tiles; t += {N(tile.Columns)})");
            writer.Line($"int at = Math.Min(t, {N(chunk - tile.Columns)}) * {N(Layout.Lanes)};");
            writer.Line($"{name}(u + at, w{(b == 0 ? "" : $" + {N(b * Layout.Lanes)}")}, products + at + {N(b * chunk * Layout.Lanes)}{(aheadLines > 0 ? b == 0 ? ", ahead" : ", w" : "")});");
            if (lines > 0)
            {
                writer.Line($"ahead += {N(lines * Layout.Lanes)};");
            }

            writer.Close();
        }

        writer.Line($"u += {N(kernel.InputPoint)};").Line($"w += {N(pointWeights)};").Line($"products += {N(kernel.ProductPoint)};");
        writer.Close().Close().Line();
    }

    /// <summary>Products of a chunk and a group back to outputs, with bias and formula.</summary>
    private void EmitOutput()
    {
        var output = kernel.Output;
        var fused = string.Join("", Enumerable.Range(0, kernel.Fused.Length).Select(i => $"float* e{i}, long e{i}Stride, "));
        writer.Line(Kernel.Attribute).Open(
            $"private static void {writer.Own}_output(float* products, float* halfway, {(kernel.Bias ? "float* bias, " : "")}{fused}float* y, long yStride, int first, int tiles, int firstBlock, int blocks)");
        transform.Constants(writer, isa);
        var formula = kernel.Formula is null ? null : new FormulaEmitter(isa, kernel.Formula);
        formula?.Prepare(writer);
        writer.Open("for (int b = 0; b < blocks; b++)").Line("int block = firstBlock + b;");
        writer.Open("for (int i = 0; i < tiles; i++)");
        WinogradTiles.EmitPlace(writer, kernel.TileRows, kernel.TileColumns, outputs);
        writer.Line($"int rows = {(output.Height % outputs == 0 ? N(outputs) : $"Math.Min({N(outputs)}, {N(output.Height)} - row)")};");
        OpenParts();
        writer.Line($"float* from = products + b * {N(chunk * Layout.Lanes)} + i * {N(Layout.Lanes)}{Part};");
        writer.Open($"for (int c = 0; c < {N(side)}; c++, from += {N(kernel.ProductPoint)})").Line($"float* target = halfway + c * {N(isa.Width)};");
        for (var r = 0; r < side; r++)
        {
            writer.Line($"var d{N(r)} = {isa.Load($"from + {N((long)r * side * kernel.ProductPoint)}")};");
            Prefetch($"from + {N(((long)r * side * kernel.ProductPoint) + Layout.Lanes)}");
        }

        transform.Output(writer, isa);
        for (var r = 0; r < outputs; r++)
        {
            writer.Line(isa.Store($"target + {N(r * side * isa.Width)}", $"o{N(r)}"));
        }

        writer.Close();
        writer.Line($"float* to = y + sample * yStride + {ConvolutionEmitter.Sum(output.Origin, ("block", output.BlockStride), ("row", output.RowStride), ("column", output.ColumnStride))}{Part};");
        foreach (var (e, i) in kernel.Fused.Select((e, i) => (e, i)))
        {
            writer.Line($"float* f{i} = e{i} + sample * e{i}Stride + {ConvolutionEmitter.Sum(e.Offset, ("block", e.Block), ("row", e.Step.Rows), ("column", e.Step.Columns))}{Part};");
        }

        writer.Open("for (int r = 0; r < rows; r++)").Line($"float* source = halfway + r * {N(side * isa.Width)};");
        LoadHalfway();
        transform.Output(writer, isa);
        EmitStores(formula);
        writer.Line($"to += {N(output.RowStride)};");
        foreach (var (e, i) in kernel.Fused.Select((e, i) => (e, i)).Where(f => f.e.Step.Rows != 0))
        {
            writer.Line($"f{i} += {N(e.Step.Rows)};");
        }

        writer.Close();
        CloseParts();
        writer.Close().Close().Close().Line();
    }

    private void EmitStores(FormulaEmitter? formula)
    {
        for (var c = 0; c < outputs; c++)
        {
            var column = c;
            var always = c == 0 || kernel.Output.Width % outputs == 0;
            if (!always)
            {
                writer.Open($"if (column + {N(c)} < {N(kernel.Output.Width)})");
            }

            if (kernel.Bias)
            {
                writer.Line($"o{N(c)} += {isa.Load($"bias + block * {N(Layout.Lanes)}{Part}")};");
            }

            var value = formula is null
                ? $"o{N(c)}"
                : formula.ApplyOne(writer, index => index == 0 ? $"o{N(column)}" : isa.Load($"f{index - 1} + {N(column * kernel.Fused[index - 1].Step.Columns)}"), $"_{N(c)}");
            writer.Line(isa.Store($"to + {N(c * Layout.Lanes)}", value));
            Prefetch($"to + {N((c + (2 * outputs)) * Layout.Lanes)}");
            foreach (var (e, i) in kernel.Fused.Select((e, i) => (e, i)).Where(f => f.e.Step.Columns != 0))
            {
                Prefetch($"f{i} + {N((c + (2 * outputs)) * e.Step.Columns)}");
            }

            if (!always)
            {
                writer.Close();
            }
        }
    }

    /// <summary>What the next tile reads and writes lies beyond the first-level cache; asked for a tile ahead, it is there.</summary>
    private void Prefetch(string address)
    {
        if (isa != Isa.Vector128)
        {
            writer.Line($"Sse.Prefetch0({address});");
        }
    }

    private void LoadHalfway()
    {
        for (var c = 0; c < side; c++)
        {
            writer.Line($"var d{N(c)} = {isa.Load($"source + {N(c * isa.Width)}")};");
        }
    }

    /// <summary>A block of 16 channels is one, two or four vectors; each goes through the transforms alone.</summary>
    private string Part => isa.Parts == 1 ? "" : " + part";

    private void OpenParts()
    {
        if (isa.Parts > 1)
        {
            writer.Open($"for (int part = 0; part < {N(Layout.Lanes)}; part += {N(isa.Width)})");
        }
    }

    private void CloseParts()
    {
        if (isa.Parts > 1)
        {
            writer.Close();
        }
    }
}
