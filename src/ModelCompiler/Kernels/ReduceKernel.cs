// Sums, means and maxima over axes and over the batch, with a formula as the operand, so that the sum of a
// product is one pass.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Graph;
using ModelCompiler.Operators;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <summary>Operands x0, x1, …, then an output for each formula: y0, y1, … Sums are made of partial sums of few terms, in an
/// order that depends on shapes only: the error stays near that of pairwise summation.</summary>
/// <param name="Formulas">One result each, all over the same inputs in one pass; no random numbers.</param>
/// <param name="Inputs">Broadcast against each other as in <see cref="PointwiseKernel"/>.</param>
/// <param name="Axes">Axes of the inputs' broadcast shape that are reduced to size 1; may be empty in Batch scope.</param>
/// <param name="Output">Layout of every result: the broadcast shape with reduced axes of size 1. When inputs are Blocked it is Blocked,
/// or dense with a 1x1 plane, or of one element.</param>
/// <param name="WorkScope">Sample, Once, or Batch: over all samples too, into an unbatched result.</param>
/// <param name="Over">What is walked, where that is more than the broadcast of the inputs.</param>
public sealed record ReduceKernel(
    ReduceKind Kind, ImmutableArray<Expression> Formulas, ImmutableArray<Layout> Inputs, ImmutableArray<int> Axes, Layout Output,
    KernelScope WorkScope = KernelScope.Sample, Shape? Over = null) : Kernel
{
    private FormulaProgram Program => new(Formulas);

    /// <summary>What is walked: the broadcast of all inputs, if nothing else is asked for.</summary>
    public Shape Shape
    {
        get
        {
            if (Over is not null)
            {
                return Over;
            }

            var rank = Inputs.Max(i => i.Shape.Rank);
            return new([.. Enumerable.Range(0, rank).Select(axis => Inputs.Where(i => i.Shape.Rank == rank).Max(i => i.Shape[axis]))]);
        }
    }

    /// <summary>Elements of one sample that make one result.</summary>
    public long Terms => Shape.Count / Output.Shape.Count;

    public override string Name => KernelName.Of(
        $"{Kind}", Output.Tag, Program.Text, string.Join(",", Inputs.Select(i => i.Tag)), string.Join(",", Axes), $"{WorkScope}", $"{Shape}");

    public override string Comment =>
        $"y[{Output.Tag}] = {Kind.ToString().ToLowerInvariant()} of {Program.Readable} over {(Axes.IsEmpty ? "no axes" : $"axes {string.Join(", ", Axes)}")}"
        + $"{(WorkScope == KernelScope.Batch ? " and all samples" : "")} for {string.Join(", ", Inputs.Select((x, i) => $"x{i}[{x.Tag}]"))}";

    public override KernelScope Scope => WorkScope;

    public override ImmutableArray<Operand> Operands =>
        [.. Inputs.Select((_, i) => new Operand($"x{i}")), .. Formulas.Select((_, i) => new Operand($"y{i}"))];

    public override ImmutableArray<ScalarArgument> Scalars => Program.UsesBatchSize ? [new BatchSizeArgument()] : [];

    public override int Units => new ReducePlan(this).Units;

    public override void Emit(SourceWriter writer, Isa isa) => new ReduceEmitter(this, isa, writer).Emit();
}

/// <summary>Part of the walk that is strided: lanes of a last, incomplete block are a part of their own when channels are reduced.</summary>
/// <param name="Nest">Strides of the inputs, then of the output; the innermost axis is the vectors'.</param>
internal sealed record ReducePart(LoopNest Nest, ImmutableArray<int> Offsets)
{
    private int Last => Nest.Inner.Strides.Length - 1;

    /// <summary>Whether vectors run along a reduced axis, so that their elements are added up in the end.</summary>
    public bool IsAcross => Nest.Inner.Strides[Last] == 0;

    public ImmutableArray<LoopAxis> Kept => [.. Nest.Axes.Take(Nest.Axes.Length - 1).Where(a => a.Strides[Last] != 0)];

    public ImmutableArray<LoopAxis> Reduced => [.. Nest.Axes.Take(Nest.Axes.Length - 1).Where(a => a.Strides[Last] == 0)];
}

/// <summary>How the work is divided, the same for every instruction set.</summary>
internal sealed class ReducePlan
{
    /// <summary>Elements of a kept run that are reduced side by side: one cache line.</summary>
    public const int Column = Layout.Lanes;

    private const int UnitElements = 4096;

    public ReducePlan(ReduceKernel kernel)
    {
        var layouts = kernel.Inputs.Add(kernel.Output);
        var nest = LoopNest.Over(kernel.Shape, layouts);
        var last = layouts.Length - 1;
        var lanes = nest.Axes.Length == 5 && kernel.Shape.Rank <= 4 ? nest.Axes[4] : null;
        var channels = kernel.Shape.Rank == 0 ? 1 : kernel.Shape[0];
        var rest = channels % Layout.Lanes;
        var none = layouts.Select(_ => 0).ToImmutableArray();
        if (lanes is null || lanes.Strides[last] != 0 || rest == 0)
        {
            Parts = [new ReducePart(Drop(nest, layouts.Length), none)];
        }
        else
        {
            var blocks = nest.Axes[0];
            var tail = new LoopNest(nest.Axes.SetItem(0, blocks with { Size = 1 }).SetItem(4, lanes with { Size = rest }));
            var tailPart = new ReducePart(Drop(tail, layouts.Length), [.. blocks.Strides.Select(s => s * (blocks.Size - 1))]);
            Parts = blocks.Size == 1 ? [tailPart] : [new ReducePart(Drop(new LoopNest(nest.Axes.SetItem(0, blocks with { Size = blocks.Size - 1 })), layouts.Length), none), tailPart];
        }

        var run = Parts[0].IsAcross ? 1 : (Parts[0].Nest.Inner.Size + Column - 1) / Column;
        Tasks = checked((int)Parts[0].Kept.Aggregate((long)run, (tasks, axis) => tasks * axis.Size));
        var work = Math.Max(1, kernel.Shape.Count / Tasks);
        TasksPerUnit = (int)Math.Max(1, Math.Min(Tasks, UnitElements / 2 / work));
        if (kernel.Shape.Count < UnitElements && kernel.Scope != KernelScope.Batch)
        {
            TasksPerUnit = Tasks;
        }
    }

    public ImmutableArray<ReducePart> Parts { get; }

    /// <summary>Results, or columns of results.</summary>
    public int Tasks { get; }

    public int TasksPerUnit { get; }

    public int Units => (Tasks + TasksPerUnit - 1) / TasksPerUnit;

    // A single element is a run of one along a reduced axis.
    private static LoopNest Drop(LoopNest nest, int operands)
    {
        var merged = nest.Merged(operands);
        return merged.Inner.Size > 1 ? merged : new LoopNest(merged.Axes.SetItem(merged.Axes.Length - 1, new LoopAxis(1, merged.Inner.Strides.SetItem(operands - 1, 0))));
    }
}
