// Moves a box of elements from one layout to another: conversions, concat, slice, pad and transpose are all this.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Graph;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <summary>Operands x, y. y[ToStart + i] = x[FromStart + permuted i] for all i in [0, Extent).</summary>
/// <param name="FromStart">One entry per axis of <paramref name="From"/>'s shape.</param>
/// <param name="ToStart">One entry per axis of <paramref name="To"/>'s shape.</param>
/// <param name="Extent">Of the box, in <paramref name="To"/>'s axes.</param>
/// <param name="Permutation">Axis i of the result is axis Permutation[i] of the source.</param>
/// <param name="Clear">Whether the rest of the output (not its halo) becomes zero.</param>
public sealed record CopyKernel(
    Layout From, Layout To, ImmutableArray<int> FromStart, ImmutableArray<int> ToStart, ImmutableArray<int> Extent,
    ImmutableArray<int> Permutation, bool Clear, KernelScope WorkScope) : Kernel
{
    /// <summary>The same value in another layout, or with another halo.</summary>
    public static CopyKernel Convert(Layout from, Layout to, KernelScope scope = KernelScope.Sample) =>
        Box(from, to, 0, 0, 0, false, scope);

    /// <summary>One input of a concat: the whole of <paramref name="from"/> into <paramref name="to"/> from index <paramref name="start"/> on.</summary>
    public static CopyKernel Concat(Layout from, Layout to, int axis, int start, KernelScope scope = KernelScope.Sample) =>
        Box(from, to, axis, 0, start, false, scope);

    /// <summary>As many elements along the axis as <paramref name="to"/> has, from <paramref name="start"/> on.</summary>
    public static CopyKernel Slice(Layout from, Layout to, int axis, int start, KernelScope scope = KernelScope.Sample) =>
        Box(from, to, axis, start, 0, false, scope);

    /// <summary>Zeros before and after; negative <paramref name="before"/> crops (after follows from the shapes).</summary>
    public static CopyKernel Pad(Layout from, Layout to, int axis, int before, KernelScope scope = KernelScope.Sample) =>
        Box(from, to, axis, Math.Max(0, -before), Math.Max(0, before), true, scope);

    public static CopyKernel Transpose(Layout from, Layout to, ImmutableArray<int> permutation, KernelScope scope = KernelScope.Sample)
    {
        var zeros = to.Shape.Dimensions.Select(_ => 0).ToImmutableArray();
        return new(from, to, zeros, zeros, to.Shape.Dimensions, permutation, false, scope);
    }

    private static CopyKernel Box(Layout from, Layout to, int axis, int fromStart, int toStart, bool clear, KernelScope scope)
    {
        var rank = to.Shape.Rank;
        var starts = Enumerable.Range(0, rank).Select(_ => 0).ToImmutableArray();
        var extent = to.Shape.Dimensions;
        if (rank > 0)
        {
            extent = extent.SetItem(axis, Math.Min(from.Shape[axis] - fromStart, to.Shape[axis] - toStart));
        }

        return new(
            from, to, rank > 0 ? starts.SetItem(axis, fromStart) : starts, rank > 0 ? starts.SetItem(axis, toStart) : starts, extent,
            [.. Enumerable.Range(0, rank)], clear, scope);
    }

    private ImmutableArray<CopySegment> Segments => field.IsDefault ? field = CopySegment.Of(this) : field;

    public override string Name => field ??= KernelName.Of("Copy", Segments.Select(s => s.Structure).Concat(Numbers.Select(n => n.Name)));

    public override string Comment => "copies elements" + (Segments.Length > 1 ? $", in {Literals.Int(Segments.Length)} parts" : "")
        + (Segments.Any(s => s.IsTransposed) ? "; what is contiguous on one side is not on the other" : "") + (Clear ? "; the rest becomes 0" : "");

    public override long Traffic(IEnumerable<int> operands) => 2 * Extent.Aggregate(1L, (count, size) => count * size);

    public override string Layouts => $"{From.Tag} -> {To.Tag}";

    public override KernelScope Scope => WorkScope;

    public override ImmutableArray<Operand> Operands => [new("x", Offset: Segments.IsEmpty ? 0 : Segments[0].FromOffset), new("y", Offset: Segments.IsEmpty ? 0 : Segments[0].ToOffset)];

    public override ImmutableArray<KernelNumber> Numbers => [.. Segments.SelectMany(s => s.Numbers)];

    public override int Units => Segments.Sum(s => s.Units);

    public override void Emit(KernelWriter writer, Isa isa)
    {
        writer.OpenMethod();
        foreach (var segment in Segments)
        {
            segment.Emit(writer, isa);
        }

        writer.Close();
    }
}
