// Convolution of few outputs with neighbouring columns in a vector: in blocks of 16 channels a first layer of 6 outputs would leave more than
// half of every vector empty. The maximum over 2x2 places is taken while the sums are in registers.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Graph;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <summary>Operands x, w, bias if there is one, y; w are the flat weights [out][in][rows][columns], x and y Planar, x with zeros around it as
/// padding asks for. Stride 1, no dilation, one group, two axes, at least 16 columns of sums.</summary>
/// <param name="Rows">Taps.</param>
/// <param name="Columns">Taps.</param>
/// <param name="Formula">Of the sum with bias, input 0; null for the sum itself.</param>
/// <param name="Pooled">Whether y holds the maxima of windows of 2x2 that do not overlap; a last row or column that fills no window is left out.</param>
public sealed record PlanarConvolutionKernel(
    Layout Input, Layout Output, int Rows, int Columns, int PadRows, int PadColumns, bool Bias, Expression? Formula, bool Pooled) : Kernel
{
    private int Scale => Pooled ? 2 : 1;

    /// <summary>Columns of sums.</summary>
    private int Width => Output.Width * Scale;

    public override string Comment => $"convolution, columns side by side{(Pooled ? ", then the maximum over 2x2" : "")}" + (Formula is null ? "" : "; fused: " + Fusion);

    public override string Choice => $"columns side by side, {PlanarTile.Choose(Output.Channels, Scale, Width, Isa.Avx512)}";

    public override string Fusion => FusionOf(Formula, Pooled ? "maxpool 2x2" : "");

    public override string Layouts => $"{Input.Tag} -> {Output.Tag}";

    public override ImmutableArray<Operand> Operands =>
    [
        new("x", Offset: Input.Origin - (PadRows * Input.RowStride) - PadColumns), new("w"),
        .. Bias ? [new Operand("bias")] : Array.Empty<Operand>(), new("y", Offset: Output.Origin),
    ];

    /// <summary>Rows of y.</summary>
    public override int Units => Output.Height;

    public override long Macs => (long)Output.Channels * Output.Height * Scale * Width * Input.Channels * Rows * Columns;

    /// <summary>Whether it can compute so many columns, and fills vectors better than blocks of 16 outputs do.</summary>
    public static bool Pays(int outputs, int columns) =>
        columns >= Layout.Lanes && 1.25 * outputs * Rounding.Ceiling(columns, Layout.Lanes) <= (double)Rounding.Ceiling(outputs, Layout.Lanes) * columns;

    public override void Emit(KernelWriter writer, Isa isa)
    {
        var tile = PlanarTile.Choose(Output.Channels, Scale, Width, isa);
        OutputTiles.Emit(
            writer, Output.Channels, tile.Channels,
            () => $"x + unit * {writer.N("xUnit", Scale * Input.RowStride)}, w + output * {writer.N("filter", Input.Channels * Rows * Columns)}, {(Bias ? "bias + output, " : "")}"
                + $"y + output * {writer.N("yChannel", Output.LaneStride)} + unit * {writer.N("yRow", Output.RowStride)}",
            channels => EmitTile(writer, isa, tile with { Channels = channels }));
    }

    private void EmitTile(KernelWriter writer, Isa isa, PlanarTile tile)
    {
        writer.OpenHelper($"tile{Literals.Int(tile.Channels)}", $"float* x, float* w, {(Bias ? "float* bias, " : "")}float* y");

        // The last tile is moved back over columns that are done: it stores the same numbers again.
        var span = tile.Vectors * isa.Width;
        writer.Open($"for (int c = 0; c < {writer.N("columns", Width)}; c += {Literals.Int(span)})").Line($"int column = Math.Min(c, columns - {Literals.Int(span)});");
        var places = (from r in Enumerable.Range(0, tile.Rows) from v in Enumerable.Range(0, tile.Vectors) select (Row: r, Vector: v)).ToList();
        static string Sum(int output, (int Row, int Vector) at) => FormattableString.Invariant($"a{output}_{at.Row}_{at.Vector}");
        static string Value((int Row, int Vector) at) => FormattableString.Invariant($"v{at.Row}_{at.Vector}");
        for (var o = 0; o < tile.Channels; o++)
        {
            var first = Sum(o, places[0]);
            writer.Line($"{isa.Type} {first} = {(Bias ? isa.Broadcast($"bias[{Literals.Int(o)}]") : $"{isa.Type}.Zero")}{string.Concat(places.Skip(1).Select(at => $", {Sum(o, at)} = {first}"))};");
        }

        writer.Line($"{isa.Type} b;").Line("float* u = w, xc = x + column;");
        writer.Open($"for (int channel = 0; channel < {writer.N("inputs", Input.Channels)}; channel++, xc += {writer.N("xChannel", Input.LaneStride)})").Line("float* xr = xc;");
        writer.Open($"for (int tapRow = 0; tapRow < {writer.N("tapRows", Rows)}; tapRow++, xr += {writer.N("xRow", Input.RowStride)})").Line("float* xt = xr;");
        writer.Open($"for (int tapColumn = 0; tapColumn < {writer.N("tapColumns", Columns)}; tapColumn++, xt++, u++)");
        foreach (var at in places)
        {
            writer.Line($"var {Value(at)} = {isa.Load($"xt{(at.Row == 0 ? "" : " + xRow")} + {Literals.Int(at.Vector * isa.Width)}")};");
        }

        for (var o = 0; o < tile.Channels; o++)
        {
            writer.Line($"b = {isa.Broadcast(o == 0 ? "*u" : $"u[{Literals.Int(o)} * {writer.N("filter", Input.Channels * Rows * Columns)}]")}; "
                + string.Join(" ", places.Select(at => $"{Sum(o, at)} = {isa.Fma("b", Value(at), Sum(o, at))};")));
        }

        writer.Close().Close().Close();
        writer.Line($"float* to = y + column{(Pooled ? " / 2" : "")};");
        for (var o = 0; o < tile.Channels; o++)
        {
            foreach (var at in places)
            {
                EmitFormula(writer, isa, Sum(o, at));
            }

            for (var v = 0; v < tile.Vectors; v++)
            {
                if (Pooled)
                {
                    EmitMaximum(writer, isa, Sum(o, (0, v)), Sum(o, (1, v)), v * isa.Width / 2);
                }
                else
                {
                    writer.Line(isa.Store($"to + {Literals.Int(v * isa.Width)}", Sum(o, (0, v))));
                }
            }

            if (o + 1 < tile.Channels)
            {
                writer.Line($"to += {writer.N("yChannel", Output.LaneStride)};");
            }
        }

        writer.Close().Close().Line();
    }

    private void EmitFormula(SourceWriter writer, Isa isa, string sum)
    {
        if (Formula is not null)
        {
            writer.Line($"{sum} = {new FormulaEmitter(isa, Formula).ApplyOne(writer, _ => sum, "_" + sum)};");
        }
    }

    /// <summary>Half a vector: the maxima of neighbours in two rows.</summary>
    private static void EmitMaximum(SourceWriter writer, Isa isa, string upper, string lower, int offset)
    {
        writer.Line($"{upper} = {isa.Static}.Max({upper}, {lower});");
        if (isa == Isa.Vector128)
        {
            writer.Line($"{upper} = Vector128.Max({upper}, Vector128.Shuffle({upper}, Vector128.Create(1, 0, 3, 2)));")
                .Line($"to[{Literals.Int(offset)}] = {upper}.ToScalar(); to[{Literals.Int(offset + 1)}] = {upper}.GetElement(2);");
            return;
        }

        var half = isa == Isa.Avx512 ? "Vector256" : "Vector128";
        var order = Enumerable.Range(0, isa.Width).Select(i => Literals.Int(i < isa.Width / 2 ? 2 * i : (2 * i) - isa.Width + 1));
        writer.Line($"{upper} = {isa.Static}.Shuffle({upper}, {isa.Static}.Create({string.Join(", ", order)}));")
            .Line($"*({half}<float>*)(to + {Literals.Int(offset)}) = {half}.Max({upper}.GetLower(), {upper}.GetUpper());");
    }
}

