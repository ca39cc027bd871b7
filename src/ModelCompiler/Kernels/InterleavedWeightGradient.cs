// The weight gradient of a convolution with sixteen samples in a vector: for some outputs and one input channel the sums of all taps
// are registers while all positions of all samples pass by; the lanes are added at the end. Nothing is packed, and nothing is joined.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <summary>Operands x, dy, dw: x and dy Interleaved, x with zeros around it as padding asks for; dw flat [out][in][rows][columns], summed over the
/// batch, or the part that each sample has in it. Stride 1, no dilation, one group, two axes.</summary>
/// <param name="ByGroup">Called for each sixteen samples, while what they come with is in the cache; dw is Interleaved, all weights channels, and for
/// <see cref="InterleavedSumKernel"/> to add.</param>
/// <param name="Rows">Taps.</param>
/// <param name="Columns">Taps, at most <see cref="MostColumns"/>.</param>
public sealed record InterleavedWeightGradientKernel(Layout Input, Layout OutputGradient, int Rows, int Columns, int PadRows, int PadColumns, bool ByGroup = false) : Kernel
{
    /// <summary>The taps of a row are registers, on every instruction set.</summary>
    public const int MostColumns = 7;

    private const int MostOutputs = 4;

    /// <summary>Positions whose products take so much longer than it takes to store a weight's sums for each group that it does not matter.</summary>
    private const int ManyPositions = 256;

    public static bool IsByGroup(Layout gradient) => gradient.Height * gradient.Width >= ManyPositions;

    public override string Comment => "weight gradient of a convolution, sixteen samples side by side";

    public override string Choice => FormattableString.Invariant($"samples side by side, {Outputs}x{TileOf(Isa.Avx512).Rows}x{Columns}");

    public override string Layouts => $"{Input.Tag}, {OutputGradient.Tag}";

    public override KernelScope Scope => ByGroup ? KernelScope.Sample : KernelScope.Batch;

    public override ImmutableArray<Operand> Operands =>
    [
        new("x", Offset: Input.Origin - (PadRows * Input.RowStride) - (PadColumns * Layout.Lanes)), new("g", Offset: OutputGradient.Origin), new("dw"),
    ];

    /// <summary>Input channels times tiles of outputs.</summary>
    public override int Units => Input.Channels * Rounding.Ceiling(OutputGradient.Channels, Outputs);

    public override long Macs => (long)OutputGradient.Channels * OutputGradient.Height * OutputGradient.Width * Input.Channels * Rows * Columns;

    /// <summary>Of a unit.</summary>
    private int Outputs => Math.Min(OutputGradient.Channels, Math.Max(1, Math.Min(MostOutputs, (Isa.Avx512.Registers - 2) / ((Rows * Columns) + 1))));

    public override void Emit(KernelWriter writer, Isa isa)
    {
        var rest = OutputGradient.Channels % Outputs;
        writer.OpenMethod();
        writer.OpenUnits();
        writer.Line($"int channel = unit / {writer.N("outputTiles", Rounding.Ceiling(OutputGradient.Channels, Outputs))}, output = unit % {writer.N("outputTiles", Rounding.Ceiling(OutputGradient.Channels, Outputs))} * {Literals.Int(Outputs)};");
        writer.Line($"float* xs = x + channel * {writer.N("xChannel", Input.LaneStride)}, gs = g + output * {writer.N("gChannel", OutputGradient.LaneStride)};");
        writer.Line($"float* into = dw + {Weight(writer, "output", "channel")};");
        var tiles = new SortedSet<(int Outputs, int Rows)>();
        if (rest > 0)
        {
            writer.Open($"if (output + {Literals.Int(Outputs)} > {writer.N("outputs", OutputGradient.Channels)})");
            EmitCalls(writer, isa, rest, tiles);
            writer.Line("continue;").Close();
        }

        EmitCalls(writer, isa, Outputs, tiles);
        writer.Close().Close().Line();
        foreach (var (outputs, rows) in tiles)
        {
            EmitTile(writer, isa, outputs, rows);
        }
    }

