// Losses that compare the rows of one sample with one another. Samples of a batch never see each other, so the pairs that
// are told apart are rows of one sample: stack the views there.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using static ModelCompiler.Operators.Formulas;
using static ModelCompiler.Operators.LossArguments;
using static ModelCompiler.Operators.Messages;

namespace ModelCompiler.Operators;

internal static class ContrastiveLosses
{
    public static readonly ImmutableArray<Operator> All =
    [
        Definition.Of(
            "info_nce",
            ["queries", "keys"],
            "Tells each row of the queries its own row of the keys from all others: mean of -log softmax(cosine / temperature) at the own row.",
            "van den Oord et al., Representation learning with contrastive predictive coding, 2018",
            InfoNce,
            Argument.Number("temperature", "similarities are divided by it", "0.1", 1e-6),
            Argument.Boolean("normalize", "compare directions: rows are divided by their lengths", "true"),
            Reduction),
    ];

    private static Node InfoNce(OperatorCall call)
    {
        var (queries, keys) = (call.Inputs[0], call.Inputs[1]);
        RequireValues(queries, 0, "info_nce", "queries");
        RequireValues(keys, 1, "info_nce", "keys");
        if (queries.Shape.Rank != 2 || !queries.Shape.Equals(keys.Shape))
        {
            throw new OperatorException(
                "CNN3007", "input:1", $"'info_nce' compares rows x features with as many rows x features, not {Describe(queries)} with {Describe(keys)}; stack the views of a sample as rows");
        }

        var builder = call.Builder;
        var (rows, normalize) = (queries.Shape[0], call.Boolean("normalize", true));
        Node Rows(Node x) => normalize ? Directions(builder, x) : x;
        var query = builder.Pointwise(Multiply(1 / call.Number("temperature", 0.1), X), Rows(queries));
        var scores = builder.Add(Primitives.MatrixProduct, new MatrixProductAttributes(false, true), query, Rows(keys));
        var logarithms = builder.Add(Primitives.LogSoftmax, new SoftmaxAttributes(1), scores);
        var own = Formulas.Select(new BinaryFormula(BinaryFunction.Equal, Y, Input(2)), -X, 0);
        var picked = builder.Pointwise(own, logarithms, builder.Ramp(rows, 0, 2), builder.Ramp(rows, 1, 2));
        return Finish(call, builder.Reshape(builder.Sum(picked, [1], overBatch: false), Shape.Of(rows)));
    }

    /// <summary>Rows of length 1; a row of zeros stays one.</summary>
    private static Node Directions(GraphBuilder builder, Node x)
    {
        var squares = builder.Sum(builder.Pointwise(X * X, x), [1], overBatch: false);
        return builder.Pointwise(X * new UnaryFormula(UnaryFunction.ReciprocalSquareRoot, Max(Y, 1e-24)), x, squares);
    }
}
