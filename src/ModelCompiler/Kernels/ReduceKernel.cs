// Sums, means and maxima over axes and over the batch, with a formula as the operand, so that the sum of a
// product is one pass.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Graph;
using ModelCompiler.Operators;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <summary>Operands x0, x1, …, then an output for each formula: y0, y1, …</summary>
/// <param name="Formulas">One result each, all over the same inputs in one pass.</param>
/// <param name="Inputs">Broadcast against each other as in <see cref="PointwiseKernel"/>.</param>
/// <param name="Axes">Axes of the inputs' broadcast shape that are reduced to size 1; may be empty in Batch scope.</param>
/// <param name="Output">Layout of every result: the broadcast shape with reduced axes of size 1.</param>
/// <param name="WorkScope">Sample, Once, or Batch: over all samples too, into an unbatched result.</param>
public sealed record ReduceKernel(
    ReduceKind Kind, ImmutableArray<Expression> Formulas, ImmutableArray<Layout> Inputs, ImmutableArray<int> Axes, Layout Output,
    KernelScope WorkScope = KernelScope.Sample) : Kernel
{
    public override string Name => KernelName.Of(
        $"{Kind}", Output.Tag, string.Join(",", Formulas), string.Join(",", Inputs.Select(i => i.Tag)), string.Join(",", Axes), $"{WorkScope}");

    public override string Comment => Name;

    public override KernelScope Scope => WorkScope;

    public override ImmutableArray<Operand> Operands =>
        [.. Inputs.Select((_, i) => new Operand($"x{i}")), .. Formulas.Select((_, i) => new Operand($"y{i}"))];

    public override int Units => 1;

    public override void Emit(SourceWriter writer, Isa isa) => throw new NotImplementedException();
}
