// Tiles of a chunk, cut out of the planes of a batch and transformed: the inputs of a convolution, or the gradients of its
// outputs. What comes out is [point][block][tile][16], a matrix for each point.
using ModelCompiler.Emission;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <summary>Writes the methods <paramref name="Name"/>(x, xStride, to, halfway, first, tiles, blocks) and <c>Name_tile</c>.</summary>
/// <param name="Gradients">Tiles of outputs' gradients, m x m, instead of inputs, (m + 2) x (m + 2).</param>
/// <param name="Offset">From the value's start to the first element of the first tile.</param>
/// <param name="Rows">Rows that tiles may read, from the first tile's first one on; beyond them a tile reads zeros.</param>
/// <param name="Columns">As <paramref name="Rows"/>.</param>
/// <param name="TileRows">Tiles of a plane, one below the other.</param>
/// <param name="TileColumns">Tiles of a plane, side by side.</param>
/// <param name="Chunk">Tiles that a matrix has room for.</param>
/// <param name="PointStride">Floats from matrix to matrix.</param>
internal sealed record WinogradTiles(
    string Name, WinogradTransform Transform, bool Gradients, Layout Source, int Offset, int Rows, int Columns, int TileRows, int TileColumns, int Chunk, int PointStride)
{
    private int Size => Gradients ? Transform.Outputs : Transform.Inputs;

    private int Side => Transform.Inputs;

    /// <summary>Where tile <c>first + i</c> of the batch begins: sample, row and column.</summary>
    public static void EmitPlace(SourceWriter writer, int tileRows, int tileColumns, int outputs) => writer
        .Line($"int sample = (first + i) / {N(tileRows * tileColumns)}, place = (first + i) % {N(tileRows * tileColumns)};")
        .Line($"int row = place / {N(tileColumns)} * {N(outputs)}, column = place % {N(tileColumns)} * {N(outputs)};");

    public void Emit(SourceWriter writer, Isa isa)
    {
        var outputs = Transform.Outputs;
        writer.Line(Kernel.Attribute).Open($"private static void {Name}(float* x, long xStride, float* u, float* halfway, int first, int tiles, int blocks)");
        writer.Line($"float* patch = halfway + {N(Transform.Points * Layout.Lanes)};");
        writer.Open("for (int block = 0; block < blocks; block++)").Open("for (int i = 0; i < tiles; i++)");
        EmitPlace(writer, TileRows, TileColumns, outputs);
        writer.Line($"float* from = x + sample * xStride + {ConvolutionEmitter.Sum(Offset, ("block", Source.BlockStride), ("row", Source.RowStride), ("column", Source.ColumnStride))};");
        writer.Line($"float* to = u + block * {N(Chunk * Layout.Lanes)} + i * {N(Layout.Lanes)};");
        var (lastRow, lastColumn) = (Rows - Size, Columns - Size);
        if ((TileRows - 1) * outputs <= lastRow && (TileColumns - 1) * outputs <= lastColumn)
        {
            writer.Line($"{Name}_tile(from, {N(Source.RowStride)}, to, halfway);");
        }
        else
        {
            writer.Open($"if (row <= {N(lastRow)} && column <= {N(lastColumn)})").Line($"{Name}_tile(from, {N(Source.RowStride)}, to, halfway);").Close();
            writer.Open("else").Line("// Beyond the plane and its padding a tile reads zeros: whatever lies there is another's.");
            writer.Open($"for (int r = 0; r < {N(Size)}; r++)").Open($"for (int c = 0; c < {N(Size)}; c++)");
            writer.Line($"bool inside = row + r < {N(Rows)} && column + c < {N(Columns)};");
            writer.Line($"float* cell = patch + (r * {N(Size)} + c) * {N(Layout.Lanes)};");
            for (var p = 0; p < isa.Parts; p++)
            {
                writer.Line(isa.Store($"cell + {N(p * isa.Width)}", $"inside ? {isa.Load($"from + r * {N(Source.RowStride)} + c * {N(Source.ColumnStride)} + {N(p * isa.Width)}")} : {isa.Type}.Zero"));
            }

            writer.Close().Close().Line($"{Name}_tile(patch, {N(Size * Layout.Lanes)}, to, halfway);").Close();
        }

        writer.Close().Close().Close().Line();
        EmitTile(writer, isa);
    }

    private static string N(long value) => Literals.Int(value);

    /// <summary>Columns, then rows of one tile. A block of 16 channels is one, two or four vectors; each goes through alone.</summary>
    private void EmitTile(SourceWriter writer, Isa isa)
    {
        var part = isa.Parts == 1 ? "" : " + part";
        writer.Line(Kernel.Attribute).Open($"private static void {Name}_tile(float* from, int rowStride, float* to, float* halfway)");
        Transform.Constants(writer, isa);
        if (isa.Parts > 1)
        {
            writer.Open($"for (int part = 0; part < {N(Layout.Lanes)}; part += {N(isa.Width)})");
        }

        writer.Open($"for (int c = 0; c < {N(Size)}; c++)").Line($"float* source = from + c * {N(Layout.Lanes)}{part}, target = halfway + c * {N(isa.Width)};");
        for (var r = 0; r < Size; r++)
        {
            writer.Line($"var d{N(r)} = {isa.Load(r == 0 ? "source" : $"source + {N(r)} * rowStride")};");
        }

        Apply(writer, isa);
        for (var r = 0; r < Side; r++)
        {
            writer.Line(isa.Store($"target + {N(r * Size * isa.Width)}", $"o{N(r)}"));
        }

        writer.Close();
        writer.Open($"for (int r = 0; r < {N(Side)}; r++)").Line($"float* source = halfway + r * {N(Size * isa.Width)}, target = to + r * {N((long)Side * PointStride)}{part};");
        for (var c = 0; c < Size; c++)
        {
            writer.Line($"var d{N(c)} = {isa.Load($"source + {N(c * isa.Width)}")};");
        }

        Apply(writer, isa);
        for (var c = 0; c < Side; c++)
        {
            writer.Line(isa.Store($"target + {N((long)c * PointStride)}", $"o{N(c)}"));
            if (isa != Isa.Vector128)
            {
                // Where the next tile goes lies beyond the first-level cache; asked for a tile ahead, it is there.
                writer.Line($"Sse.Prefetch0(target + {N(((long)c * PointStride) + Layout.Lanes)});");
            }
        }

        writer.Close();
        if (isa.Parts > 1)
        {
            writer.Close();
        }

        writer.Close().Line();
    }

    private void Apply(SourceWriter writer, Isa isa)
    {
        if (Gradients)
        {
            Transform.Gradient(writer, isa);
        }
        else
        {
            Transform.Input(writer, isa);
        }
    }
}
