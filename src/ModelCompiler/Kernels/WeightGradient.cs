// The gradient of a convolution's (or dense layer's) weights: for a tile of input channels, taps and output
// blocks, sums over all pixels and samples stay in registers. Written in packed form, as a few partial sums
// whose number depends on the shape alone, so that threads change nothing in the order of additions.
using System.Collections.Immutable;
using System.Globalization;
using ModelCompiler.Emission;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <summary>Numbers of a weight gradient; strides and offsets in floats. x is the convolution's input, g the gradient of its output.</summary>
public sealed record WeightGradientGeometry
{
    public required int InputChannels { get; init; }
    public required int OutputChannels { get; init; }
    public int Groups { get; init; } = 1;
    public required (int Depth, int Rows, int Columns) Taps { get; init; }
    public required (int Depth, int Rows, int Columns) Plane { get; init; }
    public required int InputOffset { get; init; }
    public required int InputBlock { get; init; }
    public required int InputLane { get; init; }
    public required (int Depth, int Rows, int Columns) InputStep { get; init; }
    public required (int Depth, int Rows, int Columns) TapStep { get; init; }
    public required int GradientOffset { get; init; }
    public required int GradientBlock { get; init; }
    public required (int Depth, int Rows, int Columns) GradientStep { get; init; }

    public int OutputBlocks => (OutputChannels + 15) / 16;

    public int InputBlocks => (InputChannels + 15) / 16;

    public int TapCount => Taps.Depth * Taps.Rows * Taps.Columns;

    /// <summary>The windows of input blocks are those of the forward convolution.</summary>
    public int BlocksRead => Windows.BlocksRead;

    public int FirstBlock(int block) => Windows.FirstBlock(block);

    /// <summary>Input channels kept for each block: 16 where a block is a vector, else just those there are.</summary>
    public int Lanes => InputLane == 1 ? 16 : InputChannels;

    /// <summary>Floats of packed gradient for one output block: [input block][tap][channel][16].</summary>
    public int PackedBlock => checked(BlocksRead * TapCount * Lanes * 16);

    /// <summary>Whether it is one sample's.</summary>
    public bool OfSample { get; init; }

    /// <summary>Whether x is in the place of the gradient, and that one in its.</summary>
    public bool IsTurned { get; init; }

    /// <summary>Partial sums over fixed parts of the batch; enough of them that every thread has work.</summary>
    public int Splits => OfSample ? 1 : Math.Max(1, 8 / (Tile.Blocks == 0 ? 1 : (OutputBlocks + Tile.Blocks - 1) / Tile.Blocks * BlocksRead));

    public int PackedSize => checked(Splits * OutputBlocks * PackedBlock);

    internal WeightGradientTile Tile
    {
        get
        {
            // A search, and asked for often.
            if (field.Blocks == 0)
            {
                field = WeightGradientTile.Choose(this, Isa.Avx512, MostBlocks);
            }

            return field;
        }
    }

    private int MostBlocks => Groups == 1 ? 4 : Enumerable.Range(1, 4).Last(b => b == 1 || OutputChannels / Groups % (16 * b) == 0);

    private ConvolutionGeometry Windows => new()
    {
        InputChannels = InputChannels, OutputChannels = OutputChannels, Groups = Groups, Taps = Taps, Plane = Plane,
        InputOffset = 0, InputBlock = 0, InputLane = 0, InputStep = default, TapStep = default, OutputOffset = 0, OutputBlock = 0, OutputStep = default,
    };

    public string Identity => FormattableString.Invariant(
        $"{InputChannels},{OutputChannels},{Groups},{Taps},{Plane},{InputOffset},{InputBlock},{InputLane},{KernelName.Text(InputStep)},{KernelName.Text(TapStep)},{GradientOffset},{GradientBlock},{KernelName.Text(GradientStep)},{OfSample},{IsTurned}");
}

