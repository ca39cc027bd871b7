// Dense layers in training whose weights are large. Such weights come from memory in every pass; to put them into another order first
// moves them three times more (read, fetched to be written, written), and so does their gradient. These kernels read and write them
// where the optimizer has them, as PyTorch has: [outputs][inputs]. What belongs to the samples stays in the caches.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <summary>What the three of them share: tiles of sums in registers, samples or outputs by vectors.</summary>
/// <param name="Inputs">A multiple of 16.</param>
public abstract record StreamedDense(int Inputs, int Outputs) : Kernel
{
    /// <summary>Vectors of a tile, or outputs.</summary>
    private protected const int Vectors = 3;

    /// <summary>Inputs that a tile covers on the widest vectors: 192 bytes of each row of weights.</summary>
    private protected const int Piece = Vectors * Layout.Lanes;

    /// <summary>Inputs of all samples that stay in the second-level cache while weights pass by; a number of pieces.</summary>
    private protected const int Chunk = 42 * Piece;

    /// <summary>Fewer weights are in the second-level cache when they are packed and used.</summary>
    private const int LeastWeights = 1 << 18;

    internal static bool Suits(int inputs, int outputs) => inputs % Layout.Lanes == 0 && (long)inputs * outputs >= LeastWeights;

    public override string Layouts => "flat -> flat";

    public override KernelScope Scope => KernelScope.Batch;

    public override long Macs => (long)Inputs * Outputs;

    public override ImmutableArray<KernelNumber> Numbers => [new("inputs", Inputs), new("outputs", Outputs)];

    /// <summary>The other side of a tile.</summary>
    private protected static int Rows(Isa isa) => isa.Registers > 16 ? 8 : 4;

    /// <summary>Vectors for so many inputs, some at a time: where they begin, and how many.</summary>
    private protected static IEnumerable<(int Offset, int Vectors)> Cover(Isa isa, int inputs)
    {
        for (var offset = 0; offset < inputs; offset += Vectors * isa.Width)
        {
            yield return (offset, Math.Min(Vectors, (inputs - offset) / isa.Width));
        }
    }

    /// <summary>The code for a whole unit, and for a last one that is smaller; where there is only one of them, without a condition.</summary>
    /// <param name="at">The unit's first input or output, by name; with an s behind it the number of them all.</param>
    private protected static void EmitWholeAndRest(SourceWriter writer, int count, int unit, string at, Action<int> emit)
    {
        if (count % unit == 0 || count < unit)
        {
            emit(Math.Min(count, unit));
            return;
        }

        writer.Open($"if ({at} <= {at}s - {unit})");
        emit(unit);
        writer.Close().Open("else");
        emit(count % unit);
        writer.Close();
    }

    /// <summary>Calls a tile for as many samples as it takes, then one by one.</summary>
    /// <param name="arguments">They name <c>sample</c>.</param>
    private protected static void EmitSamples(KernelWriter writer, Isa isa, int columns, string arguments)
    {
        writer.Open("").Line("int sample = 0;");
        writer.Line($"for (; sample <= batch - {Rows(isa)}; sample += {Rows(isa)}) {writer.Call($"{Rows(isa)}x{columns}", arguments)};");
        writer.Line($"for (; sample < batch; sample++) {writer.Call($"1x{columns}", arguments)};").Close();
    }

    /// <summary>Pointers to the samples of a tile: x0, x1, …</summary>
    private protected static void EmitPointers(SourceWriter writer, string name, int samples) =>
        writer.Line($"float* {string.Join(", ", Enumerable.Range(0, samples).Select(s => $"{name}{s} = {(s == 0 ? name : $"{name}{s - 1} + {name}Stride")}"))};");

    /// <summary>Sums of a tile that begin with zero.</summary>
    private protected static void EmitZeros(SourceWriter writer, Isa isa, int rows, int columns) =>
        writer.Line($"{isa.Type} {string.Join(", ", from r in Enumerable.Range(0, rows) from c in Enumerable.Range(0, columns) select $"a{r}_{c} = {isa.Type}.Zero")};");

    /// <summary>Products of a row of a tile with what <c>v0</c>, <c>v1</c>, … hold.</summary>
    private protected static void EmitRow(SourceWriter writer, Isa isa, int row, int columns, string factor) =>
        writer.Line($"var b{row} = {factor}; {string.Join(" ", Enumerable.Range(0, columns).Select(c => $"a{row}_{c} = {isa.Fma($"b{row}", $"v{c}", $"a{row}_{c}")};"))}");

    /// <summary>Loads a row of vectors: v0, v1, …</summary>
    private protected static void EmitVectors(SourceWriter writer, Isa isa, string from, int vectors) =>
        writer.Line(string.Join(" ", Enumerable.Range(0, vectors).Select(v => $"var v{v} = {isa.Load(from + isa.Part(v))};")));
}

