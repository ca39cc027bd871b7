// Steps for convolutions, dense layers and their gradients: which geometry of the one direct kernel each is.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using ModelCompiler.Kernels;
using ModelCompiler.Operators;

namespace ModelCompiler.Planning;

public sealed partial class Planner
{
    /// <summary>Images with so few channels are read as they come: a block of 16 would be mostly air.</summary>
    private const int MostPlanarChannels = 4;

    private void PlanConvolution(FusedNode fused)
    {
        var node = fused.Anchor;
        var (window, groups) = node.As<ConvolutionAttributes>();
        var open = Open(node, "convolution");
        var kind = InputKind(node.Inputs[0], groups);
        var x = Get(node.Inputs[0], open.Wanted is { Blocked: true } ? LayoutKind.Blocked : kind);
        var y = Store(fused.Output, LayoutKind.Blocked);
        var bias = node.Inputs.Length > 2 ? Get(node.Inputs[2], LayoutKind.Flat) : null;
        var (formula, extras) = Epilogue(fused, LayoutKind.Blocked);
        if (IsDepthwise(groups, node.Inputs[0], node))
        {
            var weights = DepthwiseWeights(node.Inputs[1], window);
            var kernel = new DepthwiseKernel(window, x.Layout, y.Layout, bias is not null, formula, extras.Select(e => e.Layout).ToImmutableArray());
            Add(node, "depthwise", kernel, Buffers(x.Buffer, weights, bias, extras, y));
            return;
        }

        var geometry = Geometries.Flattened(Geometries.Forward(window, groups, x.Layout, y.Layout), window, extras.Select(e => e.Layout).Append(x.Layout).Append(y.Layout));
        var mayWinograd = IsWinograd(window, geometry, x, depth: true);
        var point = Point(open, geometry, OwnWinograd(mayWinograd, window, geometry, packed: training), mayWinograd, MayStrassen(geometry), kind == LayoutKind.Planar);
        var choice = Decide(point, open);
        if (choice.Winograd > 0)
        {
            AddWinograd(fused, choice.Winograd, window, x, y, bias, formula, extras);
        }
        else if (choice.Strassen)
        {
            AddStrassen(node, geometry, x, y, bias, formula, extras, [.. extras.Select(e => Geometries.Operand(e.Layout))]);
        }
        else
        {
            var operands = extras.Select(e => Geometries.Operand(e.Layout)).ToImmutableArray();
            var convolution = new ConvolutionKernel(geometry, bias is not null, formula, operands, Samples: false, Wanted: WantedTile(choice));
            var w = Packed(node.Inputs[1], convolution, new TapSelection(geometry.Taps, (0, 0, 0), (1, 1, 1)), turned: false);
            if (PoolOf(fused.Output) is { } pool && WithPool(convolution, y.Layout, pool) is { } both)
            {
                Add(node, "convolution", both, [.. Buffers(x.Buffer, w, bias, extras, StorePooled(pool)), ThreadScratch(both.Pool!.RowFloats)]);
            }
            else
            {
                Add(node, "convolution", convolution, Buffers(x.Buffer, w, bias, extras, y));
            }
        }

        Close(open, point, PoolOf(fused.Output));
    }

    /// <summary>Whether every channel has a kernel of its own.</summary>
    private static bool IsDepthwise(int groups, Node x, Node y) => groups > 1 && groups == x.Shape[0] && groups == y.Shape[0];

    /// <summary>The formula that a kernel applies to its sums, and the operands it reads besides.</summary>
    private (Expression? Formula, List<StoredValue> Operands) Epilogue(FusedNode fused, LayoutKind kind) => fused.Formula is null || fused.Output == fused.Anchor
        ? (null, [])
        : (fused.Formula, fused.Operands.Where(o => o != fused.Anchor).Select(o => Operand(o, kind)).ToList());

