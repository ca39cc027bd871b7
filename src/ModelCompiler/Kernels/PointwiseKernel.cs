// One formula over the elements of its inputs: activations, sums, scalings, and everything fused from them.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Graph;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <summary>Operands x0, x1, …, y. Input shapes have the output's rank with each axis equal or 1, or are scalar.
/// May write in place of an input whose layout equals the output's.</summary>
/// <param name="Formula">Input i stands for the element of <paramref name="Inputs"/>[i].</param>
/// <param name="Inputs">When any operand is Blocked, all are, save those that are dense with a 1x1 plane or hold one element.</param>
/// <param name="WorkScope">Sample or Once; unbatched operands of a Sample kernel are pointers that do not advance.</param>
public sealed record PointwiseKernel(
    Expression Formula, ImmutableArray<Layout> Inputs, Layout Output, KernelScope WorkScope = KernelScope.Sample) : Kernel
{
    public override string Name => KernelName.Of("Pointwise", Output.Tag, Formula.ToString(), string.Join(",", Inputs.Select(i => i.Tag)));

    public override string Comment => Name;

    public override KernelScope Scope => WorkScope;

    public override ImmutableArray<Operand> Operands => [.. Inputs.Select((_, i) => new Operand($"x{i}")), new Operand("y")];

    public override int Units => 1;

    public override void Emit(SourceWriter writer, Isa isa) => throw new NotImplementedException();
}
