// Each mistake: its code, the place it points at, and the advice it gives.
using static ModelCompiler.Grammar.Tests.Texts;

namespace ModelCompiler.Grammar.Tests;

public class SyntaxErrorTests
{
    [Theory]

    // CNN1001: something else belongs here
    [InlineData("x = a b", 1, 7, "CNN1001", "an operator is missing before 'b'; a stage stands behind an arrow: 'x -> b'")]
    [InlineData("x = f(1 2)", 1, 9, "CNN1001", "expected ',' or ')' but found the number 2")]
    [InlineData("x = (1, 2)", 1, 7, "CNN1001", "a list stands in square brackets: [a, b]")]
    [InlineData("x = [a for b in c]", 1, 14, "CNN1001", "write 'of' here")]
    [InlineData("x = a.3", 1, 6, "CNN1001", "[3]")]
    [InlineData("x = a.", 1, 7, "CNN1001", "a name is missing after '.'")]
    [InlineData("x = a -> if b then c else d", 1, 10, "CNN1001", "'if' after '->' stands in parentheses")]
    [InlineData("a = 3 b = 4", 1, 7, "CNN1001", "starts on a new line")]
    [InlineData("use common", 1, 5, "CNN1001", "the path of a file in quotes")]
    [InlineData("input x 3x3", 1, 9, "CNN1001", "expected ':' but found the dims 3x3")]
    [InlineData("input: 3x3", 1, 6, "CNN1001", "a name is missing after 'input'")]
    [InlineData("parameter p: [1], zeros", 1, 19, "CNN1001", "an option by its name")]
    [InlineData("block A(a b) { out in }", 1, 11, "CNN1001", "expected ',', '=' or ')'")]
    [InlineData("block A(3) { out in }", 1, 9, "CNN1001", "a name is missing after '(': found the number 3")]
    [InlineData("block { out in }", 1, 6, "CNN1001", "a name is missing after 'block'")]
    [InlineData("x = {1, 2}", 1, 5, "CNN1001", "lists are written [a, b]")]
    [InlineData("x = 3 {\n  out in\n}", 1, 7, "CNN1001", "opens the body of a block or network")]
    [InlineData("x = 3(4)", 1, 6, "CNN1001", "found '('")]
    [InlineData("x = a{i} b", 1, 10, "CNN1001", "expected ':'")]
    [InlineData("x = if a then b else c else d", 1, 24, "CNN1001", "found 'else'")]

    // CNN1002: signs of other languages
    [InlineData("x = a → b", 1, 7, "CNN1002", "the arrow is written '->'")]
    [InlineData("x = a => b", 1, 7, "CNN1002", "the arrow is written '->'")]
    [InlineData("x = 3×3", 1, 6, "CNN1002", "as in 3x3")]
    [InlineData("x = a ** 2", 1, 7, "CNN1002", "'^'")]
    [InlineData("x = a && b", 1, 7, "CNN1002", "write 'and'")]
    [InlineData("x = a || b", 1, 7, "CNN1002", "write 'or'")]
    [InlineData("x = !a", 1, 5, "CNN1002", "write 'not'")]
    [InlineData("x = “a”", 1, 5, "CNN1002", "straight quotes")]
    [InlineData("x = 'a'", 1, 5, "CNN1002", "double quotes")]
    [InlineData("x = a;", 1, 6, "CNN1002", "ends with its line")]
    [InlineData("# x", 1, 1, "CNN1002", "a comment starts with '//'")]
    [InlineData("x = a ? b : c", 1, 7, "CNN1002", "if c then a else b")]
    [InlineData("x = −1", 1, 5, "CNN1002", "minus")]
    [InlineData("x = 0...n", 1, 6, "CNN1002", "0..n")]
    [InlineData("x = α", 1, 5, "CNN1002", "names consist of")]
    [InlineData("x = \u200Ba", 1, 5, "CNN1002", "U+200B")]
    [InlineData("x =\u00A0a", 1, 4, "CNN1002", "no-break space")]
    [InlineData("x = 🙂🙂", 1, 5, "CNN1002", "'🙂' is not a sign")]
    [InlineData("x = $y", 1, 5, "CNN1002", "'$' is not a sign")]

