// The formatter changes white space only: the words, their tree and the comments stay, and formatting twice is
// formatting once.
using static ModelCompiler.Grammar.Tests.Texts;

namespace ModelCompiler.Grammar.Tests;

public class FormatterTests
{
    private static string? Format(string text) => CnnFormatter.Format(new SourceFile("test.cnn", text));

    [Theory]
    [InlineData("a=1", "a = 1\n")]
    [InlineData("a  =  f( 1 ,2 , pad :-1 ) [ 0 ] . b", "a = f(1, 2, pad: -1)[0].b\n")]
    [InlineData("a=b+c*-d^2-(-e)", "a = b + c * -d ^ 2 - (-e)\n")]
    [InlineData("a = [b for i of 0 .. n]", "a = [b for i of 0..n]\n")]
    [InlineData("a = 0 .. .5", "a = 0.. .5\n")]
    [InlineData("a = not-b", "a = not -b\n")]
    [InlineData("a = if b then-1 else(c)", "a = if b then -1 else (c)\n")]
    [InlineData("a = b->l{ i }:c", "a = b -> l{i}: c\n")]
    [InlineData("a=b   -> c  ->d", "a = b   -> c  -> d\n")]
    [InlineData("a = [ b,  c ]", "a = [ b,  c ]\n")]
    [InlineData("a,b=c", "a, b = c\n")]
    [InlineData("a = 1   // one   \nb = 2// two", "a = 1   // one\nb = 2 // two\n")]
    [InlineData("\n\n\na = 1\n\n\n\nb = 2\n\n", "a = 1\n\nb = 2\n")]
    [InlineData("block  A( c,s=1 ){out in}", "block A(c, s = 1) { out in }\n")]
    [InlineData("block A { out in } block B { out in }", "block A { out in }\nblock B { out in }\n")]
    [InlineData("block A\n{\nout in\n}", "block A {\n    out in\n}\n")]
    [InlineData("block A { a = 1\nout in }", "block A {\n    a = 1\n    out in\n}\n")]
    [InlineData("block A // why\n{ // how\nout in }", "block A { // why\n    // how\n    out in\n}\n")]
    [InlineData("block A {\n\n  out in\n\n}", "block A {\n    out in\n}\n")]
    [InlineData("block A {\n  // one\n\n\n  // two\n  out in // three\n  // four\n}\n// five", "block A {\n    // one\n\n    // two\n    out in // three\n    // four\n}\n// five\n")]
    [InlineData("block A {\n  block B { out in }\n  block C {\n  out in\n  }\n}", "block A {\n    block B { out in }\n    block C {\n        out in\n    }\n}\n")]
    [InlineData("block A {\n  a = b\n      -> c\n        // note\n        -> d\n}", "block A {\n    a = b\n        -> c\n          // note\n          -> d\n}\n")]
    [InlineData("a = b\n-> c", "a = b\n    -> c\n")]
    [InlineData("a = f(\nb,\nc\n)", "a = f(\n    b,\n    c\n)\n")]
    [InlineData("block A {\n\ta = b\n\t\t-> c\n}", "block A {\n    a = b\n        -> c\n}\n")]
    [InlineData("a = f(b, /* q */ c)/* r */", "a = f(b, /* q */ c)/* r */\n")]
    [InlineData("/* a */ b = 1", "/* a */ b = 1\n")]
    [InlineData("/* a\n   b */\nc = 1", "/* a\n   b */\nc = 1\n")]
    [InlineData("a = 1\r\n\r\nb=2", "a = 1\r\n\r\nb = 2\r\n")]
    [InlineData("use \"a  b\"", "use \"a  b\"\n")]
    public void Forms(string text, string formatted)
    {
        Assert.Equal(formatted, Format(text));
        Assert.Equal(formatted, Format(formatted));
    }

    [Fact]
    public void AFileWithMistakesIsNotTouched() => Assert.Null(Format("a = = 1"));

    [Fact]
    public void ThePageIsWrittenInTheUsualForm()
    {
        foreach (var (_, text) in Samples(File.ReadAllText(Path.Combine(GrammarFolder(), "language.md"))))
        {
            Assert.Equal(text + "\n", Format(text));
        }
    }

    [Fact]
    public void TheExamplesAreWrittenInTheUsualForm()
    {
        var files = Directory.GetFiles(Path.Combine(GrammarFolder(), "..", "examples"), "*.cnn", SearchOption.AllDirectories);
        Assert.NotEmpty(files);
        Assert.All(files, file => Assert.Equal(File.ReadAllText(file), Format(File.ReadAllText(file))));
    }

    [Fact]
    public void DerivedFilesKeepTheirTreeAndComments()
    {
        var derivation = new Derivation(Ebnf.Read(File.ReadAllText(Path.Combine(GrammarFolder(), "cnn.ebnf"))), new Random(5));
        for (var i = 0; i < 600; i++)
        {
            var text = derivation.File(size: 100 + i);
            var formatted = Format(text)!;
            Assert.Equal(Write(Tree(text)), Write(Tree(formatted)));
            Assert.Equal(Comments(text), Comments(formatted));
            Assert.Equal(formatted, Format(formatted));
        }
    }

    private static IEnumerable<string> Comments(string text) =>
        Lexis.Read(new SourceFile("test.cnn", text)).Comments.Select(comment => text.Substring(comment.Start, comment.Length).TrimEnd());
}
