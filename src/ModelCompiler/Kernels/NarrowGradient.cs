// The data gradient of a convolution whose input has few channels: blocks of 16 channels would be mostly air, so sixteen
// samples lie side by side in a vector instead. The output's gradient is transposed on the way in, the result on the way out.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <summary>Operands dy, w, dx, scratch: dy and dx Blocked, w the flat weights [out][in][rows][columns]. Stride 1, no dilation, one
/// group, two axes.</summary>
/// <param name="Rows">Taps.</param>
/// <param name="Columns">Taps.</param>
/// <param name="PadRows">Zeros before the first row of the input.</param>
/// <param name="PadColumns">Zeros before the first column.</param>
public sealed record NarrowGradientKernel(Layout OutputGradient, Layout InputGradient, int Rows, int Columns, int PadRows, int PadColumns) : Kernel
{
    /// <summary>With more channels than this, blocks of channels waste less.</summary>
    public const int MostChannels = 8;

    /// <summary>Transposed gradients should stay in the second-level cache.</summary>
    public const int MostScratch = 160 * 1024;

    public override string Name => FormattableString.Invariant($"NarrowGradient_{OutputGradient.Tag}_{InputGradient.Tag}_k{Rows}x{Columns}p{PadRows}x{PadColumns}");

    public override string Comment => FormattableString.Invariant(
        $"dx[{InputGradient.Tag}] = data gradient of a convolution by {Rows}x{Columns}, for dy[{OutputGradient.Tag}]; sixteen samples side by side");

    public override KernelScope Scope => KernelScope.Batch;

    public override ImmutableArray<Operand> Operands { get; } = [new("dy"), new("w"), new("dx"), new("scratch")];

    public override int ReadOperands => 2;

    /// <summary>Parts of the groups of sixteen samples.</summary>
    public override int Units => 8;

    /// <summary>[row][column, with zeros beside the plane][channel][16 samples].</summary>
    public int ScratchFloats => checked(OutputGradient.Height * RowFloats);

    /// <summary>Columns of the output's gradient that the first column of the input's reaches beyond it.</summary>
    internal int Before => Math.Max(0, Columns - 1 - PadColumns);

    internal int RowFloats => (Before + OutputGradient.Width + Math.Max(0, InputGradient.Width - 1 + PadColumns - (OutputGradient.Width - 1))) * PlaceFloats;

    internal int PlaceFloats => OutputGradient.Blocks * Layout.Lanes * Layout.Lanes;

    public override void Emit(KernelWriter writer, Isa isa) => new NarrowGradientEmitter(this, writer, isa).Emit();
}

internal sealed class NarrowGradientEmitter(NarrowGradientKernel kernel, KernelWriter writer, Isa isa)
{
    private readonly int channels = kernel.InputGradient.Channels;
    private readonly int taps = kernel.Rows * kernel.Columns;

    /// <summary>Neighbouring columns whose sums fit the registers, with a vector of each and a weight.</summary>
    private int Tile => Math.Max(1, Math.Min(kernel.InputGradient.Width, (isa.Registers - 2) / (channels + 1)));

    public void Emit()
    {
        var (dy, dx) = (kernel.OutputGradient, kernel.InputGradient);
        writer.OpenMethod();
        writer.Line($"int groups = (batch + 15) / 16, last = groups * end / {N(kernel.Units)};");
        writer.Open($"for (int group = groups * begin / {N(kernel.Units)}; group < last; group++)");
        writer.Line("int samples = Math.Min(16, batch - group * 16);");
        writer.Line($"{kernel.Name}_turn(dy + group * 16 * dyStride + {N(dy.Origin)}, dyStride, samples, scratch);");
        writer.Open($"for (int row = 0; row < {N(dx.Height)}; row++)");
        writer.Line($"int tap = Math.Max(0, row + {N(kernel.PadRows - (dy.Height - 1))}), taps = Math.Min({N(kernel.Rows - 1)}, row + {N(kernel.PadRows)}) + 1 - tap;");
        writer.Line($"float* from = scratch + (row + {N(kernel.PadRows)} - tap) * {N(kernel.RowFloats)}, to = dx + group * 16 * dxStride + {N(dx.Origin)} + row * {N(dx.RowStride)};");
        writer.Open($"for (int tile = 0; tile < {N(dx.Width)}; tile += {N(Tile)})");
        writer.Line($"int column = Math.Min(tile, {N(dx.Width - Tile)});");
        writer.Line($"{kernel.Name}_tile(from + (column + {N(kernel.Before + kernel.PadColumns)}) * {N(kernel.PlaceFloats)}, w + tap * {N(kernel.Columns)}, taps, samples, to + column * {N(Layout.Lanes)}, dxStride);");
        writer.Close().Close().Close().Close().Line();
        EmitTurn();
        EmitTile();
    }