    private void PlanInputGradient(FusedNode fused)
    {
        var node = fused.Anchor;
        var (window, groups, _) = node.As<ConvolutionInputGradientAttributes>();
        var dy = Get(node.Inputs[0], LayoutKind.Blocked);
        var dx = Store(fused.Output, LayoutKind.Blocked);
        var (formula, extras) = Epilogue(fused, LayoutKind.Blocked);
        if (IsDepthwise(groups, node.Inputs[0], node))
        {
            var weights = DepthwiseWeights(node.Inputs[1], window);
            var kernel = new DepthwiseInputGradientKernel(window, dy.Layout, dx.Layout);
            if (kernel.TakesFormula)
            {
                Add(node, "depthwise_gradient", kernel with { Epilogue = formula, Extras = [.. extras.Select(e => e.Layout)] }, Buffers(dy.Buffer, weights, null, extras, dx));
            }
            else
            {
                WithFormula(node, dx, formula, extras, plain => Add(node, "depthwise_gradient", kernel, dy.Buffer, weights, plain.Buffer));
            }

            return;
        }

        if (TryPlanNarrowGradient(node, window, groups, dy, dx, formula, extras))
        {
            return;
        }

        // Of several parts, for phases of a stride, each has a tile that suits it.
        var parts = Geometries.InputGradient(window, groups, dy.Layout, dx.Layout).ToList();
        foreach (var part in parts)
        {
            var open = Open(node, "data_gradient");
            var geometry = Geometries.Flattened(part.Geometry, window, extras.Select(e => e.Layout).Append(dy.Layout).Append(dx.Layout));
            var mayWinograd = IsWinogradGradient(window, geometry, dy);
            var point = Point(open, geometry, OwnWinograd(mayWinograd, window, geometry, packed: training), mayWinograd);
            var choice = parts.Count == 1 ? Decide(point, open) : point.Own;
            if (choice.Winograd > 0)
            {
                AddWinogradGradient(node, choice.Winograd, window, dy, dx, formula, extras);
            }
            else
            {
                var operands = extras.Select(e => part.Operand(e.Layout)).ToImmutableArray();
                var convolution = new ConvolutionKernel(geometry, false, formula, operands, Samples: false, Wanted: WantedTile(choice));
                var w = Packed(node.Inputs[1], convolution, part.Taps, turned: true);
                Add(node, "data_gradient", convolution, Buffers(dy.Buffer, w, null, extras, dx));
            }

            if (parts.Count == 1)
            {
                Close(open, point);
            }
        }
    }

    /// <summary>For kernels that have no room for a formula: it follows, over memory of the same layout.</summary>
    private void WithFormula(Node node, StoredValue into, Expression? formula, List<StoredValue> extras, Action<StoredValue> add)
    {
        if (formula is null)
        {
            add(into);
            return;
        }

        var plain = new StoredValue(new BufferDraft(into.Layout.Size, batched: true, into.Buffer.HaloTag), into.Layout);
        add(plain);
        var kernel = new PointwiseKernel(formula, extras.Select(e => e.Layout).Prepend(plain.Layout).ToImmutableArray(), into.Layout);
        Add(node, "pointwise", kernel, extras.Select(e => e.Buffer).Prepend(plain.Buffer).Append(into.Buffer).ToArray());
    }

    private bool TryPlanNarrowGradient(Node node, Window window, int groups, StoredValue dy, StoredValue dx, Expression? formula, List<StoredValue> extras)
    {
        var (depth, rows, columns) = Axis3.Of(window);
        if (groups > 1 || window.Rank != 2 || dx.Layout.Channels > NarrowGradientKernel.MostChannels || window.KernelCount == 1
            || depth != Axis3.None || rows is not { Stride: 1, Dilation: 1 } || columns is not { Stride: 1, Dilation: 1 })
        {
            return false;
        }

        var kernel = new NarrowGradientKernel(dy.Layout, dx.Layout, rows.Kernel, columns.Kernel, rows.PadBegin, columns.PadBegin);
        if (kernel.ScratchFloats > NarrowGradientKernel.MostScratch)
        {
            return false;
        }

        var weights = Get(node.Inputs[1], LayoutKind.Flat).Buffer;
        WithFormula(node, dx, formula, extras, plain => Add(node, "narrow_gradient", kernel, dy.Buffer, weights, plain.Buffer, ThreadScratch(kernel.ScratchFloats)));
        return true;
    }

    private void PlanWeightGradient(Node node)
    {
        var (window, groups, weightShape) = node.As<ConvolutionWeightGradientAttributes>();
        var x = Get(node.Inputs[0], InputKind(node.Inputs[0], groups));
        var dy = Get(node.Inputs[1], LayoutKind.Blocked);
        if (IsDepthwise(groups, node.Inputs[0], node.Inputs[1]))
        {
            var shape = Shape.Of(weightShape[0], window.Kernel);
            var blocked = new Layout(LayoutKind.Blocked, shape);
            var (part, sum) = (OfSample(blocked), new BufferDraft(blocked.Size, batched: false, ""));
            Add(node, "depthwise_weight_gradient", new DepthwiseWeightGradientKernel(window, x.Layout, dy.Layout), x.Buffer, dy.Buffer, part);
            Join(node, blocked, [part], [sum]);
            var into = Store(node, LayoutKind.Flat);
            Add(node, "unpack", CopyKernel.Convert(blocked, new Layout(LayoutKind.Flat, shape), KernelScope.Once), sum, into.Buffer);
            return;
        }

        var open = Open(node, "weight_gradient");
        var forward = Geometries.Forward(window, groups, x.Layout, dy.Layout);
        var mayWinograd = IsWinograd(window, forward, x);
        var point = Point(open, geometry: null, OwnWinograd(mayWinograd, window, forward, packed: false), mayWinograd);
        var choice = Decide(point, open);
        if (choice.Winograd > 0)
        {
            AddWinogradWeightGradient(node, choice.Winograd, window, x, dy);
        }
        else if (Geometries.TurnedWeightGradient(window, groups, x.Layout, dy.Layout) is { } turned)
        {
            AddWeightGradient(node, turned, dy, x);
        }
        else
        {
            AddWeightGradient(node, Geometries.WeightGradient(window, groups, x.Layout, dy.Layout), x, dy);
        }

        if (mayWinograd)
        {
            Close(open, point);
        }
    }

