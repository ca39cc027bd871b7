// The kernel everything dense runs on: direct convolution as a register tile of pixels x blocks of 16 output
// channels. Forward convolution, its data gradient (a convolution with turned weights, by phases when
// strided), transposed convolution, 1x1 and dense layers are this one kernel with other strides.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Graph;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <summary>All numbers a direct convolution is made of; strides and offsets in floats.</summary>
public sealed record ConvolutionGeometry
{
    /// <summary>Channels that are read; each output block sees <see cref="BlocksRead"/> blocks from its first one.</summary>
    public required int InputChannels { get; init; }
    public required int OutputChannels { get; init; }
    public int Groups { get; init; } = 1;

    /// <summary>Taps along depth, rows, columns.</summary>
    public required (int Depth, int Rows, int Columns) Taps { get; init; }

    /// <summary>Output positions along depth, rows, columns.</summary>
    public required (int Depth, int Rows, int Columns) Plane { get; init; }

    /// <summary>From the start of the input to tap (0, 0, 0) of output (0, 0, 0).</summary>
    public required int InputOffset { get; init; }
    public required int InputBlock { get; init; }
    public required int InputLane { get; init; }

    /// <summary>Distance in the input between neighbouring output positions.</summary>
    public required (int Depth, int Rows, int Columns) InputStep { get; init; }

    /// <summary>Distance in the input between neighbouring taps.</summary>
    public required (int Depth, int Rows, int Columns) TapStep { get; init; }
    public required int OutputOffset { get; init; }
    public required int OutputBlock { get; init; }
    public required (int Depth, int Rows, int Columns) OutputStep { get; init; }

    public int OutputBlocks => (OutputChannels + 15) / 16;

    public int TapCount => Taps.Depth * Taps.Rows * Taps.Columns;

    /// <summary>First input block that output block <paramref name="block"/> reads, and whether groups make that differ at all.</summary>
    public int FirstBlock(int block) =>
        Groups == 1 ? 0 : Math.Min(FirstGroup(block) * (InputChannels / Groups) / 16, InputBlocks - BlocksRead);

    public int InputBlocks => (InputChannels + 15) / 16;

    /// <summary>Input blocks read for each output block: all of them without groups.</summary>
    public int BlocksRead => Groups == 1 ? InputBlocks : Enumerable.Range(0, OutputBlocks).Max(block =>
    {
        var perGroup = InputChannels / Groups;
        var last = Math.Min(Groups - 1, ((block * 16) + 15) / (OutputChannels / Groups));
        return ((((last + 1) * perGroup) - 1) / 16) - (FirstGroup(block) * perGroup / 16) + 1;
    });

    /// <summary>Channels in the last input block.</summary>
    public int TailChannels => InputChannels - ((InputBlocks - 1) * 16);

    /// <summary>Floats of packed weights for one output block.</summary>
    public int PackedBlock => checked((Groups == 1 ? InputChannels : BlocksRead * 16) * TapCount * 16);

    public int PackedSize => checked(OutputBlocks * PackedBlock);

    /// <summary>Every number, written the same under every culture.</summary>
    public string Identity => FormattableString.Invariant(
        $"{InputChannels},{OutputChannels},{Groups},{Taps},{Plane},{InputOffset},{InputBlock},{InputLane},{KernelName.Text(InputStep)},{KernelName.Text(TapStep)},{OutputOffset},{OutputBlock},{KernelName.Text(OutputStep)}");

    /// <summary>A product of matrices, columns that lie in blocks one behind another: what Winograd's and Strassen's algorithms are made of.</summary>
    /// <param name="depthTaps">Taps, if any, whose distance is given at run time.</param>
    internal static ConvolutionGeometry OfColumns(int inputs, int outputs, int columns, int depthTaps = 1) => new()
    {
        InputChannels = inputs,
        OutputChannels = outputs,
        Taps = (depthTaps, 1, 1),
        Plane = (1, 1, columns),
        InputOffset = 0,
        InputBlock = columns * Layout.Lanes,
        InputLane = 1,
        InputStep = (0, 0, Layout.Lanes),
        TapStep = default,
        OutputOffset = 0,
        OutputBlock = columns * Layout.Lanes,
        OutputStep = (0, 0, Layout.Lanes),
    };

    private int FirstGroup(int block) => block * 16 / (OutputChannels / Groups);
}

