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
    public void TooManyWeightsAreReported()
    {
        const string text = "network Net {\n input x: 40000\n output y = x -> a: dense(40000) -> tanh -> b: dense(40000)\n}\n";
        var result = Compiler.Compile(new SourceFile("test.cnn", text), (_, _) => null, new CompilerOptions("", ""));
        Assert.Equal("CNN5015", Assert.Single(result.Diagnostics, d => d.Severity == Severity.Error).Code);
    }
}
