// Normalisation layers. All but batch normalisation are compositions: a mean, a variance and a formula.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using static ModelCompiler.Operators.Formulas;
using static ModelCompiler.Operators.Messages;

namespace ModelCompiler.Operators;

internal static class NormalizationOperators
{
    private static readonly ArgumentSpec Affine = Argument.Boolean("affine", "scale and shift every channel by trainable numbers", "true");

    public static readonly ImmutableArray<Operator> All =
    [
        Definition.Unary(
            "batchnorm",
            "Normalises every channel over the batch and space; inference uses running statistics.",
            "Ioffe and Szegedy, Batch normalization, 2015",
            BuildBatchNorm,
            Argument.Epsilon,
            Argument.Number("momentum", "weight of the new batch in the running statistics", "0.1", 0, 1),
            Affine),
        Definition.Unary(
            "layernorm",
            "Normalises the features of every row (vectors, rows x features) or the channels of every place (maps).",
            "Ba et al., Layer normalization, 2016",
            BuildLayerNorm,
            Argument.Epsilon,
            Affine),
        Definition.Unary(
            "rmsnorm",
            "Divides by the root mean square of the features of a row, or of the channels of a place.",
            "Zhang and Sennrich, Root mean square layer normalization, 2019",
            BuildRmsNorm,
            Argument.Epsilon,
            Affine),
        Definition.Unary(
            "groupnorm",
            "Normalises every sample over space and the channels of a group.",
            "Wu and He, Group normalization, 2018",
            (call, x) => BuildGroupNorm(call, x, call.Integer("groups"), affine: true),
            Argument.Integer("groups", "number of groups; divides the channels"),
            Argument.Epsilon,
            Affine),
        Definition.Unary(
            "instancenorm",
            "Normalises every channel of every sample over space.",
            "Ulyanov et al., Instance normalization, 2016",
            (call, x) => BuildGroupNorm(call, x, x.Shape.Rank == 0 ? 1 : x.Shape.Channels, affine: false),
            Argument.Epsilon,
            Argument.Boolean("affine", "scale and shift every channel by trainable numbers", "false")),
        Definition.Unary(
            "dropout",
            "In training sets elements to zero at random and scales the rest by 1 / (1 - rate); in inference nothing.",
            "Srivastava et al., Dropout, 2014",
            (call, x) => call.Number("rate", 0.5) == 0
                ? x
                : call.Builder.Add(Primitives.Dropout, new DropoutAttributes(call.Number("rate", 0.5), call.NextStream()), x),
            Argument.Number("rate", "probability of a zero, below 1", "0.5", 0, 0.999999)),
    ];

    private static Node BuildBatchNorm(OperatorCall call, Node x)
    {
        RequireChannels(x, "batchnorm");
        var shape = Shape.Of(x.Shape.Channels);
        var affine = call.Boolean("affine", true);
        var attributes = new BatchNormAttributes(call.Number("eps", 1e-5), call.Number("momentum", 0.1), affine);
        var inputs = ImmutableArray.Create(x);
        if (affine)
        {
            inputs = inputs.Add(call.Parameter("weight", shape, Initializer.Constant(1))).Add(call.Parameter("bias", shape, Initializer.Constant(0)));
        }

        return call.Builder.Add(
            Primitives.BatchNorm,
            attributes,
            inputs.Add(call.Parameter("running_mean", shape, Initializer.Constant(0), trainable: false))
                .Add(call.Parameter("running_var", shape, Initializer.Constant(1), trainable: false)));
    }

    private static Node BuildLayerNorm(OperatorCall call, Node x)
    {
        var axis = FeatureAxis(x, "layernorm");
        var builder = call.Builder;
        return Scale(call, x, axis, Normalize(builder, x, [axis], call.Number("eps", 1e-5)), "affine", withBias: true);
    }

    private static Node BuildRmsNorm(OperatorCall call, Node x)
    {
        var axis = FeatureAxis(x, "rmsnorm");
        var builder = call.Builder;
        var square = builder.Mean(builder.Pointwise(X * X, x), [axis], overBatch: false);
        var normalized = builder.Pointwise(X * new UnaryFormula(UnaryFunction.ReciprocalSquareRoot, Y + call.Number("eps", 1e-5)), x, square);
        return Scale(call, x, axis, normalized, "affine", withBias: false);
    }

    private static Node BuildGroupNorm(OperatorCall call, Node x, int groups, bool affine)
    {
        var name = affine ? "groupnorm" : "instancenorm";
        RequireChannels(x, name);
        var channels = x.Shape.Channels;
        if (channels % groups != 0)
        {
            throw new OperatorException("CNN3003", "groups", $"'{name}' cannot split the {Text(channels)} channels of {Describe(x)} into {Text(groups)} groups");
        }

        var grouped = call.Builder.Reshape(x, Shape.Of(groups, checked((int)(x.Shape.Count / groups))));
        var normalized = call.Builder.Reshape(Normalize(call.Builder, grouped, [1], call.Number("eps", 1e-5)), x.Shape);
        return call.Boolean("affine", affine) ? Scale(call, x, 0, normalized, null, withBias: true) : normalized;
    }

    private static Node Normalize(GraphBuilder builder, Node x, ImmutableArray<int> axes, double epsilon)
    {
        var mean = builder.Mean(x, axes, overBatch: false);
        var variance = builder.Mean(builder.Pointwise((X - Y) * (X - Y), x, mean), axes, overBatch: false);
        return builder.Pointwise((X - Y) * new UnaryFormula(UnaryFunction.ReciprocalSquareRoot, Input(2) + epsilon), x, mean, variance);
    }

    /// <summary>Trainable weight (and bias) along one axis; nothing when the switch is off.</summary>
    private static Node Scale(OperatorCall call, Node x, int axis, Node normalized, string? affineSwitch, bool withBias)
    {
        if (affineSwitch is not null && !call.Boolean(affineSwitch, true))
        {
            return normalized;
        }

        var size = x.Shape[axis];
        var broadcast = new Shape(Repeat(1, x.Shape.Rank).SetItem(axis, size));
        var weight = call.Builder.Reshape(call.Parameter("weight", Shape.Of(size), Initializer.Constant(1)), broadcast);
        return withBias
            ? call.Builder.Pointwise((X * Y) + Input(2), normalized, weight, call.Builder.Reshape(call.Parameter("bias", Shape.Of(size), Initializer.Constant(0)), broadcast))
            : call.Builder.Pointwise(X * Y, normalized, weight);
    }

    /// <summary>The last axis of vectors and rows x features, the channels of maps.</summary>
    private static int FeatureAxis(Node x, string name)
    {
        RequireChannels(x, name);
        return x.Shape.Rank == 2 ? 1 : 0;
    }

    private static void RequireChannels(Node x, string name)
    {
        if (x.Shape.Rank == 0)
        {
            throw new OperatorException("CNN3001", null, $"'{name}' needs channels, but {Describe(x)} is a single number");
        }
    }
}
