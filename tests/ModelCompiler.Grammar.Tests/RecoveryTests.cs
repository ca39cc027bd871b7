// One mistake gives one diagnostic and costs one statement; what comes after it is read as if nothing had happened.
using static ModelCompiler.Grammar.Tests.Texts;

namespace ModelCompiler.Grammar.Tests;

public class RecoveryTests
{
    [Theory]
    [InlineData("a = \nb = 1\nc = = 2\nd = 3", "1,4 CNN1009; 3,5 CNN1012", "(= b 1)\n(= d 3)")]
    [InlineData("a = → → ;\nb = 1 ; ;\nc = 2", "1,5 CNN1002; 2,7 CNN1002", "(= c 2)")]
    [InlineData("a = f(1\nb = g(2\nc = 3", "1,6 CNN1007; 2,6 CNN1007", "(= c 3)")]
    [InlineData("a = f(g(= 1), = 2)\nb = 1", "1,9 CNN1012", "(= b 1)")]
    [InlineData("a = f(1 2) 3\nb = 1", "1,9 CNN1001", "(= b 1)")]
    [InlineData("a = 1 2 f(1 2)\nb = 1", "1,7 CNN1001", "(= b 1)")]
    [InlineData("block A {\n a = = 1\n out b\n}\nc = 1", "2,6 CNN1012", "(block A () (out b))\n(= c 1)")]
    [InlineData("block A(a b) {\n a = 1\n b = = 1\n}\nc = 1", "1,11 CNN1001; 3,6 CNN1012", "(= c 1)")]
    [InlineData("blok A {\n a = 1\n}\nc = 1", "1,1 CNN1013", "(= c 1)")]
    [InlineData("block A {\n out f(in\n}\nc = 1", "2,7 CNN1007", "(block A () )\n(= c 1)")]
    [InlineData("block A {\n a = 1\nblock B {\n b = 1\n}\nnetwork C { d = 1 }", "1,9 CNN1007", "(block A () (= a 1))\n(block B () (= b 1))\n(network C () (= d 1))")]
    [InlineData("block A {\n a = 1\n\nnetwork C { d = 1 }", "1,9 CNN1007", "(block A () (= a 1))\n(network C () (= d 1))")]
    [InlineData("block A {\n a = 1", "1,9 CNN1007", "(block A () (= a 1))")]
    [InlineData("block A {\nblock B { out in }\nout in }", "", "(block A () (block B () (out in)) (out in))")]
    [InlineData("} a = 1\nb = 2", "1,1 CNN1008", "(= a 1)\n(= b 2)")]
    [InlineData("a = f(1))\nb = 2", "1,9 CNN1008", "(= b 2)")]
    [InlineData("a = [f(1, 2]\nb = 2", "1,12 CNN1008", "(= b 2)")]
    [InlineData("a = \"x\nb = 2", "1,5 CNN1003", "(= b 2)")]
    [InlineData("a = 1 /* b\nc = 2", "1,7 CNN1004", "(= a 1)")]
    [InlineData("network A\nb = 2", "1,10 CNN1018", "(= b 2)")]
    [InlineData("a = if b then c\nd = 2\nelse e", "1,16 CNN1011; 3,1 CNN1001", "")]
    [InlineData("x = conv(64,\n  pad = 1)\ny = 1", "2,7 CNN1012", "(= y 1)")]
    public void TheNextStatementIsReadAfresh(string text, string codes, string tree)
    {
        Assert.Equal(codes, Codes(text));
        Assert.Equal(tree, Write(Parse(text).File));
    }

    [Fact]
    public void DiagnosticsStandInTheOrderOfTheText()
    {
        var result = Parse("block A {\n a = = 1\n b = \n/* c");
        Assert.Equal(["CNN1007", "CNN1012", "CNN1009", "CNN1004"], result.Diagnostics.Select(d => d.Code));
    }

    [Fact]
    public void AHundredMistakesAreShown()
    {
        var result = Parse(string.Concat(Enumerable.Repeat("a = = 1\n", 1000)));
        Assert.Equal(101, result.Diagnostics.Length);
        Assert.Equal(("CNN5003", Severity.Info), (result.Diagnostics[100].Code, result.Diagnostics[100].Severity));
    }
}
