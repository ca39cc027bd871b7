// Exactly so many floats from one place to another: results into the user's buffers, whose samples lie without a
// gap, and new running statistics into the parameters.
using System.Collections.Immutable;
using ModelCompiler.Emission;

namespace ModelCompiler.Kernels;

public sealed record TransferKernel(int Count, KernelScope WorkScope) : Kernel
{
    public override string Name => "Transfer";

    public override string Comment => "copies floats";

    public override KernelScope Scope => WorkScope;

    public override ImmutableArray<Operand> Operands { get; } = [new("x"), new("y")];

    public override ImmutableArray<KernelNumber> Numbers { get; } = [new("count", Count)];

    public override int Units => 1;

    public override void Emit(KernelWriter writer, Isa isa) =>
        writer.OpenMethod().Line("new ReadOnlySpan<float>(x, count).CopyTo(new Span<float>(y, count));").Close();
}
