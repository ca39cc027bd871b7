// Writes the C# of a Winograd convolution: a driver over chunks of tiles, the matrix products, whose micro-kernel is that of
// direct convolution, and the way back to outputs. Planes, channels and chunks are numbers; register tiles, formula and the
// form of the filters decide the code.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

internal sealed class WinogradEmitter(WinogradKernel kernel, Isa isa)
{
    /// <summary>So few tiles are not shared by threads.</summary>
    private const int FewTiles = 8;

    private readonly WinogradTransform transform = kernel.Transform;
    private readonly int outputs = kernel.Outputs;
    private readonly int groupBlocks = kernel.Tile.Blocks;

    private bool IsDilated => kernel.Dilation > 1;

    private bool IsPacked => kernel.Filters == WinogradFilterForm.Packed;

    /// <summary>Whether the weights that are transformed next are asked for while products are made.</summary>
    private bool AsksForOrdered => kernel.Filters == WinogradFilterForm.Ordered && isa != Isa.Vector128;

    /// <summary>Blocks of a full group, where there is one, and of the last group, where it has fewer.</summary>
    private IEnumerable<int> GroupSizes => new[] { Math.Min(groupBlocks, kernel.Output.Blocks), kernel.Output.Blocks % groupBlocks }.Where(b => b > 0).Distinct();

    /// <summary>Everything that decides the code on this instruction set.</summary>
    public string Structure => string.Join(";", GroupSizes.Select(blocks => $"{N(blocks)}={ProductsName(blocks)}"));

