// Mean and variance of every channel over the batch and space, for batch norm, in one pass over memory: a piece that the
// first-level cache holds is walked twice, and pieces are joined by the formula of Chan, Golub and LeVeque (Updating
// formulae and a pairwise algorithm for computing sample variances, 1979), which loses nothing when the mean is large.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <summary>Operands x (Blocked), mean, squares (Blocked of one element per channel) of one sample: its mean, and the sum of squared
/// deviations from it. The order of additions depends on the shape only.</summary>
public sealed record MomentsKernel(Layout Input, Layout Output) : Kernel
{
    /// <summary>Vectors of a piece: 16 KiB.</summary>
    private const int Piece = 256;

    /// <summary>A dense plane is one row.</summary>
    private bool IsDense => Input.IsDense;

    private bool HasPlanes => !IsDense && Input.Depth > 1;

    public override string Name => IsDense ? "MomentsOfRuns" : HasPlanes ? "MomentsOfVolumes" : "MomentsOfPlanes";

    public override string Comment => "mean of every channel of x over space, and the squared deviations from it";

    public override ImmutableArray<Operand> Operands { get; } = [new("x", Offset: Input.Origin), new("mean", Offset: Output.Origin), new("squares", Offset: Output.Origin)];

    public override int ReadOperands => 1;

    public override int Units => Input.Blocks;

    public override int Turns => Units;

    public override int TurnStride(int operand) => operand == 0 ? Input.BlockStride : Output.BlockStride;

    /// <summary>Short rows make a piece together.</summary>
    public override ImmutableArray<KernelNumber> Numbers => IsDense
        ? [new("blockStride", Input.BlockStride), new("columns", Input.Depth * Input.Height * Input.Width)]
        :
        [
            new("blockStride", Input.BlockStride), .. HasPlanes ? [new KernelNumber("planes", Input.Depth), new KernelNumber("planeStride", Input.DepthStride)] : Array.Empty<KernelNumber>(),
            new("rows", Input.Height), new("rowStride", Input.RowStride), new("rowsTogether", Math.Max(1, Piece / Input.Width)), new("columns", Input.Width),
        ];

    public override void Emit(KernelWriter writer, Isa isa)
    {
        writer.OpenMethod().OpenUnits();
        writer.Open($"for (var lane = 0; lane < {Layout.Lanes}; lane += {isa.Width})");
        writer.Line("var start = x + unit * blockStride + lane;");
        writer.Line($"{isa.Type} average = {isa.Type}.Zero, deviations = {isa.Type}.Zero;").Line("var seen = 0f;");
        if (HasPlanes)
        {
            writer.Open("for (var plane = 0; plane < planes; plane++)");
        }

        if (IsDense)
        {
            writer.Open($"for (var first = 0; first < columns; first += {Piece})").Line($"var from = start + first * {Layout.Lanes};")
                .Line($"var count = Math.Min({Piece}, columns - first);");
        }
        else
        {
            writer.Open("for (var first = 0; first < rows; first += rowsTogether)").Line($"var from = start{(HasPlanes ? " + plane * planeStride" : "")} + first * rowStride;")
                .Line("var together = Math.Min(rowsTogether, rows - first);").Line("var count = together * columns;");
        }

        EmitPass(writer, isa, "sum", "v");
        writer.Line($"var here = sum * {isa.Broadcast("1f / count")};");
        EmitPass(writer, isa, "square", "(v - here) * (v - here)");
        writer.Line("var total = seen + count;").Line("var apart = here - average;");
        writer.Line($"average += apart * {isa.Broadcast("count / total")};");
        writer.Line($"deviations += square + apart * apart * {isa.Broadcast("seen * (count / total)")};").Line("seen = total;");
        writer.Close();
        if (HasPlanes)
        {
            writer.Close();
        }

        writer.Line(isa.Store($"mean + unit * {Layout.Lanes} + lane", "average"));
        writer.Line(isa.Store($"squares + unit * {Layout.Lanes} + lane", "deviations"));
        writer.Close().Close().Close();
    }