/// <summary>Operands x [inputs], w [outputs][inputs], [bias], y [outputs]; a multiple of 16 inputs.</summary>
public sealed record StreamedDenseKernel(int Inputs, int Outputs, bool Bias) : StreamedDense(Inputs, Outputs)
{
    public override string Name => KernelName.Of("StreamedDense", $"{Bias},{Math.Min(Outputs, Vectors)},{Outputs % Vectors}");

    public override string Comment => "multiplies samples with weights as they are" + (Bias ? ", plus bias" : "");

    public override ImmutableArray<Operand> Operands => [new("x"), new("w"), .. Bias ? [new Operand("bias")] : Array.Empty<Operand>(), new("y")];

    public override int Units => Rounding.Ceiling(Outputs, Vectors);

    public override void Emit(KernelWriter writer, Isa isa)
    {
        const int Most = Vectors;
        var rest = Outputs % Most;
        writer.OpenMethod();
        writer.Open($"for (int from = 0; from < inputs; from += {Chunk})").Line($"int count = Math.Min({Chunk}, inputs - from);");
        writer.OpenUnits().Line($"int output = unit * {Most};").Line("float* row = w + (long)output * inputs + from, result = y + output;");
        var arguments = $"x + sample * xStride + from, xStride, row, {(Bias ? "bias + output, " : "")}result + sample * yStride, yStride, count, from == 0";
        EmitWholeAndRest(writer, Outputs, Most, "output", columns => EmitSamples(writer, isa, columns, arguments));

        writer.Close().Close().Close();
        foreach (var columns in new[] { Most, rest }.Where(c => c > 0 && c <= Outputs))
        {
            EmitTile(writer, isa, Rows(isa), columns);
            EmitTile(writer, isa, 1, columns);
        }
    }

    // Vectors run along the inputs; their elements are added up at the end.
    private void EmitTile(KernelWriter writer, Isa isa, int rows, int columns)
    {
        writer.OpenHelper($"{rows}x{columns}", $"float* x, long xStride, float* w, {(Bias ? "float* bias, " : "")}float* y, long yStride, int count, bool isFirst");
        EmitPointers(writer, "x", rows);
        writer.Line($"float* {string.Join(", ", Enumerable.Range(0, columns).Select(c => $"w{c} = {(c == 0 ? "w" : $"w{c - 1} + inputs")}"))};");
        EmitZeros(writer, isa, rows, columns);
        writer.Open($"for (int i = 0; i < count; i += {isa.Width})");
        writer.Line(string.Join(" ", Enumerable.Range(0, columns).Select(c => $"var v{c} = {isa.Load($"w{c} + i")};")));
        for (var r = 0; r < rows; r++)
        {
            EmitRow(writer, isa, r, columns, isa.Load($"x{r} + i"));
        }

        writer.Close();
        for (var r = 0; r < rows; r++)
        {
            writer.Line(string.Join(" ", Enumerable.Range(0, columns).Select(c => $"y[{c}] = (isFirst ? {(Bias ? $"bias[{c}]" : "0f")} : y[{c}]) + {isa.Static}.Sum(a{r}_{c});")) + (r + 1 < rows ? " y += yStride;" : ""));
        }

        writer.Close().Line();
    }
}

/// <summary>Operands dy [outputs], w [outputs][inputs], dx [inputs]; a multiple of 16 inputs.</summary>
public sealed record StreamedDenseInputGradientKernel(int Inputs, int Outputs) : StreamedDense(Inputs, Outputs)
{
    /// <summary>Rows of weights that pass by together: the memory follows so many streams.</summary>
    private const int RowsTogether = 32;

    public override string Name => KernelName.Of("StreamedDenseInputGradient", $"{Math.Min(Inputs, Piece)},{Inputs % Piece}");

    public override string Comment => "dx = dy times weights as they are";

    public override ImmutableArray<Operand> Operands => [new("dy"), new("w"), new("dx")];

    public override int Units => Rounding.Ceiling(Inputs, Piece);

    public override void Emit(KernelWriter writer, Isa isa)
    {
        var rest = Inputs % Piece;
        writer.OpenMethod();
        writer.Open($"for (int from = 0; from < outputs; from += {RowsTogether})").Line($"int count = Math.Min({RowsTogether}, outputs - from);");
        writer.OpenUnits().Line($"int input = unit * {Piece};").Line("float* rows = w + (long)from * inputs + input, result = dx + input;");
        EmitWholeAndRest(writer, Inputs, Piece, "input", inputs =>
        {
            foreach (var (offset, vectors) in Cover(isa, inputs))
            {
                var at = Literals.Plus(offset);
                EmitSamples(writer, isa, vectors, $"dy + sample * dyStride + from, dyStride, rows{at}, result{at} + sample * dxStride, dxStride, count, from == 0");
            }
        });
        writer.Close().Close().Close();
        foreach (var vectors in new[] { Inputs < Piece ? 0 : Piece, rest }.SelectMany(inputs => Cover(isa, inputs)).Select(c => c.Vectors).Distinct())
        {
            EmitTile(writer, isa, Rows(isa), vectors);
            EmitTile(writer, isa, 1, vectors);
        }
    }

