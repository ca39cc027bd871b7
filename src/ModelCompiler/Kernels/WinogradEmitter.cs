// Writes the C# of a Winograd convolution: a driver over chunks of tiles, the matrix products, whose micro-kernel is that of
// direct convolution, and the way back to outputs. Planes, channels and chunks are numbers; register tiles, formula and the
// form of the filters decide the code.
using ModelCompiler.Emission;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

internal sealed partial class WinogradEmitter(WinogradKernel kernel, Isa isa)
{
    /// <summary>So few tiles are not shared by threads.</summary>
    private const int FewTiles = 8;

    private readonly WinogradTransform transform = kernel.Transform;
    private readonly int outputs = kernel.Outputs;
    private readonly int groupBlocks = kernel.Tile.Blocks;

    private bool IsDilated => kernel.Dilation > 1;

    private bool IsPacked => kernel.Filters == WinogradFilterForm.Packed;

    /// <summary>Whether filters are transformed while products of those before them are made.</summary>
    private bool IsOrdered => kernel.Filters == WinogradFilterForm.Ordered;

    /// <summary>Blocks of a full group, where there is one, and of the last group, where it has fewer.</summary>
    private IEnumerable<int> GroupSizes => new[] { Math.Min(groupBlocks, kernel.Output.Blocks), kernel.Output.Blocks % groupBlocks }.Where(b => b > 0).Distinct();

    /// <summary>Everything that decides the code on this instruction set.</summary>
    public string Structure => string.Join(";", GroupSizes.Select(blocks => $"{N(blocks)}={ProductsName(blocks)}"));

    public void Emit(KernelWriter writer)
    {
        var points = transform.Points;
        writer.OpenMethod();
        writer.Line($"float* products = scratch + {N(points)}L * inputPoint, halfway = products + {N(points)}L * productPoint{(IsPacked || IsOrdered ? "" : $", filters = {FilterPlace}")};");
        writer.Line($"int total = batch * {WinogradTiles.Count(IsDilated)}, from = 0, to = total, firstGroup = 0, lastGroup = groups;");
        writer.Line("// Units are parts of the tiles, or of the weights where there are few tiles or many weights.");
        writer.Open($"if (groups > 1 && (manyWeights != 0 || total * yDepths < {N(FewTiles)}))").Line($"firstGroup = groups * begin / {N(kernel.Units)};").Line($"lastGroup = groups * end / {N(kernel.Units)};").Close();
        writer.Open("else").Line("int pieces = (total + grain - 1) / grain;");
        writer.Line($"from = (int)((long)pieces * begin / {N(kernel.Units)}) * grain;").Line($"to = Math.Min(total, (int)((long)pieces * end / {N(kernel.Units)}) * grain);").Close();
        writer.Open("for (int first = firstGroup < lastGroup ? from : to; first < to; first += chunk)").Line("int tiles = Math.Min(chunk, to - first);");
        var (planes, step) = (kernel.HasDepth, WinogradTiles.Times(IsDilated));
        writer.Line((planes ? "for (int depth = 0; depth < yDepths + depthTaps - 1; depth++) " : "") + new WinogradTiles(transform, Gradients: false, isa, IsDilated).Call(
            writer, planes ? "x + (long)depth * xDepth" : "x", "xStride", planes ? "scratch + depth * tiles * 16" : "scratch", "first, tiles", "xBlocks",
            $"tileRows, tileColumns, xBlock, xRow, yRows + 2{step}, yColumns + 2{step}", "inputColumns, inputPoint"));
        if (IsOrdered)
        {
            EmitFirstFilters(writer);
        }

        writer.Open("for (int group = firstGroup; group < lastGroup; group++)");
        writer.Line($"int block = group * {N(groupBlocks)}, blocks = Math.Min({N(groupBlocks)}, yBlocks - block);");
        if (IsPacked)
        {
            EmitProductCalls(writer, "scratch", $"w + group * {N(points)}L * groupPoint", "inputBlocks, tail", HasParts ? ", partBlocks" : "");
        }
        else
        {
            EmitParts(writer);
        }

        writer.Line((planes ? "for (int depth = 0; depth < yDepths; depth++) " : "")
            + $"{writer.Share(OutputName, EmitOutput)}({(planes ? "products + depth * tiles * 16" : "products")}, halfway, {string.Join(", ", OutputArguments.Select(a => planes ? InPlane(a) : a))});");
        writer.Close().Close().Close().Line();
    }

