// Tiles of a chunk, cut out of the planes of a batch and transformed: the inputs of a convolution, or the gradients of its
// outputs. What comes out is [point][block][tile][16], a matrix for each point. One method for all planes.
// A convolution of dilation d is d x d undilated ones, each of every d-th row and column: their tiles follow one another.
using ModelCompiler.Emission;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <param name="Gradients">Tiles of outputs' gradients, m x m, instead of inputs, (m + 2) x (m + 2).</param>
/// <param name="IsDilated">Whether rows and columns of a tile are <c>dilation</c> apart, a number of the calling method.</param>
internal sealed record WinogradTiles(WinogradTransform Transform, bool Gradients, Isa Isa, bool IsDilated)
{
    private int Size => Gradients ? Transform.Outputs : Transform.Inputs;

    private int Side => Transform.Inputs;

    private string Name => $"Winograd{N(Transform.Outputs)}{(Gradients ? "Gradients" : "Inputs")}{(IsDilated ? "Dilated" : "")}";

    private string Part => Isa.Parts == 1 ? "" : " + part";

    /// <summary>The call of the method as text.</summary>
    /// <param name="x">Tile (0, 0) of the sample that the batch begins with.</param>
    /// <param name="plane"><c>tileRows, tileColumns, xBlock, xRow, rows, columns</c>: tiles below one another and side by side, strides, and
    /// rows and columns that tiles may read, from the first tile's on; beyond them a tile reads zeros.</param>
    /// <param name="matrix"><c>chunk, point</c>: tiles that a matrix has room for, floats from matrix to matrix.</param>
    public string Call(KernelWriter writer, string x, string xStride, string to, string tiles, string blocks, string plane, string matrix)
    {
        writer.Share(Name + "Tile", EmitTile);
        return $"{writer.Share(Name, Emit)}({x}, {xStride}, {to}, halfway, {tiles}, {blocks}, {plane}, {matrix}{(IsDilated ? ", dilation" : "")});";
    }

    /// <summary>Tiles of a sample, as code.</summary>
    public static string Count(bool dilated) => "tileRows * tileColumns" + (dilated ? " * dilation * dilation" : "");

    /// <summary>How far the elements of a tile are apart in code that multiplies by it: empty without dilation.</summary>
    public static string Times(bool dilated) => dilated ? " * dilation" : "";

    /// <summary>Declares where tile <c>first</c> of the batch begins, and where a plane ends.</summary>
    public static void EmitFirstPlace(SourceWriter writer, int outputs, bool dilated)
    {
        var side = N(outputs) + Times(dilated);
        writer.Line($"int firstSample = first / ({Count(dilated)}), place = first % ({Count(dilated)});");
        if (dilated)
        {
            writer.Line("int phase = place / (tileRows * tileColumns);").Line("place %= tileRows * tileColumns;");
        }

        writer.Line($"int firstRow = place / tileColumns * {side}{(dilated ? " + phase / dilation" : "")}, firstColumn = place % tileColumns * {side}{(dilated ? " + phase % dilation" : "")}, "
            + $"endRow = tileRows * {side}, endColumn = tileColumns * {side};");
    }

    /// <summary>The start of the first tile.</summary>
    public static void EmitStart(SourceWriter writer) => writer.Line("int sample = firstSample, row = firstRow, column = firstColumn;");

    /// <summary>On to the next tile; behind the last one of a phase, to the first of the next phase.</summary>
    public static void EmitNext(SourceWriter writer, int outputs, bool dilated)
    {
        var side = N(outputs) + Times(dilated);
        if (!dilated)
        {
            writer.Line($"column += {side};").Open("if (column == endColumn)").Line("column = 0;").Line($"row += {side};")
                .Open("if (row == endRow)").Line("row = 0;").Line("sample++;").Close().Close();
            return;
        }

        writer.Line($"column += {side};").Open("if (column >= endColumn)").Line("column -= endColumn;").Line($"row += {side};")
            .Open("if (row >= endRow)").Line("row -= endRow;").Line("column++;").Open("if (column == dilation)").Line("column = 0;").Line("row++;")
            .Open("if (row == dilation)").Line("row = 0;").Line("sample++;").Close().Close().Close().Close();
    }

    /// <summary>Declares multiples of a stride, for addresses that need no arithmetic.</summary>
    /// <param name="count">One more than the largest multiple.</param>
    public static void EmitMultiples(SourceWriter writer, string stride, int count)
    {
        if (count > 2)
        {
            writer.Line($"long {string.Join(", ", Enumerable.Range(2, count - 2).Select(i => $"{stride}{N(i)} = {N(i)} * {stride}"))};");
        }
    }

    /// <summary><c> + stride3</c>; empty for 0.</summary>
    public static string Multiple(string stride, int count) => count == 0 ? "" : $" + {stride}{(count == 1 ? "" : N(count))}";

