// Products of many small matrices, as attention needs them: a tile of rows shares every vector of the right factor.
using System.Collections.Immutable;
using ModelCompiler.Emission;

namespace ModelCompiler.Kernels;

/// <summary>Operands a, b, y, all Flat: for each of <paramref name="Matrices"/>, y[rows x columns] = a[rows x inner] · b[inner x columns].</summary>
public sealed record MatrixProductKernel(int Matrices, int Rows, int Inner, int Columns, KernelScope WorkScope = KernelScope.Sample) : Kernel
{
    /// <summary>Sums in flight: enough to hide the latency of a multiply-add, and few enough for 16 registers.</summary>
    private const int TileRows = 8;

    public override string Name => $"MatrixProduct_{Matrices}_{Rows}x{Inner}x{Columns}{(WorkScope == KernelScope.Once ? "_once" : "")}";

    public override string Comment => $"y[{Matrices}x{Rows}x{Columns}] = a[{Matrices}x{Rows}x{Inner}] times b[{Matrices}x{Inner}x{Columns}], {TileRows} rows at a time";

    public override long Macs => (long)Matrices * Rows * Inner * Columns;

    public override KernelScope Scope => WorkScope;

    public override ImmutableArray<Operand> Operands => [new("a"), new("b"), new("y")];

    private int Tiles => (Rows + TileRows - 1) / TileRows;

    public override int Units => checked(Matrices * Tiles);

    public override void Emit(SourceWriter writer, Isa isa)
    {
        writer.OpenMethod(this).OpenUnits();
        writer.Line($"var row = unit % {Tiles} * {TileRows};");
        writer.Line($"var left = a + (unit / {Tiles} * {Rows} + row) * {Inner};");
        writer.Line($"var right = b + unit / {Tiles} * {checked(Inner * Columns)};");
        writer.Line($"var result = y + (unit / {Tiles} * {Rows} + row) * {Columns};");
        var (full, rest) = (Rows / TileRows * TileRows, Rows % TileRows);
        if (full > 0 && rest > 0)
        {
            writer.Open($"if (row < {full})");
            EmitTile(writer, isa, TileRows);
            writer.Close().Open("else");
            EmitTile(writer, isa, rest);
            writer.Close();
        }
        else
        {
            EmitTile(writer, isa, full > 0 ? TileRows : rest);
        }

        writer.Close().Close();
    }

    private void EmitTile(SourceWriter writer, Isa isa, int rows)
    {
        foreach (var piece in RunPiece.Cover(isa, Columns))
        {
            var isLoop = piece.Count > piece.Isa.Width;
            writer.Open(isLoop ? $"for (var column = {piece.Start}; column < {piece.Start + piece.Count}; column += {piece.Isa.Width})" : "");
            EmitColumn(writer, piece, isLoop ? "column" : $"{piece.Start}", rows);
            writer.Close();
        }
    }

    private void EmitColumn(SourceWriter writer, RunPiece piece, string column, int rows)
    {
        for (var r = 0; r < rows; r++)
        {
            writer.Line($"var sum{r} = {piece.Isa.Type}.Zero;");
        }

        writer.Open($"for (var k = 0; k < {Inner}; k++)").Line($"var v = {piece.Load($"right + k * {Columns} + {column}")};");
        for (var r = 0; r < rows; r++)
        {
            writer.Line($"sum{r} = {piece.Isa.Fma(piece.Isa.Broadcast($"left[{r * Inner} + k]"), "v", $"sum{r}")};");
        }

        writer.Close();
        for (var r = 0; r < rows; r++)
        {
            var part = piece.IsPartial ? piece : new RunPiece(piece.Isa, 0, piece.Isa.Width);
            part.Store(writer, $"result + {r * Columns} + {column}", $"sum{r}", $"result{r}");
        }
    }
}
