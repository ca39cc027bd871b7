// The gradients of a depthwise convolution: with respect to its input, by gathering (stride 1), by phases, or scattering, and
// with respect to its weights, by sums over planes and samples.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Graph;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <summary>Operands dy, weights, dx, all Blocked. Needs no halo; it is faster when dy has a halo of zeros, with stride 1 of
/// dilation * (kernel - 1) - padding on every side, with others of what its phases reach. Weights as in <see cref="DepthwiseKernel"/>.</summary>
/// <param name="Epilogue">Only where <see cref="TakesFormula"/>: as in <see cref="DepthwiseKernel"/>, with operands e1, e2, … before dx.</param>
/// <param name="Extras">Layouts of e1, e2, …</param>
public sealed record DepthwiseInputGradientKernel(
    Window Window, Layout OutputGradient, Layout InputGradient, Expression? Epilogue, ImmutableArray<Layout> Extras) : Kernel
{
    public DepthwiseInputGradientKernel(Window window, Layout outputGradient, Layout inputGradient)
        : this(window, outputGradient, inputGradient, null, [])
    {
    }

    /// <summary>What is summed up of the result, row by row; only of two axes, and where <see cref="TakesFormula"/>.</summary>
    public ChannelSums? Sums { get; init; }

    private bool Gathers => Window.Stride.All(s => s == 1);

    // With stride 1 the gradient is a convolution of dy by the kernel turned round.
    private PoolGeometry Geometry => field ??= Gathers
        ? new PoolGeometry(
            new Window(
                Window.Kernel, Window.Stride, [.. Window.Kernel.Select((_, axis) => Window.Extent(axis) - 1 - Window.PadBegin[axis])],
                [.. Window.Kernel.Select((_, axis) => Window.Extent(axis) - 1 - Window.PadEnd[axis])], Window.Dilation),
            OutputGradient, InputGradient)
        : new PoolGeometry(Window, InputGradient, OutputGradient);

    private PoolOperand Dy => new("dy", OutputGradient, Gathers);

    private PoolOperand Weights => new("weights", new Layout(LayoutKind.Blocked, Shape.Of(InputGradient.Channels, Window.Kernel)), false, IsFixed: true);

    public override long Macs => OutputGradient.Shape.Count * Window.KernelCount;

    private PoolOperand Dx => new("dx", InputGradient, !Gathers);

    /// <summary>Whether there may be a formula: each element is stored once.</summary>
    public bool TakesFormula => IsConvolution || IsPhased;

    private bool IsPhased => !Gathers && DepthwisePhaseEmitter.Covers(Window, OutputGradient, InputGradient);

    private DepthwisePhaseEmitter Phases => field ??= new(Window, OutputGradient, InputGradient, Formula, Extras, Sums);

    private Expression Formula => Epilogue ?? new InputFormula(0);

    /// <summary>Whether it is a convolution over a halo of zeros.</summary>
    private bool IsConvolution => Gathers && DepthwiseEmitter.HaloCovers(Geometry);

    public override string Name => field ??= IsConvolution
        ? KernelName.Of("DepthwiseInputGradient", Isa.All.Select(isa => Emitter(isa).Structure))
        : IsPhased ? KernelName.Of("DepthwiseInputGradientPhases", Phases.Structure)
        : KernelName.Of(Gathers ? "DepthwiseInputGradientGather" : "DepthwiseInputGradientScatter", Geometry.Structure);

    public override string Comment => $"dx = gradient of the depthwise convolution by {Geometry.Comment}, for dy" + (Epilogue is null ? "" : $", then {Fusion}") + (Sums is null ? "" : ", and " + Sums.Readable);

    public override string Fusion => FusionOf(Epilogue);

    public override ImmutableArray<ScalarArgument> Scalars => new FormulaProgram([Formula]).Scalars;

    public override ImmutableArray<Operand> Operands =>
    [
        Dy.Operand(Geometry), Weights.Operand(Geometry), .. Extras.Select((e, i) => new Operand($"e{i + 1}", Offset: e.Origin)), .. Sums?.Inputs ?? [],
        IsPhased ? new Operand("dx", Offset: InputGradient.Origin) : Dx.Operand(Geometry), .. Sums?.Outputs ?? [],
    ];

    public override int ReadOperands => Operands.Length - 1 - (Sums?.Results ?? 0);

    public override ImmutableArray<KernelNumber> Numbers => 
        [.. IsPhased ? Phases.Numbers : IsConvolution ? DepthwiseEmitter.Numbers(Geometry, Dy, Dx, Extras) : Geometry.Numbers(Dy, Weights, Dx), .. Sums?.Numbers ?? []];

    private DepthwiseEmitter Emitter(Isa isa) => new(Geometry, Dy, Dx, isa) { IsTurned = true, Formula = Formula, Extras = Extras, Sums = Sums };

    public override int Turns => Gathers ? Geometry.Turns : InputGradient.Blocks;

    public override int TurnStride(int operand) => DepthwiseEmitter.TurnStride(operand, OutputGradient, 2, Extras, Sums, InputGradient);

    public override int Units => Gathers ? Geometry.RowUnits : IsPhased ? InputGradient.Blocks * InputGradient.Height : InputGradient.Blocks;

    public override void Emit(KernelWriter writer, Isa isa)
    {
        var geometry = Geometry;
        if (IsPhased)
        {
            Phases.Emit(writer, isa);
            return;
        }

        if (IsConvolution)
        {
            Emitter(isa).Emit(writer, "weights");
            return;
        }

        var parts = Enumerable.Range(0, isa.Parts).ToArray();
        var (dy, weights, dx) = (Dy, Weights, Dx);
        var emitter = new PoolEmitter(geometry, writer, [dy, weights, dx]);
        string Weight(string number, int part) => isa.Load($"{weights.At} + ({number}) * {Layout.Lanes} + {part * isa.Width}");
        if (Gathers)
        {
            emitter.EmitByRows((_, visit) =>
            {
                foreach (var p in parts)
                {
                    writer.Line($"var sum{p} = {isa.Type}.Zero;");
                }

                visit(element =>
                {
                    foreach (var p in parts)
                    {
                        var value = isa.Load($"{dy.At} + {element.Offset(dy, p * isa.Width)}");
                        writer.Line($"sum{p} = {isa.Fma(value, Weight($"{geometry.Count - 1} - ({element.Number})", p), $"sum{p}")};");
                    }
                });
                foreach (var p in parts)
                {
                    writer.Line(isa.Store($"{dx.At} + {p * isa.Width}", $"sum{p}"));
                }
            });
            return;
        }

        emitter.EmitByBlocks(() => emitter.EmitClear(dx, isa), (_, visit) =>
        {
            foreach (var p in parts)
            {
                writer.Line($"var g{p} = {isa.Load($"{dy.At} + {p * isa.Width}")};");
            }

            visit(element =>
            {
                foreach (var p in parts)
                {
                    var address = $"{dx.At} + {element.Offset(dx, p * isa.Width)}";
                    writer.Line(isa.Store(address, isa.Fma($"g{p}", Weight(element.Number, p), isa.Load(address))));
                }
            });
        });
    }
}

