// Losses of classes: cross entropy, its second half alone, and the multi-class margin, with weights of classes and
// labels that do not count.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using static ModelCompiler.Operators.Formulas;
using static ModelCompiler.Operators.LossArguments;
using static ModelCompiler.Operators.Messages;

namespace ModelCompiler.Operators;

internal static class ClassLosses
{
    public static readonly ImmutableArray<Operator> All =
    [
        Definition.Of(
            "cross_entropy",
            ["logits", "label"],
            "Mean of -log softmax(logits) at the class of the label; a label with probabilities for each class works too. Takes logits, not softmax. With weights the mean is a weighted one.",
            "Szegedy et al., Rethinking the inception architecture, 2016, for smoothed labels",
            CrossEntropy,
            Argument.Number("label_smoothing", "part of the probability that all classes share", "0", 0, 1),
            Weights,
            IgnoreIndex,
            Reduction),
        Definition.Of(
            "nll",
            ["log_probabilities", "label"],
            "Mean of -log probability of the label, for networks that end in log_softmax. With weights the mean is a weighted one.",
            "",
            call =>
            {
                var (logarithms, label) = Classes(call, "nll", "log_probabilities");
                return OfClasses(call, "nll", logarithms, label);
            },
            Weights,
            IgnoreIndex,
            Reduction),
        Definition.Of(
            "multi_margin",
            ["scores", "label"],
            "Mean over classes of max(0, margin - score of the label + score)^p, the label's own left out.",
            "Weston and Watkins, Support vector machines for multi-class pattern recognition, 1999",
            MultiMargin,
            Argument.Number("margin", "by how much the label should win", "1", 0),
            Argument.Integer("p", "power of what is missing, 1 or 2", "1", 1, 2),
            Weights,
            Reduction),
    ];

    private static Node CrossEntropy(OperatorCall call)
    {
        var (logits, label) = (call.Inputs[0], call.Inputs[1]);
        RequireValues(logits, 0, "cross_entropy", "logits");
        if (logits.Shape.Rank == 0)
        {
            throw new OperatorException("CNN3007", "input:0", $"'cross_entropy' needs one number for each class, but {Describe(logits)} is a single number; use 'binary_cross_entropy' for two classes");
        }

        if (!IsClass(label))
        {
            return OfProbabilities(call, logits, label);
        }

        // A network that ends in a global pooling has logits of classes x 1 x 1.
        if (label.Shape.Rank == 0 && logits.Shape.Spatial.All(size => size == 1))
        {
            logits = call.Builder.Reshape(logits, Shape.Of(logits.Shape.Channels));
        }

        return new Shape(logits.Shape.Spatial).Equals(label.Shape)
            ? OfClasses(call, "cross_entropy", LogSoftmax(call.Builder, logits), label)
            : throw new OperatorException("CNN3007", "input:1", ClassMismatch(logits, label));
    }

    private static Node OfProbabilities(OperatorCall call, Node logits, Node label)
    {
        if (call.Has("ignore_index"))
        {
            throw new OperatorException("CNN2050", "ignore_index", $"'cross_entropy' ignores a class, and {Describe(label)} holds probabilities; give such places probabilities of 0");
        }

        var builder = call.Builder;
        var smoothing = call.Number("label_smoothing");
        var (scores, probabilities) = SameShape(call, "cross_entropy", logits, label);
        var smooth = Add(Multiply(1 - smoothing, Y), Number(smoothing / scores.Shape.Channels));
        var logarithms = LogSoftmax(builder, scores);
        var errors = PerClass(call, "weights", "cross_entropy", scores) is { } weights
            ? builder.Pointwise(-(X * smooth * Input(2)), logarithms, probabilities, builder.AlongAxis(weights, 0, scores.Shape.Rank))
            : builder.Pointwise(-(X * smooth), logarithms, probabilities);
        return Finish(call, builder.Reshape(builder.Sum(errors, [0], overBatch: false), new Shape(scores.Shape.Spatial)));
    }

