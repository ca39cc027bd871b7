// Chains of small layers in training, with sixteen samples side by side: convolutions of few channels begin them, and pools, formulas
// and gradients that meet their values go on with them.
using ModelCompiler.Graph;
using ModelCompiler.Kernels;
using ModelCompiler.Operators;

namespace ModelCompiler.Planning;

public sealed partial class Planner
{
    /// <summary>With more channels on both sides blocks of channels waste less than a half.</summary>
    private const int MostFewChannels = 8;
    private const int MostChannelsBeside = 32;

    /// <summary>Bytes of sixteen samples' input and output: more would not stay in the second-level cache.</summary>
    private const long MostGroupBytes = 512 * 1024;

    private const int MostTapRows = 11;

    private ILookup<Node, FusedNode> readers = Array.Empty<FusedNode>().ToLookup(f => f.Output);

    /// <summary>Weights of convolutions of interleaved samples: their gradients are such too, whatever comes from behind.</summary>
    private readonly HashSet<Node> interleavedWeights = new();

    private bool IsInterleaved(Node node) => values.TryGetValue(node, out var value) && value.Layout.Kind == LayoutKind.Interleaved;

    /// <summary>Whether a convolution of these shapes, or a gradient of it, is for interleaved samples.</summary>
    private static bool IsSmall(Window window, int groups, Shape input, Shape output)
    {
        if (groups > 1 || window.Rank != 2 || window.KernelCount == 1)
        {
            return false;
        }

        var (_, rows, columns) = Axis3.Of(window);
        var (few, many) = (Math.Min(input.Channels, output.Channels), Math.Max(input.Channels, output.Channels));
        return rows is { Stride: 1, Dilation: 1, PadBegin: >= 0, Kernel: <= MostTapRows } && columns is { Stride: 1, Dilation: 1, PadBegin: >= 0, Kernel: <= InterleavedWeightGradientKernel.MostColumns }
            && few <= MostFewChannels && many <= MostChannelsBeside && input.Count > 1 && output.Count > 1
            && (input.Count + output.Count) * Layout.Lanes * sizeof(float) <= MostGroupBytes;
    }

    /// <summary>Whether a formula treats every element of its operands alike.</summary>
    private static bool IsElementwise(FusedNode fused) =>
        !Fusion.IsRandom(fused.Formula ?? fused.Output.As<PointwiseAttributes>().Formula)
        && fused.Operands.All(o => o.Batched && o.Shape.Equals(fused.Output.Shape)) && fused.Output.Shape is { Rank: 3, Count: > 1 };

    /// <summary>Whether whoever reads a convolution's result can go on with interleaved samples, or asks for features in a row.</summary>
    private bool StaysInterleaved(FusedNode fused) => readers[fused.Output].All(reader => reader.Anchor switch
    {
        { Attributes: ConvolutionAttributes c } next => IsSmall(c.Window, c.Groups, next.Inputs[0].Shape, next.Shape) && HasElementwiseFormula(reader),
        { Attributes: ConvolutionWeightGradientAttributes c } next => IsSmall(c.Window, c.Groups, next.Inputs[0].Shape, next.Inputs[1].Shape),
        { Attributes: ConvolutionInputGradientAttributes c } next => IsSmall(c.Window, c.Groups, next.Shape, next.Inputs[0].Shape) && HasElementwiseFormula(reader),
        { Attributes: MaxPoolAttributes or AveragePoolAttributes or ReshapeAttributes } => true,
        { Attributes: PointwiseAttributes } => IsElementwise(reader),
        _ => false,
    });

    private static bool HasElementwiseFormula(FusedNode fused) => fused.Output == fused.Anchor || IsElementwise(fused);

