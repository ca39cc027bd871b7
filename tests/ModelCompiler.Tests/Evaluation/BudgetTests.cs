// No file hangs or crashes a build: every budget ends in its diagnostic, on the smallest of stacks.
using ModelCompiler.Evaluation;
using ModelCompiler.Grammar;
using static ModelCompiler.Tests.Evaluation.Evaluating;

namespace ModelCompiler.Tests.Evaluation;

public class BudgetTests
{
    [Fact]
    public void RecursionWithoutEndIsReportedOnASmallStack()
    {
        const string text = """
            block Level(depth) { out in -> Level(depth + 1) }
            network N {
                input x: 8
                output y = x -> Level(0)
            }
            """;
        var errors = OnSmallStack(() => Errors(text));
        Assert.Equal("1,32 CNN5010", Assert.Single(errors)[..12]);
    }

    [Fact]
    public void ARecursionThatEndsTooLateIsReported()
    {
        const string text = """
            block Level(depth) { out if depth == 0 then in else in -> Level(depth - 1) }
            network N {
                input x: 8
                output y = x -> Level(100000)
            }
            """;
        Assert.Contains("CNN5010", Assert.Single(OnSmallStack(() => Errors(text))));
    }

    [Fact]
    public void ChainsOfNamesAreEvaluatedOnASmallStackAndEndAtTheirBudget()
    {
        Assert.Empty(OnSmallStack(() => Errors(Chain(4_000))));
        Assert.Contains("CNN5011", Assert.Single(OnSmallStack(() => Errors(Chain(20_000)))));
    }

    [Fact]
    public void ChainsOfImportsEndAtTheirBudget()
    {
        var parts = Enumerable.Range(1, 60).Select(i => ($"part{i}.cnn", $"use \"part{i + 1}.cnn\"\nblock Part{i} {{ out in -> relu }}")).ToArray();
        Assert.Contains("CNN5023", Assert.Single(Errors("use \"part1.cnn\"\nnetwork N {\n input x: 8\n output y = x -> relu\n}", parts)));
    }

    [Theory]
    [InlineData("CNN5014", "a0 = [1, 1]\n", "a{1} = [a{0}, a{0}, a{0}, a{0}]\n", 30, "conv(a30, 3x3)")]
    [InlineData("CNN5014", "a0 = relu\n", "a{1} = a{0} * 10\n", 30, "a30")]
    [InlineData("CNN5014", "a0 = relu\n", "a{1} = a{0} -> a{0}\n", 30, "a30")]
    [InlineData("CNN5014", "", "", 0, "conv(0..9223372036854775807, 3x3)")]
    [InlineData("CNN5014", "", "", 0, "relu * 9223372036854775807")]
    [InlineData("CNN5012", "big = 0..10000\n", "", 0, "conv(sum([sum([sum(big) for i of big]) for j of big]), 3x3)")]
    [InlineData("CNN5012", "big = 0..10000\n", "", 0, "conv(sum([sum(big[0..9999]) for j of big]), 3x3)")]
    public void GrowingValuesEndAtTheirBudget(string code, string start, string step, int times, string stage)
    {
        var steps = string.Concat(Enumerable.Range(0, times).Select(i => step.Replace("{0}", $"{i}").Replace("{1}", $"{i + 1}")));
        Assert.Contains(code, Assert.Single(Errors($"network N {{\n input x: 1x8x8\n{start}{steps}output y = x -> {stage}\n}}")));
    }

    [Fact]
    public void AHundredMistakesAreShown()
    {
        var file = File("network N {\n input x: 8\n" + string.Concat(Enumerable.Range(0, 5_000).Select(i => $" a{i} = unknown{i}\n")) + " output y = x -> relu\n}");
        Assert.Equal(101, file.Diagnostics.Length);
        Assert.Equal("CNN5003", file.Diagnostics.Single(diagnostic => diagnostic.Severity == Severity.Info).Code);
    }

    [Theory]
    [InlineData("(", 100_000, "x", ")", "CNN5001")]
    [InlineData("", 0, "x", "", "CNN5002")]
    [InlineData("relu -> ", 10_001, "relu", "", "CNN5004")]
    public void LimitsOfTheParserAreReported(string open, int times, string middle, string close, string code)
    {
        var value = string.Concat(Enumerable.Repeat(open, times)) + middle + string.Concat(Enumerable.Repeat(close, times));
        var comment = times == 0 ? "// " + new string('x', 2 << 20) : "";
        var errors = OnSmallStack(() => Errors($"{comment}\nnetwork N {{\n input x: 8\n output y = x -> relu\n z = {value}\n}}"));
        Assert.Contains(code, Assert.Single(errors));
    }

    [Fact]
    public void AFaultOfTheCompilerIsReportedAndNotThrown()
    {
        var file = Evaluator.Evaluate(new SourceFile("a.cnn", "use \"b.cnn\""), (_, _) => throw new InvalidOperationException("disk on fire"));
        Assert.Equal("a.cnn(1,1): error CNN9001: the compiler failed here, which is its own fault: InvalidOperationException: disk on fire; please report it with this file", Assert.Single(file.Diagnostics).ToString());
    }

    [Fact]
    public void AFaultBehindTheEvaluationIsReportedToo()
    {
        var network = ZooTests.Evaluate("lenet5.cnn");
        Assert.Null(Compiler.Guarded(network, () => { }));
        var diagnostic = Compiler.Guarded(network, () => throw new InvalidOperationException("no plan"));
        Assert.Equal(("CNN9001", network.Place), (diagnostic!.Code, diagnostic.Place));
        Assert.Contains("which is its own fault: InvalidOperationException: no plan;", diagnostic.Message, StringComparison.Ordinal);
    }

    private static string Chain(int length) =>
        "network N {\n input x: 8\n a0 = x\n" + string.Concat(Enumerable.Range(1, length).Select(i => $" a{i} = a{i - 1} -> relu\n")) + $" output y = a{length}\n}}";

    private static string[] OnSmallStack(Func<string[]> work)
    {
        string[] result = [];
        var thread = new Thread(() => result = work(), 128 << 10);
        thread.Start();
        thread.Join();
        return result;
    }
}
