// Steps for sums and means. Reductions over the same data are one pass: the two sums of batch norm's gradient, its mean and
// its variance.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using ModelCompiler.Kernels;
using ModelCompiler.Operators;

namespace ModelCompiler.Planning;

public sealed partial class Planner
{
    private const int MostOperandsTogether = 8;

    /// <summary>The deviation from a mean, squared: the operand of a variance.</summary>
    private static readonly Expression SquaredDeviation = (new InputFormula(0) - new InputFormula(1)) * (new InputFormula(0) - new InputFormula(1));

    /// <summary>Reductions that are computed with an earlier one, by that one's node.</summary>
    private readonly Dictionary<Node, FusedNode> companions = new();

    /// <summary>Pairs reductions over the batch whose operands are all there when the first of them is computed.</summary>
    private HashSet<FusedNode> PairReductions(ImmutableArray<FusedNode> fused)
    {
        var joined = new HashSet<FusedNode>();
        var places = new NodeMap<int>();
        for (var place = 0; place < fused.Length; place++)
        {
            places.Add(fused[place].Output, place);
        }

        var byOperand = fused.Where(IsOverBatch).SelectMany(f => f.Operands.Distinct().Select(o => (Operand: o, Reduction: f))).ToLookup(p => p.Operand, p => p.Reduction);
        foreach (var first in fused.Where(IsOverBatch))
        {
            if (joined.Contains(first))
            {
                continue;
            }

            var second = first.Operands.SelectMany(o => byOperand[o]).FirstOrDefault(s =>
                s != first && places[s.Output] > places[first.Output] && !joined.Contains(s) && IsAlike(first.Output, s.Output)
                && (IsVarianceOf(first, s) || (IsSum(first) && IsSum(s) && first.Operands.Union(s.Operands).Count() <= MostOperandsTogether
                    && s.Operands.All(o => !places.TryGetValue(o, out var place) || place < places[first.Output]))));
            if (second is not null)
            {
                joined.Add(second);
                companions.Add(first.Output, second);
            }
        }

        return joined;
    }

    private static bool IsOverBatch(FusedNode f) => f.Anchor.Primitive == Primitives.Reduce && f.Anchor.As<ReduceAttributes>().OverBatch && f.Anchor.Inputs[0].Batched;

    private static bool IsSum(FusedNode f) => f.Anchor.As<ReduceAttributes>().Kind == ReduceKind.Sum;

    private static bool IsAlike(Node a, Node b) =>
        a.Inputs[0].Shape.Equals(b.Inputs[0].Shape) && a.As<ReduceAttributes>().Axes.SequenceEqual(b.As<ReduceAttributes>().Axes);

    private static bool IsVarianceOf(FusedNode mean, FusedNode variance) =>
        mean.Output.As<ReduceAttributes>().Kind == ReduceKind.Mean && variance.Output.As<ReduceAttributes>().Kind == ReduceKind.Mean
        && mean.Formula is null && variance.Formula is { } formula && formula.Equals(SquaredDeviation)
        && variance.Operands.Length == 2 && variance.Operands[0] == mean.Operands[0] && variance.Operands[1] == mean.Output;

    private void PlanReduce(FusedNode fused)
    {
        if (companions.TryGetValue(fused.Output, out var second))
        {
            if (!IsVarianceOf(fused, second))
            {
                PlanReductions([fused, second]);
            }
            else if (!TryPlanMoments(fused, second))
            {
                PlanReductions([fused]);
                PlanReductions([second]);
            }

            return;
        }

        PlanReductions([fused]);
    }

    /// <summary>Reductions of one kind over the same elements.</summary>
    private void PlanReductions(ImmutableArray<FusedNode> reductions)
    {
        var node = reductions[0].Output;
        var attributes = node.As<ReduceAttributes>();
        var shape = node.Inputs[0].Shape;
        var operands = reductions.SelectMany(r => r.Operands).Distinct().ToList();
        var kind = KindFor(operands, shape);
        var inputs = operands.Select(o => Operand(o, kind)).ToList();
        var outputs = reductions.Select(r => Store(r.Output, kind)).ToList();
        var formulas = reductions.Select(r => Fusion.Substitute(r.Formula ?? new InputFormula(0), i => new InputFormula(operands.IndexOf(r.Operands[i])))).ToImmutableArray();
        var scope = attributes.OverBatch && node.Inputs[0].Batched ? KernelScope.Batch : Scope(node);
        var name = attributes.Kind.ToString().ToLowerInvariant();
        var isSplit = IsSumOfSamples(node);
        if (isSplit && TryTakeSums(node, operands, inputs, formulas, outputs))
        {
            return;
        }

        var parts = isSplit ? outputs.Select(o => OfSample(o.Layout)).ToList() : outputs.Select(o => o.Buffer).ToList();
        var kernel = new ReduceKernel(
            attributes.Kind, formulas, inputs.Select(i => i.Layout).ToImmutableArray(), attributes.Axes, outputs[0].Layout, isSplit ? KernelScope.Sample : scope, shape);
        Add(node, name, kernel, [.. inputs.Select(i => i.Buffer), .. parts]);
        if (isSplit)
        {
            Join(node, outputs[0].Layout, parts, outputs.Select(o => o.Buffer));
        }
    }