    public void Emit(KernelWriter writer)
    {
        var points = transform.Points;
        writer.OpenMethod();
        writer.Line($"float* products = scratch + {N(points)}L * inputPoint, halfway = products + {N(points)}L * productPoint{(IsPacked ? "" : $", filters = halfway + {N(2 * points * Layout.Lanes)}")};");
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

    /// <summary>Filters that do not come packed: those of a part of the inputs are transformed, and multiplied while they are near.</summary>
    private void EmitParts(KernelWriter writer)
    {
        var filters = new WinogradFilters(transform, kernel.Filters, isa);
        var isOrdered = kernel.Filters == WinogradFilterForm.Ordered;
        writer.Line("int pointFloats = blocks == " + N(groupBlocks) + " ? groupPoint : restPoint;");
        if (isOrdered)
        {
            writer.Line($"float* ordered = w + (long)block * channels * {DepthTaps} * 144;");
        }

        writer.Open("for (int add = 0; add < xBlocks; add += partBlocks)");
        writer.Line("int partChannels = Math.Min(partBlocks * 16, channels - add * 16);");
        if (isOrdered)
        {
            writer.Line(filters.Call(writer, $"ordered, filters, pointFloats, partChannels, blocks, {DepthTaps}"));
            writer.Line($"ordered += (long)partChannels * blocks * {DepthTaps} * 144;");
        }
        else
        {
            writer.Line("for (int b = 0; b < blocks; b++) "
                + filters.Call(writer, $"w, filters + b * 16, block + b, pointFloats, blocks * 16, add * 16, add * 16 + partChannels, channels, outputs, {DepthTaps}"));
        }

        EmitProductCalls(
            writer, "scratch + add * inputColumns * 16", "filters", "partChannels / 16, partChannels % 16",
            (AsksForOrdered ? $", ordered, partChannels * {DepthTaps}" : "") + (HasParts ? ", add" : ""));
        writer.Close();
    }

    /// <param name="more">Arguments that not all products have, each behind a comma.</param>
    private void EmitProductCalls(KernelWriter writer, string inputs, string weights, string channels, string more)
    {
        var sizes = GroupSizes.ToList();
        for (var i = 0; i < sizes.Count; i++)
        {
            var size = sizes[i];
            var call = $"{writer.Share(ProductsName(size), w => EmitProducts(w, size))}({inputs}, {weights}, products, {(kernel.HasDepth ? "tiles * yDepths" : "tiles")}, productColumns, inputColumns, inputPoint, productPoint, {channels}, {(size == groupBlocks ? "groupPoint" : "restPoint")}{(HasTaps ? ", depthTaps, tiles * 16" : "")}{more});";
            foreach (var micro in Tiles(size).Select(t => Micro(t, size)))
            {
                writer.Share(micro.Name, micro.Emit);
            }

            writer.Line((sizes.Count == 1 ? "" : i == 0 ? $"if (blocks == {N(size)}) " : "else ") + call);
        }
    }

    private bool HasParts => kernel.HasParts;

    private bool HasTaps => kernel.DepthTaps > 1;

    private string DepthTaps => kernel.HasDepth ? "depthTaps" : "1";

    /// <summary>An argument of the way back, for plane <c>depth</c>.</summary>
    private string InPlane(string argument) => argument == "y" || Planes.Any(p => argument == $"e{N(p.Index)}") ? $"{argument} + (long)depth * {argument}Depth" : argument;

    private static string N(long value) => Literals.Int(value);

    private string ProductsName(int blocks) => KernelName.Of($"Winograd{N(outputs)}Products{N(blocks)}", Tiles(blocks).Select(t => Micro(t, blocks).Name).Append(AsksForOrdered ? "ordered" : "").Append(IsPacked ? "" : "made"));

    /// <summary>The register tiles that a group's blocks are cut into.</summary>
    private IEnumerable<Tile> Tiles(int blocks)
    {
        var full = kernel.TileOf(isa);
        for (var b = 0; b < blocks; b += full.Blocks)
        {
            yield return full with { Blocks = Math.Min(full.Blocks, blocks - b) };
        }
    }

    private ConvolutionMicroEmitter Micro(Tile tile, int blocks) =>
        new(new ConvolutionKernel(kernel.Product(kernel.Chunk), false, null, ImmutableArray<FusedOperand>.Empty, Samples: false), isa, tile, blocks)
        {
            AsksAhead = isa != Isa.Vector128, Adds = HasParts, PrefetchesNextBlock = isa != Isa.Vector128 && kernel.Input.Channels >= Layout.Lanes, PrefetchesOutput = isa != Isa.Vector128,
        };

    /// <summary>At every point: transformed inputs times transformed weights, for one group of output blocks.</summary>
    private void EmitProducts(SourceWriter writer, int blocks)
    {
        writer.Open(Kernel.Helper(ProductsName(blocks), "float* u, float* w, float* products, int tiles, int productColumns, int inputColumns, int inputPoint, int productPoint, int inputBlocks, int tail, int pointWeights"
            + (HasTaps ? ", int depthTaps, int depthTapStep" : "") + (AsksForOrdered ? ", float* ordered, int orderedInputs" : "") + (!HasParts ? "" : IsPacked ? ", int partBlocks" : ", int add")));
        writer.Line("long inputBlock = inputColumns * 16, outputBlock = productColumns * 16;");
        var columns = kernel.TileOf(isa).Columns;
        if (AsksForOrdered)
        {
            writer.Line("// While points are computed, what is transformed next comes nearer, the same part of it with each call of the micro-kernel.");
            writer.Line($"int calls = (tiles + {N(columns - 1)}) / {N(columns)}, allCalls = calls * {N(transform.Points)}, aheadFloats = (orderedInputs * {N(9 * blocks)} + allCalls - 1) / allCalls * 16;");
        }
        else if (isa != Isa.Vector128)
        {
            writer.Line("// While a point is computed the weights of the next one, which lie behind its own, come nearer.");
            writer.Line($"int calls = (tiles + {N(columns - 1)}) / {N(columns)}, aheadFloats = ({(HasParts && IsPacked ? $"partBlocks * {N(16 * blocks)}" : "pointWeights / 16")} + calls - 1) / calls * 16;");
        }

        if (HasParts && IsPacked)
        {
            // A part of the inputs at a time: what a point needs of inputs and weights then stays in the second-level cache.
            writer.Line("float* allInputs = u, allWeights = w, allProducts = products;").Line("int allBlocks = inputBlocks, lastTail = tail, all = inputBlocks + (tail > 0 ? 1 : 0);");
            writer.Open("for (int add = 0; add < all; add += partBlocks)");
            writer.Line("inputBlocks = Math.Min(partBlocks, allBlocks - add);").Line("tail = add + partBlocks >= all ? lastTail : 0;");
            writer.Line("u = allInputs + add * inputBlock;").Line($"w = allWeights + add * {N(256L * blocks)}L;").Line("products = allProducts;");
        }

        writer.Open($"for (int point = 0; point < {N(transform.Points)}; point++)");
        var b = 0;
        foreach (var tile in Tiles(blocks))
        {
            var micro = Micro(tile, blocks);

            string[] arguments =
            [
                "u", b == 0 ? "w" : $"w + {N(b * Layout.Lanes)}", b == 0 ? "products" : $"products + {N(b)} * outputBlock",
                .. !micro.AsksAhead ? Array.Empty<string>() : b > 0 ? ["w", "0", "1"] : AsksForOrdered ? ["ordered", "aheadFloats", $"({N((9 * blocks) - 1)} + allCalls) / allCalls"] : ["w + pointWeights", "aheadFloats", $"({N(blocks - 1)} + calls) / calls"], "0", "tiles", "productColumns", .. micro.Numbers.Select(n => n.Name),
            ];
            writer.Line($"{micro.Name}({string.Join(", ", arguments)});");
            b += tile.Blocks;
        }

        writer.Line("u += inputPoint;").Line("w += pointWeights;").Line("products += productPoint;");
        if (AsksForOrdered)
        {
            writer.Line("ordered += calls * aheadFloats;");
        }

        if (HasParts && IsPacked)
        {
            writer.Close();
        }

        writer.Close().Close().Line();
    }

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