    /// <summary>Outputs and rows of taps whose sums fit the registers, with a gradient for each output and an input.</summary>
    private (int Outputs, int Rows) TileOf(Isa isa)
    {
        var outputs = isa == Isa.Avx512 ? Outputs : 1;
        return (outputs, Math.Max(1, Math.Min(Rows, (isa.Registers - 1 - outputs) / (outputs * Columns))));
    }

    private void EmitCalls(KernelWriter writer, Isa isa, int outputs, SortedSet<(int Outputs, int Rows)> tiles)
    {
        var tile = TileOf(isa);
        for (var o = 0; o < outputs; o += tile.Outputs)
        {
            for (var r = 0; r < Rows; r += tile.Rows)
            {
                var part = (Outputs: Math.Min(tile.Outputs, outputs - o), Rows: Math.Min(tile.Rows, Rows - r));
                tiles.Add(part);
                var x = r == 0 ? "xs" : $"xs + {Literals.Int(r)} * {writer.N("xRow", Input.RowStride)}";
                var g = o == 0 ? "gs" : $"gs + {Literals.Int(o)} * {writer.N("gChannel", OutputGradient.LaneStride)}";
                var into = "into" + (o == 0 ? "" : $" + {Weight(writer, Literals.Int(o), "0")}") + (r == 0 ? "" : $" + {Literals.Int(r * Columns * WeightFloats)}");
                writer.Line(writer.Call(Suffix(part), ByGroup ? $"{x}, {g}, {into}" : $"{x}, xStride, {g}, gStride, batch, {into}") + ";");
            }
        }
    }

    private int WeightFloats => ByGroup ? Layout.Lanes : 1;

    /// <summary>Floats from the first weight to the first tap of others.</summary>
    private string Weight(KernelWriter writer, string output, string input) =>
        $"({output} * {writer.N("inputs", Input.Channels)} + {input}) * {writer.N("filter", Rows * Columns)}{(ByGroup ? " * 16" : "")}";

    /// <summary>With one column at a time every product would wait for a load of its own: two loads and two products are what a cycle has. Two columns share theirs.</summary>
    private static int ColumnsTogether(Isa isa, int outputs, int sums) => outputs == 1 && sums + 4 <= isa.Registers ? 2 : 1;

    private static string Suffix((int Outputs, int Rows) tile) => FormattableString.Invariant($"tile{tile.Outputs}x{tile.Rows}");

    /// <summary>The helper for some outputs and rows of taps.</summary>
    private void EmitTile(KernelWriter writer, Isa isa, int outputs, int rows)
    {
        Sum[] sums = [.. from o in Enumerable.Range(0, outputs) from r in Enumerable.Range(0, rows) from c in Enumerable.Range(0, Columns) select new Sum(o, r, c)];
        if (ByGroup)
        {
            writer.OpenHelper(Suffix((outputs, rows)), "float* x, float* g, float* dw");
            OpenPart(writer, isa, sums);
            writer.Line("float* xr = x + part, gr = g + part;");
            EmitPlane(writer, isa, outputs, rows);
            foreach (var sum in sums)
            {
                writer.Line(isa.Store($"dw + {Weight(writer, Literals.Int(sum.Output), "0")} + {Literals.Int(((sum.Row * Columns) + sum.Column) * 16)} + part", sum.Name));
            }

            writer.Close().Close().Line();
            return;
        }

        writer.OpenHelper(Suffix((outputs, rows)), "float* x, long xStride, float* g, long gStride, int batch, float* dw");
        writer.Line($"float* sums = stackalloc float[{Literals.Int(sums.Length * 16)}];");
        OpenPart(writer, isa, sums);
        InterleavedSumKernel.OpenGroups(writer);
        writer.Line("float* xr = x + group * xStride + part, gr = g + group * gStride + part;");
        EmitPlane(writer, isa, outputs, rows);
        InterleavedSumKernel.CloseGroups(writer, isa, sums.Select(s => s.Name));
        for (var i = 0; i < sums.Length; i++)
        {
            writer.Line(isa.Store($"sums + {Literals.Int(i * 16)} + part", sums[i].Name));
        }

        writer.Close();
        for (var o = 0; o < outputs; o++)
        {
            writer.Line($"SampleLanes.Add(sums + {Literals.Int(o * rows * Columns * 16)}, {Literals.Int(rows * Columns)}, dw + {Weight(writer, Literals.Int(o), "0")});");
        }

        writer.Close().Line();
    }