/// <summary>An operand of a fused formula, besides the accumulator: a value of the output's shape, or one number per channel.</summary>
/// <param name="Offset">From the value's start to output position (0, 0, 0).</param>
/// <param name="Step">Distance between neighbouring output positions; all zero for one number per channel.</param>
public sealed record FusedOperand(int Offset, int Block, (int Depth, int Rows, int Columns) Step)
{
    internal string Identity => FormattableString.Invariant($"{Offset},{Block},{KernelName.Text(Step)}");

    /// <summary>One number per channel.</summary>
    internal bool IsVector => Step == default && Block == Layout.Lanes;
}

/// <summary>Packed weights are [group of output blocks][input block][depth][row][column][channel in block][block in group][16 outputs]:
/// a register tile reads one stream. The last group may have fewer blocks.</summary>
/// <param name="Bias">One number per output channel, padded to 16.</param>
/// <param name="Formula">Input 0 is the sum (with bias), inputs 1… the fused operands. Null: the sum itself.</param>
/// <param name="Samples">True when the columns of the plane are the samples of the batch (Plane is 1x1x1, distances are
/// given at run time): dense layers, which so read their weights once for a tile of samples.</param>
/// <param name="IsDense">Whether it is a dense layer or its data gradient: what a reader is told of layouts.</param>
/// <param name="Wanted">A tile that was measured to be the fastest; null for the one that the estimate chooses.</param>
public sealed record ConvolutionKernel(
    ConvolutionGeometry Geometry, bool Bias, Expression? Formula, ImmutableArray<FusedOperand> Fused, bool Samples, bool IsDense = false, Tile? Wanted = null) : Kernel
{
    private ConvolutionSchedule? schedule;

    /// <summary>What is summed up of the result; only where <see cref="TakesSums"/>.</summary>
    public ChannelSums? Sums { get; init; }

    /// <summary>Whether a group of output blocks is computed for the whole plane before the next one, for a reader that takes turns with it.</summary>
    public bool GroupByGroup
    {
        get;
        init => (field, schedule) = (value, null);
    }

    /// <summary>The maxima that rows go into: <c>pooled</c> is the result then, and y, memory of each thread, holds a row. Only where <see cref="TakesPool"/>.</summary>
    public RowPool? Pool { get; private init; }

    /// <summary>The same with its rows going into maxima.</summary>
    internal ConvolutionKernel Into(RowPool pool) => this with
    {
        Geometry = Geometry with { OutputOffset = 0, OutputBlock = checked(Geometry.Plane.Columns * Layout.Lanes), OutputStep = (0, 0, Layout.Lanes) }, Pool = pool,
    };

    /// <summary>Whether all blocks of a row are computed before the next row.</summary>
    internal bool TakesPool => !Samples && !IsDense && Geometry.Plane.Depth == 1 && Schedule is { Parts: 1, Tile.Rows: 1 };

    /// <summary>Whether rows are stored one after another, in blocks.</summary>
    internal bool TakesSums => !Samples && !IsDense && Geometry.Groups == 1 && Geometry.Plane.Depth == 1 && Schedule.Tile.Rows == 1 && Geometry.OutputStep.Columns == Layout.Lanes
        && Geometry.TapCount > 0;

    /// <summary>Columns that are summed together: whole tiles, a part of a unit's columns. Where weights are asked for with every call, all of a unit's.</summary>
    internal int SumColumns(bool ofProducts) => Schedule.Tile.Columns * (AheadLinesOf(ofProducts) > 0 ? Schedule.SpanTiles
        : Enumerable.Range(1, Schedule.SpanTiles).Where(t => Schedule.SpanTiles % t == 0).OrderBy(t => Math.Abs((t * Schedule.Tile.Columns) - LeastSumColumns)).First());

    /// <summary>About 16 KiB of the result, for two blocks.</summary>
    private const int LeastSumColumns = 128;

    public override string Name => field ??= KernelName.Of(
        Samples ? FormattableString.Invariant($"Dense_{Schedule.Tile.Blocks}") : $"Convolution_{Schedule.Tile}",
        Isa.All.Select(isa => new ConvolutionEmitter(this, isa).Structure).Append(Geometry.Plane.Depth > 1 ? "depth" : "").Append(Geometry.Groups > 1 ? "groups" : "").Append(Sums?.Structure ?? "").Append(Pool?.Structure ?? ""));

    private string Identity => field ??=
        $"{Geometry.Identity}|{Bias}|{FormulaText}|{string.Join(";", Fused.Select(f => f.Identity))}|{Samples}|{Wanted}|{GroupByGroup}|{(Sums is null ? "" : $"{Sums.Structure} {string.Join(",", Sums.Numbers)}")}|{(Pool is null ? "" : $"{Pool.Structure} {Pool.Output.Tag} {string.Join(",", Pool.Numbers)}")}";

    /// <summary>The formula as its code is decided; empty for none.</summary>
    internal string FormulaText => field ??= Formula is null ? "" : new FormulaProgram([Formula]).Text;

    public override string Comment =>
        (Samples ? $"multiplies samples with weights, {Schedule.Tile.Blocks} blocks of outputs at a time" : $"direct convolution, tiles of {Schedule.Tile} rows x columns x blocks")
        + (Geometry.Groups > 1 ? ", groups" : "") + (Formula is null ? "" : "; fused: " + new FormulaProgram([Formula]).Readable) + (Sums is null ? "" : "; " + Sums.Readable) + (Pool is null ? "" : "; " + Pool.Readable);

    /// <summary>Sizes and strides. Which loops there are, tiles, and what the inner loop's addresses are made of is in the name.</summary>
    public override ImmutableArray<KernelNumber> Numbers => field.IsDefault ? field = [.. NumbersOfPlane(), .. NumbersOfChannels(), .. NumbersOfOperands(), .. NumbersOfSums(), .. Pool?.Numbers ?? []] : field;

    private IEnumerable<KernelNumber> NumbersOfPlane()
    {
        var (g, s) = (Geometry, Schedule);
        yield return new("places", s.Places);
        yield return new("parts", s.Parts);
        yield return new("byPlace", s.IsByPlace ? 1 : 0);
        yield return new("depthPlaces", s.RowTiles * s.Spans);
        yield return new("spans", s.Spans);
        yield return new("rowTiles", s.RowTiles);
        yield return new("lastRow", g.Plane.Rows - s.Tile.Rows);
        yield return new("columns", g.Plane.Columns);
        yield return new("spanColumns", s.SpanTiles * s.Tile.Columns);
        yield return new("groups", s.Groups);
        yield return new("partGroups", s.PartGroups);
        yield return new("aheadFloats", AheadLines * 16L);
        yield return new("aheadGroup", AheadLines == 0 ? 0 : (long)GroupBlocks * g.PackedBlock);
        yield return new("aheadPlace", s.PartGroups == 1 ? s.SpanTiles * AheadLines * 16L : 0);
    }

    private IEnumerable<KernelNumber> NumbersOfChannels()
    {
        var g = Geometry;
        yield return new("fullBlocks", g.OutputBlocks / Schedule.Tile.Blocks * Schedule.Tile.Blocks);
        yield return new("packedBlock", g.PackedBlock);
        yield return new("inputBlocks", g.Groups == 1 ? g.InputChannels / 16 : g.BlocksRead);
        yield return new("tail", g.TailChannels);
        yield return new("outputsPerGroup", g.OutputChannels / g.Groups);
        yield return new("inputsPerGroup", g.InputChannels / g.Groups);
        yield return new("lastWindow", g.InputBlocks - g.BlocksRead);
        yield return new("depthTaps", g.Taps.Depth);
        yield return new("rowTaps", g.Taps.Rows);
        yield return new("columnTaps", g.Taps.Columns);
    }

    private IEnumerable<KernelNumber> NumbersOfOperands()
    {
        var g = Geometry;
        yield return new("inputBlock", g.InputBlock);
        yield return new("inputLane", g.InputLane);
        yield return new("inputDepth", g.InputStep.Depth);
        yield return new("inputRow", g.InputStep.Rows);
        yield return new("depthTapStep", g.TapStep.Depth);
        yield return new("rowTapStep", g.TapStep.Rows);
        yield return new("columnTapStep", g.TapStep.Columns);
        yield return new("outputBlock", g.OutputBlock);
        yield return new("outputDepth", g.OutputStep.Depth);
        yield return new("outputRow", g.OutputStep.Rows);
        for (var i = 0; i < Fused.Length; i++)
        {
            var name = "e" + Literals.Int(i);
            yield return new(name + "Block", Fused[i].Block);
            yield return new(name + "Depth", Fused[i].Step.Depth);
            yield return new(name + "Row", Fused[i].Step.Rows);
        }
    }

    private IEnumerable<KernelNumber> NumbersOfSums() => Sums is null ? [] : [new("sumColumns", SumColumns(SumsProducts)), .. Sums.Numbers];

    /// <summary>Lines of the next group's weights that one call of a micro-kernel asks for; 0 where it is not worth it.</summary>
    internal int AheadLines => AheadLinesOf(SumsProducts);

    private bool SumsProducts => Sums is { Extras.IsEmpty: false };

    /// <summary>Sums of products read twice as much as others: what is summed together must be little then, and calls for weights would be many.</summary>
    private int AheadLinesOf(bool sumsProducts) =>
        Schedule.CallsAhead == 0 || sumsProducts ? 0 : (int)(((long)GroupBlocks * Geometry.PackedBlock / 16 + Schedule.CallsAhead - 1) / Schedule.CallsAhead);

    /// <summary>The tile of narrower vectors, whose weights are packed for 512-bit vectors: it follows from that of 512-bit vectors alone,
    /// so that layers which share code there share it everywhere.</summary>
    internal Tile TileOf(Isa isa) => Schedule.Tile.Narrowed(isa);

    public override long Macs =>
        (long)Geometry.OutputChannels * (Geometry.InputChannels / Geometry.Groups) * Geometry.TapCount * Geometry.Plane.Depth * Geometry.Plane.Rows * Geometry.Plane.Columns;

    public override string Choice => $"direct {Schedule.Tile}";

    public override string Layouts
    {
        get
        {
            var plane = IsDense ? "flat" : "blocked";
            return $"{(Geometry.InputLane == 1 ? plane : "planar")} -> {(Geometry.OutputStep.Columns == Layout.Lanes ? "blocked" : plane)}";
        }
    }

    public override string Fusion => FusionOf(Formula, Pool?.Readable ?? "");

    public override KernelScope Scope => Samples ? KernelScope.Batch : KernelScope.Sample;

    public override int ReadOperands => Operands.Length - 1 - (Sums?.Results ?? 0) - (Pool is null ? 0 : 1);

    public override ImmutableArray<Operand> Operands
    {
        get
        {
            var operands = ImmutableArray.CreateBuilder<Operand>();
            operands.Add(new Operand("x", Offset: Geometry.InputOffset));
            operands.Add(new Operand("w"));
            if (Bias)
            {
                operands.Add(new Operand("bias"));
            }

            for (var i = 0; i < Fused.Length; i++)
            {
                operands.Add(new Operand($"e{i}", Offset: Fused[i].Offset));
            }

            operands.AddRange(Sums?.Inputs ?? []);
            if (Pool is not null)
            {
                operands.Add(new Operand("pooled", Offset: Pool.Output.Origin));
            }

            operands.Add(new Operand("y", Offset: Geometry.OutputOffset));
            operands.AddRange(Sums?.Outputs ?? []);
            return operands.ToImmutable();
        }
    }

    /// <summary>Output blocks whose weights lie side by side.</summary>
    public int GroupBlocks => Schedule.Tile.Blocks;

    /// <summary>Parts of the plane x parts of the output blocks, or rows of maxima: the same on every instruction set.</summary>
    public override int Units => Pool?.Output.Height ?? Schedule.Units;

    /// <summary>Groups of output blocks, or parts of a plane that is one row, each of all blocks.</summary>
    public override int Turns => Samples || Pool is not null || Sums is not null ? 0
        : GroupByGroup ? Geometry.OutputBlocks % GroupBlocks == 0 ? Schedule.Groups : 0
        : Geometry is { TapCount: 1, Groups: 1, Plane: { Depth: 1, Rows: 1 } } && Schedule.Parts == 1
            && Schedule.Spans * Schedule.SpanTiles * Schedule.Tile.Columns == Geometry.Plane.Columns ? Schedule.Spans : 0;

    public override int TurnStride(int operand)
    {
        var fused = operand - (Bias ? 3 : 2);
        var (block, step) = operand == 0 ? (0, Geometry.InputStep)
            : fused < 0 ? default
            : fused < Fused.Length ? (Fused[fused].IsVector ? 0 : Fused[fused].Block, Fused[fused].Step)
            : (Geometry.OutputBlock, Geometry.OutputStep);
        return GroupByGroup ? block * GroupBlocks : step.Columns * Schedule.SpanTiles * Schedule.Tile.Columns;
    }

    internal ConvolutionSchedule Schedule => schedule ??= ConvolutionSchedule.Of(this);

    public bool Equals(ConvolutionKernel? other) => other is not null && Identity == other.Identity && IsDense == other.IsDense;

    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(Identity);

    public override void Emit(KernelWriter writer, Isa isa) => new ConvolutionEmitter(this, isa).Emit(writer);

    internal static string Size((int Depth, int Rows, int Columns) s) =>
        s.Depth == 1 ? FormattableString.Invariant($"{s.Rows}x{s.Columns}") : FormattableString.Invariant($"{s.Depth}x{s.Rows}x{s.Columns}");
}