    // CNN1003 to CNN1006: strings, comments, numbers
    [InlineData("use \"common\nx = 1", 1, 5, "CNN1003", "before the end of the line")]
    [InlineData("x = 1\n/* a", 2, 1, "CNN1004", "'*/' is missing")]
    [InlineData("x = 3xk", 1, 5, "CNN1005", "[3, k]")]
    [InlineData("x = 3x", 1, 5, "CNN1005", "as in 3x3")]
    [InlineData("x = 3 x 3", 1, 7, "CNN1005", "without spaces")]
    [InlineData("x = 1.2.3", 1, 5, "CNN1005", "'1.2.3' is not a number")]
    [InlineData("x = 1_000", 1, 5, "CNN1005", "not a number")]
    [InlineData("x = 1e", 1, 5, "CNN1005", "not a number")]
    [InlineData("x = 2px", 1, 5, "CNN1005", "not a number")]
    [InlineData("x = 9223372036854775808", 1, 5, "CNN1006", "at most 9223372036854775807")]
    [InlineData("x = 3x2147483648", 1, 5, "CNN1006", "at most 2147483647")]
    [InlineData("x = 1e999", 1, 5, "CNN1006", "too large")]

    // CNN1007, CNN1008: brackets
    [InlineData("x = conv(64, 3x3\ny = 1", 1, 9, "CNN1007", "')' is missing")]
    [InlineData("x = [1, 2\nout y", 1, 5, "CNN1007", "']' is missing")]
    [InlineData("x = f(", 1, 6, "CNN1007", "')' is missing")]
    [InlineData("network A { input x: 3x3", 1, 11, "CNN1007", "'}' is missing")]
    [InlineData("block A {\n out f(in\n}", 2, 7, "CNN1007", "')' is missing")]
    [InlineData("x = 3)", 1, 6, "CNN1008", "closes nothing")]
    [InlineData("x = 3\n}", 2, 1, "CNN1008", "closes nothing")]
    [InlineData("x = 3\n}}}", 2, 1, "CNN1008", "closes nothing")]
    [InlineData("x = [1, 2)", 1, 10, "CNN1008", "expected ']'")]
    [InlineData("x = f([1, 2)", 1, 12, "CNN1008", "']' is missing before this ')', for the '[' in line 1, column 7")]

    // CNN1009: values
    [InlineData("x =", 1, 4, "CNN1009", "a value is missing after '='")]
    [InlineData("x =\ny = 1", 1, 4, "CNN1009", "a value is missing after '='")]
    [InlineData("x = a +\ny = 1", 1, 8, "CNN1009", "a value is missing after '+'")]
    [InlineData("x = a -> -> b", 1, 10, "CNN1009", "a value is missing after '->': found '->'")]
    [InlineData("x = a ->", 1, 9, "CNN1009", "after '->'")]
    [InlineData("x = * 3", 1, 5, "CNN1009", "found '*'")]
    [InlineData("x = ()", 1, 6, "CNN1009", "after '(': found ')'")]
    [InlineData("x = f(1,,2)", 1, 9, "CNN1009", "after ',': found ','")]
    [InlineData("x = a[]", 1, 7, "CNN1009", "after '['")]
    [InlineData("x = a{}: b", 1, 7, "CNN1009", "after '{'")]
    [InlineData("x = f(pad: )", 1, 12, "CNN1009", "after ':'")]
    [InlineData("x = 0..", 1, 8, "CNN1009", "after '..'")]
    [InlineData("x = not", 1, 8, "CNN1009", "after 'not'")]
    [InlineData("out", 1, 4, "CNN1009", "after 'out'")]
    [InlineData("block A(a = ) { out in }", 1, 13, "CNN1009", "after '=': found ')'")]
    [InlineData("network A =", 1, 12, "CNN1009", "after '='")]

    // CNN1010: words of the language as names
    [InlineData("loss = 3", 1, 1, "CNN1010", "'loss' is a word of the language")]
    [InlineData("network = 3", 1, 1, "CNN1010", "'network' is a word of the language")]
    [InlineData("in = 3", 1, 1, "CNN1010", "'in' is a word of the language")]
    [InlineData("block loss(a) { out in }", 1, 7, "CNN1010", "'loss' is a word of the language")]
    [InlineData("block A(in, b) { out in }", 1, 9, "CNN1010", "'in' is a word of the language")]
    [InlineData("x = f(use)", 1, 7, "CNN1010", "'use' is a word of the language")]
    [InlineData("x = class", 1, 5, "CNN1010", "only in the shape of a target")]

    // CNN1011: if
    [InlineData("x = if a then b", 1, 16, "CNN1011", "'else' is missing at the end")]
    [InlineData("x = if a then b\ny = 1", 1, 16, "CNN1011", "'else' is missing at the end")]
    [InlineData("x = if a b", 1, 10, "CNN1011", "'then' is missing before the name 'b'")]
    [InlineData("x = (if a then b)", 1, 17, "CNN1011", "'else' is missing before ')'")]

