// First layers of few outputs in inference: what they compute stays in planes, columns side by side, up to a layer that reads planes.
using ModelCompiler.Graph;
using ModelCompiler.Kernels;
using ModelCompiler.Operators;

namespace ModelCompiler.Planning;

public sealed partial class Planner
{
    private bool TryPlanPlanar(FusedNode fused)
    {
        var node = fused.Anchor;
        if (training || node.Attributes is not ConvolutionAttributes { Groups: 1 } convolution || convolution.Window.Rank != 2 || InputKind(node.Inputs[0], groups: 1) != LayoutKind.Planar
            || fused.Operands.Any(o => fused.Formula is not null && o != node))
        {
            return false;
        }

        var (_, rows, columns) = Axis3.Of(convolution.Window);
        var pool = HalvingPoolOf(fused.Output);
        var result = pool ?? fused.Output;
        if (rows is not { Stride: 1, Dilation: 1, PadBegin: >= 0 } || columns is not { Stride: 1, Dilation: 1, PadBegin: >= 0 }
            || !PlanarConvolutionKernel.Pays(result.Shape[0], result.Shape[2] * (pool is null ? 1 : 2)) || !StaysPlanar(result))
        {
            return false;
        }

        var x = Get(node.Inputs[0], LayoutKind.Planar);
        var w = Get(node.Inputs[1], LayoutKind.Flat);
        var bias = node.Inputs.Length > 2 ? Get(node.Inputs[2], LayoutKind.Flat) : null;
        var y = pool is null ? Store(result, LayoutKind.Planar) : StorePooled(pool, LayoutKind.Planar);
        var formula = fused.Output == node ? null : fused.Formula;
        Add(node, "convolution", new PlanarConvolutionKernel(x.Layout, y.Layout, rows.Kernel, columns.Kernel, rows.PadBegin, columns.PadBegin, bias is not null, formula, pool is not null),
            Buffers(x.Buffer, w.Buffer, bias, [], y));
        return true;
    }

    /// <summary>Whether whoever reads a value reads planes as well as blocks, or asks for features in a row.</summary>
    private bool StaysPlanar(Node value) => Readers[value] is { Count: > 0 } all
        && all.All(reader => reader.Attributes is ReshapeAttributes || (reader.Attributes is ConvolutionAttributes { Groups: 1 } && reader.Inputs[0] == value));
}
