// The input gradient of a strided depthwise convolution. Taps that meet an input depend on its place between two strides, its phase: each
// phase is a small convolution of its own, all phases of a row are computed together, and each element is stored once, with its formula.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Graph;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <summary>Two axes; dy has a halo of zeros for all that phases reach beyond its plane.</summary>
internal sealed class DepthwisePhaseEmitter(Window window, Layout outputGradient, Layout inputGradient, Expression formula, ImmutableArray<Layout> extras, ChannelSums? sums)
{
    private const int MostColumns = 4;

    private readonly ImmutableArray<GradientPhase> rowPhases = GradientPhase.Of(Axis3.Of(window).Rows, inputGradient.Height);
    private readonly ImmutableArray<GradientPhase> columnPhases = GradientPhase.Of(Axis3.Of(window).Columns, inputGradient.Width);

    public static bool Covers(Window window, Layout outputGradient, Layout inputGradient) =>
        window.Rank == 2 && outputGradient.Halo.Union(HaloNeeds.Backward(window, inputGradient.Shape, outputGradient.Shape)) == outputGradient.Halo;

    private int RowStride => window.Stride[0];

    private int ColumnStride => window.Stride[1];

    /// <summary>Columns of dy that have inputs of all phases.</summary>
    private int Full => inputGradient.Width / ColumnStride;

    private int Tile => Math.Min(MostColumns, Math.Max(1, Full));

    private int Rest => Full % Tile;

    /// <summary>Everything that decides the code.</summary>
    public string Structure => FormattableString.Invariant($"{window.Kernel[0]}x{window.Kernel[1]}|{RowStride}x{ColumnStride}|{string.Join(",", rowPhases.Select(Text))}|{string.Join(",", columnPhases.Select(Text))}|")
        + FormattableString.Invariant($"{Tile}+{Rest},{Full >= Tile},{inputGradient.Width % ColumnStride}|{new FormulaProgram([formula]).Text}|{string.Join(",", extras.Select(e => DepthwiseEmitter.Kind(e, inputGradient)))}|{sums?.Structure}");

    public ImmutableArray<KernelNumber> Numbers =>
    [
        new("rows", inputGradient.Height), new("wholeColumns", Full), new("dyBlock", outputGradient.BlockStride), new("dyRow", outputGradient.RowStride),
        new("dxBlock", inputGradient.BlockStride), new("dxRow", inputGradient.RowStride), .. sums is null ? Array.Empty<KernelNumber>() : [new("dxColumns", inputGradient.Width)],
        .. extras.SelectMany((e, i) => new KernelNumber[] { new($"e{i + 1}Block", e.BlockStride), new($"e{i + 1}Row", e.RowStride) }),
    ];

    public void Emit(KernelWriter writer, Isa isa)
    {
        writer.OpenMethod();
        new FormulaEmitter(isa, formula).Prepare(writer);
        writer.OpenUnits();
        writer.Line("int block = unit / rows, row = unit % rows;");
        writer.Open($"for (var lane = 0; lane < {Layout.Lanes}; lane += {isa.Width})");
        writer.Line($"var from = dy + block * dyBlock + row / {RowStride} * dyRow + lane;");
        writer.Line($"var kernel = weights + block * {window.KernelCount * Layout.Lanes} + lane;");
        writer.Line("var to = dx + block * dxBlock + row * dxRow + lane;");
        DepthwiseEmitter.EmitExtras(writer, extras, inputGradient, e => $" + row * {e}Row");
        foreach (var phase in rowPhases)
        {
            writer.Open(rowPhases.Length == 1 ? "" : phase == rowPhases[rowPhases.Length - 1] ? "else" : $"{(phase.Phase == 0 ? "" : "else ")}if (row % {RowStride} == {phase.Phase})");
            EmitRow(writer, isa, phase);
            writer.Close();
        }

        writer.Close();
        DepthwiseEmitter.EmitSums(writer, isa, sums, "dx + block * dxBlock + row * dxRow", "row", "dxColumns");
        writer.Close().Close();
    }

