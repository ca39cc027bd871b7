// Softmax and its logarithm along one axis, shifted by the maximum so that no exponential overflows.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Graph;

namespace ModelCompiler.Kernels;

/// <summary>Operands x, y, both Flat; may work in place.</summary>
public sealed record SoftmaxKernel(Shape Shape, int Axis, bool Logarithm, KernelScope WorkScope = KernelScope.Sample) : Kernel
{
    public override string Name => $"{(Logarithm ? "LogSoftmax" : "Softmax")}_{Shape}_{Axis}";

    public override string Comment => Name;

    public override KernelScope Scope => WorkScope;

    public override ImmutableArray<Operand> Operands => [new("x"), new("y")];

    public override int Units => 1;

    public override void Emit(SourceWriter writer, Isa isa) => throw new NotImplementedException();
}
