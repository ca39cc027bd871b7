// A network beyond what emitted code can address is a mistake with a place, never an exception.
using ModelCompiler.Grammar;

namespace ModelCompiler.Tests.Emission;

public class MemoryBudgetTests
{
    [Fact]
    public void TooLargeANetworkIsReportedWhereItsLargestValueIsMade()
    {
        const string text = """
            network Net {
                input image: 3x4000x4000
                target label: class
                logits = image -> conv(64, 3x3, pad: 1) -> relu -> conv(32, 3x3, pad: 1) -> tanh -> global_avgpool -> flatten -> dense(5)
                output logits
                loss cross_entropy(logits, label)
            }
            """;
        var result = Compiler.Compile(new SourceFile("test.cnn", text), (_, _) => null, new CompilerOptions("", ""));
        Assert.Empty(result.Networks);
        var diagnostic = Assert.Single(result.Diagnostics, d => d.Severity == Severity.Error);
        Assert.Equal("CNN5015", diagnostic.Code);
        Assert.Equal((3, text.Split('\n')[3].IndexOf("conv", StringComparison.Ordinal)), (diagnostic.Place.Start.Line, diagnostic.Place.Start.Column));
        Assert.Contains("64x4000x4000", diagnostic.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ABudgetOfTheProjectIsAdviceWithTheFiguresOfThePlan()
    {
        const string text = """
            network Net {
                input image: 1x32x32
                target label: class
                logits = image -> conv(16, 3x3, pad: 1) -> relu -> conv(8, 3x3, pad: 1) -> relu -> flatten -> dense(5)
                output logits
                loss cross_entropy(logits, label)
            }
            """;
        CompilationResult Compile(long inference, long training) =>
            Compiler.Compile(new SourceFile("test.cnn", text), (_, _) => null, new CompilerOptions("", "", MemoryBudget: inference, TrainingMemoryBudget: training));

        Assert.DoesNotContain(Compile(1 << 20, 4 << 20).Diagnostics, d => d.Code == "CNN4011");
        var result = Compile(10 << 10, 20 << 10);
        Assert.Equal(2, result.Networks.Length);
        var warnings = result.Diagnostics.Where(d => d.Code == "CNN4011").ToList();
        Assert.Equal(2, warnings.Count);
        Assert.All(warnings, d => Assert.Equal((1, Severity.Warning), (d.Place.Line, d.Severity)));
        Assert.Matches("^the activations of one sample of 'Net' take [0-9.]+ KiB in inference, and the budget is 10 KiB; the largest is 16x32x32 \\(64 KiB, line 4\\); ", warnings[0].Message);
        Assert.Contains("in training, which keeps them for the gradient, and the budget is 20 KiB", warnings[1].Message, StringComparison.Ordinal);
        Assert.Equal(4, Assert.Single(warnings[0].Notes).Place.Line);
    }

    [Fact]
    public void TooManyWeightsAreReported()
    {
        const string text = "network Net {\n input x: 40000\n output y = x -> a: dense(40000) -> tanh -> b: dense(40000)\n}\n";
        var result = Compiler.Compile(new SourceFile("test.cnn", text), (_, _) => null, new CompilerOptions("", ""));
        Assert.Equal("CNN5015", Assert.Single(result.Diagnostics, d => d.Severity == Severity.Error).Code);
    }
}
