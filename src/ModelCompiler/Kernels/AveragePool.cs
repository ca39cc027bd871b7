// The mean over a sliding window, and its gradient.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Graph;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <summary>Operands x, y, both Blocked.</summary>
/// <param name="CountPadding">Divide by the window's size, or else by its elements inside the plane.</param>
public sealed record AveragePoolKernel(Window Window, bool CountPadding, Layout Input, Layout Output) : Kernel
{
    public override string Name => KernelName.Of("AveragePool", $"{Input.Tag}_{Output.Tag}", WindowText.Of(Window), $"{CountPadding}");

    public override string Comment => Name;

    public override ImmutableArray<Operand> Operands => [new("x"), new("y")];

    public override int Units => 1;

    public override void Emit(SourceWriter writer, Isa isa) => throw new NotImplementedException();
}

/// <summary>Operands dy, dx, both Blocked.</summary>
public sealed record AveragePoolGradientKernel(Window Window, bool CountPadding, Layout OutputGradient, Layout InputGradient) : Kernel
{
    public override string Name =>
        KernelName.Of("AveragePoolGradient", $"{OutputGradient.Tag}_{InputGradient.Tag}", WindowText.Of(Window), $"{CountPadding}");

    public override string Comment => Name;

    public override ImmutableArray<Operand> Operands => [new("dy"), new("dx")];

    public override int Units => 1;

    public override void Emit(SourceWriter writer, Isa isa) => throw new NotImplementedException();
}
