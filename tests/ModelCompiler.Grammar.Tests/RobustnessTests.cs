// Texts that are there to break a parser, on a stack of 256 KB. Each takes about half a second; OnSmallStack gives up after
// a minute, which a busy machine does not need and which time that squares with the length exceeds by far.
using static ModelCompiler.Grammar.Tests.Texts;

namespace ModelCompiler.Grammar.Tests;

public class RobustnessTests
{
    private static string Times(string text, int count) => string.Concat(Enumerable.Repeat(text, count));

    private static readonly Dictionary<string, Func<string>> Deep = new()
    {
        ["parentheses"] = () => "a = " + Times("(", 100_000) + "1" + Times(")", 100_000),
        ["open parentheses"] = () => "a = " + Times("(", 100_000),
        ["calls"] = () => "a = " + Times("f(", 100_000) + "1" + Times(")", 100_000),
        ["lists"] = () => "a = " + Times("[", 100_000) + "1" + Times("]", 100_000),
        ["wrong partners"] = () => "a = " + Times("[", 100_000) + Times(")", 100_000),
        ["label numbers"] = () => "a = " + Times("l{", 100_000) + "1" + Times("}: b", 100_000),
        ["minus signs"] = () => "a = " + Times("-", 100_000) + "1",
        ["nots"] = () => "a = " + Times("not ", 100_000) + "b",
        ["sum"] = () => "a = b" + Times(" + 1", 100_000),
        ["powers"] = () => "a = b" + Times("^1", 100_000),
        ["sum in brackets"] = () => "a = (b" + Times(" + 1", 100_000) + ")",
        ["arrows"] = () => "a = b" + Times(" -> relu", 100_000),
        ["members"] = () => "a = b" + Times(".c", 100_000),
        ["calls of calls"] = () => "a = b" + Times("()", 100_000),
        ["indices"] = () => "a = b" + Times("[0]", 100_000),
        ["labels"] = () => "a = " + Times("b: ", 100_000) + "c",
        ["conditions"] = () => "a = " + Times("if ", 50_000) + "b" + Times(" then 1 else 2", 50_000),
        ["branches"] = () => "a = " + Times("if a then ", 50_000) + "b" + Times(" else 2", 50_000),
        ["else ifs"] = () => "a = " + Times("if a then b else ", 50_000) + "b",
        ["ifs alone"] = () => "a = " + Times("if ", 100_000),
        ["ifs in parentheses"] = () => "a = " + Times("(if a then ", 50_000) + "b" + Times(" else 2)", 50_000),
        ["blocks"] = () => Times("block A {\n", 80_000) + Times("}\n", 80_000),
        ["open blocks"] = () => Times("block A {", 100_000),
        ["block heads"] = () => Times("block A(", 100_000),
        ["closing braces"] = () => Times("}", 100_000),
        ["ten megabytes"] = () => Times("garbage ?! ", 1_000_000),
        ["a megabyte of one word"] = () => "x = " + Times("x", 1_000_000) + " y",
        ["a megabyte of digits"] = () => "x = " + Times("1", 1_000_000),
        ["a megabyte of exponents"] = () => "x = " + Times("1e+", 330_000),
        ["a megabyte of strangers"] = () => Times("→", 1_000_000),
    };

    public static TheoryData<string> DeepNames => new(Deep.Keys);

    public static TheoryData<string> AllowedNames => new(Allowed.Keys);

    [Theory]
    [MemberData(nameof(DeepNames))]
    public void OneDiagnosticAndNoOverflow(string what)
    {
        var text = Deep[what]();
        var result = OnSmallStack(() => Parse(text));
        var diagnostic = Assert.Single(result.Diagnostics);
        Assert.True(diagnostic.Code.StartsWith("CNN1", StringComparison.Ordinal) || diagnostic.Code.StartsWith("CNN5", StringComparison.Ordinal), what);
        Assert.InRange(diagnostic.Message.Length, 10, 250);
    }

