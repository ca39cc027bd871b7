// Products of many small matrices, as attention needs them: a tile of rows shares every vector of the right factor.
using System.Collections.Immutable;
using ModelCompiler.Emission;

namespace ModelCompiler.Kernels;

/// <summary>Operands a, b, y, all Flat: for each of <paramref name="Matrices"/>, y[rows x columns] = a[rows x inner] · b[inner x columns].</summary>
public sealed record MatrixProductKernel(int Matrices, int Rows, int Inner, int Columns, KernelScope WorkScope = KernelScope.Sample) : Kernel
{
    /// <summary>Sums in flight: enough to hide the latency of a multiply-add, and few enough for 16 registers.</summary>
    private const int TileRows = 8;

    public override string Name => KernelName.Of("MatrixProduct", ColumnRun.Structure, Structure);

    public override string Comment => $"y = a times b for many small matrices, {TileRows} rows at a time";

    public override long Macs => (long)Matrices * Rows * Inner * Columns;

    public override KernelScope Scope => WorkScope;

    public override ImmutableArray<Operand> Operands => [new("a"), new("b"), new("y")];

    public override ImmutableArray<KernelNumber> Numbers =>
        [new("tiles", Tiles), new("rows", Rows), new("inner", Inner), new("columns", Columns)];

    private Run ColumnRun => new(Columns, "columns");

    /// <summary>Rows of full tiles, and of the last one.</summary>
    private string Structure => $"{(Rows < TileRows ? 0 : 1)},{Rows % TileRows}";

    private int Tiles => (Rows + TileRows - 1) / TileRows;

    public override int Units => checked(Matrices * Tiles);

    public override void Emit(KernelWriter writer, Isa isa)
    {
        writer.OpenMethod().OpenUnits();
        writer.Line($"var row = unit % tiles * {TileRows};");
        writer.Line("var left = a + (unit / tiles * rows + row) * inner;");
        writer.Line("var right = b + unit / tiles * (inner * columns);");
        writer.Line("var result = y + (unit / tiles * rows + row) * columns;");
        var rest = Rows % TileRows;
        if (Rows > TileRows && rest > 0)
        {
            writer.Open($"if (row < rows - {rest})");
            EmitTile(writer, isa, TileRows);
            writer.Close().Open("else");
            EmitTile(writer, isa, rest);
            writer.Close();
        }
        else
        {
            EmitTile(writer, isa, Rows >= TileRows ? TileRows : rest);
        }

        writer.Close().Close();
    }

    private void EmitTile(SourceWriter writer, Isa isa, int rows)
    {
        foreach (var piece in RunPiece.Cover(isa, ColumnRun))
        {
            if (piece.IsLoop && piece.Isa == Isa.Avx512)
            {
                // Two vectors share each broadcast: with one, loads take longer than products.
                writer.Open("").Line($"var column = {piece.From};");
                writer.Open($"for (; column < {piece.To} - {piece.Isa.Width}; column += {2 * piece.Isa.Width})");
                EmitColumn(writer, piece.Vector, "column", rows, 2);
                writer.Close().Open($"if (column < {piece.To})");
                EmitColumn(writer, piece.Vector, "column", rows);
                writer.Close().Close();
                continue;
            }

            writer.Open(piece.IsLoop ? $"for (var column = {piece.From}; column < {piece.To}; column += {piece.Isa.Width})" : "");
            EmitColumn(writer, piece.Vector, piece.IsLoop ? "column" : piece.From, rows);
            writer.Close();
        }
    }

    private static void EmitColumn(SourceWriter writer, RunPiece piece, string column, int rows, int vectors = 1)
    {
        string Sum(int row, int vector) => $"sum{row}{(vector == 0 ? "" : "b")}";
        string Behind(int vector) => vector == 0 ? "" : $" + {piece.Isa.Width}";
        for (var r = 0; r < rows; r++)
        {
            writer.Line(string.Join(" ", Enumerable.Range(0, vectors).Select(v => $"var {Sum(r, v)} = {piece.Isa.Type}.Zero;")));
        }

        writer.Open("for (var k = 0; k < inner; k++)");
        writer.Line(string.Join(" ", Enumerable.Range(0, vectors).Select(v => $"var v{v} = {piece.Load($"right + k * columns + {column}{Behind(v)}")};")));
        for (var r = 0; r < rows; r++)
        {
            var left = piece.Isa.Broadcast(r == 0 ? "left[k]" : $"left[{r} * inner + k]");
            writer.Line(vectors == 1
                ? $"{Sum(r, 0)} = {piece.Isa.Fma(left, "v0", Sum(r, 0))};"
                : $"var b{r} = {left}; {string.Join(" ", Enumerable.Range(0, vectors).Select(v => $"{Sum(r, v)} = {piece.Isa.Fma($"b{r}", $"v{v}", Sum(r, v))};"))}");
        }

        writer.Close();
        for (var r = 0; r < rows; r++)
        {
            for (var v = 0; v < vectors; v++)
            {
                piece.Store(writer, (r == 0 ? $"result + {column}" : $"result + {r} * columns + {column}") + Behind(v), Sum(r, v), $"result{r}");
            }
        }
    }
}
