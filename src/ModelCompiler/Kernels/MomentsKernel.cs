// Mean and variance of every channel over the batch and space, for batch norm, in one pass over memory: a piece that the
// first-level cache holds is walked twice, and pieces are joined by the formula of Chan, Golub and LeVeque (Updating
// formulae and a pairwise algorithm for computing sample variances, 1979), which loses nothing when the mean is large.
using System.Collections.Immutable;
using System.Globalization;
using ModelCompiler.Emission;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <summary>Operands x (Blocked), mean, variance (Blocked of one element per channel, unbatched): the biased variance. The order of
/// additions depends on the shape only.</summary>
public sealed record MomentsKernel(Layout Input, Layout Output) : Kernel
{
    /// <summary>Vectors of a piece: 16 KiB.</summary>
    private const int Piece = 256;

    public override string Name => $"Moments_{Input.Tag}_{Output.Tag}";

    public override string Comment => $"mean and variance of x[{Input.Tag}] over the plane and all samples";

    public override KernelScope Scope => KernelScope.Batch;

    public override ImmutableArray<Operand> Operands { get; } = [new("x"), new("mean"), new("variance")];

    public override int Units => Input.Blocks;

    /// <summary>A dense plane is one row; rows of others that are short make a piece together.</summary>
    private (int Rows, int Columns, int RowsTogether) Walk
    {
        get
        {
            var rows = Input.Depth * Input.Height;
            return Input.IsDense ? (1, rows * Input.Width, 1) : (Input.Height, Input.Width, Math.Max(1, Piece / Input.Width));
        }
    }

    public override void Emit(KernelWriter writer, Isa isa)
    {
        static string N(long value) => value.ToString(CultureInfo.InvariantCulture);
        var (rows, columns, together) = Walk;
        var depth = Input.IsDense ? 1 : Input.Depth;
        writer.OpenMethod().OpenUnits();
        writer.Open($"for (int lane = 0; lane < {Layout.Lanes}; lane += {isa.Width})");
        writer.Line($"float* start = x + {N(Input.Origin)} + unit * {N(Input.BlockStride)}L + lane;");
        writer.Line($"{isa.Type} average = {isa.Type}.Zero, squares = {isa.Type}.Zero;").Line("float seen = 0;");
        writer.Open("for (int n = 0; n < batch; n++)");
        if (depth > 1)
        {
            writer.Open($"for (int d = 0; d < {N(depth)}; d++)");
        }

        writer.Open(rows == 1 ? $"for (int first = 0; first < {N(columns)}; first += {N(Piece)})" : $"for (int first = 0; first < {N(rows)}; first += {N(together)})");
        writer.Line($"float* from = start + n * xStride + first * {N(rows == 1 ? Layout.Lanes : Input.RowStride)}{(depth > 1 ? $" + d * {N(Input.DepthStride)}" : "")};");
        writer.Line(rows == 1 ? $"int count = Math.Min({N(Piece)}, {N(columns)} - first);" : $"int rows = Math.Min({N(together)}, {N(rows)} - first), count = rows * {N(columns)};");
        EmitPass(writer, isa, "sum", "v", rows, columns);
        writer.Line($"var here = sum * {isa.Broadcast("1f / count")};");
        EmitPass(writer, isa, "square", "(v - here) * (v - here)", rows, columns);
        writer.Line("float total = seen + count;").Line("var apart = here - average;");
        writer.Line($"average += apart * {isa.Broadcast("count / total")};");
        writer.Line($"squares += square + apart * apart * {isa.Broadcast("seen * (count / total)")};").Line("seen = total;");
        writer.Close();
        if (depth > 1)
        {
            writer.Close();
        }

        writer.Close();
        writer.Line(isa.Store($"mean + {N(Output.Origin)} + unit * {N(Output.BlockStride)} + lane", "average"));
        writer.Line(isa.Store($"variance + {N(Output.Origin)} + unit * {N(Output.BlockStride)} + lane", $"squares / {isa.Broadcast("seen")}"));
        writer.Close().Close().Close();
    }

    /// <summary>The sum of a term over the piece: four chains of additions.</summary>
    private void EmitPass(SourceWriter writer, Isa isa, string name, string term, int rows, int columns)
    {
        writer.Line($"{isa.Type} {name} = {isa.Type}.Zero, {name}1 = {name}, {name}2 = {name}, {name}3 = {name};");
        if (rows > 1)
        {
            writer.Open("for (int r = 0; r < rows; r++)").Line(FormattableString.Invariant($"float* row = from + r * {Input.RowStride};"));
        }

        var (source, count) = rows > 1 ? ("row", columns.ToString(CultureInfo.InvariantCulture)) : ("from", "count");
        writer.Open("").Line("int i = 0;").Open($"for (; i + 4 <= {count}; i += 4)");
        for (var k = 0; k < 4; k++)
        {
            writer.Line($"var v{k} = {isa.Load(FormattableString.Invariant($"{source} + i * 16 + {k * 16}"))};");
            writer.Line($"{name}{(k == 0 ? "" : k.ToString(CultureInfo.InvariantCulture))} += {term.Replace("v", $"v{k}")};");
        }

        writer.Close().Open($"for (; i < {count}; i++)").Line($"var v = {isa.Load($"{source} + i * 16")};").Line($"{name} += {term};").Close().Close();
        if (rows > 1)
        {
            writer.Close();
        }

        writer.Line($"{name} = ({name} + {name}1) + ({name}2 + {name}3);");
    }
}
