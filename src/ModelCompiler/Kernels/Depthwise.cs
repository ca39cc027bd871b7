// Convolution where every channel has a kernel of its own: a multiply-add of whole channel blocks.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Graph;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <summary>Operands x, w, [bias], e1, e2, …, y. Groups = channels = outputs. x is Blocked with a halo of zeros that covers the
/// padding; w is Blocked of shape C x kernel (a Flat weight C x 1 x kernel, converted); bias is [C], Flat or Blocked.</summary>
/// <param name="Epilogue">Applied to the result: input 0 is the sum with its bias, input i operand e{i}. Null for none.</param>
/// <param name="Extras">Layouts of e1, e2, …: Blocked of the output's shape, [C, 1, …], or scalar.</param>
public sealed record DepthwiseKernel(
    Window Window, Layout Input, Layout Output, bool Bias, Expression? Epilogue, ImmutableArray<Layout> Extras) : Kernel
{
    /// <summary>What is summed up of the result, row by row; only of two axes.</summary>
    public ChannelSums? Sums { get; init; }

    private Expression Formula => Epilogue ?? new InputFormula(0);

    private PoolGeometry Geometry => field ??= new PoolGeometry(Window, Input, Output);

    private PoolOperand X => new("x", Input, true);

    private PoolOperand Y => new("y", Output, false);

    public override string Name => field ??= KernelName.Of("Depthwise", Isa.All.Select(isa => Emitter(isa).Structure));

    public override string Comment => $"depthwise convolution by {Geometry.Comment}{(Bias ? " + bias" : "")}" + (Epilogue is null ? "" : $", then {Fusion}") + (Sums is null ? "" : ", and " + Sums.Readable);

    public override ImmutableArray<KernelNumber> Numbers => [.. DepthwiseEmitter.Numbers(Geometry, X, Y, Extras), .. Sums?.Numbers ?? []];

    public override long Macs => Output.Shape.Count * Window.KernelCount;

    public override string Choice => "depthwise";

    public override string Layouts => $"{Input.Tag} -> {Output.Tag}";

    public override string Fusion => FusionOf(Epilogue);

    public override ImmutableArray<Operand> Operands =>
    [
        X.Operand(Geometry), new("w"), .. Bias ? [new Operand("bias")] : Array.Empty<Operand>(),
        .. Extras.Select((e, i) => new Operand($"e{i + 1}", Offset: e.Origin)), .. Sums?.Inputs ?? [], Y.Operand(Geometry), .. Sums?.Outputs ?? [],
    ];

    public override int ReadOperands => Operands.Length - 1 - (Sums?.Results ?? 0);

    public override ImmutableArray<ScalarArgument> Scalars => new FormulaProgram([Formula]).Scalars;

    public override int Units => Geometry.RowUnits;

    public override int Turns => Geometry.Turns;

    public override int TurnStride(int operand) => DepthwiseEmitter.TurnStride(operand, Input, Bias ? 3 : 2, Extras, Sums, Output);

    public override void Emit(KernelWriter writer, Isa isa)
    {
        if (!DepthwiseEmitter.HaloCovers(Geometry))
        {
            throw new InvalidOperationException($"The halo of {Input.Tag} does not cover the padding of {WindowText.Of(Window)}.");
        }

        Emitter(isa).Emit(writer, "w");
    }

    private DepthwiseEmitter Emitter(Isa isa) => new(Geometry, X, Y, isa) { Bias = Bias, Formula = Formula, Extras = Extras, Sums = Sums };
}
