// Batch normalisation (Ioffe and Szegedy, 2015). A composite with a gradient of its own: two reductions and one
// formula, where the gradient of its expansion would be a dozen passes over the data.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using static ModelCompiler.Operators.Formulas;

namespace ModelCompiler.Operators;

internal sealed class BatchNormPrimitive : Primitive
{
    /// <summary>Of dy, x, mean, scale, slope, shift.</summary>
    private static readonly Expression GradientFormula = (X * Input(3)) + ((Input(1) - Input(2)) * Input(4)) + Input(5);

    public override string Name => "BatchNorm";

    public override Shape InferShape(ImmutableArray<Node> inputs, object? attributes) => inputs[0].Shape;

    /// <summary>Training: statistics of the batch, and new running ones. Inference: scale and shift by the running ones; both
    /// are the same for every sample, so they are computed once.</summary>
    public override Node Expand(Node node, bool training, GraphBuilder builder)
    {
        var (_, momentum, affine) = node.As<BatchNormAttributes>();
        var x = node.Inputs[0];
        var runningMean = node.Inputs[node.Inputs.Length - 2];
        var runningVariance = node.Inputs[node.Inputs.Length - 1];
        if (!training)
        {
            var (scale, shift) = ScaleAndShift(node, builder);
            return builder.Pointwise((X * Y) + Input(2), x, builder.AsChannels(scale, x.Shape.Rank), builder.AsChannels(shift, x.Shape.Rank));
        }

        var (mean, variance, reciprocal) = Statistics(node, builder);
        var count = Count(node);
        var unbiased = count / Max(count - 1, 1);
        Update(runningMean, mean, Add(Multiply(1 - momentum, X), Multiply(momentum, Y)));
        Update(runningVariance, variance, Add(Multiply(1 - momentum, X), Multiply(momentum, unbiased * Y)));

        if (NormalizedConvolution.Of(x, builder) is { } convolution)
        {
            var scale = Scale(node, reciprocal, builder);
            return convolution.Scaled(scale, Shift(mean, scale, affine ? Vector(node, 2, builder) : null, builder));
        }

        var normalized = (X - Y) * Input(2);
        return affine
            ? builder.Pointwise((normalized * Input(3)) + Input(4), x, mean, reciprocal, Vector(node, 1, builder), Vector(node, 2, builder))
            : builder.Pointwise(normalized, x, mean, reciprocal);

        void Update(Node buffer, Node statistic, Expression formula)
        {
            // A layer used twice updates its buffer twice, the second time from the first result.
            var before = builder.Updates.LastOrDefault(update => update.Parameter == buffer)?.Value ?? buffer;
            builder.Update(buffer, builder.Pointwise(formula, before, builder.Reshape(statistic, buffer.Shape)));
        }
    }

    public override ImmutableArray<Node?> Gradient(Node node, Node upstream, ImmutableArray<bool> wanted, GraphBuilder builder)
    {
        var affine = node.As<BatchNormAttributes>().Affine;
        var x = node.Inputs[0];
        var axes = x.Shape.SpatialAxes();
        var (mean, _, reciprocal) = Statistics(node, builder);

        // Inputs of the formula: dy, x, mean, 1/deviation.
        var normalized = (Input(1) - Input(2)) * Input(3);
        var sum = builder.Sum(upstream, axes, overBatch: true);
        var product = NormalizedConvolution.Of(x, builder) is { } convolution
            ? builder.Pointwise(X * Y, convolution.Deviations(upstream), reciprocal)
            : builder.Sum(builder.Pointwise(X * normalized, upstream, x, mean, reciprocal), axes, overBatch: true);
        Node? dx = null;
        if (wanted[0])
        {
            // What depends on the channel alone is computed once for each: dx = a · dy + b · (x - mean) + c.
            var scale = Scale(node, reciprocal, builder);
            var slope = builder.Pointwise(-(X * Y * Input(2)) / Count(node), scale, reciprocal, product);
            var shift = builder.Pointwise(-(X * Y) / Count(node), scale, sum);
            dx = builder.Pointwise(GradientFormula, upstream, x, mean, scale, slope, shift);
        }

        return affine
            ? [dx, builder.Reshape(product, node.Inputs[1].Shape), builder.Reshape(sum, node.Inputs[2].Shape), null, null]
            : [dx, null, null];
    }

    /// <summary>What <see cref="Gradient"/> gives for x, taken apart: scale · upstream + slope · (x - mean) + shift. Null for other nodes.</summary>
    internal static (Node Upstream, Node Of, Node Scale, Node Slope, Node Shift)? PartsOfGradient(Node node) =>
        node.Attributes is PointwiseAttributes { Formula: var formula } && formula.Equals(GradientFormula)
            ? (node.Inputs[0], node.Inputs[1], node.Inputs[3], node.Inputs[4], node.Inputs[5])
            : null;

    /// <summary>y = scale · x + shift by the running statistics; both of shape [C].</summary>
    internal static (Node Scale, Node Shift) ScaleAndShift(Node node, GraphBuilder builder)
    {
        var (epsilon, _, affine) = node.As<BatchNormAttributes>();
        var inputs = node.Inputs;
        var (mean, variance) = (inputs[inputs.Length - 2], inputs[inputs.Length - 1]);
        var reciprocal = new UnaryFormula(UnaryFunction.ReciprocalSquareRoot, X + epsilon);
        var scale = affine ? builder.Pointwise(reciprocal * Y, variance, inputs[1]) : builder.Pointwise(reciprocal, variance);
        return (scale, Shift(mean, scale, affine ? inputs[2] : null, builder));
    }

    private static (Node Mean, Node Variance, Node Reciprocal) Statistics(Node node, GraphBuilder builder)
    {
        var x = node.Inputs[0];
        var axes = x.Shape.SpatialAxes();
        var (mean, variance) = NormalizedConvolution.Of(x, builder)?.Statistics(Count(node)) ?? OfData();
        var epsilon = node.As<BatchNormAttributes>().Epsilon;
        return (mean, variance, builder.Pointwise(new UnaryFormula(UnaryFunction.ReciprocalSquareRoot, X + epsilon), variance));

        (Node Mean, Node Variance) OfData()
        {
            var center = builder.Mean(x, axes, overBatch: true);
            return (center, builder.Mean(builder.Pointwise((X - Y) * (X - Y), x, center), axes, overBatch: true));
        }
    }

    /// <summary>What a value's distance from the mean is multiplied with, for each channel.</summary>
    private static Node Scale(Node node, Node reciprocal, GraphBuilder builder) =>
        node.As<BatchNormAttributes>().Affine ? builder.Pointwise(X * Y, reciprocal, Vector(node, 1, builder)) : reciprocal;

    /// <summary>What is added to scale · x so that the mean becomes <paramref name="bias"/>, or 0 without one.</summary>
    private static Node Shift(Node mean, Node scale, Node? bias, GraphBuilder builder) =>
        bias is null ? builder.Pointwise(-(X * Y), mean, scale) : builder.Pointwise(Input(2) - (X * Y), mean, scale, bias);

    /// <summary>Elements behind each statistic: the batch times the plane.</summary>
    private static Expression Count(Node node)
    {
        var plane = Number(node.Shape.Count / node.Shape.Channels);
        return node.Batched ? Multiply(plane, new BatchSizeFormula()) : plane;
    }

    private static Node Vector(Node node, int input, GraphBuilder builder) => builder.AsChannels(node.Inputs[input], node.Shape.Rank);
}
