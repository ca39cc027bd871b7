// Fully connected layers and the flattening in front of them.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using static ModelCompiler.Operators.Messages;

namespace ModelCompiler.Operators;

internal static class DenseOperators
{
    public static readonly ImmutableArray<Operator> All =
    [
        Definition.Unary(
            "dense",
            "Fully connected layer over the last axis, with weights features x input features. Takes a vector, channels x 1 x 1, or rows x features.",
            Build,
            Argument.Integer("features", "length of the result"),
            Argument.Bias,
            Argument.WeightInitializer,
            Argument.BiasInitializer,
            WeightParametrization.Parametrize),
        Definition.Unary(
            "flatten",
            "All elements of a sample as one vector, channel by channel.",
            (call, x) => call.Builder.Reshape(x, Shape.Of(checked((int)x.Shape.Count)))),
    ];

    private static Node Build(OperatorCall call, Node x)
    {
        // The result of a global pooling is a vector in all but name.
        if (x.Shape.Rank >= 2 && x.Shape.Spatial.All(size => size == 1))
        {
            x = call.Builder.Reshape(x, Shape.Of(x.Shape.Channels));
        }

        if (x.Shape.Rank is 0 or > 2)
        {
            throw new OperatorException("CNN3006", null, x.Shape.Rank == 0
                ? $"'dense' needs features, but {Describe(x)} is a single number; use 'reshape(1)' first"
                : $"'dense' takes a vector or rows of features, not {Describe(x)}; put '-> flatten' ({Text(x.Shape.Count)} features) or '-> global_avgpool' ({Text(x.Shape.Channels)} features) before it");
        }

        var features = call.Integer("features");
        var inputs = x.Shape[x.Shape.Rank - 1];
        var fallback = new Initializer(InitializerKind.FanInUniform, 1, inputs, features);
        var weight = WeightParametrization.Weight(call, "", Shape.Of(features, inputs), call.Initializer("init", fallback));
        return call.Boolean("bias", true)
            ? call.Builder.Add(Primitives.Dense, null, x, weight, call.Parameter("bias", Shape.Of(features), call.Initializer("bias_init", fallback)))
            : call.Builder.Add(Primitives.Dense, null, x, weight);
    }
}
