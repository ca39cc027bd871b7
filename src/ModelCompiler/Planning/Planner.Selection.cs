// Steps for what is found by its place: gathering, scattering, the places of maxima, pooled regions, constants.
using ModelCompiler.Graph;
using ModelCompiler.Kernels;
using ModelCompiler.Operators;

namespace ModelCompiler.Planning;

public sealed partial class Planner
{
    /// <summary>False where the node is none of these.</summary>
    private bool PlanSelection(Node node)
    {
        var primitive = node.Primitive;
        if (primitive == Primitives.Constant)
        {
            var y = Store(node, LayoutKind.Flat);
            Add(node, "constant", new ConstantKernel(node.As<ConstantAttributes>().Values), y.Buffer);
        }
        else if (primitive == Primitives.Gather || primitive == Primitives.Scatter)
        {
            var (values, places) = (Get(node.Inputs[0], LayoutKind.Flat), Get(node.Inputs[1], LayoutKind.Flat));
            var y = Store(node, LayoutKind.Flat);
            Kernel kernel = node.Attributes is ScatterAttributes scatter
                ? new ScatterKernel(node.Shape, scatter.Axis, node.Inputs[1].Shape[scatter.Axis], Scope(node))
                : new GatherKernel(node.Inputs[0].Shape, node.As<GatherAttributes>().Axis, node.Shape[node.As<GatherAttributes>().Axis], Scope(node));
            Add(node, node.Attributes is ScatterAttributes ? "scatter" : "gather", kernel, values.Buffer, places.Buffer, y.Buffer);
        }
        else if (primitive == Primitives.TopPlaces)
        {
            var (axis, count) = node.As<TopPlacesAttributes>();
            var x = Get(node.Inputs[0], LayoutKind.Flat);
            var y = Store(node, LayoutKind.Flat);
            Add(node, "places", new TopPlacesKernel(node.Inputs[0].Shape, axis, count, Scope(node)), x.Buffer, y.Buffer);
        }
        else if (primitive == Primitives.MaxPoolPlaces)
        {
            var x = Get(node.Inputs[0], LayoutKind.Blocked);
            var y = Store(node, LayoutKind.Blocked);
            Add(node, "places", new MaxPoolPlacesKernel(node.As<MaxPoolAttributes>().Window, x.Layout, y.Layout), x.Buffer, y.Buffer);
        }
        else if (primitive == Primitives.RegionPool)
        {
            var (x, boxes) = (Get(node.Inputs[0], LayoutKind.Blocked), Get(node.Inputs[1], LayoutKind.Flat));
            var y = Store(node, LayoutKind.Blocked);
            Add(node, "region_pool", new RegionPoolKernel(node.As<RegionPoolAttributes>(), x.Layout, y.Layout), x.Buffer, boxes.Buffer, y.Buffer);
        }
        else if (primitive == Primitives.RegionPoolGradient)
        {
            var (x, boxes) = (Get(node.Inputs[0], LayoutKind.Blocked), Get(node.Inputs[1], LayoutKind.Flat));
            var dy = Get(node.Inputs[2], LayoutKind.Blocked);
            var dx = Store(node, LayoutKind.Blocked);
            var kernel = new RegionPoolGradientKernel(node.As<RegionPoolAttributes>(), x.Layout, dy.Layout, dx.Layout);
            Add(node, "gradient", kernel, x.Buffer, boxes.Buffer, dy.Buffer, dx.Buffer);
        }
        else if (primitive == Primitives.RegionAlign)
        {
            var (x, boxes) = (Get(node.Inputs[0], LayoutKind.Blocked), Get(node.Inputs[1], LayoutKind.Flat));
            var y = Store(node, LayoutKind.Blocked);
            Add(node, "region_align", new RegionAlignKernel(node.As<RegionAlignAttributes>(), x.Layout, y.Layout), x.Buffer, boxes.Buffer, y.Buffer);
        }
        else if (primitive == Primitives.RegionAlignGradient)
        {
            var (boxes, dy) = (Get(node.Inputs[0], LayoutKind.Flat), Get(node.Inputs[1], LayoutKind.Blocked));
            var dx = Store(node, LayoutKind.Blocked);
            Add(node, "gradient", new RegionAlignGradientKernel(node.As<RegionAlignAttributes>(), dy.Layout, dx.Layout), boxes.Buffer, dy.Buffer, dx.Buffer);
        }
        else
        {
            return false;
        }

        return true;
    }
}