    private void EmitRow(KernelWriter writer, Isa isa, GradientPhase rows)
    {
        for (var t = 0; t < rows.Taps; t++)
        {
            writer.Line($"var source{t} = from + {Literals.Int(rows.Start + (t * rows.Step))} * dyRow;");
        }

        var isHeld = (rows.Taps * window.Kernel[1]) + (Tile * columnPhases.Length) + 2 <= isa.Registers;
        for (var t = 0; isHeld && t < rows.Taps; t++)
        {
            foreach (var k in columnPhases.SelectMany(Taps))
            {
                writer.Line($"var {Held(t, k)} = {Weight(isa, rows, t, k)};");
            }
        }

        if (Full >= Tile && Full > 0)
        {
            writer.Open($"for (var c = 0; c {(Rest == 0 ? "< wholeColumns" : $"<= wholeColumns - {Tile}")}; c += {Tile})");
            EmitTile(writer, isa, rows, Tile, columnPhases, isHeld);
            writer.Close();
        }

        if (Rest > 0)
        {
            writer.Open("").Line($"var c = wholeColumns - {Rest};");
            EmitTile(writer, isa, rows, Rest, columnPhases, isHeld);
            writer.Close();
        }

        if (inputGradient.Width % ColumnStride > 0)
        {
            writer.Open("").Line("var c = wholeColumns;");
            EmitTile(writer, isa, rows, 1, [.. columnPhases.Take(inputGradient.Width % ColumnStride)], isHeld);
            writer.Close();
        }
    }

    private void EmitTile(KernelWriter writer, Isa isa, GradientPhase rows, int tile, ImmutableArray<GradientPhase> phases, bool isHeld)
    {
        foreach (var phase in phases)
        {
            for (var t = 0; t < tile; t++)
            {
                writer.Line($"var {Sum(phase, t)} = {isa.Type}.Zero;");
            }

            for (var r = 0; r < rows.Taps; r++)
            {
                for (var k = 0; k < phase.Taps; k++)
                {
                    var tap = phase.FirstTap + (k * phase.TapStep);
                    for (var t = 0; t < tile; t++)
                    {
                        var value = isa.Load($"source{r} + (c + {Literals.Int(t + phase.Start + (k * phase.Step))}) * {Layout.Lanes}");
                        writer.Line($"{Sum(phase, t)} = {isa.Fma(value, isHeld ? Held(r, tap) : Weight(isa, rows, r, tap), Sum(phase, t))};");
                    }
                }
            }
        }

        var emitter = new FormulaEmitter(isa, formula);
        foreach (var (t, phase) in Enumerable.Range(0, tile).SelectMany(t => phases.Select(p => (t, p))))
        {
            var offset = $"((c + {t}) * {ColumnStride} + {phase.Phase}) * {Layout.Lanes}";
            var suffix = $"{phase.Phase}_{t}";
            DepthwiseEmitter.LoadExtras(writer, isa, extras, inputGradient, offset, suffix);
            var result = emitter.ApplyOne(writer, i => i == 0 ? Sum(phase, t) : $"e{i}_{suffix}", $"_{suffix}");
            writer.Line(isa.Store($"to + {offset}", result) + DepthwiseEmitter.Ask(isa, extras, inputGradient, offset));
        }
    }

    private static string Sum(GradientPhase phase, int column) => $"sum{phase.Phase}_{column}";

    private static string Held(int row, int column) => $"w{row}_{column}";

    private static IEnumerable<int> Taps(GradientPhase phase) => Enumerable.Range(0, phase.Taps).Select(k => phase.FirstTap + (k * phase.TapStep));

    private string Weight(Isa isa, GradientPhase rows, int row, int column) =>
        isa.Load($"kernel + {Literals.Int((((rows.FirstTap + (row * rows.TapStep)) * window.Kernel[1]) + column) * Layout.Lanes)}");

    /// <summary>How many inputs a phase has is in the numbers, and in what is left of a row.</summary>
    private static string Text(GradientPhase p) => FormattableString.Invariant($"{p.Phase}:{p.Taps}:{p.FirstTap}:{p.TapStep}:{p.Start}:{p.Step}");
}
