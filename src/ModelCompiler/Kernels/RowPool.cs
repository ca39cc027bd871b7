// Maxima over windows of what a convolution computes row after row, while a row is in the first-level cache: what is pooled is the largest value of
// many networks, and is never stored as a whole.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Graph;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <summary>A row of the convolution, all its blocks, lies at <c>y</c>; the maxima are at <c>pooled</c>. Each row goes into those of the windows it lies in. Padding never wins, and
/// NaN does, as in <see cref="MaxPoolKernel"/>; the bits are the same.</summary>
/// <param name="Output">Blocked.</param>
/// <param name="Rows">Of the convolution.</param>
/// <param name="Columns">Of the convolution.</param>
public sealed record RowPool(Window Window, Layout Output, int Rows, int Columns)
{
    /// <summary>Windows of more columns are walked in a loop.</summary>
    private const int MostUnrolled = 7;

    private PoolAxis Down => field ??= Axis("h", 0, Rows, Output.Height);

    private PoolAxis Across => field ??= Axis("w", 1, Columns, Output.Width);

    /// <summary>Whether it has the code for such windows: each begins with an element of the plane or with padding before it.</summary>
    public bool IsPossible => Window.Rank == 2 && Window.Dilation.All(d => d == 1) && Meets(Down) && Meets(Across);

    /// <summary>Everything that decides the code.</summary>
    internal string Structure => FormattableString.Invariant($"maxpool {Across.Kernel},{Across.Stride},{Across.IsClipped}");

    public string Readable => FormattableString.Invariant($"maxpool {Down.Kernel}x{Across.Kernel}");

    /// <summary>Floats of a row.</summary>
    public int RowFloats => checked(Output.Blocks * Columns * Layout.Lanes);

    internal IEnumerable<KernelNumber> Numbers =>
    [
        new("poolBlocks", Output.Blocks), new("poolColumns", Output.Width), new("poolBlock", Output.BlockStride), new("poolRow", Output.RowStride),
        new("poolSize", Down.Kernel), new("poolStep", Down.Stride), new("poolPad", Down.Pad), new("poolWholeFrom", Across.InsideFrom), new("poolWholeTo", Across.InsideTo),
        new("poolColumnPad", Across.Pad), new("rowsRead", Rows), new("columnsRead", Columns),
    ];

    /// <summary>A loop over all rows that windows [begin, end) need, each of which <paramref name="row"/> computes.</summary>
    internal void Emit(KernelWriter writer, Isa isa, Action row)
    {
        writer.Line("// A row goes into the maxima of the windows it lies in; rows that two units share are computed by both.");
        writer.Open("for (int line = Math.Max(0, begin * poolStep - poolPad), lastLine = Math.Min(rowsRead, (end - 1) * poolStep - poolPad + poolSize); line < lastLine; line++)");
        row();
        var name = writer.Share(KernelName.Of("RowPool", Structure), w => EmitWindow(w, isa));
        var clipped = Across.IsClipped ? "poolWholeFrom, poolWholeTo, poolColumnPad, " : "";
        writer.Line("for (int window = Math.Max(begin, (line + poolPad - poolSize + poolStep) / poolStep); window <= Math.Min(end - 1, (line + poolPad) / poolStep); window++) "
            + $"{name}(y, pooled + window * poolRow, poolBlocks, columnsRead, poolBlock, poolColumns, {clipped}line == Math.Max(0, window * poolStep - poolPad));");
        writer.Close();
    }

    private static bool Meets(PoolAxis axis) => axis.Pad >= 0 && axis.Pad < axis.Kernel && ((axis.Output - 1) * axis.Stride) - axis.Pad < axis.Input;

    private PoolAxis Axis(string name, int axis, int input, int output) => new(name, Window.Kernel[axis], Window.Stride[axis], Window.PadBegin[axis], 1, input, output);

    /// <summary>One row of all blocks into one row of maxima.</summary>
    private void EmitWindow(SourceWriter writer, Isa isa)
    {
        var clipped = Across.IsClipped;
        writer.Open(Kernel.Helper(KernelName.Of("RowPool", Structure),
            $"float* y, float* pooled, int blocks, int columns, long pooledBlock, int windows, {(clipped ? "int wholeFrom, int wholeTo, int pad, " : "")}bool isFirst"));
        writer.Open("for (int block = 0; block < blocks; block++, y += columns * 16, pooled += pooledBlock)");
        writer.Open($"for (int at = 0; at < windows * 16; at += {Literals.Int(isa.Width)})");
        var part = isa.Parts > 1 ? " + at % 16" : "";
        writer.Line($"int c = at / 16, start = c * {Literals.Int(Across.Stride)}{(clipped ? " - pad, first = Math.Max(0, -start)" : "")}; "
            + $"float* from = y + start * 16{part}, to = pooled + at; var max = {isa.Load(clipped ? "from + first * 16" : "from")};");
        string Maximum(string at) => $"max = {isa.Static}.Max(max, {isa.Load($"from + {at}")});";
        string Loop(string last) => $"for (int k = {(clipped ? "first + 1" : "1")}; k < {last}; k++) {Maximum("k * 16")}";
        var whole = Across.Kernel > MostUnrolled ? Loop(Literals.Int(Across.Kernel)) : string.Join(" ", Enumerable.Range(1, Across.Kernel - 1).Select(k => Maximum(Literals.Int(k * Layout.Lanes))));
        if (clipped)
        {
            writer.Line($"if (c >= wholeFrom && c < wholeTo) {{ {whole} }}").Line($"else {Loop($"Math.Min({Literals.Int(Across.Kernel)}, columns - start)")}");
        }
        else
        {
            writer.Line(whole);
        }

        writer.Line(isa.Store("to", $"isFirst ? max : {isa.Static}.Max({isa.Load("to")}, max)"));
        writer.Close().Close().Close().Line();
    }
}