    private static readonly Dictionary<string, Func<string>> Allowed = new()
    {
        ["parentheses"] = () => "a = " + Times("(", 190) + "1" + Times(")", 190),
        ["lists"] = () => "a = " + Times("[", 190) + "1" + Times("]", 190),
        ["calls"] = () => "a = " + Times("f(", 95) + "1" + Times(")", 95),
        ["comprehensions"] = () => "a = " + Times("[", 150) + "1" + Times(" for i of b]", 150),
        ["minus signs"] = () => "a = " + Times("-", 190) + "1",
        ["sum"] = () => "a = b" + Times(" + 1", 190),
        ["arrows"] = () => "a = b" + Times(" -> relu", 9_999),
        ["else ifs"] = () => "a = " + Times("if a then b else ", 190) + "b",
        ["conditions"] = () => "a = " + Times("if ", 16) + "b" + Times(" then 1 else 2", 16),
        ["conditions in parentheses"] = () => "a = " + Times("(", 100) + Times("if ", 16) + "b" + Times(" then 1 else 2", 16) + Times(")", 100),
        ["ifs in parentheses"] = () => "a = " + Times("(if a then ", 95) + "b" + Times(" else 2)", 95),
        ["blocks"] = () => Times("block A {\n", 16) + Times("}\n", 16),
        ["a long list"] = () => "a = [" + Times("1, ", 100_000) + "]",
        ["many statements"] = () => Times("a = in -> conv1: conv(64, 3x3, stride: 2, pad: 1) -> relu\n", 15_000),
        ["one long line"] = () => Times("/* */ ", 100_000) + "a = 1",
    };

    [Theory]
    [MemberData(nameof(AllowedNames))]
    public void WhatTheLimitsAllowParses(string what)
    {
        var text = Allowed[what]();
        var result = OnSmallStack(() => Parse(text));
        Assert.Empty(result.Diagnostics);
        Assert.NotEmpty(result.File.Declarations);
    }

    [Fact]
    public void EveryTowerOfBlocksIsRefused()
    {
        var tower = Times("block A {\n", 1000) + Times("}\n", 1000);
        var result = OnSmallStack(() => Parse(tower + tower));
        Assert.Equal(["CNN5001", "CNN5001"], result.Diagnostics.Select(diagnostic => diagnostic.Code));
        Assert.Null(SyntaxWalk.Deeper(result.File, 3 * Limits.NestedBlocks));
    }

    [Fact]
    public void AMegabyteIsFormattedInTime()
    {
        var text = Times("block A { a = b -> f( 1,2 ) } ", 30_000) + Times("\nc = [1,2,\n3] // d", 5_000);
        Assert.NotNull(OnSmallStack(() => CnnFormatter.Format(new SourceFile("test.cnn", text))));
    }

    [Fact]
    public void TheDeepestFileIsFormattedOnASmallStack()
    {
        var text = "a = " + Times("[", 190) + "1" + Times("]", 190);
        Assert.Equal(text + "\n", OnSmallStack(() => CnnFormatter.Format(new SourceFile("test.cnn", text))));
    }

    /// <summary>Time must not double with every level, nor square with every character: garbage of both kinds, near the size
    /// limit.</summary>
    [Theory]
    [InlineData("(")]
    [InlineData("\n(")]
    [InlineData("  a=(\n")]
    [InlineData("((((a\n b=")]
    [InlineData("f(x = ")]
    [InlineData("[)")]
    [InlineData("block a()")]
    [InlineData("a,")]
    [InlineData("\na,")]
    [InlineData("}\n")]
    [InlineData("if a then ")]
    [InlineData("a{")]
    [InlineData("\"")]
    [InlineData("/*")]
    public void RepeatedFragmentsTakeLinearTime(string fragment)
    {
        var text = Times(fragment, Limits.FileCharacters / fragment.Length);
        var result = OnSmallStack(() => Parse(text));
        Assert.NotEmpty(result.Diagnostics);
    }
}