/// <summary>Input channels x taps x output blocks whose sums are registers.</summary>
internal readonly record struct WeightGradientTile(int Channels, int TapRows, int TapColumns, int Blocks)
{
    public static WeightGradientTile Choose(WeightGradientGeometry g, Isa isa, int mostBlocks)
    {
        var best = default(WeightGradientTile);
        var bestCost = double.MaxValue;
        var lanes = Math.Min(g.Lanes, g.InputChannels);
        for (var blocks = 1; blocks <= Math.Min(mostBlocks, g.OutputBlocks); blocks++)
        {
            foreach (var channels in Enumerable.Range(1, 16).Where(c => g.Lanes % c == 0))
            {
                foreach (var rows in Enumerable.Range(1, g.Taps.Rows).Where(r => g.Taps.Rows % r == 0))
                {
                    foreach (var columns in Enumerable.Range(1, g.Taps.Columns).Where(c => g.Taps.Columns % c == 0))
                    {
                        var scalars = channels * rows * columns;
                        var vectors = blocks * isa.Parts;
                        if ((scalars * vectors) + vectors + 1 > isa.Registers)
                        {
                            continue;
                        }

                        double tiles = (lanes + channels - 1) / channels * (g.Taps.Rows / rows) * (g.Taps.Columns / columns) * ((g.OutputBlocks + blocks - 1) / blocks);
                        var cost = tiles * (Math.Max(Math.Max(scalars * vectors, scalars + vectors) / 2.0, 4) + 1.5);
                        if (cost < bestCost * 0.999)
                        {
                            (best, bestCost) = (new WeightGradientTile(channels, rows, columns, blocks), cost);
                        }
                    }
                }
            }
        }

        return best;
    }

    public override string ToString() => FormattableString.Invariant($"{Channels}x{TapRows}x{TapColumns}x{Blocks}");
}

/// <summary>Operands x, g (gradient of the output), dw (packed partial sums, unbatched; of one sample where the geometry says so).</summary>
public sealed record WeightGradientKernel(WeightGradientGeometry Geometry) : Kernel
{
    public override string Key => field ??= "WeightGradient " + Geometry.Identity;

    public override string Name => field ??= KernelName.Of(
        "WeightGradient",
        FormattableString.Invariant($"{Geometry.Groups == 1},{Geometry.Tile},{TileOf(Isa.Avx2)},{TileOf(Isa.Vector128)},{Geometry.OutputBlocks % Geometry.Tile.Blocks},{Geometry.Taps},{Geometry.Lanes},{(SkipsLanes ? Layout.Lanes : Math.Min(Geometry.Lanes, Geometry.InputChannels))}"),
        FormattableString.Invariant($"{Geometry.InputLane},{Geometry.TapStep.Columns},{Geometry.Plane.Depth == 1},{Geometry.Plane.Rows == 1},{Geometry.Plane.Columns == 1},{Geometry.OfSample}"));

    public override ImmutableArray<KernelNumber> Numbers =>
    [
        new("windows", Geometry.BlocksRead), new("groups", Rounding.Ceiling(Geometry.OutputBlocks, Geometry.Tile.Blocks)), new("splits", Geometry.Splits),
        new("outputsPerGroup", Geometry.OutputChannels / Geometry.Groups), new("inputsPerGroup", Geometry.InputChannels / Geometry.Groups), new("lastWindow", Geometry.InputBlocks - Geometry.BlocksRead),
        new("outputBlocks", Geometry.OutputBlocks), new("packedBlock", Geometry.PackedBlock), new("samplesTogether", Chunk), new("xBlockStride", Geometry.InputBlock),
        new("gBlockStride", Geometry.GradientBlock), new("xDepthTap", Geometry.TapStep.Depth), new("xRowTap", Geometry.TapStep.Rows), new("xColumnTap", Geometry.TapStep.Columns),
        new("xChannelStride", Geometry.InputLane), new("depths", Geometry.Plane.Depth), new("rows", Geometry.Plane.Rows), new("columns", Geometry.Plane.Columns),
        new("xDepthStep", Geometry.InputStep.Depth), new("xRowStep", Geometry.InputStep.Rows), new("xColumnStep", Geometry.InputStep.Columns),
        new("gDepthStep", Geometry.GradientStep.Depth), new("gRowStep", Geometry.GradientStep.Rows), new("gColumnStep", Geometry.GradientStep.Columns),
        new("rowsTogether", RowsTogether), new("tailChannels", Geometry.InputChannels - ((Geometry.InputBlocks - 1) * Layout.Lanes)),
    ];