    /// <summary>The sum of a term over the piece: four chains of additions.</summary>
    private void EmitPass(SourceWriter writer, Isa isa, string name, string term)
    {
        writer.Line($"{isa.Type} {name} = {isa.Type}.Zero, {name}1 = {name}, {name}2 = {name}, {name}3 = {name};");
        if (!IsDense)
        {
            writer.Open("for (var row = 0; row < together; row++)").Line("var line = from + row * rowStride;");
        }

        var (source, count) = IsDense ? ("from", "count") : ("line", "columns");
        writer.Open("").Line("var i = 0;").Open($"for (; i + 4 <= {count}; i += 4)");
        foreach (var k in new[] { "", "1", "2", "3" })
        {
            writer.Line($"var v{k} = {isa.Load($"{source} + (i{(k.Length == 0 ? "" : " + " + k)}) * {Layout.Lanes}")};").Line($"{name}{k} += {term.Replace("v", "v" + k)};");
        }

        writer.Close().Open($"for (; i < {count}; i++)").Line($"var v = {isa.Load($"{source} + i * {Layout.Lanes}")};").Line($"{name} += {term};").Close().Close();
        if (!IsDense)
        {
            writer.Close();
        }

        writer.Line($"{name} = ({name} + {name}1) + ({name}2 + {name}3);");
    }
}

/// <summary>Operands means, squares (of the parts of each sample, as <see cref="MomentsKernel"/> and <see cref="ChannelSums"/> leave them), mean,
/// variance (of the batch): the biased variance. Parts are joined in their order, sample after sample.</summary>
/// <param name="Parts">One element for each part: rows, and parts of a row.</param>
/// <param name="Count">Elements of a channel in a part, and in the last one of a row.</param>
public sealed record JoinMomentsKernel(Layout Moments, Layout Parts, (int Each, int Last) Count) : Kernel
{
    /// <summary>A sample is one part.</summary>
    public JoinMomentsKernel(Layout moments, int count)
        : this(moments, moments, (count, count))
    {
    }

    public override string Name => "JoinMoments";

    public override string Comment => "mean and variance over a batch of what its samples have";

    public override KernelScope Scope => KernelScope.Batch;

    public override ImmutableArray<Operand> Operands { get; } =
        [new("means", Offset: Parts.Origin), new("squares", Offset: Parts.Origin), new("mean", Offset: Moments.Origin), new("variance", Offset: Moments.Origin)];

    public override int ReadOperands => 2;

    public override int Units => Moments.Blocks;

    public override ImmutableArray<KernelNumber> Numbers =>
        [new("blockStride", Parts.BlockStride), new("parts", Parts.Depth * Parts.Height * Parts.Width), new("rowParts", Parts.Width), new("elements", Count.Each), new("lastElements", Count.Last)];

    public override void Emit(KernelWriter writer, Isa isa)
    {
        writer.OpenMethod().OpenUnits();
        writer.Open($"for (var lane = 0; lane < {Layout.Lanes}; lane += {isa.Width})");
        writer.Line($"{isa.Type} average = {isa.Type}.Zero, deviations = {isa.Type}.Zero;").Line("var seen = 0f;");
        writer.Open("for (var n = 0; n < batch; n++)").Open("for (var part = 0; part < parts; part++)").Line($"var place = unit * blockStride + part * {Layout.Lanes} + lane;");
        writer.Line("float count = part % rowParts == rowParts - 1 ? lastElements : elements, total = seen + count;");
        writer.Line($"var apart = {isa.Load("means + n * meansStride + place")} - average;");
        writer.Line($"average += apart * {isa.Broadcast("count / total")};");
        writer.Line($"deviations += {isa.Load("squares + n * squaresStride + place")} + apart * apart * {isa.Broadcast("seen * (count / total)")};");
        writer.Line("seen = total;").Close().Close();
        writer.Line(isa.Store($"mean + unit * {Layout.Lanes} + lane", "average"));
        writer.Line(isa.Store($"variance + unit * {Layout.Lanes} + lane", $"deviations * {isa.Broadcast("1f / seen")}"));
        writer.Close().Close().Close();
    }
}
