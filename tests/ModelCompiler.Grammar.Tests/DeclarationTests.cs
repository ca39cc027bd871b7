// Every form of statement and declaration, and where one ends and the next begins.
using static ModelCompiler.Grammar.Tests.Texts;

namespace ModelCompiler.Grammar.Tests;

public class DeclarationTests
{
    [Theory]
    [InlineData("use \"a/b.cnn\"", "(use a/b.cnn)")]
    [InlineData("block A { out in }", "(block A () (out in))")]
    [InlineData("block A() { out in }", "(block A () (out in))")]
    [InlineData("block A(c, s = 1,) { out in -> B(c) }", "(block A (c s=1) (out (-> in B(c))))")]
    [InlineData("block A\n{\n  out in\n}", "(block A () (out in))")]
    [InlineData("block A { }", "(block A () )")]
    [InlineData("block A {\n block B(c) { out in }\n out in -> B(1)\n}", "(block A () (block B (c) (out in)) (out (-> in B(1))))")]
    [InlineData("network A(n = 3) { input x: 1x28x28 }", "(network A (n=3) (input x 1x28x28))")]
    [InlineData("network B = A(unit, [3, 4])", "(network B = A(unit [3 4]))")]
    [InlineData("network B =\n  A(1)", "(network B = A(1))")]
    [InlineData("target label: class", "(target label class)")]
    [InlineData("target mask: [class, 128, 128]", "(target mask [class 128 128])")]
    [InlineData("parameter p: [1, w]", "(parameter p [1 w])")]
    [InlineData("parameter p: [1, w], init: normal(0.02), decay: false", "(parameter p [1 w] init:normal(0.02f) decay:false)")]
    [InlineData("parameter p: [1, w],\n  init: zeros", "(parameter p [1 w] init:zeros)")]
    [InlineData("shared head = conv(64) -> relu", "(shared head (-> conv(64) relu))")]
    [InlineData("a = b", "(= a b)")]
    [InlineData("p3, p4, p5 = x -> Pyramid", "(= p3 p4 p5 (-> x Pyramid))")]
    [InlineData("output a", "(output - a)")]
    [InlineData("output a = b -> softmax", "(output a (-> b softmax))")]
    [InlineData("output a == b", "(output - (Equal a b))")]
    [InlineData("out a", "(out a)")]
    [InlineData("out a + b -> relu, c", "(out (-> (Add a b) relu) c)")]
    [InlineData("loss ce(a, b) + 0.3 * ce(c, b)", "(loss (Add ce(a b) (Multiply 0.3f ce(c b))))")]
    public void Forms(string text, string tree) => Assert.Equal(tree, Write(Tree(text)));

    [Theory]
    [InlineData("a = b\n  -> c\n\n  -> d", "(= a (-> b c d))")]
    [InlineData("a = b ->\n  c", "(= a (-> b c))")]
    [InlineData("a =\n  b", "(= a b)")]
    [InlineData("a = b\n  + c", "(= a (Add b c))")]
    [InlineData("a = b +\n  c", "(= a (Add b c))")]
    [InlineData("a = b\n  - c", "(= a (Subtract b c))")]
    [InlineData("a = if b then c\n  else d", "(= a (if b c d))")]
    [InlineData("a = if b\n  then c\n  else if d then e\n  else f", "(= a (if b c (if d e f)))")]
    [InlineData("a = if b then\n  in\n  else\n  in", "(= a (if b in in))")]
    [InlineData("a = b\n  and c\n  or d", "(= a (Or (And b c) d))")]
    [InlineData("a = b\n  .c", "(= a b.c)")]
    [InlineData("a = f(b,\n  c\n)", "(= a f(b c))")]
    [InlineData("a = [\n b,\n c\n]", "(= a [b c])")]
    [InlineData("a = [ b\n for c of d ]", "(= a [b for c of d])")]
    [InlineData("a = b // one\n  // two\n  -> c", "(= a (-> b c))")]
    [InlineData("a = b /* one\n two */ -> c", "(= a (-> b c))")]
    [InlineData("a = b -> l:\n  c", "(= a (-> b <l: c>))")]
    [InlineData("a,\n b = c", "(= a b c)")]
    [InlineData("out a,\n  b", "(out a b)")]
    [InlineData("out\n  a", "(out a)")]
    [InlineData("a = b\nc = d", "(= a b)\n(= c d)")]
    [InlineData("a = b\r\nc = d\r\n", "(= a b)\n(= c d)")]
    [InlineData("a = b\rc = d", "(= a b)\n(= c d)")]
    [InlineData("a = b /*\n*/ c = d", "(= a b)\n(= c d)")]
    [InlineData("a = x -> [\n block: b,\n out: c ]", "(= a (-> x [<block: b> <out: c>]))")]
    [InlineData("\uFEFFa = b", "(= a b)")]
    public void Lines(string text, string tree) => Assert.Equal(tree, Write(Tree(text)));

    [Fact]
    public void StatementsAndDeclarationsCoverTheirOwnText()
    {
        const string text = """
            // before
            use "a.cnn"
            block A(c, s = 1) { // inside
                input x: 1x2
                parameter p: [1], init: zeros // after
                a, b = in
                block B { out in }
                out a, b
            } // after
            network N {
                target t: class
                shared s = a
                output o = x
                loss l(o, t)
            }
            network M = N(1)
            """;
        var spans = All(Tree(text))
            .Where(node => node is DeclarationSyntax or StatementSyntax or ParameterSyntax or ArgumentSyntax)
            .Select(node => At(text, node).Replace("\n", "|", StringComparison.Ordinal).Replace("    ", "", StringComparison.Ordinal));
        Assert.Equal(
            [
                "use \"a.cnn\"",
                "block A(c, s = 1) { // inside|input x: 1x2|parameter p: [1], init: zeros // after|a, b = in|block B { out in }|out a, b|}",
                "c",
                "s = 1",
                "input x: 1x2",
                "parameter p: [1], init: zeros",
                "init: zeros",
                "a, b = in",
                "block B { out in }",
                "block B { out in }",
                "out in",
                "out a, b",
                "network N {|target t: class|shared s = a|output o = x|loss l(o, t)|}",
                "target t: class",
                "shared s = a",
                "output o = x",
                "loss l(o, t)",
                "o",
                "t",
                "network M = N(1)",
                "1",
            ],
            spans);
        Assert.Equal("\"a.cnn\"", text.Substring(Assert.IsType<UseSyntax>(Tree(text).Declarations[0]).PathSpan.Start, 7));
    }
}
