// Numbers that stand in the generated code itself.
using System.Collections.Immutable;
using ModelCompiler.Emission;

namespace ModelCompiler.Kernels;

/// <summary>Operand y, Flat.</summary>
public sealed record ConstantKernel(ImmutableArray<float> Values) : Kernel
{
    private string Text => string.Join(", ", Values.Select(Literals.Float));

    public override string Name => KernelName.Of("Constant", Text);

    public override string Comment => $"{Values.Length} numbers that the network fixes";

    public override KernelScope Scope => KernelScope.Once;

    public override ImmutableArray<Operand> Operands => [new("y")];

    public override int Units => 1;

    public override void Emit(KernelWriter writer, Isa isa) => writer.OpenMethod()
        .Line($"ReadOnlySpan<float> values = [{Text}];").Line($"values.CopyTo(new Span<float>(y, {Values.Length}));").Close();
}