    /// <summary>A loop over the vectors of sixteen samples, with all sums at zero.</summary>
    private static void OpenPart(KernelWriter writer, Isa isa, IEnumerable<Sum> sums)
    {
        writer.Open($"for (int part = 0; part < 16; part += {Literals.Int(isa.Width)})");
        foreach (var row in sums.GroupBy(s => (s.Output, s.Row)))
        {
            writer.Line($"{isa.Type} {string.Join(", ", row.Select(s => $"{s.Name} = {isa.Type}.Zero"))};");
        }
    }

    /// <summary>All places of a group pass by, from xr and gr on.</summary>
    private void EmitPlane(KernelWriter writer, Isa isa, int outputs, int rows)
    {
        writer.Open($"for (int row = 0; row < {writer.N("rows", OutputGradient.Height)}; row++, xr += {writer.N("xRow", Input.RowStride)}, gr += {writer.N("gRow", OutputGradient.RowStride)})");
        writer.Line("float* xc = xr, gc = gr;");
        var together = ColumnsTogether(isa, outputs, outputs * rows * Columns);
        if (together > 1)
        {
            writer.Line("int column = 0;").Open($"for (; column <= {writer.N("columns", OutputGradient.Width)} - {Literals.Int(together)}; column += {Literals.Int(together)}, xc += {Literals.Int(16 * together)}, gc += {Literals.Int(16 * together)})");
            EmitProducts(writer, isa, outputs, rows, together);
            writer.Close();
        }

        writer.Open($"for ({(together > 1 ? "" : "int column = 0")}; column < {writer.N("columns", OutputGradient.Width)}; column++, xc += 16, gc += 16)");
        EmitProducts(writer, isa, outputs, rows, 1);
        writer.Close().Close();
    }

    /// <summary>Of some columns: an input meets a tap of each of them.</summary>
    private void EmitProducts(KernelWriter writer, Isa isa, int outputs, int rows, int columns)
    {
        static string Gradient(int output, int column) => $"g{Literals.Int(output)}{(column == 0 ? "" : $"_{Literals.Int(column)}")}";
        foreach (var (o, k) in from o in Enumerable.Range(0, outputs) from k in Enumerable.Range(0, columns) select (o, k))
        {
            writer.Line($"var {Gradient(o, k)} = {isa.Load($"gc{(o == 0 ? "" : $" + {Literals.Int(o)} * {writer.N("gChannel", OutputGradient.LaneStride)}")}{(k == 0 ? "" : $" + {Literals.Int(16 * k)}")}")};");
        }

        for (var r = 0; r < rows; r++)
        {
            var from = r == 0 ? "xc" : $"xc + {Literals.Int(r)} * {writer.N("xRow", Input.RowStride)}";
            for (var c = 0; c < Columns + columns - 1; c++)
            {
                var v = FormattableString.Invariant($"v{r}_{c}");
                var products = from k in Enumerable.Range(0, columns)
                               where c - k >= 0 && c - k < Columns
                               from o in Enumerable.Range(0, outputs)
                               let sum = new Sum(o, r, c - k).Name
                               select $"{sum} = {isa.Fma(Gradient(o, k), v, sum)};";
                writer.Line($"var {v} = {isa.Load(c == 0 ? from : $"{from} + {Literals.Int(c * 16)}")}; {string.Join(" ", products)}");
            }
        }
    }

    /// <summary>The gradient of one tap of a tile, a number for each sample.</summary>
    private readonly record struct Sum(int Output, int Row, int Column)
    {
        public string Name => FormattableString.Invariant($"a{Output}_{Row}_{Column}");
    }
}
