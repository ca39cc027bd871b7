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
/// <param name="Gradient">Blocked; its plane is the input's with padding, less 2.</param>
/// <param name="PadRows">Zeros before the first row of the input.</param>
/// <param name="PadColumns">Zeros before the first column.</param>
/// <param name="Samples">Samples that chunks are chosen for.</param>
public sealed record WinogradWeightGradientKernel(int Outputs, Layout Input, Layout Gradient, int PadRows, int PadColumns, int Samples) : Kernel
{
    /// <summary>Sums of blocks that are computed together: they stay in the second-level cache, or nearly.</summary>
    private const int SumFloats = 320 * 1024;

    /// <summary>Where inputs are many, transforming them again for every few blocks costs more than the third-level cache.</summary>
    private const int ManyChannels = 192;

    internal WinogradTransform Transform { get; } = new(Outputs);

    public override string Name => FormattableString.Invariant(
        $"WinogradWeightGradient{Outputs}_{Input.Channels}to{Gradient.Channels}_{Gradient.Height}x{Gradient.Width}_{KernelName.Hash(Identity)}");

    public override string Comment => FormattableString.Invariant(
        $"weight gradient by Winograd F({Outputs}x{Outputs}, 3x3): {Input.Channels} to {Gradient.Channels} channels, over {Gradient.Height}x{Gradient.Width} outputs of every sample");

    public override KernelScope Scope => KernelScope.Batch;

    public override ImmutableArray<Operand> Operands { get; } = [new("x"), new("g"), new("dw"), new("scratch")];

    public override int ReadOperands => 2;

    public override int Units => Gradient.Blocks;

    internal int TileRows => Ceiling(Gradient.Height, Outputs);

    internal int TileColumns => Ceiling(Gradient.Width, Outputs);

    internal int Tiles => TileRows * TileColumns;

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

    private string Identity => FormattableString.Invariant($"{Outputs}|{Input.Tag}|{Gradient.Tag}|{PadRows},{PadColumns}|{Samples}");

    public bool Equals(WinogradWeightGradientKernel? other) => other is not null && Identity == other.Identity;

    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(Identity);

    public override void Emit(KernelWriter writer, Isa isa) => new WinogradWeightGradientEmitter(this, writer, isa).Emit();

    private static int Ceiling(int a, int b) => (a + b - 1) / b;
}

internal sealed class WinogradWeightGradientEmitter(WinogradWeightGradientKernel kernel, KernelWriter writer, Isa isa)
{
    private readonly WinogradTransform transform = kernel.Transform;
    private readonly SortedDictionary<string, WeightGradientTile> micros = new(StringComparer.Ordinal);

    public void Emit()
    {
        var (input, gradient) = (kernel.Input, kernel.Gradient);
        EmitDriver();
        new WinogradTiles(
            $"{writer.Own}_input", transform, Gradients: false, input, input.Origin - (kernel.PadRows * input.RowStride) - (kernel.PadColumns * input.ColumnStride),
            gradient.Height + 2, gradient.Width + 2, kernel.TileRows, kernel.TileColumns, kernel.Chunk, kernel.InputPoint).Emit(writer, isa);
        new WinogradTiles(
            $"{writer.Own}_gradient", transform, Gradients: true, gradient, gradient.Origin,
            gradient.Height, gradient.Width, kernel.TileRows, kernel.TileColumns, kernel.Chunk, kernel.GradientPoint).Emit(writer, isa);
        EmitProducts();
        foreach (var micro in micros)
        {
            new WeightGradientMicro(kernel.Product(kernel.Together), micro.Value).Emit(writer, isa, micro.Key);
        }

        EmitTaps();
    }

    private static string N(long value) => Literals.Int(value);

