// Local contrast normalisation (Jarrett et al., 2009): from every element the mean around it is taken away, and what is left
// is divided by its deviation there, where that is large. Means are weighted by a Gaussian, one axis after the other.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using static ModelCompiler.Operators.Formulas;
using static ModelCompiler.Operators.Messages;

namespace ModelCompiler.Operators;

internal static class LocalContrast
{
    public static readonly ImmutableArray<Operator> All =
    [
        Definition.Unary(
            "local_contrast_norm",
            "Subtracts the Gaussian mean of the neighbourhood (zeros around the input) and divides by the deviation there, or by the plane's mean deviation where that is larger.",
            "Jarrett et al., What is the best multi-stage architecture for object recognition?, 2009",
            Build,
            Argument.Integer("size", "elements of the neighbourhood along each axis, an odd number", "9", 1, 1 << 14),
            Argument.Boolean("across", "over all channels together, instead of each for itself", "true"),
            Argument.Epsilon),
    ];

    private static Node Build(OperatorCall call, Node x)
    {
        WindowArguments.Spatial(x, "local_contrast_norm");
        var size = call.Integer("size", 9);
        if (size % 2 == 0)
        {
            throw new OperatorException("CNN2050", "size", $"the neighbourhood of 'local_contrast_norm' has a middle, so its size is odd, and {Text(size)} is even; use {Text(size - 1)} or {Text(size + 1)}");
        }

        var builder = call.Builder;
        var across = call.Boolean("across", true);
        Node Around(Node values) => Blur(builder, across ? builder.Mean(values, [0], overBatch: false) : values, size);
        var centred = builder.Pointwise(X - Y, x, Around(x));
        var deviation = builder.Pointwise(new UnaryFormula(UnaryFunction.SquareRoot, X + call.Number("eps", 1e-5)), Around(builder.Pointwise(X * X, centred)));
        var typical = builder.Mean(deviation, deviation.Shape.SpatialAxes(), overBatch: false);
        return builder.Pointwise(X / Max(Y, Input(2)), centred, deviation, typical);
    }

    /// <summary>The neighbourhood reaches to two standard deviations.</summary>
    private static Node Blur(GraphBuilder builder, Node x, int size)
    {
        var (middle, deviation) = (size / 2, Math.Max(size / 4.0, 1e-3));
        var gaussian = Enumerable.Range(-middle, size).Select(i => Math.Exp(-i * i / (2 * deviation * deviation))).ToArray();
        var sum = gaussian.Sum();
        var axes = x.Shape.Rank - 1;
        var (ones, zeros) = (Repeat(1, axes), Repeat(0, axes));
        for (var axis = 0; axis < axes; axis++)
        {
            var pad = zeros.SetItem(axis, middle);
            x = FixedFilters.Apply(builder, x, new Window(ones.SetItem(axis, size), ones, pad, pad, ones), gaussian.Select(g => g / sum));
        }

        return x;
    }
}
