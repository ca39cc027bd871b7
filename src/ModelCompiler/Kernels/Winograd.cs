// 3x3 convolutions of stride 1 with fewer multiplications than taps: the plane is cut into tiles of 2x2 or 4x4 outputs,
// tiles are transformed, each of their 16 or 36 points is a matrix product over channels, and the products are
// transformed back. Where planes lie behind one another (3x3x3), taps along depth are summed in the products: a transformed
// plane serves all of them. It passes the limit that direct convolution has, for a somewhat larger rounding error.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Graph;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <summary>What the weights of a Winograd convolution are when it is called.</summary>
public enum WinogradFilterForm
{
    /// <summary>As <see cref="PackWinogradKernel"/> makes them.</summary>
    Packed,

    /// <summary>[out][in][depth taps][3][3]. They are transformed when they are needed: where there are many, and they change in every
    /// step, the packed form would only pass through memory.</summary>
    Flat,

    /// <summary>[in][out][3][3], for data gradients, and transformed as flat ones.</summary>
    Turned,

    /// <summary>As <see cref="PackWeightsKernel"/> makes them for direct convolution, and transformed when they are needed: as many numbers as there are weights, and
    /// vectors of outputs already.</summary>
    Ordered,
}

/// <summary>A convolution by F(m x m, 3x3) over rows and columns, and directly over depth, one group.</summary>
/// <remarks>Operands: x, w, bias if there is one, the formula's operands, y, scratch (<see cref="ScratchFloats"/>, for each
/// thread). Tests hold rounding errors to 1e-6 of the largest output for m = 2 and 1.2e-5 for m = 4.</remarks>
/// <param name="Outputs">m, 2 or 4.</param>
/// <param name="Input">Blocked, with a halo of at least the padding.</param>
/// <param name="Output">Blocked; its plane is the input's with padding, less twice the dilation.</param>
/// <param name="PadRows">Zeros before the first row; those behind the last follow from the sizes.</param>
/// <param name="PadColumns">Zeros before the first column.</param>
/// <param name="Formula">Input 0 is the sum (with bias), inputs 1… the fused operands. Null: the sum itself.</param>
/// <param name="Samples">Samples that tiles and chunks are chosen for: the tiles of a batch are computed together, whatever its size is.</param>
/// <param name="Filters">The form of w.</param>
/// <param name="DepthTaps">Taps along depth, with stride 1.</param>
/// <param name="PadDepth">Zeros before the first plane.</param>
/// <param name="Dilation">Distance of taps along rows and columns: d x d parts of the plane are convolved, each of every d-th row and column.</param>
/// <param name="Pooled">Whether y holds the maxima of windows of 2x2 that do not overlap; a last row or column that fills no window is left out. Only without dilation,
/// depth and fused operands.</param>
public sealed record WinogradKernel(
    int Outputs, Layout Input, Layout Output, int PadRows, int PadColumns, bool Bias, Expression? Formula, ImmutableArray<FusedOperand> Fused, int Samples = 1,
    WinogradFilterForm Filters = WinogradFilterForm.Packed, int DepthTaps = 1, int PadDepth = 0, int Dilation = 1, bool Pooled = false) : Kernel
{
    /// <summary>More blocks would read weights of one point from the second-level cache.</summary>
    private const int MostBlocks = 3;

    /// <summary>Floats of transformed inputs in a chunk, at least where there are as many.</summary>
    private const int FewestChunkFloats = 48 * 1024;

    /// <summary>Floats of transformed inputs in a chunk, at most.</summary>
    private const int MostChunkFloats = 640 * 1024;

    /// <summary>Of the second-level cache. Weights that stay there may pass by often; where they do not, it matters more that they pass by seldom than that
    /// transformed inputs stay there.</summary>
    private const int NearWeights = 256 * 1024;

    /// <summary>Register tiles along a chunk, for weights that stay near and for others.</summary>
    private const int FewCalls = 2;
    private const int ManyCalls = 16;

    /// <summary>Floats of transformed inputs in the only chunk of filters that come as they are: they are transformed once then.</summary>
    private const int OnlyChunkFloats = 5 * 1024 * 1024;

    /// <summary>Blocks of inputs whose products are summed at a time, where there are more than half as many again: with more, transformed inputs and weights of a
    /// point do not stay in the second-level cache.</summary>
    private const int MostPartBlocks = 32;

    /// <summary>Floats of transformed filters that are made at a time, where they do not come packed: with inputs and products, the second-level cache holds them.</summary>
    private const int PartFilterFloats = 56 * 1024;

    /// <summary>Weights that come from memory cost more than transformed inputs that come from the third-level cache.</summary>
    private const int ManyWeights = 1024 * 1024;

    internal WinogradTransform Transform { get; } = new(Outputs);

    public override string Name => field ??= KernelName.Of(
        $"Winograd{Literals.Int(Outputs)}", Isa.All.Select(isa => new WinogradEmitter(this, isa).Structure).Append(OutputStructure).Append(Filters.ToString()).Append(HasDepth ? "depth" : "").Append(DepthTaps > 1 ? "taps" : ""));

    public override string Comment => FormattableString.Invariant($"Winograd F({Outputs}x{Outputs}, 3x3), products by tiles of {Tile}{(HasDepth ? ", planes behind one another" : "")}{(Dilation > 1 ? ", dilated" : "")}{(Pooled ? ", then the maximum over 2x2" : "")}")
        + (Filters == WinogradFilterForm.Packed ? "" : ", transforms its filters") + (Formula is null ? "" : "; fused: " + new FormulaProgram([Formula]).Readable);

    public override ImmutableArray<KernelNumber> Numbers => field.IsDefault ? field = [.. AllNumbers()] : field;

    private IEnumerable<KernelNumber> AllNumbers()
    {
        var rest = Math.Max(1, Output.Blocks % Tile.Blocks);
        yield return new("channels", Input.Channels);
        yield return new("outputs", Output.Channels);
        yield return new("tileRows", TileRows);
        yield return new("tileColumns", TileColumns);
        yield return new("groups", Groups);
        yield return new("manyWeights", HasManyWeights ? 1 : 0);
        yield return new("chunk", Chunk);
        yield return new("grain", Grain);
        yield return new("xBlocks", Input.Blocks);
        yield return new("xBlock", Input.BlockStride);
        yield return new("xRow", Input.RowStride);
        yield return new("inputPoint", InputPoint);
        yield return new("productPoint", ProductPoint);
        yield return new("inputColumns", InputColumns);
        yield return new("productColumns", ProductColumns);
        yield return new("inputBlocks", Input.Channels / Layout.Lanes);
        yield return new("tail", Input.Channels % Layout.Lanes);
        yield return new("groupPoint", PackWinogradKernel.PointFloats(FilterInputs, Tile.Blocks));
        yield return new("restPoint", PackWinogradKernel.PointFloats(FilterInputs, rest));
        yield return new("yBlocks", Output.Blocks);
        yield return new("yDepths", Output.Depth);
        yield return new("yRows", Height);
        yield return new("yColumns", Width);
        yield return new("yBlock", Output.BlockStride);
        yield return new("yRow", Output.RowStride);
        for (var i = 0; i < Fused.Length; i++)
        {
            yield return new($"e{Literals.Int(i)}Block", Fused[i].Block);
            yield return new($"e{Literals.Int(i)}Row", Fused[i].Step.Rows);
        }

        if (Filters != WinogradFilterForm.Packed || HasParts)
        {
            yield return new("partBlocks", PartBlocks);
        }

        if (Dilation > 1)
        {
            yield return new("dilation", Dilation);
        }

        if (HasDepth)
        {
            yield return new("depthTaps", DepthTaps);
            yield return new("xDepth", Input.DepthStride);
            yield return new("yDepth", Output.DepthStride);
            for (var i = 0; i < Fused.Length; i++)
            {
                yield return new($"e{Literals.Int(i)}Depth", Fused[i].Step.Depth);
            }
        }
    }

    public override KernelScope Scope => KernelScope.Batch;

    public override long Macs => (long)Tiles * Output.Depth * Transform.Points * Input.Channels * DepthTaps * Output.Channels;

    public override string Choice => FormattableString.Invariant($"winograd F({Outputs}x{Outputs}) {Tile.Columns}x{Tile.Blocks}, {Chunk} tiles");

    public override string Layouts => $"{Input.Tag} -> {Output.Tag}";

    public override string Fusion => FusionOf(Formula, Pooled ? "maxpool 2x2" : "");

    public override ImmutableArray<Operand> Operands
    {
        get
        {
            var operands = ImmutableArray.CreateBuilder<Operand>();
            operands.Add(new Operand("x", Offset: Input.Origin - (PadDepth * Input.DepthStride) - (PadRows * Input.RowStride) - (PadColumns * Input.ColumnStride)));
            operands.Add(new Operand("w"));
            if (Bias)
            {
                operands.Add(new Operand("bias"));
            }

            for (var i = 0; i < Fused.Length; i++)
            {
                operands.Add(new Operand($"e{i}", Offset: Fused[i].Offset));
            }

            operands.Add(new Operand("y", Offset: Output.Origin));
            operands.Add(new Operand("scratch"));
            return operands.ToImmutable();
        }
    }

    public override int ReadOperands => Operands.Length - 2;

    /// <summary>The kernel that makes w of flat weights; of their turned form for data gradients.</summary>
    public PackWinogradKernel Packing(bool turned = false) => new(Outputs, Input.Channels, Output.Channels, Tile.Blocks, turned, DepthTaps);

    /// <summary>The kernel that makes <see cref="WinogradFilterForm.Ordered"/> w of flat weights.</summary>
    public PackWeightsKernel Ordering
    {
        get
        {
            var taps = (DepthTaps, 3, 3);
            return new(ConvolutionGeometry.OfColumns(Input.Channels, Output.Channels, 1, 1) with { Taps = taps }, new TapSelection(taps, (0, 0, 0), (1, 1, 1)), Turned: false, Tile.Blocks);
        }
    }

    /// <summary>Memory for each thread: transformed inputs, products, a tile halfway through its transform, one completed with zeros, and filters where they do not come
    /// packed, with room for the next ones where those are made meanwhile.</summary>
    public int ScratchFloats => checked((Transform.Points * (InputPoint + ProductPoint)) + (2 * Transform.Points * Layout.Lanes) + ((Filters == WinogradFilterForm.Ordered ? 2 : 1) * FilterFloats));

    /// <summary>Transformed filters of one group and part of the inputs, where they do not come packed.</summary>
    internal int FilterFloats => Filters == WinogradFilterForm.Packed ? 0 : checked(Transform.Points * PackWinogradKernel.PointFloats(FilterInputs, Tile.Blocks));

    /// <summary>Inputs, one for each tap along depth, whose filters lie side by side at a point.</summary>
    private int FilterInputs => (Filters == WinogradFilterForm.Packed ? Input.Channels : Math.Min(Input.Channels, PartBlocks * Layout.Lanes)) * DepthTaps;

    /// <summary>Parts of the batch's tiles, or of the output groups where there are few tiles or many weights.</summary>
    public override int Units => 16;

    /// <summary>Rows that are computed.</summary>
    private int Height => Output.Height * (Pooled ? 2 : 1);

    private int Width => Output.Width * (Pooled ? 2 : 1);

    /// <summary>Of every d-th row.</summary>
    internal int TileRows => TilesAlong(Height, Outputs, Dilation);

    internal int TileColumns => TilesAlong(Width, Outputs, Dilation);

    /// <summary>Of a plane.</summary>
    internal int Tiles => TileRows * TileColumns * Dilation * Dilation;

    /// <summary>Tiles along an axis, of every <paramref name="dilation"/>-th place.</summary>
    internal static int TilesAlong(int size, int outputs, int dilation) => Rounding.Ceiling(Rounding.Ceiling(size, dilation), outputs);

    /// <summary>Whether planes lie behind one another.</summary>
    internal bool HasDepth => Output.Depth > 1 || DepthTaps > 1;

    /// <summary>Tiles of the plane and blocks of outputs that stay in registers with 512-bit vectors. Blocks decide how weights are packed.</summary>
    internal Tile Tile => chosen ??= Tile.Choose(ConvolutionGeometry.OfColumns(Input.Channels, Output.Channels, Tiles * Output.Depth * Samples, DepthTaps), samples: false, Isa.Avx512, 1, MostBlocks);

    private Tile? chosen;

    /// <summary>The tile on narrower vectors, whose weights are packed for 512-bit vectors.</summary>
    internal Tile TileOf(Isa isa) => Tile.Narrowed(isa);

    /// <summary>What decides the code of the way back to outputs.</summary>
    internal string OutputStructure => FormattableString.Invariant($"{Bias}|{FormulaText}|{string.Join(";", Fused.Select(f => f.IsVector ? "v" : Literals.Int(f.Step.Columns)))}{(Dilation > 1 ? "|dilated" : "")}{(Pooled ? "|pooled" : "")}");

    private string FormulaText => Formula is null ? "" : new FormulaProgram([Formula]).Text;

    /// <summary>Tiles of a plane that are transformed together, where there are several planes those of all of them, one plane behind another.</summary>
    internal int Chunk
    {
        get
        {
            var total = Tiles * Samples;
            var perTile = Transform.Points * Input.Blocks * Layout.Lanes * (Output.Depth + DepthTaps - 1);
            var many = (WeightFloats > NearWeights ? ManyCalls : FewCalls) * Tile.Columns / Output.Depth;
            var most = Math.Max(1, HasManyWeights ? ManyWeights / perTile : Math.Max(FewestChunkFloats / perTile, Math.Min(MostChunkFloats / perTile, many)));
            if (most >= total || (Filters != WinogradFilterForm.Packed && (long)total * perTile <= OnlyChunkFloats))
            {
                return total;
            }

            // Chunks of nearly the same size, also for two threads; of several register tiles, whole ones.
            var half = Rounding.Ceiling(total, 2);
            var even = Rounding.Ceiling(half, Rounding.Ceiling(half, most));
            return Grain == 1 ? even : Math.Max(1, most / Tile.Columns) * Tile.Columns;
        }
    }

    /// <summary>Units take multiples of so many tiles: whole register tiles where there are enough of them.</summary>
    internal int Grain => HasDepth || Tiles * Samples < 8 * Tile.Columns ? 1 : Tile.Columns;

    /// <summary>Columns of a chunk's products, whole register tiles. Where parts are summed they are so on every instruction set: a last tile that began
    /// earlier, as tiles of other convolutions do, would add to some columns twice.</summary>
    internal int ProductColumns => HasParts ? Isa.All.Max(isa => Whole(TileOf(isa).Columns)) : Whole(Tile.Columns);

    private int Whole(int columns) => Rounding.Ceiling(Chunk * Output.Depth, columns) * columns;

    /// <summary>Columns of a chunk's transformed inputs: planes that only taps reach are among them.</summary>
    internal int InputColumns => ProductColumns + ((DepthTaps - 1) * Chunk);

    /// <summary>Groups of output blocks that are computed together.</summary>
    internal int Groups => Rounding.Ceiling(Output.Blocks, Tile.Blocks);

    /// <summary>Threads then share the weights and not the tiles.</summary>
    internal bool HasManyWeights => WeightFloats > ManyWeights;

    /// <summary>Floats from point to point of the transformed inputs of a chunk.</summary>
    internal int InputPoint => OddLines(Input.Blocks * InputColumns);

    /// <summary>Floats from point to point of the products of a chunk and a group.</summary>
    internal int ProductPoint => OddLines(Tile.Blocks * ProductColumns);

    /// <summary>Of the transformed filters.</summary>
    internal int WeightFloats => checked(Output.Blocks * Transform.Points * Input.Channels * DepthTaps * Layout.Lanes);

    /// <summary>Of the transformed inputs of a sample.</summary>
    internal long InputFloats => (long)Tiles * (Output.Depth + DepthTaps - 1) * Transform.Points * Input.Blocks * Layout.Lanes;

    private string Identity => FormattableString.Invariant(
        $"{Outputs}|{Input.Tag}|{Output.Tag}|{PadRows},{PadColumns}|{Bias}|{FormulaText}|{string.Join(";", Fused.Select(f => f.Identity))}|{Samples}|{Filters}|{DepthTaps},{PadDepth}|{Dilation}|{Pooled}");

    public bool Equals(WinogradKernel? other) => other is not null && Identity == other.Identity;

    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(Identity);

    public override void Emit(KernelWriter writer, Isa isa) => new WinogradEmitter(this, isa).Emit(writer);

    /// <summary>Whether inputs come in parts.</summary>
    internal bool HasParts => PartBlocks < Input.Blocks;

    /// <summary>Blocks of inputs whose products are summed at a time.</summary>
    internal int PartBlocks
    {
        get
        {
            if (Filters == WinogradFilterForm.Packed)
            {
                return DepthTaps == 1 && Input.Blocks > 3 * MostPartBlocks / 2 ? Even(MostPartBlocks) : Input.Blocks;
            }

            return Even(Math.Max(1, PartFilterFloats / PackWinogradKernel.PointFloats(Layout.Lanes * DepthTaps, Tile.Blocks) / Transform.Points));

            int Even(int most) => Rounding.Ceiling(Input.Blocks, Rounding.Ceiling(Input.Blocks, most));
        }
    }

    /// <summary>The matrix product at one point as a convolution whose columns are <paramref name="tiles"/> tiles; its taps, if any, are planes. Of parts of the inputs
    /// it has the code for full blocks and, where the last one is not full, for that.</summary>
    internal ConvolutionGeometry Product(int tiles) => ConvolutionGeometry.OfColumns(
        HasParts ? (PartBlocks * Layout.Lanes) + (Input.Channels % Layout.Lanes) : Input.Channels, Output.Channels, tiles, DepthTaps);

    /// <summary>An odd number of cache lines: at a power of two all points would fall into the same few sets of the cache.</summary>
    private static int OddLines(int lines) => checked((lines | 1) * Layout.Lanes);
}
