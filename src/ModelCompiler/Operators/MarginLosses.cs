// Losses of margins and overlaps: hinge, multi-class margin, dice, and the plain logarithm of a probability.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using static ModelCompiler.Operators.Formulas;
using static ModelCompiler.Operators.LossOperators;
using static ModelCompiler.Operators.Messages;

namespace ModelCompiler.Operators;

internal static class MarginLosses
{
    public static readonly ImmutableArray<Operator> All =
    [
        Definition.Of(
            "hinge",
            ["scores", "target"],
            "Mean of max(0, 1 - target · score), for targets of -1 and 1.",
            "Cortes and Vapnik, Support-vector networks, 1995",
            Hinge),
        Definition.Of(
            "multi_margin",
            ["scores", "label"],
            "Mean over classes of max(0, margin - score of the label + score), the label's own left out.",
            "Weston and Watkins, Support vector machines for multi-class pattern recognition, 1999",
            MultiMargin,
            Argument.Number("margin", "by how much the label should win", "1", 0)),
        Definition.Of(
            "nll",
            ["log_probabilities", "label"],
            "Mean of -log probability of the label, for networks that end in log_softmax.",
            "",
            NegativeLogLikelihood),
        Definition.Of(
            "dice",
            ["probabilities", "target"],
            "1 - 2 |prediction ∩ target| / (|prediction| + |target|), for each channel of each sample, then the mean.",
            "Milletari et al., V-Net, 2016",
            Dice,
            Argument.Number("smooth", "added to both sides of the quotient, so that empty masks agree", "1", 0)),
    ];

    private static Node Hinge(OperatorCall call)
    {
        RequireValues(call.Inputs[0], 0, "hinge", "scores");
        RequireValues(call.Inputs[1], 1, "hinge", "target");
        var (scores, target) = SameShape(call, "hinge", call.Inputs[0], call.Inputs[1]);
        return Total(call.Builder, call.Builder.Pointwise(Max(1 - (X * Y), 0), scores, target));
    }

    private static Node MultiMargin(OperatorCall call)
    {
        var (scores, label) = Classes(call, "multi_margin", "scores");
        var builder = call.Builder;
        var margin = call.Number("margin", 1);
        var own = builder.Reshape(builder.Add(Primitives.GatherClass, null, scores, label), scores.Shape.With(0, 1));
        var sum = builder.Sum(builder.Pointwise(Max(margin - Y + X, 0), scores, own), [0], overBatch: false);

        // The label's own term is the margin itself.
        return Total(builder, builder.Pointwise(Multiply(1.0 / scores.Shape[0], X - margin), sum));
    }

    private static Node NegativeLogLikelihood(OperatorCall call)
    {
        var (logarithms, label) = Classes(call, "nll", "log_probabilities");
        return Total(call.Builder, call.Builder.Pointwise(-X, call.Builder.Add(Primitives.GatherClass, null, logarithms, label)));
    }

    private static Node Dice(OperatorCall call)
    {
        RequireValues(call.Inputs[0], 0, "dice", "probabilities");
        RequireValues(call.Inputs[1], 1, "dice", "target");
        var (prediction, target) = SameShape(call, "dice", call.Inputs[0], call.Inputs[1]);
        var builder = call.Builder;
        var axes = prediction.Shape.Rank > 1 ? prediction.Shape.SpatialAxes() : prediction.Shape.AllAxes();
        var both = builder.Sum(builder.Pointwise(X * Y, prediction, target), axes, overBatch: false);
        var sizes = builder.Sum(builder.Pointwise(X + Y, prediction, target), axes, overBatch: false);
        var smooth = call.Number("smooth", 1);
        return Total(builder, builder.Pointwise(1 - (((2 * X) + smooth) / (Y + smooth)), both, sizes));
    }

    private static (Node Scores, Node Label) Classes(OperatorCall call, string name, string role)
    {
        var (scores, label) = (call.Inputs[0], call.Inputs[1]);
        RequireValues(scores, 0, name, role);
        if (!IsClass(label))
        {
            throw new OperatorException("CNN3007", "input:1", $"the label of '{name}' is a class, and {Describe(label)} holds values; declare its target as 'class'");
        }

        return scores.Shape.Rank > 0 && new Shape(scores.Shape.Spatial).Equals(label.Shape)
            ? (scores, label)
            : throw new OperatorException("CNN3007", "input:1", scores.Shape.Rank == 0
                ? $"'{name}' needs one number for each class, but {Describe(scores)} is a single number"
                : ClassMismatch(scores, label));
    }
}