    private static string N(long value) => Literals.Int(value);

    private void EmitTurn()
    {
        var dy = kernel.OutputGradient;
        writer.Open(Kernel.Helper($"{kernel.Name}_turn", "float* dy, long dyStride, int samples, float* to"));
        writer.Line($"new Span<float>(to, {N(kernel.ScratchFloats)}).Clear();");
        writer.Open($"for (int row = 0; row < {N(dy.Height)}; row++)").Open($"for (int column = 0; column < {N(dy.Width)}; column++)").Open($"for (int block = 0; block < {N(dy.Blocks)}; block++)");
        writer.Line($"Transposition.Turn(dy + block * {N(dy.BlockStride)} + row * {N(dy.RowStride)} + column * {N(dy.ColumnStride)}, dyStride, samples, Math.Min(16, {N(dy.Channels)} - block * 16), "
            + $"to + row * {N(kernel.RowFloats)} + (column + {N(kernel.Before)}) * {N(kernel.PlaceFloats)} + block * 256);");
        writer.Close().Close().Close().Close().Line();
    }

    private void EmitTile()
    {
        var (width, height) = (Tile, kernel.OutputGradient.Channels);
        var sums = (from i in Enumerable.Range(0, channels) from t in Enumerable.Range(0, width) select $"a{N(i)}_{N(t)}").ToList();
        writer.Line("// Where the taps end is known for rows; columns find zeros.");
        writer.Open(Kernel.Helper($"{kernel.Name}_tile", "float* dy, float* w, int taps, int samples, float* dx, long dxStride"));
        writer.Line($"float* turned = stackalloc float[{N(width * 256)}];");
        writer.Open($"for (int part = 0; part < {N(Layout.Lanes)}; part += {N(isa.Width)})");
        writer.Line($"{isa.Type} b, {string.Join(", ", sums.Select(s => $"{s} = {isa.Type}.Zero"))};");
        writer.Open("for (int tapRow = 0; tapRow < taps; tapRow++)").Open($"for (int tapColumn = 0; tapColumn < {N(kernel.Columns)}; tapColumn++)");
        writer.Line($"float* v = dy + part - tapRow * {N(kernel.RowFloats)} - tapColumn * {N(kernel.PlaceFloats)}, u = w + tapRow * {N(kernel.Columns)} + tapColumn;");
        writer.Open($"for (int output = 0; output < {N(height)}; output++, v += 16, u += {N(channels * taps)})");
        for (var t = 0; t < width; t++)
        {
            writer.Line($"var g{N(t)} = {isa.Load($"v + {N(t * kernel.PlaceFloats)}")};");
        }

        for (var i = 0; i < channels; i++)
        {
            var products = Enumerable.Range(0, width).Select(t => $"a{N(i)}_{N(t)} = {isa.Fma("b", $"g{N(t)}", $"a{N(i)}_{N(t)}")};");
            writer.Line($"b = {isa.Broadcast($"u[{N(i * taps)}]")}; {string.Join(" ", products)}");
        }

        writer.Close().Close().Close();
        for (var i = 0; i < channels; i++)
        {
            for (var t = 0; t < width; t++)
            {
                writer.Line(isa.Store($"turned + {N((t * 256) + (i * 16))} + part", $"a{N(i)}_{N(t)}"));
            }
        }

        writer.Close();
        writer.Line("// Lanes beyond the last channel take what lies there: zeros.");
        writer.Line($"for (int t = 0; t < {N(width)}; t++) Transposition.Return(turned + t * 256, 16, samples, dx + t * 16, dxStride);");
        writer.Close().Line();
    }
}