    /// <summary>Errors are -weight · logarithm at the label. Places whose label is ignored have no error and do not count.</summary>
    private static Node OfClasses(OperatorCall call, string name, Node logarithms, Node label)
    {
        var builder = call.Builder;
        var (classes, shape) = (logarithms.Shape.Channels, logarithms.Shape);
        var weights = PerClass(call, "weights", name, logarithms);
        int? ignored = call.Has("ignore_index") ? call.Integer("ignore_index") : null;
        var isClass = ignored >= 0 && ignored < classes;
        var attributes = new GatherClassAttributes(isClass ? null : ignored);

        // A number for each class, at the label of each place.
        Node AtLabel(Func<int, double> number)
        {
            var table = builder.AlongAxis(Enumerable.Range(0, classes).Select(number), 0, shape.Rank);
            var spread = table.Shape.Equals(shape) ? table : builder.Add(Primitives.Pointwise, new PointwiseAttributes(X, shape), table);
            return builder.Add(Primitives.GatherClass, attributes, spread, label);
        }

        var own = builder.Add(Primitives.GatherClass, attributes, logarithms, label);
        var picked = weights is { } list ? builder.Pointwise(-(X * Y), own, AtLabel(c => list[c])) : builder.Pointwise(-X, own);
        var smoothing = call.Number("label_smoothing");
        if (smoothing > 0)
        {
            var errors = weights is { } each
                ? builder.Pointwise(-(X * Y), logarithms, builder.AlongAxis(each, 0, shape.Rank))
                : builder.Pointwise(-X, logarithms);
            var uniform = builder.Reshape(builder.Mean(errors, [0], overBatch: false), picked.Shape);
            picked = builder.Pointwise(((1 - smoothing) * X) + (smoothing * Y), picked, uniform);
        }

        if (ignored is not null && (isClass || smoothing > 0))
        {
            picked = builder.Pointwise(X * Y, picked, AtLabel(c => c == ignored ? 0 : 1));
        }

        return ignored is null && weights is null
            ? Finish(call, picked)
            : Finish(call, picked, AtLabel(c => c == ignored ? 0 : weights?[c] ?? 1));
    }

    private static Node MultiMargin(OperatorCall call)
    {
        var (scores, label) = Classes(call, "multi_margin", "scores");
        var builder = call.Builder;
        var (margin, p) = (call.Number("margin", 1), call.Integer("p", 1));
        var own = builder.Reshape(builder.Add(Primitives.GatherClass, new GatherClassAttributes(), scores, label), scores.Shape.With(0, 1));
        var missing = Max(margin - Y + X, 0);
        var sum = builder.Sum(builder.Pointwise(p == 1 ? missing : missing * missing, scores, own), [0], overBatch: false);

        // The label's own term is the margin itself.
        var errors = builder.Reshape(builder.Pointwise(Multiply(1.0 / scores.Shape[0], X - Math.Pow(margin, p)), sum), label.Shape);
        if (PerClass(call, "weights", "multi_margin", scores) is { } weights)
        {
            var table = builder.AlongAxis(weights, 0, scores.Shape.Rank);
            var spread = table.Shape.Equals(scores.Shape) ? table : builder.Add(Primitives.Pointwise, new PointwiseAttributes(X, scores.Shape), table);
            errors = builder.Pointwise(X * Y, errors, builder.Add(Primitives.GatherClass, new GatherClassAttributes(), spread, label));
        }

        return Finish(call, errors);
    }

    private static string ClassMismatch(Node logits, Node label) => label.Shape.Rank == 0
        ? $"the label is one class for each sample, but the logits are {Describe(logits)}: one vector of scores for each of {Dims(logits.Shape.Spatial)} places; put '-> flatten -> dense(classes)' or '-> global_avgpool' before the loss, or declare the target as [class, {string.Join(", ", logits.Shape.Spatial.Select(Text))}]"
        : $"the label has a class for each of {Dims(label.Shape.Dimensions)} places, so the logits must be classes x {Dims(label.Shape.Dimensions)}, not {Describe(logits)}{Enlarged(logits, label)}";

    /// <summary>The stage that brings the logits to the label's size, where one does.</summary>
    private static string Enlarged(Node logits, Node label)
    {
        if (logits.Shape.Rank != label.Shape.Rank + 1)
        {
            return "";
        }

        var factors = label.Shape.Dimensions.Zip(logits.Shape.Spatial, (to, from) => to % from == 0 ? to / from : 0).Distinct().ToList();
        return factors.Count == 1 && factors[0] > 1
            ? $"; did you mean '-> upsample({Text(factors[0])})' behind them?"
            : $"; 'pad: same' keeps the size of convolutions, '-> resize({Dims(label.Shape.Dimensions)})' restores it";
    }

    private static Node LogSoftmax(GraphBuilder builder, Node x) => builder.Add(Primitives.LogSoftmax, new SoftmaxAttributes(0), x);

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