    private void EmitDriver()
    {
        var (points, chunk, together) = (transform.Points, kernel.Chunk, kernel.Together);
        writer.OpenMethod();
        writer.Line($"float* u = scratch, v = u + {N((long)points * kernel.InputPoint)}, sums = v + {N((long)points * kernel.GradientPoint)}, halfway = sums + {N((long)points * kernel.SumPoint)};");
        writer.Line($"int total = batch * {N(kernel.Tiles)};").Line($"bool once = total <= {N(chunk)};");
        writer.Line("// Where all tiles are one chunk, inputs are transformed once for all blocks.");
        writer.Line($"if (once) {writer.Own}_input(x, xStride, u, halfway, 0, total, {N(kernel.Input.Blocks)});");
        writer.Open($"for (int block = begin; block < end; block += {N(together)})");
        writer.Line($"int blocks = Math.Min({N(together)}, end - block);");
        writer.Open($"for (int first = 0; first < total; first += {N(chunk)})");
        writer.Line($"int tiles = Math.Min({N(chunk)}, total - first);");
        writer.Line($"if (!once) {writer.Own}_input(x, xStride, u, halfway, first, tiles, {N(kernel.Input.Blocks)});");
        writer.Line($"{writer.Own}_gradient(g + block * {N(kernel.Gradient.BlockStride)}, gStride, v, halfway, first, tiles, blocks);");
        writer.Line($"{writer.Own}_products(u, v, sums, tiles, blocks, first > 0);").Close();
        writer.Line($"{writer.Own}_taps(sums, dw, block, blocks);").Close().Close().Line();
    }

    /// <summary>At every point: what the tiles of a chunk add to the sums of some blocks.</summary>
    private void EmitProducts()
    {
        writer.Line(Kernel.Attribute).Open($"private static void {writer.Own}_products(float* u, float* v, float* sums, int tiles, int blocks, bool add)");
        writer.Open($"for (int point = 0; point < {N(transform.Points)}; point++, u += {N(kernel.InputPoint)}, v += {N(kernel.GradientPoint)}, sums += {N(kernel.SumPoint)})");
        var tile = WeightGradientTile.Choose(kernel.Product(kernel.Together), isa, kernel.Together);
        writer.Line("int block = 0;");
        for (var blocks = tile.Blocks; blocks > 0; blocks--)
        {
            var part = blocks == tile.Blocks ? tile : WeightGradientTile.Choose(kernel.Product(blocks), isa, blocks);
            if (part.Blocks < blocks)
            {
                continue;
            }

            micros[$"{part}"] = part;
            writer.Open($"for (; block + {N(blocks)} <= blocks; block += {N(blocks)})");
            writer.Open($"for (int inputs = 0; inputs < {N(kernel.Input.Blocks)}; inputs++)").Open($"for (int channel = 0; channel < 16; channel += {N(part.Channels)})");
            writer.Line(writer.Call($"{part}", $"u + inputs * {N(kernel.Chunk * Layout.Lanes)} + channel, 16, v + block * {N(kernel.Chunk * Layout.Lanes)}, 16, tiles, sums + (block * {N(kernel.Input.Blocks)} + inputs) * 256 + channel * 16, add") + ";");
            writer.Close().Close().Close();
        }

        writer.Close().Close().Line();
    }

    /// <summary>The sums of some blocks back to nine taps, in PyTorch's order.</summary>
    private void EmitTaps()
    {
        var (side, channels) = (transform.Inputs, kernel.Input.Channels);
        writer.Line(Kernel.Attribute).Open($"private static void {writer.Own}_taps(float* sums, float* dw, int block, int blocks)");
        writer.Line("float* taps = stackalloc float[2304], halfway = stackalloc float[288];");
        writer.Open("for (int b = 0; b < blocks; b++)");
        writer.Line($"int outputs = Math.Min(16, {N(kernel.Gradient.Channels)} - (block + b) * 16);");
        writer.Open($"for (int first = 0; first < {N(channels)}; first += 16)");
        writer.Line($"int inputs = Math.Min(16, {N(channels)} - first);");
        writer.Line($"float* from = sums + b * {N(kernel.Input.Blocks * 256)} + first * 16, to = taps;");
        writer.Open("for (int channel = 0; channel < inputs; channel++, from += 16, to += 144)").Open($"for (int lane = 0; lane < 16; lane += {N(isa.Width)})");
        for (var c = 0; c < side; c++)
        {
            writer.Open("");
            for (var r = 0; r < side; r++)
            {
                writer.Line($"var s{N(r)} = {isa.Load($"from + {N((long)((r * side) + c) * kernel.SumPoint)} + lane")};");
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
        writer.Line($"float* weights = dw + ((block + b) * {N(16L * channels)} + first) * 9;");
        writer.Line($"for (int i = 0; i < inputs * 9; i += 16) Transposition.Return(taps + i * 16, Math.Min(16, inputs * 9 - i), outputs, weights + i, {N(channels * 9L)});");
        writer.Close().Close().Close().Line();
    }

    private static string[] Names(int side) => [.. Enumerable.Range(0, side).Select(i => $"s{N(i)}")];
}
