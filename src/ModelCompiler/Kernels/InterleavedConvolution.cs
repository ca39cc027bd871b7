// Convolution of small images with sixteen samples in a vector: every lane works however few channels there are, edges cost
// nothing, and weights are read as they lie in the parameter set.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <summary>Operands x, w, bias if there is one, y; w are the flat weights [out][in][rows][columns], x and y Interleaved, x with zeros
/// around it as padding asks for. Called for each sixteen samples. Stride 1, no dilation, one group, two axes.</summary>
/// <param name="Rows">Taps.</param>
/// <param name="Columns">Taps.</param>
/// <param name="Fused">Its operands come behind the bias.</param>
public sealed record InterleavedConvolutionKernel(Layout Input, Layout Output, int Rows, int Columns, int PadRows, int PadColumns, bool Bias, InterleavedFormula Fused) : Kernel
{
    public override string Comment => "convolution, sixteen samples side by side";

    public override string Choice => $"samples side by side, {InterleavedTile.Choose(Output.Channels, Output.Width, Isa.Avx512)}";

    public override string Fusion => FusionOf(Fused.Formula);

    public override string Layouts => $"{Input.Tag} -> {Output.Tag}";

    public override ImmutableArray<Operand> Operands =>
    [
        new("x", Offset: Input.Origin - (PadRows * Input.RowStride) - (PadColumns * Layout.Lanes)), new("w"),
        .. Bias ? [new Operand("bias")] : Array.Empty<Operand>(), .. Fused.Operands, new("y", Offset: Output.Origin),
    ];

    /// <summary>Rows of the output.</summary>
    public override int Units => Output.Height;

    public override long Macs => (long)Layout.Lanes * Output.Channels * Output.Height * Output.Width * Input.Channels * Rows * Columns;

    public override void Emit(KernelWriter writer, Isa isa)
    {
        var tile = InterleavedTile.Choose(Output.Channels, Output.Width, isa);
        OutputTiles.Emit(
            writer, Output.Channels, tile.Channels,
            () => $"x + unit * {writer.N("xRow", Input.RowStride)}, w + output * {writer.N("filter", Input.Channels * Rows * Columns)}, {(Bias ? "bias + output, " : "")}"
                + $"y + output * {writer.N("yChannel", Output.LaneStride)} + unit * {writer.N("yRow", Output.RowStride)}{Fused.Arguments(writer, "unit", "output")}",
            channels => EmitTile(writer, isa, tile with { Channels = channels }));
    }

    private void EmitTile(KernelWriter writer, Isa isa, InterleavedTile tile)
    {
        writer.OpenHelper($"tile{Literals.Int(tile.Channels)}", $"float* x, float* w, {(Bias ? "float* bias, " : "")}float* y{Fused.Parameters}");
        writer.Open($"for (int part = 0; part < 16; part += {Literals.Int(isa.Width)})");
        tile.OpenColumns(writer, Output.Width);
        var columns = Enumerable.Range(0, tile.Columns).ToList();
        for (var o = 0; o < tile.Channels; o++)
        {
            var first = InterleavedTile.Sum(o, 0);
            writer.Line($"{isa.Type} {first} = {(Bias ? isa.Broadcast($"bias[{Literals.Int(o)}]") : $"{isa.Type}.Zero")}{string.Concat(columns.Skip(1).Select(t => $", {InterleavedTile.Sum(o, t)} = {first}"))};");
        }

        writer.Line($"{isa.Type} b;").Line("float* u = w, xc = x + column * 16 + part;");
        writer.Open($"for (int channel = 0; channel < {writer.N("inputs", Input.Channels)}; channel++, xc += {writer.N("xChannel", Input.LaneStride)})").Line("float* xr = xc;");
        writer.Open($"for (int tapRow = 0; tapRow < {writer.N("tapRows", Rows)}; tapRow++, xr += {writer.N("xRow", Input.RowStride)})").Line("float* xt = xr;");
        writer.Open($"for (int tapColumn = 0; tapColumn < {writer.N("tapColumns", Columns)}; tapColumn++, xt += 16, u++)");
        foreach (var t in columns)
        {
            writer.Line($"var v{Literals.Int(t)} = {isa.Load($"xt + {Literals.Int(t * 16)}")};");
        }

        for (var o = 0; o < tile.Channels; o++)
        {
            writer.Line($"b = {isa.Broadcast(o == 0 ? "*u" : $"u[{Literals.Int(o)} * {writer.N("filter", Input.Channels * Rows * Columns)}]")}; "
                + string.Join(" ", columns.Select(t => $"{InterleavedTile.Sum(o, t)} = {isa.Fma("b", $"v{Literals.Int(t)}", InterleavedTile.Sum(o, t))};")));
        }

        writer.Close().Close().Close();
        tile.EmitStores(writer, isa, "y", writer.N("yChannel", Output.LaneStride), Fused);
        writer.Close().Close().Close().Line();
    }
}

/// <summary>Channels x columns of sixteen samples whose sums are registers, with a weight and a vector of each column.</summary>
internal readonly record struct InterleavedTile(int Channels, int Columns)
{
    private const int MostChannels = 8;

    public override string ToString() => FormattableString.Invariant($"{Channels}x{Columns}");

    public static string Sum(int channel, int column) => FormattableString.Invariant($"a{channel}_{column}");

    /// <summary>The cheapest by a count of cycles: two multiply-adds and two loads a cycle, four cycles of latency.</summary>
    public static InterleavedTile Choose(int channels, int columns, Isa isa, bool holdsColumns = true)
    {
        var (best, bestCost) = (new InterleavedTile(1, 1), double.MaxValue);
        for (var c = 1; c <= Math.Min(channels, MostChannels); c++)
        {
            for (var t = 1; t <= columns && (c * t) + (holdsColumns ? t + 1 : c + 1) <= isa.Registers; t++)
            {
                double Cycles(int count) => Math.Max(Math.Max(count * t, count + t) / 2.0, 4) + 1;
                var cost = Rounding.Ceiling(columns, t) * ((channels / c * Cycles(c)) + (channels % c == 0 ? 0 : Cycles(channels % c)));
                if (cost < bestCost * 0.999)
                {
                    (best, bestCost) = (new InterleavedTile(c, t), cost);
                }
            }
        }

        return best;
    }

    /// <summary>A loop over the tiles of a row; the last is moved back over columns that are done.</summary>
    public void OpenColumns(KernelWriter writer, int width)
    {
        var columns = writer.N("columns", width);
        writer.Open($"for (int c = 0; c < {columns}; c += {Literals.Int(Columns)})").Line($"int column = {(Columns == 1 ? "c" : $"Math.Min(c, {columns} - {Literals.Int(Columns)})")};");
    }

    public void EmitStores(KernelWriter writer, Isa isa, string operand, string channelStride, InterleavedFormula fused)
    {
        writer.Line($"float* to = {operand} + column * 16 + part;");
        fused.Begin(writer);
        for (var c = 0; c < Channels; c++)
        {
            for (var t = 0; t < Columns; t++)
            {
                writer.Line(isa.Store($"to + {Literals.Int(t * 16)}", fused.Of(writer, isa, Sum(c, t), t)));
            }

            if (c + 1 < Channels)
            {
                writer.Line($"to += {channelStride};");
                fused.Next(writer);
            }
        }
    }
}
