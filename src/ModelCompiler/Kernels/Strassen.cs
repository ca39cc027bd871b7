// Dense layers and 1x1 convolutions with seven products where eight halves of matrices would be multiplied: Strassen's
// algorithm, one level of it, in Winograd's form with fifteen additions. Additions that concern weights alone are done when
// these are packed, or by the first tile that needs them. It passes the limit that direct products have, for a somewhat larger rounding error.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Graph;
using ModelCompiler.Operators;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <summary>What the three kernels of a product by Strassen's algorithm agree on.</summary>
/// <remarks>y = x · w, where x is pixels x input channels and w input x output channels. Pixels are halved (first and last ones; of an odd number both halves
/// have the middle one), input channels likewise, output channels within each group of blocks that are computed together.
/// With halves 1 and 2, the seven factors, in the order in which they are computed, are
/// <code>
/// P1 = x11 · w11                               y11 = P1 + P2
/// P2 = x12 · w21                               y22 = P1 + P6 + P7 + P5
/// P6 = (x21 + x22 - x11) · (w21 - t)           y12 = P1 + P6 + P5 + P3
/// P7 = (x11 - x21) · (w21 - t - w11)           y21 = P1 + P6 + P7 + P4
/// P5 = (x21 + x22) · (w22 - (w21 - t))
/// P3 = (x12 - x21 - x22 + x11) · w22           t = w21 - (w22 - (w12 - w11))
/// P4 = x22 · t
/// </code>
/// Of weights w11, w21, t and w22 are kept; what three products take besides is made by the first tile of pixels that takes it, and stays near for the others.
/// V. Strassen, Gaussian elimination is not optimal (1969); S. Winograd's form: P. C. Fischer and R. L. Probert, Efficient procedures for
/// using matrix algorithms (1974). Tests hold rounding errors to 1e-6 of the largest output.</remarks>
internal static class Strassen
{
    /// <summary>Products, and so factors on each side.</summary>
    public const int Products = 7;

    /// <summary>Left factors that are sums: those of the third to the sixth product.</summary>
    public const int Sums = 4;

    /// <summary>Right factors that are kept: those of the first two and of the last two products.</summary>
    public const int Kept = 4;

    /// <summary>Both sides' halves are whole blocks.</summary>
    private const int Pair = 2 * Layout.Lanes;

    /// <summary>More blocks of a group's half would make weights of a product too large for the second-level cache.</summary>
    private const int MostBlocks = 6;

    /// <summary>Fewer sums in registers would leave products waiting for weights and for each other.</summary>
    private const int FewestSums = 20;

    /// <summary>Whether a convolution is a product of matrices whose halves are whole blocks.</summary>
    public static bool IsPossible(ConvolutionGeometry direct) =>
        direct is { Groups: 1, TapCount: 1, InputLane: 1, Plane.Depth: 1 } && direct.InputChannels % Pair == 0 && direct.OutputChannels % Pair == 0 && Half(direct) >= 2;

    /// <summary>Whether the three factors that are quarters of x lie in memory as products read them.</summary>
    public static bool ReadsQuarters(ConvolutionGeometry direct) => 
        direct.InputStep.Columns == Layout.Lanes && (direct.Plane.Rows == 1 || direct.InputStep.Rows == direct.Plane.Columns * Layout.Lanes);

    /// <summary>Pixels in a half.</summary>
    public static int Half(ConvolutionGeometry direct) => Rounding.Ceiling(direct.Plane.Rows * direct.Plane.Columns, 2);

    /// <summary>One of the seven products as a convolution over some pixels.</summary>
    public static ConvolutionGeometry Product(ConvolutionGeometry direct, int pixels) => ConvolutionGeometry.OfColumns(direct.InputChannels / 2, direct.OutputChannels / 2, pixels);

    /// <summary>The register tile of a product; its blocks, which decide how weights are packed, divide those of a half.</summary>
    public static Tile TileOf(ConvolutionGeometry direct)
    {
        // A broadcast that a single block uses costs as much as two multiply-adds.
        var product = Product(direct, Half(direct));
        var sizes = Enumerable.Range(2, MostBlocks - 1).Where(b => product.OutputBlocks % b == 0).DefaultIfEmpty(1);
        return sizes.SelectMany(b => Enumerable.Range(1, Math.Min(Tile.MostColumns, product.Plane.Columns)).Select(c => new Tile(1, c, b))).Where(t => t.Fits(Isa.Avx512))
            .OrderByDescending(t => Math.Min(FewestSums, t.Pixels * t.Blocks)).ThenBy(t => t.Cost(product)).First();
    }
}

