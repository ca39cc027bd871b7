// What all losses share: how errors of elements become one number, and what a target may be.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using static ModelCompiler.Operators.Formulas;
using static ModelCompiler.Operators.Messages;

namespace ModelCompiler.Operators;

internal static class LossArguments
{
    public static readonly ArgumentSpec Reduction = Argument.Word(
        "reduction", "what becomes of the errors of all elements and samples: their mean, their sum, or nothing, for 'total' to finish", "mean", "mean", "sum", "none");

    public static readonly ArgumentSpec Weights = new("weights", ArgumentKind.List, "one number for each class, by which its errors count", "all 1");

    public static readonly ArgumentSpec IgnoreIndex = Argument.Integer(
        "ignore_index", "label of places that do not count, a class or any other number", "no label", int.MinValue, int.MaxValue);

    /// <summary>Errors of elements as the user wants them: one number by mean or sum over everything, or as they are.</summary>
    public static Node Finish(OperatorCall call, Node errors) => call.Word("reduction", "mean") switch
    {
        "none" => errors,
        "sum" => Sum(call.Builder, errors),
        _ => Mean(call.Builder, errors),
    };

    /// <summary>As <see cref="Finish"/>, with a mean over elements that count as much as <paramref name="weights"/> say; 0 where nothing counts.</summary>
    public static Node Finish(OperatorCall call, Node errors, Node weights) => call.Word("reduction", "mean") == "mean"
        ? call.Builder.Pointwise(Select(Greater(Y, 0), X / Y, 0), Sum(call.Builder, errors), Sum(call.Builder, weights))
        : Finish(call, errors);

    /// <summary>Mean over everything, as a scalar.</summary>
    public static Node Mean(GraphBuilder builder, Node x) => builder.Reshape(builder.Mean(x, x.Shape.AllAxes(), overBatch: true), Shape.Scalar);

    private static Node Sum(GraphBuilder builder, Node x) => builder.Reshape(builder.Sum(x, x.Shape.AllAxes(), overBatch: true), Shape.Scalar);

    /// <summary>The argument's numbers along the channels, ready to broadcast; null when it was not written.</summary>
    public static ImmutableArray<double>? PerClass(OperatorCall call, string argument, string name, Node scores)
    {
        if (!call.Has(argument))
        {
            return null;
        }

        var numbers = call.Numbers(argument);
        var problem = numbers.Length != scores.Shape.Channels ? $"hold {Text(numbers.Length)} numbers, and {Describe(call.Inputs[0])} has {Text(scores.Shape.Channels)} classes; write one for each"
            : numbers.Any(number => number < 0) ? "hold a negative number; by how much errors count is at least 0"
            : null;
        return problem is null ? numbers : throw new OperatorException("CNN2050", argument, $"the {argument} of '{name}' {problem}");
    }

    public static (Node Prediction, Node Target) SameShape(OperatorCall call, string name, Node prediction, Node target)
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

    public static bool IsClass(Node node) => node.Attributes is InputAttributes { IsClass: true };

    public static void RequireValues(Node node, int index, string name, string role)
    {
        if (IsClass(node))
        {
            throw new OperatorException("CNN3011", "input:" + Text(index), index == 0
                ? $"'{name}' takes the {role} first and the label second; did you mean to write them the other way round?"
                : $"'{name}' compares values, but '{((InputAttributes)node.Attributes!).Name}' holds classes; use 'cross_entropy', or declare the target with a shape instead of 'class'");
        }
    }
}