/// <summary>Operands x, dy, dw: x Blocked with a halo of zeros that covers the padding, dw Blocked of shape C x kernel:
/// the sum over one sample.</summary>
public sealed record DepthwiseWeightGradientKernel(Window Window, Layout Input, Layout OutputGradient) : Kernel
{
    /// <summary>Kernel elements that have accumulators at the same time, on every instruction set.</summary>
    private const int Group = 9;

    /// <summary>Floats by which x is asked for before it is needed: it was kept since the forward pass, and lies in memory.</summary>
    private const int Ahead = 1536;

    private int Groups => (Window.KernelCount + Group - 1) / Group;

    private PoolGeometry Geometry => field ??= new(Window, Input, OutputGradient, unrolled: int.MaxValue);

    private PoolOperand X => new("x", Input, true);

    private PoolOperand Dy => new("dy", OutputGradient, false);

    public override string Name => field ??= KernelName.Of("DepthwiseWeightGradient", Geometry.Taps);

    public override string Comment => $"dw = weight gradient of the depthwise convolution by {Geometry.Comment}";

    public override ImmutableArray<KernelNumber> Numbers => Geometry.Numbers(X, Dy);

    public override long Macs => OutputGradient.Shape.Count * Window.KernelCount;

    public override ImmutableArray<Operand> Operands => [X.Operand(Geometry), Dy.Operand(Geometry), new("dw")];

    public override int Turns => Input.Blocks;

    public override int TurnStride(int operand) => operand == 0 ? Input.BlockStride : operand == 1 ? OutputGradient.BlockStride : Window.KernelCount * Layout.Lanes;

    /// <summary>A block's group of kernel elements.</summary>
    public override int Units => Input.Blocks * Groups;

