// What an editor shows: the value of each expression and the shape behind each arrow.
using ModelCompiler.Evaluation;
using ModelCompiler.Grammar;

namespace ModelCompiler.Tests.Evaluation;

public class InspectionTests
{
    [Fact]
    public void ShapesStandBehindEveryArrow()
    {
        const string text = """
            block Unit(k) { out in -> conv(4, k) }
            network N {
                input x: 2x8x8
                n = 3
                a, b = x -> c1: conv(n, 3x3) -> [relu, Unit(5)]
                output y = a
                output z = b
            }
            """;
        var inspection = Evaluator.Inspect(new SourceFile("test.cnn", text), (_, _) => null);
        Assert.Equal(2, inspection.File.Networks[0].Outputs.Length);
        Assert.Equal("a tensor 3x6x6", Describe("c1: conv(n, 3x3)"));
        Assert.Equal("a list of 2 tensors", Describe("[relu, Unit(5)]"));
        Assert.Equal("the integer 3", Describe("n", 4));
        Assert.Equal("a tensor 4x2x2", Describe("conv(4, k)"));
        Assert.Equal(["3x6x6", "4x2x2"], inspection.Values.Single(value => TextOf(value) == "[relu, Unit(5)]").Shapes.Select(shape => shape.ToString()));

        string Describe(string expression, int line = -1) =>
            inspection.Values.First(value => TextOf(value) == expression && (line < 0 || value.Place.Start.Line == line)).Description;

        string TextOf(InspectedValue value) => text.Substring(value.Place.Span.Start, value.Place.Span.Length);
    }

    [Fact]
    public void AFileWithMistakesStillTellsWhatIsKnown()
    {
        var inspection = Evaluator.Inspect(new SourceFile("test.cnn", "network N {\n input x: 2x8x8\n output y = x -> relu -> maxpol(2)\n}"), (_, _) => null);
        Assert.Single(inspection.File.Diagnostics);
        Assert.Contains(inspection.Values, value => value.Place.Line == 3 && value.Description == "a tensor 2x8x8");
    }
}
