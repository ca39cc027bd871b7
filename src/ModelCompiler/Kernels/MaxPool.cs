// The maximum over a sliding window, and where its gradient goes.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Graph;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <summary>Operands x, y, both Blocked. Padding never wins: windows are clipped to the plane.</summary>
public sealed record MaxPoolKernel(Window Window, Layout Input, Layout Output) : Kernel
{
    public override string Name => KernelName.Of("MaxPool", $"{Input.Tag}_{Output.Tag}", WindowText.Of(Window));

    public override string Comment => Name;

    public override ImmutableArray<Operand> Operands => [new("x"), new("y")];

    public override int Units => 1;

    public override void Emit(SourceWriter writer, Isa isa) => throw new NotImplementedException();
}

/// <summary>Operands x, dy, dx, all Blocked. The first maximum of a window in scan order gets its gradient.</summary>
public sealed record MaxPoolGradientKernel(Window Window, Layout Input, Layout OutputGradient, Layout InputGradient) : Kernel
{
    public override string Name => KernelName.Of("MaxPoolGradient", $"{Input.Tag}_{OutputGradient.Tag}_{InputGradient.Tag}", WindowText.Of(Window));

    public override string Comment => Name;

    public override ImmutableArray<Operand> Operands => [new("x"), new("dy"), new("dx")];

    public override int Units => 1;

    public override void Emit(SourceWriter writer, Isa isa) => throw new NotImplementedException();
}