    private bool TryPlanInterleaved(FusedNode fused)
    {
        var node = fused.Anchor;
        switch (node.Attributes)
        {
            case ConvolutionAttributes c when training && IsSmall(c.Window, c.Groups, node.Inputs[0].Shape, node.Shape) && HasElementwiseFormula(fused)
                && (IsInterleaved(node.Inputs[0]) || StaysInterleaved(fused)):
                PlanInterleavedConvolution(fused, c.Window);
                return true;
            case ConvolutionInputGradientAttributes c when (IsInterleaved(node.Inputs[0]) || interleavedWeights.Contains(node.Inputs[1])) && IsSmall(c.Window, c.Groups, node.Shape, node.Inputs[0].Shape)
                && HasElementwiseFormula(fused):
                PlanInterleavedInputGradient(fused, c.Window);
                return true;
            case ConvolutionWeightGradientAttributes c when node.Inputs.Any(i => IsInterleaved(i) || variants.ContainsKey((i, LayoutKind.Interleaved)))
                && IsSmall(c.Window, c.Groups, node.Inputs[0].Shape, node.Inputs[1].Shape):
                PlanInterleavedWeightGradient(node, c.Window);
                return true;
            case PointwiseAttributes when fused.Operands.Any(IsInterleaved) && IsElementwise(fused):
                PlanInterleavedFormula(fused, StoreInterleaved(fused.Output));
                return true;
            case ReduceAttributes { Kind: ReduceKind.Sum, OverBatch: true } reduce when fused.Formula is null && IsInterleaved(node.Inputs[0]) && !companions.ContainsKey(fused.Output)
                && reduce.Axes.SequenceEqual(node.Inputs[0].Shape.SpatialAxes()):
                PlanInterleavedSum(node);
                return true;
            default:
                return false;
        }
    }

    private void PlanInterleavedConvolution(FusedNode fused, Window window)
    {
        var node = fused.Anchor;
        var (_, rows, columns) = Axis3.Of(window);
        interleavedWeights.Add(node.Inputs[1]);
        var x = Get(node.Inputs[0], LayoutKind.Interleaved);
        var w = Get(node.Inputs[1], LayoutKind.Flat);
        var bias = node.Inputs.Length > 2 ? Get(node.Inputs[2], LayoutKind.Flat) : null;
        var (formula, extras) = Epilogue(fused, LayoutKind.Interleaved);
        var y = StoreInterleaved(fused.Output);
        Add(
            node, "convolution", new InterleavedConvolutionKernel(x.Layout, y.Layout, rows.Kernel, columns.Kernel, rows.PadBegin, columns.PadBegin, bias is not null, new(formula, [.. extras.Select(e => e.Layout)])),
            Buffers(x.Buffer, w.Buffer, bias, extras, y));
    }

    private void PlanInterleavedInputGradient(FusedNode fused, Window window)
    {
        var node = fused.Anchor;
        var (_, rows, columns) = Axis3.Of(window);
        var dy = Get(node.Inputs[0], LayoutKind.Interleaved);
        var w = Get(node.Inputs[1], LayoutKind.Flat);
        var (formula, extras) = Epilogue(fused, LayoutKind.Interleaved);
        var dx = StoreInterleaved(fused.Output);
        Add(
            node, "data_gradient", new InterleavedInputGradientKernel(dy.Layout, dx.Layout, rows.Kernel, columns.Kernel, rows.PadBegin, columns.PadBegin, new(formula, [.. extras.Select(e => e.Layout)])),
            Buffers(dy.Buffer, w.Buffer, null, extras, dx));
    }

    private void PlanInterleavedWeightGradient(Node node, Window window)
    {
        var (_, rows, columns) = Axis3.Of(window);
        var (x, dy) = (Get(node.Inputs[0], LayoutKind.Interleaved), Get(node.Inputs[1], LayoutKind.Interleaved));
        var byGroup = InterleavedWeightGradientKernel.IsByGroup(dy.Layout);
        var kernel = new InterleavedWeightGradientKernel(x.Layout, dy.Layout, rows.Kernel, columns.Kernel, rows.PadBegin, columns.PadBegin, byGroup);
        AddOverGroups(node, byGroup, (int)node.Shape.Count, into => Add(node, "weight_gradient", kernel, x.Buffer, dy.Buffer, into.Buffer));
    }

    /// <summary>The gradient of a bias.</summary>
    private void PlanInterleavedSum(Node node)
    {
        var x = Get(node.Inputs[0], LayoutKind.Interleaved);
        AddOverGroups(node, InterleavedWeightGradientKernel.IsByGroup(x.Layout), x.Layout.Channels, into => Add(
            node, "sum", into.Layout.Kind == LayoutKind.Flat ? new InterleavedSumKernel(x.Layout) : new ReduceKernel(ReduceKind.Sum, [new InputFormula(0)], [x.Layout.AsBlocks], [1, 2], into.Layout.AsBlocks),
            x.Buffer, into.Buffer));
    }

