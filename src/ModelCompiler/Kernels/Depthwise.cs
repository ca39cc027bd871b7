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
    public override string Name => KernelName.Of(
        "Depthwise", $"{Input.Tag}_{Output.Tag}", WindowText.Of(Window), $"{Bias}", $"{Epilogue}", string.Join(",", Extras.Select(e => e.Tag)));

    public override string Comment => Name;

    public override ImmutableArray<Operand> Operands =>
        [new("x"), new("w"), .. Bias ? [new Operand("bias")] : Array.Empty<Operand>(), .. Extras.Select((_, i) => new Operand($"e{i + 1}")), new("y")];

    public override int Units => 1;

    public override void Emit(SourceWriter writer, Isa isa) => throw new NotImplementedException();
}

/// <summary>Operands dy, w, dx, all Blocked; needs no halo. w as in <see cref="DepthwiseKernel"/>.</summary>
public sealed record DepthwiseInputGradientKernel(Window Window, Layout OutputGradient, Layout InputGradient) : Kernel
{
    public override string Name => KernelName.Of("DepthwiseInputGradient", $"{OutputGradient.Tag}_{InputGradient.Tag}", WindowText.Of(Window));

    public override string Comment => Name;

    public override ImmutableArray<Operand> Operands => [new("dy"), new("w"), new("dx")];

    public override int Units => 1;

    public override void Emit(SourceWriter writer, Isa isa) => throw new NotImplementedException();
}

/// <summary>Operands x, dy, dw: x Blocked with a halo of zeros that covers the padding, dw Blocked of shape C x kernel,
/// unbatched: the sum over all samples.</summary>
public sealed record DepthwiseWeightGradientKernel(Window Window, Layout Input, Layout OutputGradient) : Kernel
{
    public override string Name => KernelName.Of("DepthwiseWeightGradient", $"{Input.Tag}_{OutputGradient.Tag}", WindowText.Of(Window));

    public override string Comment => Name;

    public override KernelScope Scope => KernelScope.Batch;

    public override ImmutableArray<Operand> Operands => [new("x"), new("dy"), new("dw")];

    public override int Units => 1;

    public override void Emit(SourceWriter writer, Isa isa) => throw new NotImplementedException();
}