    /// <summary>Whether lanes of the last block that are no channels are left out, as far as tiles allow; with groups any block may be the last of one.</summary>
    internal bool SkipsLanes => Geometry is { Groups: 1, InputLane: 1 };

    internal WeightGradientTile TileOf(Isa isa) => isa == Isa.Avx512 ? Geometry.Tile : WeightGradientTile.Choose(Geometry, isa, Geometry.Tile.Blocks);

    /// <summary>Of the planes that pass by again and again, for all taps and channels of a unit: they stay in the second-level cache, or,
    /// where the part behind them is asked for meanwhile, nearly in the first.</summary>
    private int NearBytes => AsksAhead ? 50_000 : 500_000;

    /// <summary>Whether it asks for the next part of x and g while it works on one: a single tap passes over a part so few times that the first time,
    /// in which the part comes from beyond the second-level cache, would take longer than the sums.</summary>
    internal bool AsksAhead => IsByRows && Geometry is { OfSample: true, Groups: 1, InputLane: 1, TapCount: 1 };

    /// <summary>Of a row of such planes.</summary>
    private long RowBytes => (long)Geometry.Plane.Columns * 64 * ((Geometry.InputStep.Columns >= 16 ? Geometry.InputStep.Columns / 16 : 1) + Geometry.Tile.Blocks);

    /// <summary>Samples whose planes together take so much.</summary>
    private int Chunk => (int)Math.Max(1, Math.Min(64, NearBytes / (RowBytes * Geometry.Plane.Rows * Geometry.Plane.Depth)));

    /// <summary>Rows of one sample that do, nearly the same number in each part.</summary>
    internal int RowsTogether => Rounding.Ceiling(Geometry.Plane.Rows, Rounding.Ceiling(Geometry.Plane.Rows, (int)Math.Max(1, NearBytes / RowBytes)));

    /// <summary>Whether a plane can pass by some rows at a time. Where several samples pass by together, it does so as a whole.</summary>
    internal bool IsByRows => Geometry.Plane is { Depth: 1, Rows: > 1 };

    public override string Comment => FormattableString.Invariant(
        $"weight gradient of {ConvolutionKernel.Size(Geometry.Taps)} taps over the outputs of every sample, {Geometry.Tile} channels x taps x blocks in registers");

    public override long Macs =>
        (long)Geometry.OutputChannels * (Geometry.InputChannels / Geometry.Groups) * Geometry.TapCount * Geometry.Plane.Depth * Geometry.Plane.Rows * Geometry.Plane.Columns;

    public override KernelScope Scope => Geometry.OfSample ? KernelScope.Sample : KernelScope.Batch;

    public override ImmutableArray<Operand> Operands { get; } = [new("x", Offset: Geometry.InputOffset), new("g", Offset: Geometry.GradientOffset), new("dw")];

    public override int Units => (Geometry.OutputBlocks + Geometry.Tile.Blocks - 1) / Geometry.Tile.Blocks * Geometry.BlocksRead * Geometry.Splits;

    /// <summary>One for each block, or group of blocks, of the convolution's input, which a formula may make just for this.</summary>
    public override int Turns => Geometry is not { OfSample: true, Groups: 1, InputLane: 1 } ? 0
        : Geometry.IsTurned ? Geometry.OutputBlocks % Geometry.Tile.Blocks == 0 ? Geometry.OutputBlocks / Geometry.Tile.Blocks : 0
        : Units == Geometry.InputBlocks ? Units : 0;

