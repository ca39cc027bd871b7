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
    internal FormulaProgram Program => field ??= new(Formulas);

    internal ReducePlan Plan => field ??= new(this);

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

    public override string Name => field ??= KernelName.Of($"{Kind}", [Program.Text, WorkScope == KernelScope.Batch ? "batch" : "sample", .. Plan.Structure]);

    public override string Comment =>
        $"y = {Kind.ToString().ToLowerInvariant()} of {Program.Readable}{(WorkScope == KernelScope.Batch ? " over all samples" : "")}";

    public override KernelScope Scope => WorkScope;

    public override ImmutableArray<Operand> Operands =>
        [.. Inputs.Select((x, i) => new Operand($"x{i}", Offset: x.Origin)), .. Formulas.Select((_, i) => new Operand($"y{i}", Offset: Output.Origin))];

    public override int ReadOperands => Inputs.Length;

    public override ImmutableArray<KernelNumber> Numbers => Plan.Numbers;

    public override ImmutableArray<ScalarArgument> Scalars => Program.UsesBatchSize ? [new BatchSizeArgument()] : [];

    public override int Units => Plan.Units;

    public override int Turns => Scope == KernelScope.Sample && Plan.Blocks is { } blocks ? blocks.Size : 0;

    public override int TurnStride(int operand) => Plan.Blocks!.Strides[Math.Min(operand, Inputs.Length)];

    public override void Emit(KernelWriter writer, Isa isa) => new ReduceEmitter(this, isa, writer).Emit();
}

/// <summary>Part of the walk that is strided: lanes of a last, incomplete block are a part of their own when channels are reduced.</summary>
/// <param name="Nest">Strides of the inputs, then of the output; the innermost axis is the vectors'.</param>
internal sealed record ReducePart(LoopNest Nest, ImmutableArray<int> Offsets)
{
    /// <summary>Shorter runs along what is reduced are written out: more accumulators than that pay only for longer ones.</summary>
    private const int ShortestRun = 80;

    private int Last => Nest.Inner.Strides.Length - 1;

    /// <summary>Whether vectors run along a reduced axis, so that their elements are added up in the end.</summary>
    public bool IsAcross => Nest.Inner.Strides[Last] == 0;

    public ImmutableArray<LoopAxis> Kept => [.. Nest.Axes.Take(Nest.Axes.Length - 1).Where(a => a.Strides[Last] != 0)];

    public ImmutableArray<LoopAxis> Reduced => [.. Nest.Axes.Take(Nest.Axes.Length - 1).Where(a => a.Strides[Last] == 0)];

    /// <summary>The run along vectors: of what is reduced, or of what is kept.</summary>
    public Run Run => Nest.Run with { Shortest = IsAcross ? ShortestRun : ReducePlan.Column + 1 };

    /// <summary>Terms along the innermost reduced axis, when vectors run along what is kept; null without such an axis.</summary>
    public ReduceTerms? Steps => IsAcross || Reduced.IsEmpty ? null : ReduceTerms.Of(Reduced[Reduced.Length - 1].Size, Nest.Named(Reduced[Reduced.Length - 1].Count));

    /// <summary>Whether the run is so long that it is summed in chunks.</summary>
    public bool IsChunked => Run.Count / Layout.Lanes > ReduceTerms.Chain;

    public string Structure => string.Join(",", [
        Nest.StructureOf(Nest.Axes.Length - 1), $"{Run.Structure}:{string.Join(".", Nest.Inner.Strides)}", IsAcross ? $"{IsChunked}" : $"{Steps?.Structure}",
        string.Concat(Offsets.Select(o => o == 0 ? '0' : 's'))]);

    /// <summary>The name of an operand's offset.</summary>
    public string Offset(string operand) => Nest.Named(operand + "Start");

    public IEnumerable<KernelNumber> Numbers(ImmutableArray<string> operands) =>
        Offsets.Select((offset, k) => (offset, k)).Where(o => o.offset != 0).Select(o => new KernelNumber(Offset(operands[o.k]), o.offset)).Concat(Nest.Numbers(operands, Run));
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
            var tailPart = new ReducePart(Drop(tail, layouts.Length) with { Prefix = "tail" }, [.. blocks.Strides.Select(s => s * (blocks.Size - 1))]);
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

        ImmutableArray<string> names = [.. kernel.Inputs.Select((_, i) => $"x{i}"), "y"];
        Numbers =
        [
            new("tasks", Tasks), new("tasksPerUnit", TasksPerUnit),
            .. Parts.SelectMany(p => p.Numbers(names)),
            .. !Parts[0].IsAcross && Parts[0].Run.IsNamed ? [new KernelNumber("lines", run)] : Array.Empty<KernelNumber>(),
            .. kernel.Kind == ReduceKind.Mean ? [new KernelNumber("terms", kernel.Terms)] : Array.Empty<KernelNumber>(),
        ];
    }

    public ImmutableArray<ReducePart> Parts { get; }

    /// <summary>Results, or columns of results.</summary>
    public int Tasks { get; }

    public int TasksPerUnit { get; }

    public int Units => (Tasks + TasksPerUnit - 1) / TasksPerUnit;

    /// <summary>The outermost loop, where units are runs of it, and it is that over blocks of channels.</summary>
    public LoopAxis? Blocks => Parts.Length == 1 && TasksPerUnit == 1 && !Parts[0].IsAcross && Parts[0].Kept.Length > 0 && Parts[0].Kept[0].Name == "block" ? Parts[0].Kept[0] : null;

    public IEnumerable<string> Structure => Parts.Select(p => p.Structure);

    public ImmutableArray<KernelNumber> Numbers { get; }

    // A single element is a run of one along a reduced axis.
    private static LoopNest Drop(LoopNest nest, int operands)
    {
        var merged = nest.Merged(operands);
        return merged.Inner.Size > 1 ? merged : new LoopNest(merged.Axes.SetItem(merged.Axes.Length - 1, new LoopAxis("element", 1, merged.Inner.Strides.SetItem(operands - 1, 0))));
    }
}