    private static string N(long value) => Literals.Int(value);

    private void Emit(SourceWriter writer)
    {
        writer.Open(Kernel.Helper(Name, "float* x, long xStride, float* u, float* halfway, int first, int tiles, int blocks, int tileRows, int tileColumns, int xBlock, int xRow, int rows, int columns, int chunk, int point" + (IsDilated ? ", int dilation" : "")));
        writer.Line($"float* patch = halfway + {N(Transform.Points * Layout.Lanes)};");
        EmitFirstPlace(writer, Transform.Outputs, IsDilated);
        writer.Open("for (int block = 0; block < blocks; block++)");
        EmitStart(writer);
        writer.Line("float* to = u + block * chunk * 16;").Open("for (int i = 0; i < tiles; i++, to += 16)");
        writer.Line("float* from = x + sample * xStride + block * xBlock + row * xRow + column * 16;");
        var (step, across) = (Times(IsDilated), IsDilated ? ", 16 * dilation" : "");
        var last = IsDilated ? $"{N(Size - 1)} * dilation <" : $"{N(Size)} <=";
        writer.Open($"if (row + {last} rows && column + {last} columns)").Line($"{Name}Tile(from, xRow{step}{across}, to, point, halfway);").Close();
        writer.Open("else").Line("// Beyond the plane and its padding a tile reads zeros: whatever lies there is another's.");
        writer.Open($"for (int r = 0; r < {N(Size)}; r++)").Open($"for (int c = 0; c < {N(Size)}; c++)");
        writer.Line($"bool inside = row + r{step} < rows && column + c{step} < columns;");
        writer.Line($"float* cell = patch + (r * {N(Size)} + c) * 16;");
        for (var p = 0; p < Isa.Parts; p++)
        {
            writer.Line(Isa.Store($"cell + {N(p * Isa.Width)}", $"inside ? {Isa.Load($"from + r{step} * xRow + c{step} * 16 + {N(p * Isa.Width)}")} : {Isa.Type}.Zero"));
        }

        writer.Close().Close().Line($"{Name}Tile(patch, {N(Size * Layout.Lanes)}{(IsDilated ? ", 16" : "")}, to, point, halfway);").Close();
        EmitNext(writer, Transform.Outputs, IsDilated);
        writer.Close().Close().Close().Line();
    }

    /// <summary>Columns, then rows of one tile. A block of 16 channels is one, two or four vectors; each goes through alone.</summary>
    private void EmitTile(SourceWriter writer)
    {
        writer.Open(Kernel.Helper($"{Name}Tile", $"float* from, long rowStride, {(IsDilated ? "long columnStride, " : "")}float* to, long point, float* halfway"));
        Transform.Constants(writer, Isa);
        if (Isa.Parts > 1)
        {
            writer.Open($"for (int part = 0; part < {N(Layout.Lanes)}; part += {N(Isa.Width)})");
        }

        EmitMultiples(writer, "rowStride", Size);
        EmitMultiples(writer, "point", Side);
        writer.Open($"for (int c = 0; c < {N(Size)}; c++)").Line($"float* source = from + c * {(IsDilated ? "columnStride" : "16")}{Part}, target = halfway + c * {N(Isa.Width)};");
        for (var r = 0; r < Size; r++)
        {
            writer.Line($"var d{N(r)} = {Isa.Load($"source{Multiple("rowStride", r)}")};");
        }

        Apply(writer);
        for (var r = 0; r < Side; r++)
        {
            writer.Line(Isa.Store($"target + {N(r * Size * Isa.Width)}", $"o{N(r)}"));
        }

        writer.Close();
        writer.Line($"float* result = to{Part};");
        writer.Open($"for (int r = 0; r < {N(Side)}; r++, result += {N(Side)} * point)").Line($"float* source = halfway + r * {N(Size * Isa.Width)};");
        for (var c = 0; c < Size; c++)
        {
            writer.Line($"var d{N(c)} = {Isa.Load($"source + {N(c * Isa.Width)}")};");
        }

        Apply(writer);
        for (var c = 0; c < Side; c++)
        {
            // Where the next tile goes lies beyond the first-level cache; asked for a tile ahead, it is there.
            writer.Line($"{Isa.Store($"result{Multiple("point", c)}", $"o{N(c)}")}{(Isa == Isa.Vector128 ? "" : $" Sse.Prefetch0(result{Multiple("point", c)} + 16);")}");
        }

        writer.Close();
        if (Isa.Parts > 1)
        {
            writer.Close();
        }

        writer.Close().Line();
    }

    private void Apply(SourceWriter writer)
    {
        if (Gradients)
        {
            Transform.Gradient(writer, Isa);
        }
        else
        {
            Transform.Input(writer, Isa);
        }
    }
}
