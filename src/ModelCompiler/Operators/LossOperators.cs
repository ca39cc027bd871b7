// Losses between values of one shape: regression, masks, margins. Each is a formula; the default is the mean over the
// batch, places and features, one number.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using static ModelCompiler.Operators.Formulas;
using static ModelCompiler.Operators.LossArguments;

namespace ModelCompiler.Operators;

internal static class LossOperators
{
    public static readonly ImmutableArray<Operator> All =
    [
        Of("mse", "Mean squared error.", "", (_, _) => (X - Y) * (X - Y)),
        Of("l1", "Mean absolute error; its slope at 0 is 0.", "", (_, _) => Absolute(X - Y)),
        Of(
            "smooth_l1",
            "Squared error below beta, absolute error above, joined smoothly.",
            "Girshick, Fast R-CNN, 2015",
            (call, _) => SmoothL1(call.Number("beta", 1)),
            Argument.Number("beta", "where the square turns into a line", "1", 1e-6)),
        new Definition(
            new Signature(
                "binary_cross_entropy",
                ["logits", "target"],
                false,
                [new ArgumentSpec("positive_weights", ArgumentKind.List, "one number for each channel, by which errors count where the target is 1", "all 1"), Reduction],
                "Mean cross entropy of sigmoid(logits) and targets between 0 and 1. Takes logits, not sigmoid."),
            call => [BinaryCrossEntropy(call)]),
        Of(
            "focal",
            "Binary cross entropy of logits that counts little where the answer is right already: (1 - p)^gamma, alpha for targets of 1 and 1 - alpha for 0.",
            "Lin et al., Focal loss for dense object detection, 2017",
            (call, _) => Focal(call.Number("gamma", 2), call.Number("alpha", 0.25)),
            Argument.Number("gamma", "how much less the easy ones count", "2", 0),
            Argument.Number("alpha", "weight of targets of 1", "0.25", 0, 1)),
        Of("hinge", "Mean of max(0, 1 - target · score), for targets of -1 and 1.", "Cortes and Vapnik, Support-vector networks, 1995", (_, _) => Max(1 - (X * Y), 0)),
        Definition.Of(
            "dice",
            ["probabilities", "target"],
            "1 - 2 |prediction ∩ target| / (|prediction| + |target|), for each channel of each sample, then the mean.",
            "Milletari et al., V-Net, 2016",
            Dice,
            Argument.Number("smooth", "added to both sides of the quotient, so that empty masks agree", "1", 0)),
        Definition.Unary(
            "total",
            "Makes a loss of any tensor: the mean or sum of all its elements over all samples. Losses with 'reduction: none', masked and weighted, end here.",
            (call, x) => Finish(call, x),
            Reduction with { Documentation = "mean or sum over all elements and samples", Words = ["mean", "sum"] }),
    ];

    private static Operator Of(string name, string summary, string paper, Func<OperatorCall, Node, Expression> formula, params ArgumentSpec[] arguments) => Definition.Of(
        name,
        [name == "hinge" ? "scores" : name == "focal" ? "logits" : "prediction", "target"],
        summary,
        paper,
        call =>
        {
            var (prediction, target) = Values(call, name, name == "hinge" ? "scores" : "prediction");
            return Finish(call, call.Builder.Pointwise(formula(call, prediction), prediction, target));
        },
        [.. arguments, Reduction]);

    private static (Node Prediction, Node Target) Values(OperatorCall call, string name, string role)
    {
        RequireValues(call.Inputs[0], 0, name, call.Inputs[0].Attributes is InputAttributes input ? input.Name : role);
        RequireValues(call.Inputs[1], 1, name, "target");
        return SameShape(call, name, call.Inputs[0], call.Inputs[1]);
    }

    private static Expression SmoothL1(double beta)
    {
        var error = Absolute(X - Y);
        return Select(Greater(beta, error), (0.5 / beta) * ((X - Y) * (X - Y)), error - (0.5 * beta));
    }

    private static Node BinaryCrossEntropy(OperatorCall call)
    {
        var (logits, target) = Values(call, "binary_cross_entropy", "logits");
        if (PerClass(call, "positive_weights", "binary_cross_entropy", logits) is not { } weights)
        {
            return Finish(call, call.Builder.Pointwise(Softplus(X) - (X * Y), logits, target));
        }

        // Where the target is 1 the error is weight · softplus(-x), where it is 0 it is x + softplus(-x).
        var formula = ((1 - Y) * X) + ((1 + ((Input(2) - 1) * Y)) * Softplus(-X));
        return Finish(call, call.Builder.Pointwise(formula, logits, target, call.Builder.AlongAxis(weights, 0, logits.Shape.Rank)));
    }

    private static Expression Focal(double gamma, double alpha)
    {
        // 1 - p of the right answer is sigmoid(-x) where the target is 1 and sigmoid(x) where it is 0.
        var wrong = (Y * Sigmoid(-X)) + ((1 - Y) * Sigmoid(X));
        var weight = (alpha * Y) + ((1 - alpha) * (1 - Y));
        var entropy = weight * (Softplus(X) - (X * Y));
        return gamma == 0 ? entropy : entropy * (gamma == 1 ? wrong : new BinaryFormula(BinaryFunction.Power, wrong, Number(gamma)));
    }

    private static Node Dice(OperatorCall call)
    {
        var (prediction, target) = Values(call, "dice", "probabilities");
        var builder = call.Builder;
        var axes = prediction.Shape.Rank > 1 ? prediction.Shape.SpatialAxes() : prediction.Shape.AllAxes();
        var both = builder.Sum(builder.Pointwise(X * Y, prediction, target), axes, overBatch: false);
        var sizes = builder.Sum(builder.Pointwise(X + Y, prediction, target), axes, overBatch: false);
        var smooth = call.Number("smooth", 1);
        return Mean(builder, builder.Pointwise(1 - (((2 * X) + smooth) / (Y + smooth)), both, sizes));
    }
}