    /// <summary>The filters of the first group's first part; all others are made while products of those before them are.</summary>
    private void EmitFirstFilters(KernelWriter writer)
    {
        writer.Line($"float* ordered = w + (long)firstGroup * channels * {DepthTaps} * {N(144 * groupBlocks)}, filters = {FilterPlace}, spare = filters + {N(transform.Points)}L * groupPoint;");
        writer.Open("");
        writer.Line($"int blocks = Math.Min({N(groupBlocks)}, yBlocks - firstGroup * {N(groupBlocks)}), partChannels = Math.Min(partBlocks * 16, channels), vectors = partChannels * blocks * {DepthTaps};");
        writer.Line(Filters.Call(writer, $"ordered, filters, {PointFloats("blocks")}, partChannels, blocks, {DepthTaps}, 0, vectors"));
        writer.Line("ordered += vectors * 144L;").Close();
    }

    private string FilterPlace => $"halfway + {N(2 * transform.Points * Layout.Lanes)}";

    private WinogradFilters Filters => new(transform, kernel.Filters, isa);

    /// <summary>From point to point of the filters of so many blocks.</summary>
    private string PointFloats(string blocks) => $"{blocks} == {N(groupBlocks)} ? groupPoint : restPoint";

    /// <summary>Filters that do not come packed: those of a part of the inputs are transformed, and multiplied while they are near.</summary>
    private void EmitParts(KernelWriter writer)
    {
        writer.Open("for (int add = 0; add < xBlocks; add += partBlocks)");
        writer.Line("int partChannels = Math.Min(partBlocks * 16, channels - add * 16);");
        if (IsOrdered)
        {
            writer.Line("bool last = add + partBlocks >= xBlocks;");
            writer.Line($"int nextBlocks = !last ? blocks : group + 1 < lastGroup ? Math.Min({N(groupBlocks)}, yBlocks - block - {N(groupBlocks)}) : 0;");
            writer.Line("int nextChannels = Math.Min(partBlocks * 16, last ? channels : channels - (add + partBlocks) * 16);");
        }
        else
        {
            writer.Line($"int pointFloats = {PointFloats("blocks")};");
            writer.Line("for (int b = 0; b < blocks; b++) "
                + Filters.Call(writer, $"w, filters + b * 16, block + b, pointFloats, blocks * 16, add * 16, add * 16 + partChannels, channels, outputs, {DepthTaps}"));
        }

        EmitProductCalls(
            writer, "scratch + add * inputColumns * 16", "filters", "partChannels / 16, partChannels % 16",
            (IsOrdered ? $", ordered, spare, {PointFloats("nextBlocks")}, nextChannels, nextBlocks" : "") + (HasParts ? ", add" : ""));
        if (IsOrdered)
        {
            writer.Line($"ordered += (long)nextChannels * nextBlocks * {DepthTaps} * 144;");
            writer.Line("float* made = spare;").Line("spare = filters;").Line("filters = made;");
        }

        writer.Close();
    }

    private bool HasParts => kernel.HasParts;

    private bool HasTaps => kernel.DepthTaps > 1;

    private string DepthTaps => kernel.HasDepth ? "depthTaps" : "1";

    /// <summary>An argument of the way back, for plane <c>depth</c>.</summary>
    private string InPlane(string argument) => argument == "y" || Planes.Any(p => argument == $"e{N(p.Index)}") ? $"{argument} + (long)depth * {argument}Depth" : argument;

    private static string N(long value) => Literals.Int(value);

    private string OutputName => KernelName.Of($"Winograd{N(outputs)}Outputs", kernel.OutputStructure);

    private IEnumerable<(int Index, FusedOperand Operand)> Planes => kernel.Fused.Select((e, i) => (i, e)).Where(f => !f.e.IsVector);

