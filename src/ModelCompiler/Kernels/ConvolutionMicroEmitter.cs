// The micro-kernel of direct convolution, of Winograd's products and of dense layers: accumulators in registers from the
// first tap to the last, then bias, formula and store. Everything hot of every network is in here, so its shape follows
// measurements (docs/kernels.md). What it is named after is written as literals; sizes and strides that no turn of the inner
// loop needs are parameters, so that layers of one tile share it.
using System.Globalization;
using ModelCompiler.Emission;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <param name="packed">Output blocks whose weights lie side by side: at least the tile's.</param>
internal sealed partial class ConvolutionMicroEmitter(ConvolutionKernel kernel, Isa isa, Tile tile, int packed)
{
    private readonly ConvolutionGeometry geometry = kernel.Geometry;

    /// <summary>Whether what is being written is repeated for each input block, or follows such blocks.</summary>
    private bool isInLoop;
    private bool isBehindLoop;

    /// <summary>Whether weights needed later are asked for with every channel: <c>aheadLines</c> cache lines, from one to as many as there are blocks. Evenly
    /// spread: where memory cannot follow, what waits for it is the products.</summary>
    public bool AsksAhead { get; init; }

    /// <summary>Floats by which asking for weights precedes their use; 0: nothing is asked for.</summary>
    public int StreamAhead { get; init; }

    /// <summary>Asks for inputs of the next tile before they are needed.</summary>
    public bool PrefetchesInput { get; init; }

    /// <summary>Asks for inputs of the next block before they are needed.</summary>
    public bool PrefetchesNextBlock { get; init; }

    /// <summary>Asks for the places of the outputs, and for operands of the formula, before they are needed.</summary>
    public bool PrefetchesOutput { get; init; }

    /// <summary>Whether sums begin with what the output holds, where the number <c>add</c> is not 0: for products whose inputs come in parts. Columns are whole tiles
    /// then: a last tile that is moved back would add to some twice.</summary>
    public bool Adds { get; init; }

    /// <summary>Whether weights are differences of two, which are stored for later tiles: of w and what lies <c>less</c> floats from it, to <c>made</c> floats from it.</summary>
    public bool MakesWeights { get; init; }

    public int Blocks => tile.Blocks;

    /// <summary>Of the method: equal names have equal code.</summary>
    public string Name => field ??= KernelName.Of($"Tile{tile}{(packed == tile.Blocks ? "" : $"of{N(packed)}")}", Structure);

    /// <summary>Sizes and strides that are parameters, behind the pointers, with the names that the numbers of <see cref="ConvolutionKernel"/> have.</summary>
    public IEnumerable<(string Type, string Name)> Numbers
    {
        get
        {
            if (Adds)
            {
                yield return ("int", "add");
            }

            if (MakesWeights)
            {
                yield return ("long", "less");
                yield return ("long", "made");
            }

            if (FullBlocks > 0)
            {
                yield return ("int", "inputBlocks");
                yield return ("long", "inputBlock");
            }

            if (HasTail)
            {
                yield return ("int", "tail");
            }

            foreach (var (_, name) in TapLoops)
            {
                yield return ("int", name + "Taps");
                yield return ("long", name + "TapStep");
            }

            if (tile.Rows > 1)
            {
                yield return ("long", "inputRow");
                yield return ("long", "outputRow");
            }

            if (geometry.InputLane != 1)
            {
                yield return ("long", "inputLane");
            }

            if (tile.Blocks > 1)
            {
                yield return ("long", "outputBlock");
            }

            for (var i = 0; i < kernel.Fused.Length; i++)
            {
                if (tile.Blocks > 1 && !kernel.Fused[i].IsVector)
                {
                    yield return ("long", $"e{N(i)}Block");
                }

                if (tile.Rows > 1 && !kernel.Fused[i].IsVector)
                {
                    yield return ("long", $"e{N(i)}Row");
                }
            }
        }
    }

    /// <summary>Input blocks of sixteen channels; without groups a last one that is not full is apart.</summary>
    private int FullBlocks => geometry.Groups == 1 ? geometry.InputChannels / 16 : geometry.BlocksRead;

    /// <summary>Channels, where there is not even one full block of them.</summary>
    private int FewChannels => FullBlocks == 0 ? geometry.InputChannels : 0;

    private bool IsGroupedWithTail => geometry.Groups > 1 && geometry.TailChannels < 16;

    private bool HasTail => FullBlocks > 0 && geometry.TailChannels < 16;

    private IEnumerable<(int Count, string Name)> TapLoops =>
        new[] { (geometry.Taps.Depth, "depth"), (geometry.Taps.Rows, "row"), (geometry.Taps.Columns, "column") }.Where(t => t.Item1 != 1);