    public override void Emit(KernelWriter writer, Isa isa)
    {
        if (!DepthwiseEmitter.HaloCovers(Geometry))
        {
            throw new InvalidOperationException($"The halo of {Input.Tag} does not cover the padding of {WindowText.Of(Window)}.");
        }

        writer.OpenMethod();
        writer.Open("for (var unit = begin; unit < end; unit++)").Line($"var block = unit / {Groups};")
            .Line("var from = x + block * xBlockStride;").Line("var gradient = dy + block * dyBlockStride;").Line($"var to = dw + block * {Window.KernelCount * Layout.Lanes};");
        for (var g = 0; g < Groups; g++)
        {
            var call = writer.Call($"group{g}", "from, gradient, to") + ";";
            writer.Line(Groups == 1 ? call : $"if (unit % {Groups} == {g}) {call}");
        }

        writer.Close().Close();
        var elements = new List<PoolElement>();
        Geometry.VisitWhole(writer, elements.Add);
        for (var g = 0; g < Groups; g++)
        {
            EmitGroup(writer, isa, g, elements.Skip(g * Group).Take(Group).ToArray());
        }
    }

    // Sums of a row and of the plane follow one another, so that no chain of additions grows long.
    private void EmitGroup(KernelWriter writer, Isa isa, int group, PoolElement[] elements)
    {
        var all = Enumerable.Range(0, elements.Length).ToArray();
        void Declare(string name) => writer.Line($"{isa.Type} {string.Join(", ", all.Select(k => $"{name}{k} = {isa.Type}.Zero"))};");

        writer.OpenHelper($"group{group}", "float* x, float* dy, float* dw");
        writer.Line($"// Kernel elements {elements[0].Number} to {elements[elements.Length - 1].Number} of one block of channels.");
        writer.Open($"for (var lane = 0; lane < {Layout.Lanes}; lane += {isa.Width})");
        Declare("plane");
        writer.Open("for (var d = 0; d < planes; d++)").Open("for (var h = 0; h < rows; h++)");
        writer.Line("var source = x + d * xPlaneStep + h * xRowStep + lane;");
        Geometry.EmitRowPointers(writer, X, "source");
        writer.Line("var gradient = dy + d * dyPlaneStride + h * dyRowStride + lane;").Line("long at = 0;");
        Declare("row");
        EmitColumns(writer, isa, group, elements);
        writer.Line(string.Join(" ", all.Select(k => $"plane{k} += row{k};")));
        writer.Close().Close();
        foreach (var k in all)
        {
            writer.Line(isa.Store($"dw + {elements[k].Number} * {Layout.Lanes} + lane", $"plane{k}"));
        }

        writer.Close().Close();
    }

    /// <summary>The columns of a row. Where there are registers for it, x passes through them: of an element the next column reads what this one reads of another.</summary>
    private void EmitColumns(KernelWriter writer, Isa isa, int group, PoolElement[] elements)
    {
        var step = Geometry.Axes[2].Stride * Layout.Lanes;
        var passes = isa.Registers >= (2 * Group) + 1;
        string Load(PoolElement element) => isa.Load($"source{element.RowSuffix} + at + {element.ColumnOffset(0)}");
        var values = elements.Select((element, k) => passes ? $"x{k}" : Load(element)).ToArray();
        var before = elements.Select(element => passes ? Array.FindIndex(elements, e => e.RowSuffix == element.RowSuffix && e.ColumnOffset(0) == element.ColumnOffset(step)) : -1).ToArray();
        void LoadAll(bool kept)
        {
            for (var k = 0; passes && k < elements.Length; k++)
            {
                if (before[k] >= 0 == kept)
                {
                    writer.Line($"var {values[k]} = {Load(elements[k])};");
                }
            }
        }

        LoadAll(kept: true);
        writer.Open($"for (var w = 0; w < columns; w++, at += {step})").Line($"var g = {isa.Load($"gradient + w * {Layout.Lanes}")};");
        if (group == 0 && isa != Isa.Vector128)
        {
            EmitAsking(writer);
        }

        LoadAll(kept: false);
        for (var k = 0; k < elements.Length; k++)
        {
            writer.Line($"row{k} = {isa.Fma(values[k], "g", $"row{k}")};");
        }

        if (before.Any(k => k >= 0))
        {
            writer.Line(string.Join(" ", before.Select((from, k) => (from, k)).Where(p => p.from >= 0).Select(p => $"{values[p.k]} = {values[p.from]};")));
        }

        writer.Close();
    }

    /// <summary>Every line of x once: of as many rows, from the last one that is read, as a window moves on by.</summary>
    private void EmitAsking(KernelWriter writer)
    {
        var (lastRow, stride) = ((Geometry.Axes[0].Kernel * Geometry.Axes[1].Kernel) - 1, Geometry.Axes[2].Stride);
        for (var row = lastRow; row > lastRow - Math.Min(stride, Geometry.Axes[1].Kernel); row--)
        {
            writer.Line(string.Join(" ", Enumerable.Range(0, stride).Select(c => $"Sse.Prefetch0(source{(row == 0 ? "" : Literals.Int(row))} + at + {Literals.Int(Ahead + (c * Layout.Lanes))});")));
        }
    }
}
