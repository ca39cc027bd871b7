// The gradients of a depthwise convolution: with respect to its input, by gathering (stride 1) or scattering, and
// with respect to its weights, by sums over planes and samples.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Graph;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <summary>Operands dy, weights, dx, all Blocked. Needs no halo; with stride 1 it is faster when dy has a halo of zeros of
/// dilation * (kernel - 1) - padding on every side. Weights as in <see cref="DepthwiseKernel"/>.</summary>
/// <param name="Epilogue">Only where <see cref="TakesFormula"/>: as in <see cref="DepthwiseKernel"/>, with operands e1, e2, … before dx.</param>
/// <param name="Extras">Layouts of e1, e2, …</param>
public sealed record DepthwiseInputGradientKernel(
    Window Window, Layout OutputGradient, Layout InputGradient, Expression? Epilogue, ImmutableArray<Layout> Extras) : Kernel
{
    public DepthwiseInputGradientKernel(Window window, Layout outputGradient, Layout inputGradient)
        : this(window, outputGradient, inputGradient, null, [])
    {
    }

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
    public bool TakesFormula => IsConvolution;

    private Expression Formula => Epilogue ?? new InputFormula(0);

    /// <summary>Whether it is a convolution over a halo of zeros.</summary>
    private bool IsConvolution => Gathers && DepthwiseEmitter.HaloCovers(Geometry);

    public override string Name => field ??= IsConvolution
        ? KernelName.Of("DepthwiseInputGradient", $"{OutputGradient.Tag}_{InputGradient.Tag}", WindowText.Of(Window), new FormulaProgram([Formula]).Text, string.Join(",", Extras.Select(e => e.Tag)))
        : KernelName.Of(Gathers ? "DepthwiseInputGradientGather" : "DepthwiseInputGradientScatter", Geometry.Structure);

    public override string Comment => $"dx = gradient of the depthwise convolution by {Geometry.Comment}, for dy" + (Epilogue is null ? "" : $", then {Fusion}");

    public override string Fusion => Epilogue is null ? "" : new FormulaProgram([Epilogue]).Readable;

    public override ImmutableArray<ScalarArgument> Scalars => new FormulaProgram([Formula]).Scalars;

    public override ImmutableArray<Operand> Operands => IsConvolution
        ? [new("dy", Offset: OutputGradient.Origin), new("weights"), .. Extras.Select((e, i) => new Operand($"e{i + 1}", Offset: e.Origin)), new("dx", Offset: InputGradient.Origin)]
        : [Dy.Operand(Geometry), Weights.Operand(Geometry), Dx.Operand(Geometry)];

    public override ImmutableArray<KernelNumber> Numbers => IsConvolution ? [] : Geometry.Numbers(Dy, Weights, Dx);

    public override int Units => Gathers ? (Geometry.Rows + Geometry.RowsPerUnit - 1) / Geometry.RowsPerUnit : InputGradient.Blocks;

    public override void Emit(KernelWriter writer, Isa isa)
    {
        var geometry = Geometry;
        if (IsConvolution)
        {
            new DepthwiseEmitter(geometry, writer, isa) { IsTurned = true, Formula = Formula, Extras = Extras }.Emit("dy", "weights", "dx");
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

    private int Groups => (Window.KernelCount + Group - 1) / Group;

    public override string Name => KernelName.Of("DepthwiseWeightGradient", $"{Input.Tag}_{OutputGradient.Tag}", WindowText.Of(Window));

    public override string Comment =>
        $"dw = weight gradient of the depthwise convolution by {WindowText.Of(Window)}, for x[{Input.Tag}], dy[{OutputGradient.Tag}]";

    public override long Macs => OutputGradient.Shape.Count * Window.KernelCount;

    public override ImmutableArray<Operand> Operands => [new("x"), new("dy"), new("dw")];

    /// <summary>A block's group of kernel elements.</summary>
    public override int Units => Input.Blocks * Groups;

    public override void Emit(KernelWriter writer, Isa isa)
    {
        var geometry = new PoolGeometry(Window, Input, OutputGradient, unrolled: int.MaxValue);
        if (!DepthwiseEmitter.HaloCovers(geometry))
        {
            throw new InvalidOperationException($"The halo of {Input.Tag} does not cover the padding of {WindowText.Of(Window)}.");
        }

        writer.OpenMethod();
        writer.Open("for (var unit = begin; unit < end; unit++)").Line($"var block = unit / {Groups};")
            .Line($"var from = x + {Input.Origin} + block * {Input.BlockStride};")
            .Line($"var gradient = dy + {OutputGradient.Origin} + block * {OutputGradient.BlockStride};")
            .Line($"var to = dw + block * {Window.KernelCount * Layout.Lanes};");
        for (var g = 0; g < Groups; g++)
        {
            var call = $"{Name}_group{g}(from, gradient, to);";
            if (Groups == 1)
            {
                writer.Line(call);
            }
            else
            {
                writer.Open($"if (unit % {Groups} == {g})").Line(call).Close();
            }
        }

        writer.Close().Close();
        var elements = new List<PoolElement>();
        geometry.VisitWhole(writer, elements.Add);
        for (var g = 0; g < Groups; g++)
        {
            EmitGroup(writer, isa, geometry, g, elements.Skip(g * Group).Take(Group).ToArray());
        }
    }

    // Sums of a row and of the plane follow one another, so that no chain of additions grows long.
    private void EmitGroup(SourceWriter writer, Isa isa, PoolGeometry geometry, int group, PoolElement[] elements)
    {
        var all = Enumerable.Range(0, elements.Length).ToArray();
        void Declare(string name) => Array.ForEach(all, k => writer.Line($"var {name}{k} = {isa.Type}.Zero;"));
        void Add(string to, string from) => Array.ForEach(all, k => writer.Line($"{to}{k} += {from}{k};"));

        writer.Line($"// Kernel elements {elements[0].Number} to {elements[elements.Length - 1].Number} of one block of channels.").Line(Attribute)
            .Open($"private static void {Name}_group{group}(float* x, float* dy, float* dw)");
        writer.Open($"for (var lane = 0; lane < {Layout.Lanes}; lane += {isa.Width})");
        Declare("plane");
        writer.Open($"for (var d = 0; d < {OutputGradient.Depth}; d++)").Open($"for (var h = 0; h < {OutputGradient.Height}; h++)");
        writer.Line($"var from = x + lane + {geometry.RowStart(Input)};")
            .Line($"var gradient = dy + lane + d * {OutputGradient.DepthStride} + h * {OutputGradient.RowStride};");
        Declare("row");
        writer.Open($"for (var w = 0; w < {OutputGradient.Width}; w++)").Line($"var g = {isa.Load($"gradient + w * {Layout.Lanes}")};")
            .Line($"var source = from + w * {geometry.Axes[2].Stride * Layout.Lanes};");
        foreach (var k in all)
        {
            writer.Line($"row{k} = {isa.Fma(isa.Load($"source + {elements[k].Offset(Input, 0)}"), "g", $"row{k}")};");
        }

        writer.Close();
        Add("plane", "row");
        writer.Close().Close();
        foreach (var k in all)
        {
            writer.Line(isa.Store($"dw + {elements[k].Number} * {Layout.Lanes} + lane", $"plane{k}"));
        }

        writer.Close().Close();
    }
}