    private string Structure => string.Join("|", [
        kernel.Bias ? "bias" : "", kernel.FormulaText, string.Join(";", kernel.Fused.Select(f => f.IsVector ? "v" : N(f.Step.Columns))), kernel.Samples ? "samples" : "",
        IsGroupedWithTail ? "grouped" : "", N(FewChannels), HasTail ? "tail" : "", string.Concat(TapLoops.Select(t => t.Name[0])),
        kernel.Samples ? "" : N(geometry.InputStep.Columns), geometry.InputLane == 1 ? "" : "lanes", kernel.Samples ? "" : N(geometry.OutputStep.Columns),
        AsksAhead ? "ahead" : "", Adds ? "adds" : "", MakesWeights ? "makes" : "", N(StreamAhead), PrefetchesInput ? "input" : PrefetchesNextBlock ? "block" : "",
        PrefetchesOutput ? "output" + (TapLoops.Any() ? N(geometry.Taps.Columns) : "") : ""]);

    /// <summary>The whole method: a tile of samples, or the tiles of a row from column <c>first</c> to <c>last</c>.</summary>
    public void Emit(SourceWriter writer)
    {
        var start = kernel.Samples ? "" : "Start";
        IEnumerable<string> Pointer(string name) => kernel.Samples ? [$"float* {name}", $"long {name}Stride"] : [$"float* {name}Start"];
        string[] parameters =
        [
            .. Pointer("x"), $"float* w{start}", .. kernel.Bias ? ["float* bias"] : Array.Empty<string>(), .. kernel.Fused.SelectMany((_, i) => Pointer($"e{N(i)}")), .. Pointer("y"),
            .. IsGroupedWithTail ? ["bool isLast"] : Array.Empty<string>(), .. AsksAhead ? ["float* aheadStart", "long aheadFloats", "int aheadLines"] : Array.Empty<string>(),
            .. kernel.Samples ? Array.Empty<string>() : ["int first", "int last", "int columns"], .. Numbers.Select(n => $"{n.Type} {n.Name}"),
        ];
        writer.Open(Kernel.Helper(Name, string.Join(", ", parameters)));
        if (kernel.Samples)
        {
            EmitBody(writer);
        }
        else
        {
            // The last tile is moved back over columns that are already done: it stores the same numbers again.
            writer.Open($"for (int c = first; c < last; c += {N(tile.Columns)})");
            writer.Line($"int column = {(tile.Columns == 1 ? "c" : $"Math.Min(c, columns - {N(tile.Columns)})")};");
            var operands = kernel.Fused.Select((e, i) => (Name: $"e{N(i)}", Step: e.Step.Columns)).Prepend(("w", 0)).Prepend(("x", geometry.InputStep.Columns)).Append(("y", geometry.OutputStep.Columns));
            writer.Line($"float* {string.Join(", ", operands.Select(o => $"{o.Item1} = {o.Item1}Start{(o.Item2 == 0 ? "" : $" + column * {N(o.Item2)}")}"))};");
            if (AsksAhead)
            {
                writer.Line("float* ahead = aheadStart;");
            }

            EmitBody(writer);
            if (AsksAhead)
            {
                writer.Line("aheadStart += aheadFloats;");
            }

            writer.Close();
        }

        writer.Close().Line();
    }

    private void EmitBody(SourceWriter writer)
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
        if (Adds)
        {
            EmitPlaces(writer);
            writer.Open("if (add != 0)");
            foreach (var vector in Accumulators().GroupBy(a => (a.Block, a.Part)))
            {
                writer.Line(string.Join(" ", vector.Select(a =>
                    $"{A(a.Block, a.Part, a.Row, a.Column)} = {isa.Load(Place("y", a.Block, a.Row) + Literals.Plus((a.Part * isa.Width) + (a.Column * geometry.OutputStep.Columns)))};")));
            }

            writer.Close();
        }

        if (PrefetchesOutput)
        {
            writer.Line("long late = 0;");
        }

        if (PrefetchesOutput && !Adds)
        {
            EmitPlaces(writer);
        }

        var cursor = kernel.Samples ? "at" : "x";
        if (kernel.Samples)
        {
            writer.Line("long at = 0;");
        }

        (isInLoop, isBehindLoop) = (FullBlocks > 0, false);
        if (FullBlocks > 0)
        {
            writer.Open($"for (int block = 0; block < {(IsGroupedWithTail ? "(isLast ? inputBlocks - 1 : inputBlocks)" : "inputBlocks")}; block++)");
            EmitTaps(writer, cursor, 16);
            writer.Line($"{cursor} += inputBlock;").Close();
            (isInLoop, isBehindLoop) = (false, true);
        }

