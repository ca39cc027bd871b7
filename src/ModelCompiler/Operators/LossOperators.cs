// Softmax and the losses. A loss is the mean over the batch (and over places and features), one number.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using static ModelCompiler.Operators.Formulas;
using static ModelCompiler.Operators.Messages;

namespace ModelCompiler.Operators;

internal static class LossOperators
{
    private static readonly ArgumentSpec SoftmaxAxis = Argument.Axis("axis", "axis that sums to 1: the channels by default", "0");

    private static readonly ArgumentSpec Temperature = Argument.Number("temperature", "inputs are divided by it; large is smooth", "1", 1e-6);

    public static readonly ImmutableArray<Operator> All =
    [
        Definition.Unary("softmax", "e^x over the sum of e^x along an axis.", "Bridle, 1990", (call, x) => Soft(call, x, "softmax", Primitives.Softmax), SoftmaxAxis, Temperature),
        Definition.Unary("log_softmax", "Logarithm of the softmax, computed without overflow.", (call, x) => Soft(call, x, "log_softmax", Primitives.LogSoftmax), SoftmaxAxis, Temperature),
        Definition.Of(
            "cross_entropy",
            ["logits", "label"],
            "Mean of -log softmax(logits) at the class of the label; a label with probabilities for each class works too. Takes logits, not softmax.",
            "",
            CrossEntropy,
            Argument.Number("label_smoothing", "part of the probability that all classes share", "0", 0, 1)),
        Regression("mse", "Mean squared error.", (X - Y) * (X - Y)),
        Regression("l1", "Mean absolute error.", Absolute(X - Y)),
        Definition.Of(
            "smooth_l1",
            ["prediction", "target"],
            "Squared error below beta, absolute error above, joined smoothly.",
            "Girshick, Fast R-CNN, 2015",
            call => MeanOf(call, "smooth_l1", SmoothL1(call.Number("beta", 1))),
            Argument.Number("beta", "where the square turns into a line", "1", 1e-6)),
        Regression(
            "binary_cross_entropy",
            "Mean cross entropy of sigmoid(logits) and targets between 0 and 1. Takes logits, not sigmoid.",
            Softplus(X) - (X * Y),
            "logits"),
    ];

    private static Operator Regression(string name, string summary, Expression formula, string prediction = "prediction") =>
        Definition.Of(name, [prediction, "target"], summary, "", call => MeanOf(call, name, formula));

    private static Expression SmoothL1(double beta)
    {
        var error = Absolute(X - Y);
        return Select(Greater(beta, error), (0.5 / beta) * ((X - Y) * (X - Y)), error - (0.5 * beta));
    }

    private static Node Soft(OperatorCall call, Node x, string name, Primitive primitive)
    {
        var axis = Axis(call, "axis", 0, x.Shape.Rank, name);
        var scaled = Multiply(1 / call.Number("temperature", 1), X);
        return call.Builder.Add(primitive, new SoftmaxAttributes(axis), scaled.Equals(X) ? x : call.Builder.Pointwise(scaled, x));
    }

    private static Node CrossEntropy(OperatorCall call)
    {
        var (logits, label) = (call.Inputs[0], call.Inputs[1]);
        var builder = call.Builder;
        var smoothing = call.Number("label_smoothing");
        RequireValues(logits, 0, "cross_entropy", "logits");
        if (logits.Shape.Rank == 0)
        {
            throw new OperatorException("CNN3007", "input:0", $"'cross_entropy' needs one number for each class, but {Describe(logits)} is a single number; use 'binary_cross_entropy' for two classes");
        }

        if (!IsClass(label))
        {
            var (scores, probabilities) = SameShape(call, "cross_entropy", logits, label);
            var smooth = Add(Multiply(1 - smoothing, Y), Number(smoothing / scores.Shape.Channels));
            var picked = builder.Sum(builder.Pointwise(-(X * smooth), LogSoftmax(builder, scores), probabilities), [0], overBatch: false);
            return Total(builder, picked);
        }

        // A network that ends in a global pooling has logits of classes x 1 x 1.
        if (label.Shape.Rank == 0 && logits.Shape.Spatial.All(size => size == 1))
        {
            logits = builder.Reshape(logits, Shape.Of(logits.Shape.Channels));
        }

        if (!new Shape(logits.Shape.Spatial).Equals(label.Shape))
        {
            throw new OperatorException("CNN3007", "input:1", ClassMismatch(logits, label));
        }

        var logarithms = LogSoftmax(builder, logits);
        var loss = builder.Pointwise(-X, builder.Add(Primitives.GatherClass, null, logarithms, label));
        if (smoothing > 0)
        {
            var uniform = builder.Reshape(builder.Mean(logarithms, [0], overBatch: false), loss.Shape);
            loss = builder.Pointwise(((1 - smoothing) * X) - (smoothing * Y), loss, uniform);
        }

        return Total(builder, loss);
    }

    internal static string ClassMismatch(Node logits, Node label) => label.Shape.Rank == 0
        ? $"the label is one class for each sample, but the logits are {Describe(logits)}: one vector of scores for each of {Dims(logits.Shape.Spatial)} places; put '-> flatten -> dense(classes)' or '-> global_avgpool' before the loss, or declare the target as [class, {string.Join(", ", logits.Shape.Spatial.Select(Text))}]"
        : $"the label has a class for each of {Dims(label.Shape.Dimensions)} places, so the logits must be classes x {Dims(label.Shape.Dimensions)}, not {Describe(logits)}";

    private static Node LogSoftmax(GraphBuilder builder, Node x) => builder.Add(Primitives.LogSoftmax, new SoftmaxAttributes(0), x);

    private static Node MeanOf(OperatorCall call, string name, Expression formula)
    {
        RequireValues(call.Inputs[0], 0, name, call.Inputs[0].Attributes is InputAttributes input ? input.Name : "prediction");
        RequireValues(call.Inputs[1], 1, name, "target");
        var (prediction, target) = SameShape(call, name, call.Inputs[0], call.Inputs[1]);
        return Total(call.Builder, call.Builder.Pointwise(formula, prediction, target));
    }

    /// <summary>Mean over everything, as a scalar.</summary>
    internal static Node Total(GraphBuilder builder, Node x) =>
        builder.Reshape(builder.Mean(x, x.Shape.AllAxes(), overBatch: true), Shape.Scalar);

    internal static (Node Prediction, Node Target) SameShape(OperatorCall call, string name, Node prediction, Node target)
    {
        if (prediction.Shape.Equals(target.Shape))
        {
            return (prediction, target);
        }

        // Axes of size 1 are no difference in meaning: 1 and scalar, 10 and 10x1x1.
        if (prediction.Shape.Dimensions.Where(d => d != 1).SequenceEqual(target.Shape.Dimensions.Where(d => d != 1)))
        {
            return (call.Builder.Reshape(prediction, target.Shape), target);
        }

        throw new OperatorException(
            "CNN3007", "input:1", $"'{name}' compares values of one shape, not {Describe(prediction)} with {Describe(target)}; declare the target as {prediction.Shape}, or end the network in {target.Shape}");
    }

    internal static bool IsClass(Node node) => node.Attributes is InputAttributes { IsClass: true };

    internal static void RequireValues(Node node, int index, string name, string role)
    {
        if (IsClass(node))
        {
            throw new OperatorException("CNN3011", "input:" + Text(index), index == 0
                ? $"'{name}' takes the {role} first and the label second; did you mean to write them the other way round?"
                : $"'{name}' compares values, but '{((InputAttributes)node.Attributes!).Name}' holds classes; use 'cross_entropy', or declare the target with a shape instead of 'class'");
        }
    }
}
