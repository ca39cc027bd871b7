// 3x3 convolutions of stride 1, dilated or not, and their gradients, where Winograd's algorithm is faster.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using ModelCompiler.Kernels;

namespace ModelCompiler.Planning;

public sealed partial class Planner
{
    /// <summary>A batch of training is guessed to be this large where the choice depends on it.</summary>
    private const int TrainingSamples = 8;

    private int NominalSamples => training ? TrainingSamples : 1;

    private void AddWinograd(FusedNode fused, int outputs, Window window, StoredValue x, StoredValue y, StoredValue? bias, Expression? formula, List<StoredValue> extras)
    {
        var (depth, rows, columns) = Axis3.Of(window);
        var pool = window.Rank == 2 && rows.Dilation == 1 && extras.Count == 0 ? HalvingPoolOf(fused.Output) : null;
        AddWinograd(
            fused.Anchor, "winograd", outputs, (depth.PadBegin, rows.PadBegin, columns.PadBegin), depth.Kernel, rows.Dilation, turned: false, x, pool is null ? y : StorePooled(pool), bias, formula, extras,
            pool is not null);
    }

    /// <summary>The data gradient is a convolution of the output's gradient with turned weights and what padding the first one left.</summary>
    private void AddWinogradGradient(Node node, int outputs, Window window, StoredValue dy, StoredValue dx, Expression? formula, List<StoredValue> extras)
    {
        var (_, rows, columns) = Axis3.Of(window);
        AddWinograd(node, "winograd_gradient", outputs, (0, (2 * rows.Dilation) - rows.PadBegin, (2 * columns.Dilation) - columns.PadBegin), 1, rows.Dilation, turned: true, dy, dx, bias: null, formula, extras, pooled: false);
    }

    private bool IsWinogradGradient(Window window, ConvolutionGeometry direct, StoredValue dy)
    {
        var (_, rows, columns) = Axis3.Of(window);
        return IsWinograd(window, direct, dy) && rows.PadBegin <= 2 * rows.Dilation && columns.PadBegin <= 2 * columns.Dilation;
    }

    /// <summary>The transpose of Winograd's algorithm.</summary>
    private void AddWinogradWeightGradient(Node node, int outputs, Window window, StoredValue x, StoredValue dy)
    {
        var (_, rows, columns) = Axis3.Of(window);
        var kernel = new WinogradWeightGradientKernel(outputs, x.Layout, dy.Layout, rows.PadBegin, columns.PadBegin, NominalSamples, rows.Dilation);
        var into = Store(node, LayoutKind.Flat);
        Add(node, "winograd_weight_gradient", kernel, x.Buffer, dy.Buffer, into.Buffer, ThreadScratch(kernel.ScratchFloats));
    }

    /// <summary>What the estimate takes: 2 or 4 outputs of a tile along each axis, 0 for direct convolution.</summary>
    private int OwnWinograd(bool mayWinograd, Window window, ConvolutionGeometry direct, bool packed) =>
        mayWinograd ? WinogradChoice.Outputs(direct, NominalSamples, packed, Axis3.Of(window).Rows.Dilation) : 0;

    /// <summary>Whether Winograd's algorithm applies, and is allowed.</summary>
    /// <param name="depth">Whether planes may lie behind one another.</param>
    private bool IsWinograd(Window window, ConvolutionGeometry direct, StoredValue x, bool depth = false)
    {
        var (planes, rows, columns) = Axis3.Of(window);
        static bool IsTriple(Axis3 axis) => axis is { Kernel: 3, Stride: 1 };
        return fast && WinogradChoice.HasChannels(direct) && (window.Rank == 2 || (depth && window.Rank == 3 && planes is { Stride: 1, Dilation: 1 }))
            && IsTriple(rows) && IsTriple(columns) && rows.Dilation == columns.Dilation && direct.Groups == 1 && x.Layout.Kind == LayoutKind.Blocked;
    }

    private void AddWinograd(
        Node node, string suffix, int outputs, (int Depth, int Rows, int Columns) pad, int depthTaps, int dilation, bool turned,
        StoredValue x, StoredValue y, StoredValue? bias, Expression? formula, List<StoredValue> extras, bool pooled)
    {
        var fused = extras.Select(e => Geometries.Operand(e.Layout)).ToImmutableArray();
        var kernel = new WinogradKernel(outputs, x.Layout, y.Layout, pad.Rows, pad.Columns, bias is not null, formula, fused, NominalSamples, DepthTaps: depthTaps, PadDepth: pad.Depth, Dilation: dilation, Pooled: pooled);
        if (training && kernel.HasManyWeights)
        {
            kernel = kernel with { Filters = turned ? WinogradFilterForm.Turned : WinogradFilterForm.Flat };
        }

        var late = !training && WinogradChoice.TransformsLate(outputs, kernel.Tiles * y.Layout.Depth, kernel.WeightFloats, kernel.InputFloats)
            ? kernel with { Filters = WinogradFilterForm.Ordered } : null;

        // Filters of volumes have three times the points and serve the tiles of all planes: memory counts more than the little that transforming them takes.
        if (late is not null && (depthTaps > 1 || WinogradChoice.AreTooMany(late.WeightFloats)))
        {
            (kernel, late) = (late, null);
        }

        var weights = kernel.Filters switch
        {
            WinogradFilterForm.Packed => Packed(node.Inputs[1], kernel.Packing(turned), kernel.Packing(turned).PackedSize, withoutKeptFilters: late?.Ordering),
            WinogradFilterForm.Ordered => Packed(node.Inputs[1], kernel.Ordering, kernel.Ordering.Geometry.PackedSize),
            _ => Get(node.Inputs[1], LayoutKind.Flat).Buffer,
        };
        Add(node, suffix, kernel, late, [.. Buffers(x.Buffer, weights, bias, extras, y), ThreadScratch(Math.Max(kernel.ScratchFloats, late?.ScratchFloats ?? 0))]);
    }

    /// <summary>All steps share one scratch memory for each thread, as large as the hungriest wants it.</summary>
    private BufferDraft ThreadScratch(int floats)
    {
        threadScratch.Size = Math.Max(threadScratch.Size, floats);
        return threadScratch;
    }
}