    public override int TurnStride(int operand) =>
        Geometry.IsTurned ? operand == 1 ? Geometry.Tile.Blocks * Geometry.GradientBlock : 0
        : operand == 0 ? Geometry.InputBlock : 0;

    public bool Equals(WeightGradientKernel? other) => other is not null && Geometry.Identity == other.Geometry.Identity;

    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(Geometry.Identity);

    public override void Emit(KernelWriter writer, Isa isa) => new WeightGradientEmitter(this, writer, isa).Emit();
}

internal sealed class WeightGradientEmitter(WeightGradientKernel kernel, KernelWriter writer, Isa isa)
{
    private readonly WeightGradientGeometry geometry = kernel.Geometry;
    private readonly SortedDictionary<string, WeightGradientTile> micros = new(StringComparer.Ordinal);

    public void Emit()
    {
        var unit = geometry.Tile;
        var tile = kernel.TileOf(isa);
        writer.OpenMethod();
        if (geometry.OfSample)
        {
            writer.Line("const long batch = 1, xStride = 0, gStride = 0;");
        }

        writer.Open("for (int unit = begin; unit < end; unit++)");
        writer.Line($"int split = unit / (groups * windows), block = unit / windows % groups * {N(unit.Blocks)}, window = unit % windows;");
        if (kernel.SkipsLanes)
        {
            writer.Line($"int channels = window == windows - 1 ? tailChannels : {N(Layout.Lanes)};");
        }

        writer.Line("int from = (int)((long)batch * split / splits), to = (int)((long)batch * (split + 1) / splits);");
        var first = geometry.Groups == 1 ? "window"
            : "(Math.Min(block * 16 / outputsPerGroup * inputsPerGroup / 16, lastWindow) + window)";
        writer.Line($"float* into = dw + ((long)split * outputBlocks + block) * packedBlock + window * {N(geometry.TapCount * geometry.Lanes * 16)}; bool add = false;");
        writer.Line(AsksAhead ? "// Some rows at a time, which stay in the cache for all channels; the ones behind them, of this plane, the next window or the next blocks, are asked for meanwhile."
            : $"// A few samples{(kernel.IsByRows ? ", or rows of one," : "")} at a time, so that their planes stay in the cache for all taps and channels.");
        writer.Open("for (int sample = from; sample < to || !add; sample += samplesTogether)");
        writer.Line("int samples = Math.Max(0, Math.Min(samplesTogether, to - sample));");
        writer.Line($"float* xs = x + sample * xStride + {first} * xBlockStride, gs = g + sample * gStride + block * gBlockStride;");
        if (kernel.IsByRows)
        {
            writer.Open("for (int row = 0; row < rows; row += rowsTogether, xs += rowsTogether * xRowStep, gs += rowsTogether * gRowStep)");
        }

        if (AsksAhead)
        {
            writer.Line("bool isLast = row + rowsTogether >= rows, keepsG = isLast && window + 1 < windows;");
            writer.Line("long nextX = !isLast ? rowsTogether * xRowStep : keepsG ? xBlockStride - row * xRowStep : 0;");
            writer.Line($"long gBlock = keepsG ? 0 : gBlockStride, nextG = keepsG ? 0 : isLast ? {N(unit.Blocks)}L * gBlockStride - row * gRowStep : rowsTogether * gRowStep;");
        }

        var rest = geometry.OutputBlocks % unit.Blocks;
        if (rest == 0)
        {
            EmitTiles(tile, unit.Blocks);
        }
        else
        {
            writer.Open($"if (block < outputBlocks - {N(rest)})");
            EmitTiles(tile, unit.Blocks);
            writer.Close().Open("else");
            EmitTiles(tile, rest);
            writer.Close();
        }

        writer.Line("add = true;").Close().Close().Close();
        if (kernel.IsByRows)
        {
            writer.Close();
        }

        writer.Line();
        foreach (var micro in micros)
        {
            new WeightGradientMicro(geometry, micro.Value, kernel.IsByRows, AsksAhead ? LinesOfPass(micro.Value) : 0).Emit(writer, isa, micro.Key);
        }
    }