    /// <summary>A step that sums over the batch; or one for each group, which runs with those before it, and one that adds what all samples of all groups have.</summary>
    private void AddOverGroups(Node node, bool byGroup, int numbers, Action<StoredValue> add)
    {
        if (!byGroup)
        {
            add(Store(node, LayoutKind.Flat));
            return;
        }

        var parts = DraftInterleaved(new Layout(LayoutKind.Interleaved, Shape.Of(numbers, 1, 1)));
        add(parts);
        Add(node, "join", new InterleavedSumKernel(parts.Layout), parts.Buffer, Store(node, LayoutKind.Flat).Buffer);
    }

    private void PlanInterleavedFormula(FusedNode fused, StoredValue into)
    {
        var inputs = fused.Operands.Select(o => Get(o, LayoutKind.Interleaved)).ToList();
        var kernel = new PointwiseKernel(fused.Formula ?? fused.Output.As<PointwiseAttributes>().Formula, [.. inputs.Select(i => i.Layout.AsBlocks)], into.Layout.AsBlocks);
        Add(fused.Output, "pointwise", kernel, [.. inputs.Select(i => i.Buffer), into.Buffer]);
    }

    /// <summary>A step that treats all channels alike: over blocks of channels, or of samples where its first input has them side by side.</summary>
    /// <param name="operands">Inputs that the kernel reads; all if null.</param>
    private void AddBlockwise(Node node, string suffix, Func<IReadOnlyList<Layout>, Layout, Kernel> make, IEnumerable<Node>? operands = null)
    {
        var kind = BlocksOf(node.Inputs[0]);
        var inputs = (operands ?? node.Inputs).Select(i => Get(i, kind)).ToList();
        var into = StoreBlocks(node, kind);
        Add(node, suffix, make([.. inputs.Select(i => i.Layout.AsBlocks)], into.Layout.AsBlocks), [.. inputs.Select(i => i.Buffer), into.Buffer]);
    }

    private LayoutKind BlocksOf(Node node) => IsInterleaved(node) ? LayoutKind.Interleaved : LayoutKind.Blocked;

    private StoredValue StoreBlocks(Node node, LayoutKind kind) => kind == LayoutKind.Interleaved ? StoreInterleaved(node) : Store(node, kind);

    private StoredValue StoreInterleaved(Node node) => values[node] = DraftInterleaved(node);

    private StoredValue DraftInterleaved(Node node) => DraftInterleaved(new Layout(LayoutKind.Interleaved, node.Shape, interleavedHalos.Of(node)));

    private static StoredValue DraftInterleaved(Layout layout) => new(new BufferDraft(layout.Size, batched: true, layout.Halo.IsNone ? "" : layout.Tag, grouped: true), layout);

    /// <summary><see cref="Get(Node, LayoutKind)"/> where the value is interleaved, or shall be.</summary>
    private StoredValue GetInterleaved(Node node, LayoutKind kind)
    {
        var value = values[node];
        if (value.Layout.Kind == kind)
        {
            return value;
        }

        if (kind is not (LayoutKind.Interleaved or LayoutKind.Flat))
        {
            return Get(node, Get(node, LayoutKind.Flat), kind);
        }

        if (!variants.TryGetValue((node, kind), out var variant))
        {
            if (kind == LayoutKind.Interleaved)
            {
                var flat = Get(node, LayoutKind.Flat);
                variant = DraftInterleaved(node);
                Add(node, "interleave", new InterleaveKernel(flat.Layout, variant.Layout), flat.Buffer, variant.Buffer);
            }
            else
            {
                var layout = new Layout(LayoutKind.Flat, node.Shape);
                variant = new StoredValue(new BufferDraft(layout.Size, batched: true, ""), layout);
                Add(node, "separate", new SeparateKernel(value.Layout, layout), value.Buffer, variant.Buffer);
            }

            variants.Add((node, kind), variant);
        }

        return variant;
    }
}