    private static void EmitTile(KernelWriter writer, Isa isa, int rows, int vectors)
    {
        writer.OpenHelper($"{rows}x{vectors}", "float* dy, long dyStride, float* w, float* dx, long dxStride, int count, bool isFirst");
        EmitPointers(writer, "dy", rows);
        EmitPointers(writer, "dx", rows);
        EmitZeros(writer, isa, rows, vectors);
        writer.Open("if (!isFirst)");
        for (var r = 0; r < rows; r++)
        {
            writer.Line(string.Join(" ", Enumerable.Range(0, vectors).Select(v => $"a{r}_{v} = {isa.Load($"dx{r}" + isa.Part(v))};")));
        }

        writer.Close().Open("for (int k = 0; k < count; k++, w += inputs)");
        EmitVectors(writer, isa, "w", vectors);
        for (var r = 0; r < rows; r++)
        {
            EmitRow(writer, isa, r, vectors, isa.Broadcast($"dy{r}[k]"));
        }

        writer.Close();
        for (var r = 0; r < rows; r++)
        {
            writer.Line(string.Join(" ", Enumerable.Range(0, vectors).Select(v => isa.Store($"dx{r}" + isa.Part(v), $"a{r}_{v}"))));
        }

        writer.Close().Line();
    }
}

/// <summary>Operands x [inputs], dy [outputs], dw [outputs][inputs], the sum over all samples; a multiple of 16 inputs.</summary>
public sealed record StreamedDenseWeightGradientKernel(int Inputs, int Outputs) : StreamedDense(Inputs, Outputs)
{
    private const int UnitOutputs = 8;

    public override string Name => KernelName.Of("StreamedDenseWeightGradient", $"{Math.Min(Inputs, Piece)},{Inputs % Piece},{Math.Min(Outputs, UnitOutputs)},{Outputs % UnitOutputs}");

    public override string Comment => "dw = sum over samples of dy times x, as weights are";

    public override ImmutableArray<Operand> Operands => [new("x"), new("dy"), new("dw")];

    public override int Units => Rounding.Ceiling(Outputs, UnitOutputs);

    public override void Emit(KernelWriter writer, Isa isa)
    {
        var tiles = new SortedSet<(int Rows, int Vectors)>();
        writer.OpenMethod();
        writer.Open($"for (int from = 0; from < inputs; from += {Chunk})").Line($"int stop = Math.Min(inputs, from + {Chunk});");
        writer.OpenUnits().Line($"int output = unit * {UnitOutputs};");
        EmitWholeAndRest(writer, Outputs, UnitOutputs, "output", outputs => EmitRows(writer, isa, outputs, tiles));

        writer.Close().Close().Close();
        foreach (var (rows, vectors) in tiles)
        {
            EmitTile(writer, isa, rows, vectors);
        }
    }

    private void EmitRows(KernelWriter writer, Isa isa, int outputs, SortedSet<(int Rows, int Vectors)> tiles)
    {
        var rest = Inputs % Piece;
        void EmitPiece(int inputs)
        {
            for (var row = 0; row < outputs; row += Rows(isa))
            {
                var rows = Math.Min(Rows(isa), outputs - row);
                foreach (var (offset, vectors) in Cover(isa, inputs))
                {
                    tiles.Add((rows, vectors));
                    var (at, down) = (Literals.Plus(offset), Literals.Plus(row));
                    writer.Line(writer.Call($"{rows}x{vectors}", $"x + i{at}, xStride, dy + output{down}, dyStride, batch, dw + (output{down}) * (long)inputs + i{at}") + ";");
                }
            }
        }

        writer.Open("").Line("int i = from;");
        if (Inputs >= Piece)
        {
            writer.Open($"for (; i <= stop - {Piece}; i += {Piece})");
            EmitPiece(Piece);
            writer.Close();
        }

        if (rest > 0)
        {
            writer.Open("if (i < stop)");
            EmitPiece(rest);
            writer.Close();
        }

        writer.Close();
    }

    private static void EmitTile(KernelWriter writer, Isa isa, int rows, int vectors)
    {
        writer.OpenHelper($"{rows}x{vectors}", "float* x, long xStride, float* dy, long dyStride, int batch, float* dw");
        EmitZeros(writer, isa, rows, vectors);
        writer.Open("for (int sample = 0; sample < batch; sample++, x += xStride, dy += dyStride)");
        EmitVectors(writer, isa, "x", vectors);
        for (var r = 0; r < rows; r++)
        {
            EmitRow(writer, isa, r, vectors, isa.Broadcast($"dy[{r}]"));
        }

        writer.Close();
        for (var r = 0; r < rows; r++)
        {
            writer.Line(string.Join(" ", Enumerable.Range(0, vectors).Select(v => isa.Store("dw" + isa.Part(v), $"a{r}_{v}"))) + (r + 1 < rows ? " dw += inputs;" : ""));
        }

        writer.Close().Line();
    }
}