/// <summary>Outputs x rows x vectors of columns whose sums are registers, with a weight and a vector of each place.</summary>
internal readonly record struct PlanarTile(int Channels, int Rows, int Vectors)
{
    private const int MostChannels = 8;
    private const int MostVectors = 4;

    public override string ToString() => FormattableString.Invariant($"{Channels}x{Rows}x{Vectors * 16}");

    /// <summary>The cheapest by a count of cycles: two multiply-adds and two loads a cycle, vectors of columns crossing lines of the cache, four cycles of latency.</summary>
    public static PlanarTile Choose(int channels, int rows, int columns, Isa isa)
    {
        var (best, bestCost) = (new PlanarTile(1, rows, 1), double.MaxValue);
        for (var c = 1; c <= Math.Min(channels, MostChannels); c++)
        {
            for (var v = 1; v <= MostVectors && v * isa.Width <= columns && (c + 1) * rows * v < isa.Registers; v++)
            {
                double Cycles(int count) => Math.Max(Math.Max(count * rows * v, count + (2 * rows * v)) / 2.0, 4) + 1;
                var cost = Rounding.Ceiling(columns, v * isa.Width) * ((channels / c * Cycles(c)) + (channels % c == 0 ? 0 : Cycles(channels % c)));
                if (cost < bestCost * 0.999)
                {
                    (best, bestCost) = (new PlanarTile(c, rows, v), cost);
                }
            }
        }

        return best;
    }
}