    private void AddWeightGradient(Node node, WeightGradientGeometry geometry, StoredValue x, StoredValue dy)
    {
        geometry = geometry with { OfSample = node.Primitive == Primitives.ConvolutionWeightGradient && WorksOnASample(node) };

        // Partial sums live from one step to the next only, so all layers share one place for them.
        scratch.Size = Math.Max(scratch.Size, geometry.PackedSize);
        if (geometry.OfSample)
        {
            var sums = new Layout(LayoutKind.Flat, Shape.Of(geometry.PackedSize));
            var part = OfSample(sums);
            Add(node, "weight_gradient", new WeightGradientKernel(geometry), x.Buffer, dy.Buffer, part);
            Join(node, sums, [part], [scratch]);
        }
        else
        {
            Add(node, "weight_gradient", new WeightGradientKernel(geometry), x.Buffer, dy.Buffer, scratch);
        }

        var into = Store(node, LayoutKind.Flat);
        Add(node, "unpack", new UnpackWeightGradientKernel(geometry), scratch, into.Buffer);
    }

    /// <summary>Dense layers and their data gradients: a convolution whose columns are the samples of the batch, or the rows of
    /// a list of features.</summary>
    private void PlanDense(FusedNode fused)
    {
        var node = fused.Anchor;
        var turned = node.Primitive == Primitives.DenseInputGradient;
        var (inWidth, outWidth) = (node.Inputs[0].Shape.Dimensions.Last(), node.Shape.Dimensions.Last());
        var overRows = node.Shape.Rank > 1;
        var x = Get(node.Inputs[0], LayoutKind.Flat);
        var bias = node.Inputs.Length > 2 ? Get(node.Inputs[2], LayoutKind.Flat) : null;
        var (formula, extras) = Epilogue(fused, LayoutKind.Flat);
        var rows = (int)(node.Shape.Count / outWidth);
        var (inputs, outputs) = turned ? (outWidth, inWidth) : (inWidth, outWidth);
        if (training && !overRows && node.Batched && StreamedDense.Suits(inputs, outputs))
        {
            var w = Get(node.Inputs[1], LayoutKind.Flat).Buffer;
            WithFormula(node, Store(fused.Output, LayoutKind.Flat), formula, extras, plain => Add(
                node, turned ? "data_gradient" : "dense", turned ? new StreamedDenseInputGradientKernel(inputs, outputs) : new StreamedDenseKernel(inputs, outputs, bias is not null),
                Buffers(x.Buffer, w, bias, [], plain)));
            return;
        }

        // A last vector that is not full would run into the next row: such rows are first stored as columns of blocks.
        var blocks = overRows && outWidth % Layout.Lanes != 0;
        var y = Store(fused.Output, LayoutKind.Flat);
        var columnsOfBlocks = new Layout(LayoutKind.Blocked, Shape.Of(outWidth, rows));
        var into = blocks ? new StoredValue(new BufferDraft(columnsOfBlocks.Size, node.Batched, ""), columnsOfBlocks) : y;
        var geometry = new ConvolutionGeometry
        {
            InputChannels = inWidth,
            OutputChannels = outWidth,
            Taps = (1, 1, 1),
            Plane = (1, 1, rows),
            InputOffset = 0,
            InputBlock = Layout.Lanes,
            InputLane = 1,
            InputStep = (0, 0, overRows ? inWidth : 0),
            TapStep = default,
            OutputOffset = 0,
            OutputBlock = blocks ? columnsOfBlocks.BlockStride : Layout.Lanes,
            OutputStep = (0, 0, blocks ? Layout.Lanes : overRows ? outWidth : 0),
        };
        var operands = extras.Select((e, i) => new FusedOperand(0, Layout.Lanes, e.Layout.Shape.Count == outWidth ? default : (0, 0, outWidth))).ToImmutableArray();
        var samples = !overRows && node.Batched;
        var open = Open(node, turned ? "data_gradient" : "dense");
        var point = Point(open, geometry, ownWinograd: 0, mayWinograd: false, mayStrassen: !samples && MayStrassen(geometry));
        var choice = samples ? new KernelChoice(0) : Decide(point, open);
        if (choice.Strassen)
        {
            AddStrassen(node, geometry, x, into, bias, formula, extras, operands);
        }
        else
        {
            var dense = new ConvolutionKernel(geometry, bias is not null, formula, operands, samples, IsDense: true, Wanted: WantedTile(choice));
            var w = Packed(node.Inputs[1], dense, new TapSelection((1, 1, 1), (0, 0, 0), (1, 1, 1)), turned);
            Add(node, turned ? "data_gradient" : "dense", dense, Buffers(x.Buffer, w, bias, extras, into));
        }

        if (!samples)
        {
            Close(open, point);
        }

        if (blocks)
        {
            var flat = new Layout(LayoutKind.Flat, Shape.Of(rows, outWidth));
            Add(node, "rows", CopyKernel.Transpose(columnsOfBlocks, flat, ImmutableArray.Create(1, 0), Scope(node)), into.Buffer, y.Buffer);
        }
    }