/// <summary>Operands x, u: the left factors as [factor][block of input channels in a half][pixel in a half][16]; without the three that are
/// quarters of x, where these can be read where they are.</summary>
/// <param name="Direct">The convolution that is computed.</param>
public sealed record StrassenInputsKernel(ConvolutionGeometry Direct) : Kernel
{
    public override string Name => KernelName.Of("StrassenInputs", Direct.Plane.Rows == 1 ? "row" : "rows", Strassen.ReadsQuarters(Direct) ? "sums" : "all");

    public override string Comment => "sums and differences of the quarters of x, for seven products instead of eight";

    public override ImmutableArray<Operand> Operands => [new("x", Offset: Direct.InputOffset), new("u")];

    public override ImmutableArray<KernelNumber> Numbers =>
    [
        new("xBlock", Direct.InputBlock), new("xRow", Direct.InputStep.Rows), new("xColumn", Direct.InputStep.Columns), new("columns", Direct.Plane.Columns),
        new("half", Strassen.Half(Direct)), new("second", (Direct.Plane.Rows * Direct.Plane.Columns) - Strassen.Half(Direct)), new("blocks", Units),
    ];

    /// <summary>Blocks of a half.</summary>
    public override int Units => Direct.InputChannels / (2 * Layout.Lanes);

    public int Floats => checked((Strassen.ReadsQuarters(Direct) ? Strassen.Sums : Strassen.Products) * Units * Strassen.Half(Direct) * Layout.Lanes);

    public bool Equals(StrassenInputsKernel? other) => other is not null && Key == other.Key;

    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(Key);

    public override void Emit(KernelWriter writer, Isa isa)
    {
        var rows = Direct.Plane.Rows > 1;
        writer.OpenMethod().OpenUnits();
        writer.Line("float* to = u + unit * half * 16L, x1 = x + unit * xBlock, x2 = x1 + second / columns * xRow + second % columns * xColumn;");
        writer.Line("long factor = blocks * half * 16L, otherBlocks = (long)blocks * xBlock;");
        if (rows)
        {
            writer.Line("int column1 = 0, column2 = second % columns, nextRow = xRow - columns * xColumn;");
        }

        writer.Open("for (int pixel = 0; pixel < half; pixel++, to += 16)");
        for (var p = 0; p < isa.Parts; p++)
        {
            var part = isa.Part(p);
            writer.Open("");
            writer.Line($"var x11 = {isa.Load($"x1{part}")}; var x12 = {isa.Load($"x1 + otherBlocks{part}")}; var x21 = {isa.Load($"x2{part}")}; var x22 = {isa.Load($"x2 + otherBlocks{part}")};");
            writer.Line("var s1 = x21 + x22; var s2 = s1 - x11;");
            string[] sums = ["s2", "x11 - x21", "s1", "x12 - s2"];
            string[] factors = Strassen.ReadsQuarters(Direct) ? sums : ["x11", "x12", .. sums, "x22"];
            for (var i = 0; i < factors.Length; i++)
            {
                writer.Line(isa.Store($"to{(i == 0 ? "" : i == 1 ? " + factor" : $" + {i} * factor")}{part}", factors[i]));
            }

            writer.Close();
        }

        writer.Line("x1 += xColumn; x2 += xColumn;");
        if (rows)
        {
            writer.Line("if (++column1 == columns) { column1 = 0; x1 += nextRow; }").Line("if (++column2 == columns) { column2 = 0; x2 += nextRow; }");
        }

        writer.Close().Close().Close();
    }
}

/// <summary>Flat weights [out][in] to the right factors that are kept: [group of output blocks][w11, w21, t, w22][input channel in a half][block in a group's half][16 outputs].</summary>
/// <param name="HalfBlocks">Output blocks in a group's half; all groups are full.</param>
public sealed record PackStrassenKernel(int InputChannels, int OutputChannels, int HalfBlocks) : Kernel
{
    public override string Name => "PackStrassen";

    public override string Comment => "three quarters of weights and a sum of all four, for seven products instead of eight";

    public override KernelScope Scope => KernelScope.Once;

    public override ImmutableArray<Operand> Operands => [new("weight"), new("packed")];

