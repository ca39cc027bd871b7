// Regions of interest: the features under boxes, brought to one size. The result is regions x channels x rows x columns.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using static ModelCompiler.Operators.Formulas;
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

    /// <summary>Interpolation is separable: two matrices for each box, of the weight of each row in each row of bins, and of each
    /// column in each column of bins, turn the plane into the bins.</summary>
    private static Node Align(OperatorCall call)
    {
        var (x, boxes) = Inputs(call, "roi_align");
        var builder = call.Builder;
        var size = call.Dims("size", 2);
        var (regions, channels, height, width) = (boxes.Shape[0], x.Shape[0], x.Shape[1], x.Shape[2]);
        var rows = builder.Reshape(Weights(call, boxes, 1, size[0], height), Shape.Of(checked(regions * size[0]), height));
        var columns = builder.Reshape(Weights(call, boxes, 0, size[1], width), Shape.Of(regions, size[1], width));

        var byHeight = builder.Reshape(builder.Transpose(x, [1, 0, 2]), Shape.Of(height, checked(channels * width)));
        var inRows = builder.Add(Primitives.MatrixProduct, new MatrixProductAttributes(false, false), rows, byHeight);
        var perRegion = builder.Reshape(inRows, Shape.Of(regions, checked(size[0] * channels), width));
        var bins = builder.Add(Primitives.MatrixProduct, new MatrixProductAttributes(false, true), perRegion, columns);
        return builder.Transpose(builder.Reshape(bins, new Shape([regions, size[0], channels, size[1]])), [0, 2, 1, 3]);
    }

    /// <summary>Regions x bins x 1 x elements: how much each element along one axis (0: columns, 1: rows) counts in each bin.</summary>
    private static Node Weights(OperatorCall call, Node boxes, int axis, int bins, int elements)
    {
        var builder = call.Builder;
        var (samples, scale, aligned) = (call.Integer("samples", 2), call.Number("scale", 1), call.Boolean("aligned"));
        var regions = boxes.Shape[0];
        var (from, to) = (builder.Slice(boxes, 1, axis, 1), builder.Slice(boxes, 1, axis + 2, 1));

        // Where the samples are: start + fraction · size.
        var fractions = Enumerable.Range(0, bins * samples).Select(i => ((i / samples) + (((i % samples) + 0.5) / samples)) / bins);
        var length = Multiply(scale, Y - X);
        var place = Add(Multiply(scale, X), Number(aligned ? -0.5 : 0)) + ((aligned ? length : Max(length, 1)) * Input(2));
        var places = builder.Reshape(builder.Pointwise(place, from, to, builder.AlongAxis(fractions, 1, 2)), Shape.Of(regions, checked(bins * samples), 1));

        // An element counts where it is less than 1 away; samples beyond the plane's edge take the edge, and those further out nothing.
        var held = Min(Max(X, 0), elements - 1);
        var weight = Max(1 - Absolute(held - Y), 0);
        var isInside = new BinaryFormula(BinaryFunction.GreaterOrEqual, elements, X);
        var counted = Formulas.Select(new BinaryFormula(BinaryFunction.GreaterOrEqual, X, -1), Formulas.Select(isInside, weight, 0), 0);
        var each = builder.Pointwise(counted, places, builder.Ramp(elements, 2, 3));
        return builder.Mean(builder.Reshape(each, new Shape([regions, bins, samples, elements])), [2], overBatch: false);
    }
}