    private IEnumerable<string> OutputArguments =>
    [
        .. kernel.Bias ? ["bias"] : Array.Empty<string>(), .. kernel.Fused.SelectMany((_, i) => new[] { $"e{N(i)}", $"e{N(i)}Stride" }), "y", "yStride", "first", "tiles", "block", "blocks",
        "tileRows", "tileColumns", "yRows", "yColumns", "yBlock", "yRow", "productColumns", "productPoint", .. Planes.SelectMany(p => new[] { $"e{N(p.Index)}Block", $"e{N(p.Index)}Row" }),
        .. IsDilated ? ["dilation"] : Array.Empty<string>(),
    ];

    /// <summary>Products of a chunk and a group back to outputs, with bias and formula.</summary>
    private void EmitOutput(SourceWriter writer)
    {
        var pointers = kernel.Fused.Select((_, i) => $"e{N(i)}").Append("bias").Append("y").ToList();
        var parameters = OutputArguments.Select(a => $"{(pointers.Contains(a) ? "float*" : a.EndsWith("Stride", StringComparison.Ordinal) ? "long" : "int")} {a}");
        writer.Open(Kernel.Helper(OutputName, $"float* products, float* halfway, {string.Join(", ", parameters)}"));
        transform.Constants(writer, isa);
        var formula = kernel.Formula is null ? null : new FormulaEmitter(isa, kernel.Formula);
        formula?.Prepare(writer);
        writer.Line($"long pointRow = productPoint * {N(transform.Inputs)};");
        WinogradTiles.EmitMultiples(writer, "pointRow", transform.Inputs);
        WinogradTiles.EmitFirstPlace(writer, outputs, IsDilated);
        writer.Open("for (int b = 0; b < blocks; b++)").Line("int channelBlock = block + b;");
        WinogradTiles.EmitStart(writer);
        writer.Open("for (int i = 0; i < tiles; i++)");
        writer.Line($"int rows = Math.Min({N(outputs)}, {(IsDilated ? "(yRows - row + dilation - 1) / dilation" : "yRows - row")});");
        OpenParts(writer);
        EmitColumns(writer);
        writer.Line($"float* to = y + sample * yStride + channelBlock * yBlock + {(kernel.Pooled ? "row / 2 * yRow + column / 2" : "row * yRow + column")} * 16{Part};");
        foreach (var (e, i) in kernel.Fused.Select((e, i) => (e, i)))
        {
            writer.Line($"float* f{i} = e{i} + sample * e{i}Stride + channelBlock * {(e.IsVector ? "16" : $"e{i}Block + row * e{i}Row + column * {N(e.Step.Columns)}")}{Part};");
        }

        if (kernel.Pooled)
        {
            EmitPooledRows(writer, formula);
        }
        else
        {
            EmitRows(writer, formula);
        }

        CloseParts(writer);
        WinogradTiles.EmitNext(writer, outputs, IsDilated);
        writer.Close().Close().Close().Line();
    }

    private void EmitRows(SourceWriter writer, FormulaEmitter? formula)
    {
        writer.Open("for (int r = 0; r < rows; r++)");
        EmitRow(writer, "r");
        EmitStores(writer, formula);
        var step = WinogradTiles.Times(IsDilated);
        writer.Line($"to += yRow{step};");
        foreach (var (i, _) in Planes)
        {
            writer.Line($"f{i} += e{i}Row{step};");
        }

        writer.Close();
    }

    /// <summary>Declares the outputs of a row of the tile: <c>o0</c>, <c>o1</c>, …</summary>
    private void EmitRow(SourceWriter writer, string row)
    {
        writer.Line($"float* source = halfway + {row} * {N(transform.Inputs * isa.Width)};");
        for (var c = 0; c < transform.Inputs; c++)
        {
            writer.Line($"var d{N(c)} = {isa.Load($"source + {N(c * isa.Width)}")};");
        }

        transform.Output(writer, isa);
    }

