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
    private Expression Formula => Epilogue ?? new InputFormula(0);

    public override string Name => KernelName.Of(
        "Depthwise", $"{Input.Tag}_{Output.Tag}", WindowText.Of(Window), $"{Bias}", new FormulaProgram([Formula]).Text, string.Join(",", Extras.Select(e => e.Tag)));

    public override string Comment =>
        $"y[{Output.Tag}] = depthwise convolution of x[{Input.Tag}] by {WindowText.Of(Window)}{(Bias ? " + bias" : "")}"
        + (Epilogue is null ? "" : $", then {new FormulaProgram([Epilogue]).Readable}");

    public override long Macs => Output.Shape.Count * Window.KernelCount;

    public override string Choice => "depthwise";

    public override string Layouts => $"{Input.Tag} -> {Output.Tag}";

    public override string Fusion => Epilogue is null ? "" : new FormulaProgram([Epilogue]).Readable;

    public override ImmutableArray<Operand> Operands =>
    [
        new("x", Offset: Input.Origin), new("w"), .. Bias ? [new Operand("bias")] : Array.Empty<Operand>(),
        .. Extras.Select((e, i) => new Operand($"e{i + 1}", Offset: e.Origin)), new("y", Offset: Output.Origin),
    ];

    public override ImmutableArray<ScalarArgument> Scalars => new FormulaProgram([Formula]).Scalars;

    public override int Units
    {
        get
        {
            var geometry = new PoolGeometry(Window, Input, Output);
            return (geometry.Rows + geometry.RowsPerUnit - 1) / geometry.RowsPerUnit;
        }
    }

    public override void Emit(KernelWriter writer, Isa isa)
    {
        var geometry = new PoolGeometry(Window, Input, Output);
        if (!DepthwiseEmitter.HaloCovers(geometry))
        {
            throw new InvalidOperationException($"The halo of {Input.Tag} does not cover the padding of {WindowText.Of(Window)}.");
        }

        new DepthwiseEmitter(geometry, writer, isa) { Bias = Bias, Formula = Formula, Extras = Extras }.Emit("x", "w", "y");
    }
}