    public override ImmutableArray<KernelNumber> Numbers => [new("inputs", InputChannels), new("halfBlocks", HalfBlocks)];

    /// <summary>Groups.</summary>
    public override int Units => OutputChannels / (2 * HalfBlocks * Layout.Lanes);

    public override int SourceRowFloats => checked(2 * HalfBlocks * Layout.Lanes * InputChannels);

    /// <summary>Floats of the packed weights.</summary>
    public int PackedSize => checked(OutputChannels * InputChannels);

    public override void Emit(KernelWriter writer, Isa isa)
    {
        writer.OpenMethod();
        writer.Line("int half = inputs / 2, step = halfBlocks * 16;").Line("long factor = (long)half * step;");
        writer.Open("for (int pair = begin * halfBlocks; pair < end * halfBlocks; pair++)").Line("int unit = pair / halfBlocks, inGroup = pair % halfBlocks;");
        writer.Line($"float* first = weight + (unit * halfBlocks + pair) * 16L * inputs, second = first + halfBlocks * 16L * inputs, to = packed + unit * {Strassen.Kept} * factor + inGroup * 16;");
        writer.Open("for (int input = 0; input < half; input += 16, to += 16L * step)");
        writer.Line("Transposition.Turn(first + input, inputs, 16, 16, to, step);");
        writer.Line("Transposition.Turn(first + half + input, inputs, 16, 16, to + factor, step);");
        writer.Line("Transposition.Turn(second + input, inputs, 16, 16, to + 2 * factor, step);");
        writer.Line("Transposition.Turn(second + half + input, inputs, 16, 16, to + 3 * factor, step);");
        writer.Open("for (int channel = 0; channel < 16; channel++)").Line("float* w11 = to + channel * step, w21 = w11 + factor, w12 = w21 + factor, w22 = w12 + factor;");
        for (var p = 0; p < isa.Parts; p++)
        {
            string Load(string quarter) => isa.Load(quarter + isa.Part(p));
            writer.Line(isa.Store("w12" + isa.Part(p), $"{Load("w21")} - ({Load("w22")} - ({Load("w12")} - {Load("w11")}))"));
        }

        writer.Close().Close().Close().Close();
    }
}

/// <summary>The seven products, their sums, bias and formula.</summary>
/// <remarks>Operands: x where its quarters are read, u (of <see cref="StrassenInputsKernel"/>), w (of <see cref="PackStrassenKernel"/>), bias if there is one, the formula's operands, y,
/// scratch (<see cref="ScratchFloats"/>, for each thread).</remarks>
/// <param name="Direct">The convolution that is computed.</param>
/// <param name="Formula">Input 0 is the sum (with bias), inputs 1… the fused operands. Null: the sum itself.</param>
public sealed record StrassenKernel(ConvolutionGeometry Direct, bool Bias, Expression? Formula, ImmutableArray<FusedOperand> Fused) : Kernel
{
    /// <summary>Pixels of a unit, of each half, at most and at least where there are as many: left factors and products of so many stay in the second-level cache.</summary>
    private const int MostPixels = 256;
    private const int FewestPixels = 128;

    /// <summary>Of the second-level cache, for left factors.</summary>
    private const int NearFloats = 160 * 1024;

    public override string Name => field ??= KernelName.Of($"Strassen_{Tile}", Isa.All.Select(isa => new StrassenEmitter(this, isa).Structure));

    public override string Comment =>
        FormattableString.Invariant($"seven products of halves of matrices instead of eight, by tiles of {Tile}") + (Formula is null ? "" : "; fused: " + new FormulaProgram([Formula]).Readable);

    public override ImmutableArray<Operand> Operands =>
    [
        .. Strassen.ReadsQuarters(Direct) ? [new Operand("x", Offset: Direct.InputOffset)] : Array.Empty<Operand>(), new("u"), new("w"), .. Bias ? [new Operand("bias")] : Array.Empty<Operand>(), .. Fused.Select((e, i) => new Operand($"e{Literals.Int(i)}", Offset: e.Offset)),
        new("y", Offset: Direct.OutputOffset), new("scratch"),
    ];

    public override int ReadOperands => Operands.Length - 2;

    public override ImmutableArray<KernelNumber> Numbers => field.IsDefault ? field = [.. AllNumbers()] : field;

