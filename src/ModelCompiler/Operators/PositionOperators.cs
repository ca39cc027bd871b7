// What tells rows apart that attention would not: a fixed code of the row's number.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using static ModelCompiler.Operators.Formulas;
using static ModelCompiler.Operators.Messages;

namespace ModelCompiler.Operators;

internal static class PositionOperators
{
    public static readonly ImmutableArray<Operator> All =
    [
        Definition.Unary(
            "positional_encoding",
            "Adds to row p the sine of p / base^(j / features) in its even features j and the cosine of that of the feature before in its odd ones. For trainable codes add a 'parameter'.",
            "Vaswani et al., Attention is all you need, 2017",
            Build,
            Argument.Number("base", "the longest wave is about 2π times as many rows", "10000", 1.000001, 1e9)),
    ];

    private static Node Build(OperatorCall call, Node x)
    {
        if (x.Shape.Rank != 2)
        {
            throw new OperatorException("CNN3001", null, $"'positional_encoding' works on rows x features, not on {Describe(x)}; put '-> tokens' before it");
        }

        var (builder, features) = (call.Builder, x.Shape[1]);
        var frequencies = Enumerable.Range(0, features).Select(j => Math.Pow(call.Number("base", 10000), -(j / 2 * 2.0) / features));
        var isOdd = Enumerable.Range(0, features).Select(j => j % 2.0);
        var angle = X * Y;
        var wave = Formulas.Select(Greater(Input(2), 0), new UnaryFormula(UnaryFunction.Cos, angle), new UnaryFormula(UnaryFunction.Sin, angle));
        var table = builder.Pointwise(wave, builder.Ramp(x.Shape[0], 0, 2), builder.AlongAxis(frequencies, 1, 2), builder.AlongAxis(isOdd, 1, 2));
        return builder.Pointwise(X + Y, x, table);
    }
}
