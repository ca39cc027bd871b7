// The weight gradient of a 3x3 convolution of stride 1 as the transpose of Winograd's algorithm: tiles of inputs and of
// outputs' gradients are transformed, at each of their 16 or 36 points the products of all tiles are summed up (a matrix product
// over tiles), and the sums are transformed back to nine taps, once.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <summary>Operands x, g (gradient of the output), dw (flat weights [out][in][3][3], unbatched), scratch.</summary>
/// <remarks>Outputs' blocks are units: each sums up all tiles of the batch in their order, so threads change nothing.</remarks>
/// <param name="Outputs">m of F(m x m, 3x3), 2 or 4.</param>
/// <param name="Input">Blocked, with a halo of at least the padding.</param>
/// <param name="Gradient">Blocked; its plane is the input's with padding, less twice the dilation.</param>
/// <param name="PadRows">Zeros before the first row of the input.</param>
/// <param name="PadColumns">Zeros before the first column.</param>
/// <param name="Samples">Samples that chunks are chosen for.</param>
/// <param name="Dilation">Distance of taps, as in <see cref="WinogradKernel"/>.</param>
public sealed record WinogradWeightGradientKernel(int Outputs, Layout Input, Layout Gradient, int PadRows, int PadColumns, int Samples, int Dilation = 1) : Kernel
{
    /// <summary>Sums of blocks that are computed together: they stay in the second-level cache, or nearly.</summary>
    private const int SumFloats = 320 * 1024;

    /// <summary>Where inputs are many, transforming them again for every few blocks costs more than the third-level cache.</summary>
    private const int ManyChannels = 192;

    internal WinogradTransform Transform { get; } = new(Outputs);

    public override string Name => field ??= KernelName.Of(
        $"WinogradWeightGradient{Literals.Int(Outputs)}", Isa.All.Select(isa => string.Join(";", new WinogradWeightGradientEmitter(this, isa).Tiles)).Append(Dilation > 1 ? "dilated" : ""));

    public override string Comment => FormattableString.Invariant($"weight gradient by Winograd F({Outputs}x{Outputs}, 3x3), over the outputs of every sample");

    public override ImmutableArray<KernelNumber> Numbers =>
    [
        new("inputs", Input.Channels), new("outputs", Gradient.Channels), new("tileRows", TileRows), new("tileColumns", TileColumns), new("chunk", Chunk), new("together", Together),
        new("xBlocks", Input.Blocks), new("xBlock", Input.BlockStride), new("xRow", Input.RowStride), new("gBlock", Gradient.BlockStride), new("gRow", Gradient.RowStride),
        new("gRows", Gradient.Height), new("gColumns", Gradient.Width), new("inputPoint", InputPoint), new("gradientPoint", GradientPoint), new("sumPoint", SumPoint),
        new("packedBlock", Product(1).PackedBlock), new("gBlockStride", Product(1).GradientBlock),
        .. Dilation > 1 ? [new KernelNumber("dilation", Dilation)] : Array.Empty<KernelNumber>(),
    ];

    public override KernelScope Scope => KernelScope.Batch;

    public override ImmutableArray<Operand> Operands { get; } =
    [
        new("x", Offset: Input.Origin - (PadRows * Input.RowStride) - (PadColumns * Input.ColumnStride)), new("g", Offset: Gradient.Origin), new("dw"), new("scratch"),
    ];

    public override int ReadOperands => 2;

    public override int Units => Gradient.Blocks;

    internal int TileRows => WinogradKernel.TilesAlong(Gradient.Height, Outputs, Dilation);

    internal int TileColumns => WinogradKernel.TilesAlong(Gradient.Width, Outputs, Dilation);

    internal int Tiles => TileRows * TileColumns * Dilation * Dilation;

    /// <summary>Blocks of outputs whose sums are made together.</summary>
    internal int Together => Math.Min(Gradient.Blocks, Math.Max(3, SumFloats / (Transform.Points * Input.Blocks * 256)));

    /// <summary>Tiles that are transformed together.</summary>
    internal int Chunk
    {
        get
        {
            var perTile = Transform.Points * Layout.Lanes * (Input.Blocks + Together);
            var floats = Input.Channels < ManyChannels ? 320 * 1024 : 1536 * 1024;
            return Math.Max(16, Math.Min(Tiles * Samples, floats / perTile));
        }
    }

