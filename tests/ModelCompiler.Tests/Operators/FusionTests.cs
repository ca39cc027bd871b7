// Formulas that meet in one step are made simpler there, and still say the same of every number.
using ModelCompiler.Graph;
using ModelCompiler.Operators;
using ModelCompiler.Planning;
using ModelCompiler.Tests.Oracle;
using static ModelCompiler.Operators.Formulas;

namespace ModelCompiler.Tests.Operators;

public class FusionTests
{
    private static readonly double[] Values = [double.NegativeInfinity, -7, -6, -1e-30, -0.0, 0, 1e-30, 2.9999, 3, 3.0001, 6, 7, double.PositiveInfinity, double.NaN];

    private static readonly Expression Relu6 = Min(Max(X, 0), 6);

    [Fact]
    public void SlopesAskTheOperandThatIsAtHand()
    {
        Assert.Equal(Select(Greater(X, 0), Y, 0), Merged(Max(X, 0)));
        Assert.Equal(Select(Greater(6, X), Select(Greater(X, 0), Y, 0), 0), Merged(Relu6));

        // The slope says so in terms of the result, which is computed again.
        static Expression Merged(Expression activation)
        {
            var slope = Multiply(Y, Derivatives.Of(activation, 0)).Rewrite(part => part.Equals(activation) ? X : null);
            return Fusion.Substitute(slope, i => i == 0 ? activation : Input(i));
        }
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(6)]
    [InlineData(7)]
    public void ComparisonsWithLimitedValuesSayTheSame(double limit)
    {
        foreach (var limited in new[] { Max(X, 0), Min(X, 6), Relu6, Max(Min(X, 6), 0), Max(X, 3) })
        {
            foreach (var comparison in new[] { Greater(Y, limit), Greater(limit, Y) })
            {
                var direct = comparison.Rewrite(part => part.Equals(Y) ? limited : null);
                var merged = Fusion.Substitute(comparison, _ => limited);
                Assert.Equal(Of(direct), Of(merged));
            }
        }
    }

    [Fact]
    public void LimitsThatDecideTheComparisonStay()
    {
        // 3 is the least: greater than 2 always, whatever x is, and never less than 3.
        Assert.Equal(Greater(Max(X, 3), 2), Fusion.Substitute(Greater(X, 2), _ => Max(X, 3)));
        Assert.Equal(Greater(3, Max(X, 3)), Fusion.Substitute(Greater(3, X), _ => Max(X, 3)));
        Assert.Equal(Greater(Min(X, 3), 3), Fusion.Substitute(Greater(X, 3), _ => Min(X, 3)));
        Assert.Equal(Greater(4, Min(X, 3)), Fusion.Substitute(Greater(4, X), _ => Min(X, 3)));
    }

    private static double[] Of(Expression formula)
    {
        var shape = Shape.Of(Values.Length);
        return FormulaValues.Evaluate(formula, [Values], [shape], shape, batch: 1, seed: 0, step: 0, sample: 0);
    }
}
