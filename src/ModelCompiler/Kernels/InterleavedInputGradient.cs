// The data gradient of a convolution with sixteen samples in a vector. Small planes are mostly edge, so taps that reach beyond the
// plane are left out, of rows by the bounds of a loop, of columns in the code of the tile.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <summary>Operands dy, w, dx; w are the flat weights [out][in][rows][columns], dy and dx Interleaved. Called for each sixteen samples.
/// Stride 1, no dilation, one group, two axes.</summary>
/// <param name="Rows">Taps.</param>
/// <param name="Columns">Taps.</param>
/// <param name="Fused">Its operands come behind w.</param>
public sealed record InterleavedInputGradientKernel(Layout OutputGradient, Layout InputGradient, int Rows, int Columns, int PadRows, int PadColumns, InterleavedFormula Fused) : Kernel
{
    public override string Comment => "data gradient of a convolution, sixteen samples side by side";

    public override string Choice => $"samples side by side, {TileOf(Isa.Avx512)}";

    public override string Fusion => FusionOf(Fused.Formula);

    public override string Layouts => $"{OutputGradient.Tag} -> {InputGradient.Tag}";

    public override ImmutableArray<Operand> Operands => [new("dy", Offset: OutputGradient.Origin), new("w"), .. Fused.Operands, new("dx", Offset: InputGradient.Origin)];

    /// <summary>Rows of the input's gradient.</summary>
    public override int Units => InputGradient.Height;

    public override long Macs => (long)Layout.Lanes * OutputGradient.Channels * OutputGradient.Height * OutputGradient.Width * InputGradient.Channels * Rows * Columns;

    public override void Emit(KernelWriter writer, Isa isa)
    {
        var tile = TileOf(isa);
        var rest = InputGradient.Channels % tile.Channels;
        writer.OpenMethod();
        writer.OpenUnits();
        writer.Line($"int tap = Math.Max(0, unit + {writer.N("padRows", PadRows)} - {writer.N("lastRow", OutputGradient.Height - 1)});");
        writer.Line($"int taps = Math.Min({writer.N("lastTap", Rows - 1)}, unit + {writer.N("padRows", PadRows)}) + 1 - tap;");
        writer.Line($"float* from = dy + (unit + {writer.N("padRows", PadRows)} - tap) * {writer.N("dyRow", OutputGradient.RowStride)};");
        writer.Line($"float* to = dx + unit * {writer.N("dxRow", InputGradient.RowStride)};");
        writer.Line($"float* u = w + tap * {Literals.Int(Columns)};");
        writer.Open($"for (int channel = 0; channel < {writer.N("channels", InputGradient.Channels)}; channel += {Literals.Int(tile.Channels)}, to += {Literals.Int(tile.Channels)} * {writer.N("dxChannel", InputGradient.LaneStride)}, "
            + $"u += {Literals.Int(tile.Channels)} * {writer.N("taps2", Rows * Columns)})");
        if (rest > 0)
        {
            writer.Open($"if (channel + {Literals.Int(tile.Channels)} > {writer.N("channels", InputGradient.Channels)})");
            EmitCalls(writer, tile with { Channels = rest });
            writer.Line("break;").Close();
        }

        EmitCalls(writer, tile);
        writer.Close().Close().Close().Line();
        foreach (var t in rest == 0 ? new[] { tile } : [tile, tile with { Channels = rest }])
        {
            foreach (var start in Starts(tile))
            {
                EmitTile(writer, isa, t, start);
            }
        }
    }

    private InterleavedTile TileOf(Isa isa) => InterleavedTile.Choose(InputGradient.Channels, InputGradient.Width, isa, holdsColumns: false);

    /// <summary>First columns of the tiles, those with the same taps inside only once.</summary>
    private IEnumerable<int> Starts(InterleavedTile tile) => AllStarts(tile).GroupBy(s => Pattern(tile, s)).Select(g => g.First());

    private IEnumerable<int> AllStarts(InterleavedTile tile) =>
        Enumerable.Range(0, Rounding.Ceiling(InputGradient.Width, tile.Columns)).Select(i => Math.Min(i * tile.Columns, InputGradient.Width - tile.Columns));

    private string Pattern(InterleavedTile tile, int start) => string.Concat(
        from t in Enumerable.Range(0, tile.Columns) from k in Enumerable.Range(0, Columns) select IsInside(start + t, k) ? '1' : '0');

    private bool IsInside(int column, int tap) => column + PadColumns - tap is var d && d >= 0 && d < OutputGradient.Width;

    private static string Suffix(InterleavedTile tile, int start) => FormattableString.Invariant($"tile{tile.Channels}at{start}");

    private void EmitCalls(KernelWriter writer, InterleavedTile tile)
    {
        var code = Starts(tile).ToDictionary(s => Pattern(tile, s));
        foreach (var start in AllStarts(tile))
        {
            var at = Literals.Plus(start * 16);
            writer.Line(writer.Call(Suffix(tile, code[Pattern(tile, start)]), $"from{at}, u, taps, to{at}{Fused.Arguments(writer, "unit", "channel", start)}") + ";");
        }
    }

    /// <summary>The pointers are those of the tile's first column, which may have no element in dy.</summary>
    private void EmitTile(KernelWriter writer, Isa isa, InterleavedTile tile, int start)
    {
        writer.OpenHelper(Suffix(tile, start), $"float* dy, float* w, int taps, float* dx{Fused.Parameters}");
        writer.Open($"for (int part = 0; part < 16; part += {Literals.Int(isa.Width)})");
        writer.Line("const int column = 0;");
        for (var c = 0; c < tile.Channels; c++)
        {
            writer.Line($"{isa.Type} {string.Join(", ", Enumerable.Range(0, tile.Columns).Select(t => $"{InterleavedTile.Sum(c, t)} = {isa.Type}.Zero"))};");
        }

        writer.Open("for (int tapRow = 0; tapRow < taps; tapRow++)");
        writer.Line($"float* u = w + tapRow * {Literals.Int(Columns)}, v = dy + part - tapRow * {writer.N("dyRow", OutputGradient.RowStride)};");
        writer.Open($"for (int output = 0; output < {writer.N("outputs", OutputGradient.Channels)}; output++, v += {writer.N("dyChannel", OutputGradient.LaneStride)}, u += {writer.N("filter", InputGradient.Channels * Rows * Columns)})");
        for (var k = 0; k < Columns; k++)
        {
            var inside = Enumerable.Range(0, tile.Columns).Where(t => IsInside(start + t, k)).ToList();
            if (inside.Count == 0)
            {
                continue;
            }

            for (var c = 0; c < tile.Channels; c++)
            {
                writer.Line($"var b{Literals.Int(c)}_{Literals.Int(k)} = {isa.Broadcast($"u[{(c == 0 ? "" : $"{Literals.Int(c)} * {writer.N("taps2", Rows * Columns)} + ")}{Literals.Int(k)}]")};");
            }

            foreach (var t in inside)
            {
                var g = $"g{Literals.Int(k)}_{Literals.Int(t)}";
                writer.Line($"var {g} = {isa.Load($"v + {Literals.Int((t + PadColumns - k) * 16)}")}; "
                    + string.Join(" ", Enumerable.Range(0, tile.Channels).Select(c => $"{InterleavedTile.Sum(c, t)} = {isa.Fma($"b{Literals.Int(c)}_{Literals.Int(k)}", g, InterleavedTile.Sum(c, t))};")));
            }
        }

        writer.Close().Close();
        tile.EmitStores(writer, isa, "dx", writer.N("dxChannel", InputGradient.LaneStride), Fused);
        writer.Close().Close().Line();
    }
}