    private void PlanDenseWeightGradient(Node node)
    {
        var (x, dy) = (Get(node.Inputs[0], LayoutKind.Flat), Get(node.Inputs[1], LayoutKind.Flat));
        var (inWidth, outWidth) = (node.Inputs[0].Shape.Dimensions.Last(), node.Inputs[1].Shape.Dimensions.Last());
        var overRows = node.Inputs[0].Shape.Rank > 1;
        if (!overRows && node.Inputs[0].Batched && StreamedDense.Suits(inWidth, outWidth))
        {
            Add(node, "weight_gradient", new StreamedDenseWeightGradientKernel(inWidth, outWidth), x.Buffer, dy.Buffer, Store(node, LayoutKind.Flat).Buffer);
            return;
        }

        var geometry = Geometries.DenseWeightGradient(inWidth, outWidth, (int)(node.Inputs[0].Shape.Count / inWidth));
        AddWeightGradient(node, geometry, geometry.IsTurned ? dy : x, geometry.IsTurned ? x : dy);
    }

    private LayoutKind InputKind(Node input, int groups) =>
        groups == 1 && (values[input].Layout.Kind == LayoutKind.Planar || (input.Primitive == Primitives.Input && input.Shape[0] <= MostPlanarChannels)) ? LayoutKind.Planar : LayoutKind.Blocked;

    private static BufferDraft[] Buffers(BufferDraft x, BufferDraft w, StoredValue? bias, List<StoredValue> extras, StoredValue y)
    {
        var buffers = new List<BufferDraft> { x, w };
        if (bias is not null)
        {
            buffers.Add(bias.Buffer);
        }

        buffers.AddRange(extras.Select(e => e.Buffer));
        buffers.Add(y.Buffer);
        return buffers.ToArray();
    }

    /// <summary>Weights in the order of a direct convolution.</summary>
    private BufferDraft Packed(Node weights, ConvolutionKernel convolution, TapSelection taps, bool turned)
    {
        var geometry = convolution.Geometry;
        return Packed(weights, new PackWeightsKernel(geometry, taps, turned, convolution.GroupBlocks), geometry.PackedSize, isRead: geometry.TapCount > 0);
    }

    /// <summary>C x 1 x kernel as blocks of channels.</summary>
    private BufferDraft DepthwiseWeights(Node weights, Window window)
    {
        var shape = Shape.Of(weights.Shape[0], window.Kernel);
        var blocked = new Layout(LayoutKind.Blocked, shape);
        return Packed(weights, CopyKernel.Convert(new Layout(LayoutKind.Flat, shape), blocked, KernelScope.Once), blocked.Size);
    }

    /// <summary>Weights as a kernel puts them; once for all steps that want the same.</summary>
    /// <param name="size">Floats, enough for either kernel.</param>
    /// <param name="isRead">False where nobody reads them, so that nothing need be packed.</param>
    /// <param name="withoutKeptFilters">As in <see cref="Step"/>.</param>
    private BufferDraft Packed(Node weights, Kernel packing, int size, bool isRead = true, Kernel? withoutKeptFilters = null)
    {
        var key = (weights, packing.Key + withoutKeptFilters?.Key);
        if (!packed.TryGetValue(key, out var buffer))
        {
            buffer = new BufferDraft(size, batched: false, "");
            packed.Add(key, buffer);
            if (isRead)
            {
                Add(weights, "pack", packing, withoutKeptFilters, Get(weights, LayoutKind.Flat).Buffer, buffer);
            }
        }

        return buffer;
    }
}
