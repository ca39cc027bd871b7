// Softmax and its logarithm as words of the language.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using static ModelCompiler.Operators.Formulas;

namespace ModelCompiler.Operators;

internal static class SoftmaxOperators
{
    private static readonly ArgumentSpec[] Arguments =
    [
        Argument.Axis("axis", "axis that sums to 1: the channels by default", "0"),
        Argument.Number("temperature", "inputs are divided by it; large is smooth", "1", 1e-6),
    ];

    public static readonly ImmutableArray<Operator> All =
    [
        Definition.Unary("softmax", "e^x over the sum of e^x along an axis.", "Bridle, 1990", (call, x) => Build(call, x, "softmax", Primitives.Softmax), Arguments),
        Definition.Unary("log_softmax", "Logarithm of the softmax, computed without overflow.", (call, x) => Build(call, x, "log_softmax", Primitives.LogSoftmax), Arguments),
    ];

    private static Node Build(OperatorCall call, Node x, string name, Primitive primitive)
    {
        var axis = Messages.Axis(call, "axis", 0, x.Shape.Rank, name);
        var scaled = Multiply(1 / call.Number("temperature", 1), X);
        return call.Builder.Add(primitive, new SoftmaxAttributes(axis), scaled.Equals(X) ? x : call.Builder.Pointwise(scaled, x));
    }
}