    /// <summary>Floats from point to point: an odd number of cache lines.</summary>
    internal int InputPoint => checked(((Input.Blocks * Chunk) | 1) * Layout.Lanes);

    internal int GradientPoint => checked(((Together * Chunk) | 1) * Layout.Lanes);

    /// <summary>[block][input, padded to 16][16 outputs] of one point.</summary>
    internal int SumPoint => checked((Together * Input.Blocks * 256) + Layout.Lanes);

    public int ScratchFloats => checked((Transform.Points * (InputPoint + GradientPoint + SumPoint)) + (2 * Transform.Points * Layout.Lanes));

    /// <summary>The matrix product at one point: tiles take the place of samples.</summary>
    internal WeightGradientGeometry Product(int blocks) => new()
    {
        InputChannels = Input.Blocks * Layout.Lanes,
        OutputChannels = blocks * Layout.Lanes,
        Taps = (1, 1, 1),
        Plane = (1, 1, 1),
        InputOffset = 0,
        InputBlock = Chunk * Layout.Lanes,
        InputLane = 1,
        InputStep = default,
        TapStep = default,
        GradientOffset = 0,
        GradientBlock = Chunk * Layout.Lanes,
        GradientStep = default,
    };

    private string Identity => FormattableString.Invariant($"{Outputs}|{Input.Tag}|{Gradient.Tag}|{PadRows},{PadColumns}|{Samples}|{Dilation}");

    public bool Equals(WinogradWeightGradientKernel? other) => other is not null && Identity == other.Identity;

    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(Identity);

    public override void Emit(KernelWriter writer, Isa isa) => new WinogradWeightGradientEmitter(this, isa).Emit(writer);
}

internal sealed class WinogradWeightGradientEmitter(WinogradWeightGradientKernel kernel, Isa isa)
{
    private readonly WinogradTransform transform = kernel.Transform;

    /// <summary>Register tiles for as many blocks as fit, then for fewer: whatever number of blocks is left.</summary>
    public IEnumerable<WeightGradientTile> Tiles
    {
        get
        {
            var tile = WeightGradientTile.Choose(kernel.Product(kernel.Together), isa, kernel.Together);
            return Enumerable.Range(1, tile.Blocks).Reverse()
                .Select(blocks => blocks == tile.Blocks ? tile : WeightGradientTile.Choose(kernel.Product(blocks), isa, blocks)).Where((part, i) => part.Blocks == tile.Blocks - i);
        }
    }

    public void Emit(KernelWriter writer)
    {
        EmitDriver(writer);
        EmitProducts(writer);
        foreach (var tile in Tiles)
        {
            new WeightGradientMicro(kernel.Product(kernel.Together), tile).Emit(writer, isa, $"{tile}");
        }
    }

    private static string N(long value) => Literals.Int(value);

    private void EmitDriver(KernelWriter writer)
    {
        var points = N(transform.Points);
        var dilated = kernel.Dilation > 1;
        var step = WinogradTiles.Times(dilated);
        string Inputs(string first) => new WinogradTiles(transform, Gradients: false, isa, dilated).Call(
            writer, "x", "xStride", "u", first, "xBlocks", $"tileRows, tileColumns, xBlock, xRow, gRows + 2{step}, gColumns + 2{step}", "chunk, inputPoint");
        writer.OpenMethod();
        writer.Line($"float* u = scratch, v = u + {points}L * inputPoint, sums = v + {points}L * gradientPoint, halfway = sums + {points}L * sumPoint;");
        writer.Line($"int total = batch * {WinogradTiles.Count(dilated)};").Line("bool once = total <= chunk;");
        writer.Line("// Where all tiles are one chunk, inputs are transformed once for all blocks.");
        writer.Line($"if (once) {Inputs("0, total")}");
        writer.Open("for (int block = begin; block < end; block += together)");
        writer.Line("int blocks = Math.Min(together, end - block);");
        writer.Open("for (int first = 0; first < total; first += chunk)");
        writer.Line("int tiles = Math.Min(chunk, total - first);");
        writer.Line($"if (!once) {Inputs("first, tiles")}");
        writer.Line(new WinogradTiles(transform, Gradients: true, isa, dilated).Call(
            writer, "g + block * gBlock", "gStride", "v", "first, tiles", "blocks", "tileRows, tileColumns, gBlock, gRow, gRows, gColumns", "chunk, gradientPoint"));
        writer.Line(writer.Call("products", "u, v, sums, tiles, blocks, first > 0") + ";").Close();
        writer.Line($"{writer.Share(TapsName, EmitTaps)}(sums, dw, block, blocks, inputs, outputs, packedBlock, sumPoint);").Close().Close().Line();
    }