    private IEnumerable<KernelNumber> AllNumbers()
    {
        yield return new("half", Strassen.Half(Direct));
        yield return new("otherPixels", (Direct.Plane.Rows * Direct.Plane.Columns) - Strassen.Half(Direct));
        yield return new("spans", Spans);
        yield return new("groups", Groups);
        yield return new("spanPixels", SpanPixels);
        yield return new("mostPixels", WidestSpan);
        yield return new("inputBlocks", Direct.InputChannels / (2 * Layout.Lanes));
        yield return new("xBlock", Direct.InputBlock);
        yield return new("columns", Direct.Plane.Columns);
        yield return new("yBlock", Direct.OutputBlock);
        yield return new("yRow", Direct.OutputStep.Rows);
        yield return new("yColumn", Direct.OutputStep.Columns);
        for (var i = 0; i < Fused.Length; i++)
        {
            yield return new($"e{Literals.Int(i)}Block", Fused[i].Block);
            yield return new($"e{Literals.Int(i)}Row", Fused[i].Step.Rows);
            yield return new($"e{Literals.Int(i)}Column", Fused[i].Step.Columns);
        }
    }

    public override long Macs => (long)Strassen.Products * Strassen.Half(Direct) * (Direct.InputChannels / 2) * (Direct.OutputChannels / 2);

    public override string Choice => FormattableString.Invariant($"strassen {Tile.Columns}x{Tile.Blocks}");

    public override string Fusion => FusionOf(Formula);

    /// <summary>Spans of pixels x groups of output blocks: the left factors of a span, which are larger than the weights of a group, serve all groups.</summary>
    public override int Units => Spans * Groups;

    private int Groups => Direct.OutputBlocks / 2 / Tile.Blocks;

    /// <summary>The kernel that makes w of flat weights.</summary>
    public PackStrassenKernel Packing => new(Direct.InputChannels, Direct.OutputChannels, Tile.Blocks);

    /// <summary>Four products of a unit, and two right factors that are not kept.</summary>
    public int ScratchFloats => checked(Tile.Blocks * Layout.Lanes * ((4 * WidestSpan) + Direct.InputChannels));

    /// <summary>Of pixels and of the blocks in a group's half.</summary>
    internal Tile Tile => chosen ??= Strassen.TileOf(Direct);

    private Tile? chosen;

    /// <summary>A product that stays in scratch memory.</summary>
    internal ConvolutionKernel Product => new(Strassen.Product(Direct, WidestSpan), false, null, ImmutableArray<FusedOperand>.Empty, Samples: false);

    /// <summary>A product that completes outputs: the first operand of its formula is what the others have summed.</summary>
    internal ConvolutionKernel LastProduct => new(
        Product.Geometry with { OutputBlock = Direct.OutputBlock, OutputStep = Direct.OutputStep }, Bias, LastFormula, [new FusedOperand(0, WidestSpan * Layout.Lanes, (0, 0, Layout.Lanes)), .. Fused], Samples: false);

    private Expression LastFormula
    {
        get
        {
            var sum = new InputFormula(0) + new InputFormula(1);
            return Formula?.Rewrite(part => part is InputFormula input ? input.Index == 0 ? sum : new InputFormula(input.Index + 1) : null) ?? sum;
        }
    }

    /// <summary>Whether products complete outputs themselves. Where outputs have rows, a tile does not fit them; and a pixel that both halves have
    /// must not be written by two threads.</summary>
    internal bool Completes => Direct.Plane.Rows == 1 && (Spans == 1 || Direct.Plane.Columns % 2 == 0);

    /// <summary>The last span has the pixels that are left.</summary>
    private int Spans => Strassen.Half(Direct) / SpanPixels;

    private int SpanPixels
    {
        get
        {
            var half = Strassen.Half(Direct);
            var most = Math.Min(MostPixels, Math.Max(FewestPixels, NearFloats * 2 / (Strassen.Products * Direct.InputChannels)));
            return Math.Max(1, half / Rounding.Ceiling(half, most) / Tile.Columns) * Tile.Columns;
        }
    }

    private int WidestSpan => Strassen.Half(Direct) - ((Spans - 1) * SpanPixels);

    private string Identity => field ??= $"{Direct.Identity}|{Bias}|{(Formula is null ? "" : new FormulaProgram([Formula]).Text)}|{string.Join(";", Fused.Select(f => f.Identity))}";

    public bool Equals(StrassenKernel? other) => other is not null && Identity == other.Identity;

    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(Identity);

    public override void Emit(KernelWriter writer, Isa isa) => new StrassenEmitter(this, isa).Emit(writer);
}