        if (FewChannels > 0)
        {
            EmitTaps(writer, cursor, FewChannels);
        }
        else if (HasTail)
        {
            if (IsGroupedWithTail)
            {
                writer.Open("if (isLast)");
            }

            EmitTaps(writer, cursor, null);
            if (IsGroupedWithTail)
            {
                writer.Close();
            }
        }

        if (!PrefetchesOutput && !Adds)
        {
            EmitPlaces(writer);
        }

        EmitStores(writer);
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

    /// <summary>Where the outputs of each block and row begin, and the formula's operands.</summary>
    private void EmitPlaces(SourceWriter writer)
    {
        var operands = kernel.Fused.Select((e, i) => (Name: $"e{N(i)}", Block: $"e{N(i)}Block", Row: $"e{N(i)}Row", e.IsVector)).Where(e => !e.IsVector)
            .Append(("y", "outputBlock", "outputRow", false));
        foreach (var (name, block, row, _) in operands)
        {
            for (var j = 0; j < tile.Blocks; j++)
            {
                for (var r = 0; r < tile.Rows; r++)
                {
                    if (j + r > 0)
                    {
                        writer.Line($"float* {Place(name, j, r)} = {(r > 0 ? $"{Place(name, j, r - 1)} + {row}" : $"{Place(name, j - 1, 0)} + {block}")};");
                    }
                }
            }
        }
    }

    private static string Place(string operand, int block, int row) => block + row == 0 ? operand : $"{operand}_{N(block)}{(row == 0 ? "" : $"_{N(row)}")}";

    /// <summary>All taps of one input block of <paramref name="channels"/> channels (null: of the last ones); leaves w behind them and the cursor where it was.</summary>
    private void EmitTaps(SourceWriter writer, string cursor, int? channels)
    {
        var opened = 0;
        foreach (var (_, name) in TapLoops)
        {
            writer.Open("");
            var next = (kernel.Samples ? "at" : "x") + name[0];
            writer.Line($"{(kernel.Samples ? "long" : "float*")} {next} = {cursor};");
            writer.Open($"for (int {name}Tap = 0; {name}Tap < {name}Taps; {name}Tap++, {next} += {name}TapStep)");
            cursor = next;
            opened += 2;
        }

        EmitChannels(writer, cursor, channels);
        while (opened-- > 0)
        {
            writer.Close();
        }
    }

    private void EmitChannels(SourceWriter writer, string cursor, int? channels)
    {
        // Many sums hide the loop behind them; few want more work in each turn of it. More code would only take longer to compile. Where both weights and inputs
        // are asked for, two channels share what that takes beside the products.
        var most = Math.Max(AsksAhead && PrefetchesNextBlock ? 2 : 1, 16 / (tile.Pixels * tile.Blocks * isa.Parts));
        var unroll = channels is { } known ? Enumerable.Range(1, Math.Min(4, most)).Last(u => known % u == 0) : 1;
        if (unroll == channels)
        {
            EmitProducts(writer, cursor, unroll);
            EmitPrefetches(writer, unroll);
            EmitOutputPrefetches(writer, unroll, unroll);
            writer.Line($"w += {N(unroll * 16 * packed)};");
            return;
        }

        var inner = kernel.Samples ? "ati" : "xi";
        writer.Open("");
        writer.Line($"{(kernel.Samples ? "long" : "float*")} {inner} = {cursor};");
        var prefetches = PrefetchesInput || PrefetchesNextBlock;
        if (prefetches)
        {
            writer.Line($"float* next = {cursor} + {(PrefetchesInput ? N(tile.Columns * geometry.InputStep.Columns) : "inputBlock")};");
        }

        writer.Open($"for (int channel = 0; channel < {(channels is { } count ? N(count) : "tail")}; channel += {N(unroll)})");
        EmitProducts(writer, inner, unroll);
        EmitPrefetches(writer, unroll);
        EmitOutputPrefetches(writer, unroll, channels ?? 0);
        if (prefetches)
        {
            var lines = (tile.Columns * unroll + 15) / 16;
            for (var line = 0; line < lines; line++)
            {
                writer.Line($"Sse.Prefetch0(next + {N(line * geometry.InputStep.Columns)});");
            }

            writer.Line($"next += {N(lines * geometry.InputStep.Columns)};");
        }

        writer.Line($"{inner} += {(geometry.InputLane == 1 ? N(unroll) : unroll == 1 ? "inputLane" : $"{N(unroll)} * inputLane")};").Line($"w += {N(unroll * 16 * packed)};").Close();
        if (IsGroupedWithTail && channels is null)
        {
            writer.Line($"w += (16 - tail) * {N(16 * packed)};");
        }

        writer.Close();
    }
}
