// 3x3 convolutions of stride 1 where Winograd's algorithm is faster. Inference only: a training pass would transform
// its weights in every step.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using ModelCompiler.Kernels;

namespace ModelCompiler.Planning;

public sealed partial class Planner
{
    /// <summary>Plans the step and returns true where Winograd applies and pays.</summary>
    private bool TryPlanWinograd(Node node, ConvolutionGeometry direct, Window window, StoredValue x, StoredValue y, StoredValue? bias, Expression? formula, List<StoredValue> extras)
    {
        var (depth, rows, columns) = Axis3.Of(window);
        static bool IsTriple(Axis3 axis) => axis is { Kernel: 3, Stride: 1, Dilation: 1 };
        if (!winograd || window.Rank != 2 || !IsTriple(rows) || !IsTriple(columns) || depth != Axis3.None || direct.Groups > 1 || x.Layout.Kind != LayoutKind.Blocked)
        {
            return false;
        }

        var outputs = WinogradChoice.Outputs(direct);
        if (outputs == 0)
        {
            return false;
        }

        var kernel = new WinogradKernel(
            outputs, x.Layout, y.Layout, rows.PadBegin, columns.PadBegin, bias is not null, formula, extras.Select(e => Geometries.Operand(e.Layout)).ToImmutableArray());
        var weights = node.Inputs[1];
        var scratch = new BufferDraft(kernel.ScratchFloats, batched: true, "");
        Add(node, "winograd", kernel, [.. Buffers(x.Buffer, PackedWinograd(weights, kernel.Packing), bias, extras, y), scratch]);
        return true;
    }

    private BufferDraft PackedWinograd(Node weights, PackWinogradKernel kernel)
    {
        if (!packed.TryGetValue((weights, kernel.Name), out var buffer))
        {
            buffer = new BufferDraft(kernel.PackedSize, batched: false, "");
            packed.Add((weights, kernel.Name), buffer);
            Add(weights, "pack", kernel, Get(weights, LayoutKind.Flat).Buffer, buffer);
        }

        return buffer;
    }
}
