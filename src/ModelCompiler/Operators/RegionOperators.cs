// Regions of interest: the features under boxes, brought to one size. The result is regions x channels x rows x columns.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using static ModelCompiler.Operators.Messages;

namespace ModelCompiler.Operators;

internal static class RegionOperators
{
    private static readonly ArgumentSpec Size = Argument.Dims("size", "rows and columns of the result, or one number for both");

    private static readonly ArgumentSpec Scale = Argument.Number("scale", "elements of the input per unit of the boxes: 1/16 behind four strides of 2", "1", 1e-6, 1e6);

    public static readonly ImmutableArray<Operator> All =
    [
        Definition.Of(
            "roi_pool",
            ["input", "boxes"],
            "Largest element of size bins of every box: boxes are rows of x1, y1, x2, y2, rounded to whole elements, and get no gradient; an empty bin is 0.",
            "Girshick, Fast R-CNN, 2015",
            Pool,
            Size,
            Scale),
        Definition.Of(
            "roi_align",
            ["input", "boxes"],
            "Mean of samples x samples values in size bins of every box, interpolated between elements without any rounding; boxes are rows of x1, y1, x2, y2 and get no gradient.",
            "He et al., Mask R-CNN, 2017",
            Align,
            Size,
            Scale,
            Argument.Integer("samples", "values along each side of a bin", "2", 1, 64),
            Argument.Boolean("aligned", "elements are areas whose middle is half an element from their edge", "false")),
    ];

    private static (Node Input, Node Boxes) Inputs(OperatorCall call, string name)
    {
        var (x, boxes) = (call.Inputs[0], call.Inputs[1]);
        if (x.Shape.Rank != 3)
        {
            throw new OperatorException("CNN3001", "input:0", $"'{name}' works on channels x height x width, not on {Describe(x)}");
        }

        if (boxes.Shape.Rank != 2 || boxes.Shape[1] != 4)
        {
            throw new OperatorException("CNN3014", "input:1", $"the boxes of '{name}' are rows of four numbers, x1, y1, x2, y2, so they are regions x 4, not {Describe(boxes)}");
        }

        var scale = call.Number("scale", 1);
        return (x, call.Builder.Detach(boxes, new ValueLimits(0, x.Shape[2] / scale, x.Shape[1] / scale)));
    }

    private static Node Pool(OperatorCall call)
    {
        var (x, boxes) = Inputs(call, "roi_pool");
        var size = call.Dims("size", 2);
        var pooled = call.Builder.Add(Primitives.RegionPool, new RegionPoolAttributes(size[0], size[1], call.Number("scale", 1)), x, boxes);
        return call.Builder.Transpose(pooled, [1, 0, 2, 3]);
    }

    private static Node Align(OperatorCall call)
    {
        var (x, boxes) = Inputs(call, "roi_align");
        var size = call.Dims("size", 2);
        var attributes = new RegionAlignAttributes(size[0], size[1], call.Number("scale", 1), call.Integer("samples", 2), call.Boolean("aligned"), x.Shape);
        return call.Builder.Transpose(call.Builder.Add(Primitives.RegionAlign, attributes, x, boxes), [1, 0, 2, 3]);
    }
}