    // CNN1012: '=' and '=='
    [InlineData("x = if a = 3 then b else c", 1, 10, "CNN1012", "to compare write '=='")]
    [InlineData("x = conv(64, pad = 1)", 1, 18, "CNN1012", "'pad: …'")]
    [InlineData("x = conv(64,\n         pad = 1)", 2, 14, "CNN1012", "'pad: …'")]
    [InlineData("x == 3", 1, 3, "CNN1012", "bound with '='")]
    [InlineData("x += 3", 1, 4, "CNN1012", "never change")]

    // CNN1013: statements
    [InlineData("conv(64) -> relu", 1, 1, "CNN1013", "this value goes nowhere")]
    [InlineData("x", 1, 1, "CNN1013", "this value goes nowhere")]
    [InlineData("x: 3", 1, 1, "CNN1013", "a name is bound with '='")]
    [InlineData("3 = x", 1, 1, "CNN1013", "not with the number 3")]
    [InlineData("then x", 1, 1, "CNN1013", "cannot start with 'then'")]
    [InlineData("inptu image: 3x3", 1, 1, "CNN1013", "did you mean 'input'?")]
    [InlineData("blok A(x) {\n  out in\n}", 1, 1, "CNN1013", "did you mean 'block'?")]
    [InlineData("blok A(x) { out in }", 1, 1, "CNN1013", "did you mean 'block'?")]
    [InlineData("class Foo { out in }", 1, 1, "CNN1013", "cannot start with 'class'")]
    [InlineData("let x = 3", 1, 1, "CNN1013", "without a word before it")]
    [InlineData("def f(x)", 1, 1, "CNN1013", "'def' starts no statement")]
    [InlineData("{\n  out in\n}", 1, 1, "CNN1013", "a body needs a head")]

    // CNN1014 to CNN1019
    [InlineData("block A {\n  network B { output x }\n}", 2, 3, "CNN1014", "outside of blocks and networks")]
    [InlineData("block A {\n  network B = C\n}", 2, 3, "CNN1014", "outside of blocks and networks")]
    [InlineData("block A {\n  use \"x\"\n}", 2, 3, "CNN1014", "outside of blocks and networks")]
    [InlineData("", 1, 1, "CNN1015", "declares nothing")]
    [InlineData("\n  // only a comment\n", 1, 1, "CNN1015", "declares nothing")]
    [InlineData("x = 1\n\0\u0001", 2, 1, "CNN1016", "not a text file")]
    [InlineData("x = a < b < c", 1, 11, "CNN1017", "write 'a < b and b < c'")]
    [InlineData("x = 0..n..m", 1, 9, "CNN1017", "one start and one end")]
    [InlineData("block A", 1, 8, "CNN1018", "the body of this block is missing")]
    [InlineData("network A(n)", 1, 13, "CNN1018", "the body of this network is missing")]
    [InlineData("x = a + b: c", 1, 10, "CNN1019", "at the start of a stage")]
    [InlineData("x = a: b: c", 1, 9, "CNN1019", "at the start of a stage")]
    public void EachMistakeIsReportedOnceAtItsPlace(string text, int line, int column, string code, string advice)
    {
        var diagnostic = Assert.Single(Parse(text).Diagnostics);
        Assert.Equal((line, column, code), (diagnostic.Place.Start.Line + 1, diagnostic.Place.Start.Column + 1, diagnostic.Code));
        Assert.Contains(advice, diagnostic.Message, StringComparison.Ordinal);
        Assert.Equal(Severity.Error, diagnostic.Severity);
        Assert.False(diagnostic.Message.EndsWith('.'), diagnostic.Message);
    }

    [Fact]
    public void EverySyntaxCodeHasAMistakeInTheseTests()
    {
        var tested = typeof(SyntaxErrorTests).GetMethod(nameof(EachMistakeIsReportedOnceAtItsPlace))!
            .GetCustomAttributesData()
            .Where(data => data.AttributeType == typeof(InlineDataAttribute))
            .Select(data => (string)((IReadOnlyList<System.Reflection.CustomAttributeTypedArgument>)data.ConstructorArguments[0].Value!)[3].Value!);
        Assert.Equal(
            DiagnosticCatalog.All.Where(entry => entry.Code.StartsWith("CNN1", StringComparison.Ordinal)).Select(entry => entry.Code),
            tested.Distinct().Order(StringComparer.Ordinal));
    }

    /// <summary>Not among the rows above, since an attribute cannot hold half a character.</summary>
    [Fact]
    public void HalfACharacterIsNamedByItsNumber() => Assert.Contains("U+D800", Assert.Single(Parse("x = \uD800").Diagnostics).Message, StringComparison.Ordinal);

    [Fact]
    public void TheErrorReadsLikeOneOfTheBuild() =>
        Assert.Equal("test.cnn(1,4): error CNN1009: a value is missing after '='", Parse("x =").Diagnostics[0].ToString());
}