    /// <summary>Two rows of the tile at a time, and their maxima.</summary>
    private void EmitPooledRows(SourceWriter writer, FormulaEmitter? formula)
    {
        writer.Open("for (int r = 0; r < rows; r += 2, to += yRow)");
        var maxima = Enumerable.Range(0, outputs / 2).ToArray();
        writer.Line($"{isa.Type} {string.Join(", ", maxima.Select(m => $"m{N(m)}"))};");
        foreach (var lower in new[] { false, true })
        {
            writer.Open("");
            EmitRow(writer, lower ? "(r + 1)" : "r");
            foreach (var m in maxima)
            {
                var (left, right) = (Value(writer, formula, 2 * m, ""), Value(writer, formula, (2 * m) + 1, ""));
                var both = $"{isa.Static}.Max({left}, {right})";
                writer.Line($"m{N(m)} = {(lower ? $"{isa.Static}.Max(m{N(m)}, {both})" : both)};");
            }

            writer.Close();
        }

        foreach (var m in maxima)
        {
            writer.Line((m == 0 ? "" : $"if (column + {N(2 * m)} < yColumns) ") + isa.Store($"to + {N(m * Layout.Lanes)}", $"m{N(m)}")
                + (isa == Isa.Vector128 ? "" : $" Sse.Prefetch0(to + {N((m + outputs) * Layout.Lanes)});"));
        }

        writer.Close();
    }

    /// <summary>The columns of a tile's products, halfway back.</summary>
    private void EmitColumns(SourceWriter writer)
    {
        var side = transform.Inputs;
        writer.Line($"float* from = products + (b * productColumns + i) * 16{Part};");
        writer.Open($"for (int c = 0; c < {N(side)}; c++, from += productPoint)").Line($"float* target = halfway + c * {N(isa.Width)};");
        for (var r = 0; r < side; r++)
        {
            // What the next tile reads lies beyond the first-level cache; asked for a tile ahead, it is there.
            var source = $"from{WinogradTiles.Multiple("pointRow", r)}";
            writer.Line($"var d{N(r)} = {isa.Load(source)};{(isa == Isa.Vector128 ? "" : $" Sse.Prefetch0({source} + 16);")}");
        }

        transform.Output(writer, isa);
        for (var r = 0; r < outputs; r++)
        {
            writer.Line(isa.Store($"target + {N(r * side * isa.Width)}", $"o{N(r)}"));
        }

        writer.Close();
    }

    private void EmitStores(SourceWriter writer, FormulaEmitter? formula)
    {
        var step = WinogradTiles.Times(IsDilated);
        for (var c = 0; c < outputs; c++)
        {
            // Without dilation the first column of a tile is inside of the plane; phases may have fewer columns than the widest.
            var mayEnd = c > 0 || IsDilated;
            if (mayEnd)
            {
                writer.Open($"if (column{(c == 0 ? "" : $" + {N(c)}{step}")} < yColumns)");
            }

            string Ahead(int stride, int columns) => $" + {N(columns * stride)}{step}";
            writer.Line(isa.Store($"to{Ahead(Layout.Lanes, c)}", Value(writer, formula, c, step)));
            if (isa != Isa.Vector128)
            {
                writer.Line(string.Join(" ", kernel.Fused.Select((e, i) => (Name: $"f{i}", Step: e.Step.Columns)).Where(f => f.Step != 0).Prepend(("to", Layout.Lanes))
                    .Select(f => $"Sse.Prefetch0({f.Item1}{Ahead(f.Item2, c + (2 * outputs))});")));
            }

            if (mayEnd)
            {
                writer.Close();
            }
        }
    }

    /// <summary>Output <c>o0</c>, <c>o1</c>, … with bias and formula, as code.</summary>
    /// <param name="step">What the distance of columns is multiplied by.</param>
    private string Value(SourceWriter writer, FormulaEmitter? formula, int column, string step)
    {
        if (kernel.Bias)
        {
            writer.Line($"o{N(column)} += {isa.Load($"bias + channelBlock * 16{Part}")};");
        }

        return formula is null
            ? $"o{N(column)}"
            : formula.ApplyOne(writer, index => index == 0 ? $"o{N(column)}" : isa.Load($"f{index - 1} + {N(column * kernel.Fused[index - 1].Step.Columns)}{step}"), $"_{N(column)}");
    }

    /// <summary>A block of 16 channels is one, two or four vectors; each goes through the transforms alone.</summary>
    private string Part => isa.Parts == 1 ? "" : " + part";

    private void OpenParts(SourceWriter writer)
    {
        if (isa.Parts > 1)
        {
            writer.Open($"for (int part = 0; part < {N(Layout.Lanes)}; part += {N(isa.Width)})");
        }
    }

    private void CloseParts(SourceWriter writer)
    {
        if (isa.Parts > 1)
        {
            writer.Close();
        }
    }
}