    /// <summary>By the kernel that makes one of the operands.</summary>
    private bool TryTakeSums(Node node, List<Node> operands, List<StoredValue> inputs, ImmutableArray<Expression> formulas, List<StoredValue> outputs)
    {
        var shape = node.Inputs[0].Shape;
        var last = inputs.Count == 0 ? -1 : operands.FindIndex(o => o.Id == operands.Max(other => other.Id));
        if (last < 0 || !operands[last].Shape.Equals(shape) || !operands[last].Batched || !node.As<ReduceAttributes>().Axes.SequenceEqual(shape.SpatialAxes())
            || formulas.Any(f => Fusion.IsRandom(f) || f.Mentions<BatchSizeFormula>()))
        {
            return false;
        }

        var turned = formulas.Select(f => Fusion.Substitute(f, i => new InputFormula(i == last ? 0 : i < last ? i + 1 : i))).ToImmutableArray();
        if (TakeSums(inputs[last], turned, [.. inputs.Where((_, i) => i != last)]) is not { } taken)
        {
            return false;
        }

        Join(node, taken.Layout, taken.Buffers, outputs[0].Layout, outputs.Select(o => o.Buffer), [1, 2]);
        return true;
    }

    /// <summary>Whether it is a sum over the batch, and of many elements of each sample.</summary>
    private static bool IsSumOfSamples(Node reduce) => reduce.Inputs[0].Batched && reduce.As<ReduceAttributes>() is { OverBatch: true, Kind: ReduceKind.Sum, Axes.IsEmpty: false };

    /// <summary>What a sample adds to a sum over the batch. Parts of samples, joined by a step of their own, let the sum run with the step
    /// that makes its terms.</summary>
    private static BufferDraft OfSample(Layout layout) => new(layout.Size, batched: true, "");

    /// <summary>Adds the parts of all samples to sums over the batch, all of one layout.</summary>
    private void Join(Node node, Layout layout, IReadOnlyCollection<BufferDraft> parts, IEnumerable<BufferDraft> sums) => Join(node, layout, parts, layout, sums, []);

    /// <param name="axes">Of parts of a sample.</param>
    private void Join(Node node, Layout layout, IReadOnlyCollection<BufferDraft> parts, Layout result, IEnumerable<BufferDraft> sums, ImmutableArray<int> axes)
    {
        var terms = parts.Select((_, i) => (Expression)new InputFormula(i)).ToImmutableArray();
        Add(node, "join", new ReduceKernel(ReduceKind.Sum, terms, [.. parts.Select(_ => layout)], axes, result, KernelScope.Batch), [.. parts, .. sums]);
    }

    private bool TryPlanMoments(FusedNode mean, FusedNode variance)
    {
        var (x, shape) = (mean.Operands[0], mean.Output.Inputs[0].Shape);
        if (KindFor(mean.Operands, shape) != LayoutKind.Blocked || !mean.Output.As<ReduceAttributes>().Axes.SequenceEqual(shape.SpatialAxes()))
        {
            return false;
        }

        var input = Get(x, LayoutKind.Blocked);
        var (first, second) = (Store(mean.Output, LayoutKind.Blocked), Store(variance.Output, LayoutKind.Blocked));
        if (TakeSums(input, [], []) is { } taken)
        {
            var (rest, whole) = (taken.Row % taken.Columns, taken.Columns);
            Add(mean.Output, "join_moments", new JoinMomentsKernel(first.Layout, taken.Layout, (whole, rest == 0 ? whole : rest)), [.. taken.Buffers, first.Buffer, second.Buffer]);
            return true;
        }

        var (means, squares) = (OfSample(first.Layout), OfSample(first.Layout));
        Add(mean.Output, "moments", new MomentsKernel(input.Layout, first.Layout), input.Buffer, means, squares);
        Add(mean.Output, "join_moments", new JoinMomentsKernel(first.Layout, (int)(shape.Count / shape[0])), means, squares, first.Buffer, second.Buffer);
        return true;
    }
}