    private static string N(long value) => value.ToString(CultureInfo.InvariantCulture);

    // Code of 128 bits runs on processors without the instruction, too.
    private bool AsksAhead => kernel.AsksAhead && isa != Isa.Vector128;

    /// <summary>Cache lines for each pixel that a pass over some channels asks for, of x's one and g's one for each block.</summary>
    private int LinesOfPass(WeightGradientTile tile) => Rounding.Ceiling(tile.Blocks + 1, Layout.Lanes / tile.Channels);

    /// <summary>The passes over a block's channels: they share what is to be asked for, x first, as the last block may have a single pass.</summary>
    /// <param name="call">Of the first channel and the offsets from x and g to what is asked for.</param>
    private void EmitPasses(WeightGradientTile tile, Func<int, string, string> call)
    {
        var lines = LinesOfPass(tile);
        for (var (channel, line) = (0, 0); channel < Layout.Lanes; channel += tile.Channels, line += lines)
        {
            string Offset(int l) => l == 0 || l > tile.Blocks ? "0" : $"nextG{(l == 1 ? "" : $" + {N(l - 1)} * gBlock")}";
            var ask = $", {(line == 0 ? "nextX" : "0")}, {string.Join(", ", Enumerable.Range(line, lines).Select(Offset))}";
            writer.Line($"{(channel > 0 ? $"if (channels > {N(channel)}) " : "")}{call(channel, ask)}");
        }
    }

    private void EmitTiles(WeightGradientTile tile, int blocks)
    {
        var lanes = geometry.Lanes;
        var used = kernel.SkipsLanes ? lanes : Math.Min(lanes, geometry.InputChannels);
        for (var b = 0; b < blocks; b += tile.Blocks)
        {
            var t = tile with { Blocks = Math.Min(tile.Blocks, blocks - b) };
            micros[$"{t}"] = t;
            var depth = 0;
            var x = "xs";
            var into = b == 0 ? "into" : $"into + {N(b)} * packedBlock";
            var rows = kernel.IsByRows ? "Math.Min(rowsTogether, rows - row), " : "";
            string Call(string from, string to, string ask = "") =>
                writer.Call($"{t}", $"{from}, xStride, gs{(b == 0 ? "" : $" + {N(b)} * gBlockStride")}, gStride, samples, {rows}{to}, add{ask}") + ";";
            if (AsksAhead)
            {
                EmitPasses(t, (channel, ask) => Call(x + Literals.Plus(channel), into + Literals.Plus(channel * 16), ask));
                continue;
            }

            void Loop(string variable, string count, int length, int by, string xStep, int wStep)
            {
                if (length > by)
                {
                    writer.Open($"for (int {variable} = 0; {variable} < {count}; {variable} += {N(by)})");
                    depth++;
                    x += $" + {variable} * {xStep}";
                    into += $" + {variable} * {N(wStep)}";
                }
            }

            Loop("depthTap", N(geometry.Taps.Depth), geometry.Taps.Depth, 1, "xDepthTap", geometry.Taps.Rows * geometry.Taps.Columns * lanes * 16);
            Loop("rowTap", N(geometry.Taps.Rows), geometry.Taps.Rows, t.TapRows, "xRowTap", geometry.Taps.Columns * lanes * 16);
            Loop("columnTap", N(geometry.Taps.Columns), geometry.Taps.Columns, t.TapColumns, "xColumnTap", lanes * 16);
            Loop("channel", kernel.SkipsLanes ? "channels" : N(used), used, t.Channels, geometry.InputLane == 1 ? "1" : "xChannelStride", 16);
            writer.Line(Call(x, into));
            while (depth-- > 0)
            {
                writer.Close();
            }
        }
    }
}