    /// <summary>At every point: what the tiles of a chunk add to the sums of some blocks.</summary>
    private void EmitProducts(KernelWriter writer)
    {
        writer.OpenHelper("products", "float* u, float* v, float* sums, int tiles, int blocks, bool add");
        writer.Open($"for (int point = 0; point < {N(transform.Points)}; point++, u += inputPoint, v += gradientPoint, sums += sumPoint)");
        writer.Line("int block = 0;");
        foreach (var tile in Tiles)
        {
            writer.Open($"for (; block + {N(tile.Blocks)} <= blocks; block += {N(tile.Blocks)})");
            writer.Open("for (int input = 0; input < xBlocks; input++)").Open($"for (int channel = 0; channel < 16; channel += {N(tile.Channels)})");
            writer.Line(writer.Call($"{tile}", "u + input * gBlockStride + channel, 16, v + block * gBlockStride, 16, tiles, sums + block * packedBlock + input * 256 + channel * 16, add") + ";");
            writer.Close().Close().Close();
        }

        writer.Close().Close().Line();
    }

    private string TapsName => $"Winograd{N(kernel.Outputs)}Taps";

    /// <summary>The sums of some blocks back to nine taps, in PyTorch's order.</summary>
    private void EmitTaps(SourceWriter writer)
    {
        var side = transform.Inputs;
        writer.Open(Kernel.Helper(TapsName, "float* sums, float* dw, int block, int blocks, int inputs, int outputs, int packedBlock, int sumPoint"));
        writer.Line("float* taps = stackalloc float[2304], halfway = stackalloc float[288];");
        writer.Open("for (int b = 0; b < blocks; b++)");
        writer.Line("int lanes = Math.Min(16, outputs - (block + b) * 16);");
        writer.Open("for (int first = 0; first < inputs; first += 16)");
        writer.Line("int channels = Math.Min(16, inputs - first);");
        writer.Line("float* from = sums + b * packedBlock + first * 16, to = taps;");
        writer.Open("for (int channel = 0; channel < channels; channel++, from += 16, to += 144)").Open($"for (int lane = 0; lane < 16; lane += {N(isa.Width)})");
        for (var c = 0; c < side; c++)
        {
            writer.Open("");
            for (var r = 0; r < side; r++)
            {
                writer.Line($"var s{N(r)} = {isa.Load($"from + {N((r * side) + c)}L * sumPoint + lane")};");
            }

            for (var tap = 0; tap < 3; tap++)
            {
                writer.Line(isa.Store($"halfway + {N(((tap * side) + c) * isa.Width)}", transform.FilterGradient(isa, tap, Names(side))));
            }

            writer.Close();
        }

        for (var row = 0; row < 3; row++)
        {
            writer.Open("");
            for (var c = 0; c < side; c++)
            {
                writer.Line($"var s{N(c)} = {isa.Load($"halfway + {N(((row * side) + c) * isa.Width)}")};");
            }

            for (var tap = 0; tap < 3; tap++)
            {
                writer.Line(isa.Store($"to + {N(((row * 3) + tap) * 16)} + lane", transform.FilterGradient(isa, tap, Names(side))));
            }

            writer.Close();
        }

        writer.Close().Close();
        writer.Line("float* weights = dw + ((block + b) * 16L * inputs + first) * 9;");
        writer.Line("for (int i = 0; i < channels * 9; i += 16) Transposition.Return(taps + i * 16, Math.Min(16, channels * 9 - i), lanes, weights + i, inputs * 9);");
        writer.Close().Close().Close().Line();
    }

    private static string[] Names(int side) => [.. Enumerable.Range(0, side).Select(i => $"s{N(i)}")];
}
