// The editor's colours agree with the compiler's lexer, and its snippets parse.
using System.Text.Json;
using System.Text.RegularExpressions;
using static ModelCompiler.Grammar.Tests.Texts;

namespace ModelCompiler.Grammar.Tests;

public class EditorTests
{
    private static readonly string Folder = Path.Combine(GrammarFolder(), "vscode");

    private static string Read(string name) => File.ReadAllText(Path.Combine(Folder, name));

    [Fact]
    public void ColoursFollowTheLexerOnTheSamplesOfThePage()
    {
        var grammar = new TextMate(Read("syntaxes/cnn.tmLanguage.json"));
        foreach (var (_, text) in Samples(File.ReadAllText(Path.Combine(GrammarFolder(), "language.md"))))
        {
            Compare(grammar, text);
        }
    }

    [Fact]
    public void ColoursFollowTheLexerOnTheZoo()
    {
        var grammar = new TextMate(Read("syntaxes/cnn.tmLanguage.json"));
        var files = Directory.GetFiles(Path.Combine(GrammarFolder(), "..", "examples", "zoo"), "*.cnn", SearchOption.AllDirectories);
        Assert.True(files.Length > 50);
        Assert.All(files, file => Compare(grammar, File.ReadAllText(file).ReplaceLineEndings("\n")));
    }

    [Fact]
    public void ColoursFollowTheLexerOnDerivedFiles()
    {
        var grammar = new TextMate(Read("syntaxes/cnn.tmLanguage.json"));
        var derivation = new Derivation(Ebnf.Read(File.ReadAllText(Path.Combine(GrammarFolder(), "cnn.ebnf"))), new Random(6));
        for (var i = 0; i < 100; i++)
        {
            // The usual form, since a highlighter that sees single lines cannot tell a label when its colon stands elsewhere.
            Compare(grammar, CnnFormatter.Format(new SourceFile("test.cnn", derivation.File(300)))!);
        }
    }

    private static void Compare(TextMate grammar, string text)
    {
        var scopes = grammar.Scopes(text);
        var words = Lexis.Read(new SourceFile("test.cnn", text));
        foreach (var token in words.Tokens)
        {
            var scope = Assert.Single(scopes[token.Span.Start..token.Span.End].Distinct());
            Assert.True(Agrees(token, scope), $"'{token.Text}' ({token.Kind}) is coloured as '{scope}' in\n{text}");
        }

        foreach (var comment in words.Comments)
        {
            Assert.All(scopes[comment.Start..comment.End].Where((_, i) => text[comment.Start + i] != '\n'), scope => Assert.StartsWith("comment.", scope, StringComparison.Ordinal));
        }
    }

    private static bool Agrees(Token token, string scope)
    {
        string[] allowed = token.Kind switch
        {
            TokenKind.Integer => ["constant.numeric.integer."],
            TokenKind.Float => ["constant.numeric.float."],
            TokenKind.Dims => ["constant.numeric.dims."],
            TokenKind.String => ["string."],
            TokenKind.Sign => ["keyword.operator.", "punctuation."],
            TokenKind.Name => ["variable.other.", "entity.name."],
            _ => ["keyword.control.", "keyword.operator.word.", "keyword.other.", "storage.type.", "variable.language.", "constant.language.", "entity.name.tag."],
        };
        return allowed.Any(prefix => scope.StartsWith(prefix, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("x -> block: conv(1)", "block", "entity.name.tag.cnn")]
    [InlineData("block A { }", "block", "storage.type.cnn")]
    [InlineData("block A { }", "A", "entity.name.type.cnn")]
    [InlineData("input image: 3x3", "image", "variable.other.declaration.cnn")]
    [InlineData("x = conv(64, pad: 1)", "conv", "entity.name.function.cnn")]
    [InlineData("x = conv(64, pad: 1)", "pad", "entity.name.tag.cnn")]
    [InlineData("layer{i}: relu", "layer", "entity.name.tag.cnn")]
    [InlineData("out in", "in", "variable.language.cnn")]
    [InlineData("a = 0..n", "0", "constant.numeric.integer.cnn")]
    [InlineData("a = b -> c", "->", "keyword.operator.arrow.cnn")]
    public void WordsHaveTheirColours(string text, string word, string scope)
    {
        var scopes = new TextMate(Read("syntaxes/cnn.tmLanguage.json")).Scopes(text);
        Assert.Equal(scope, scopes[text.IndexOf(word, StringComparison.Ordinal)]);
    }

    [Fact]
    public void EveryWordOfTheLanguageIsColoured()
    {
        var grammar = new TextMate(Read("syntaxes/cnn.tmLanguage.json"));
        Assert.All(Keywords.All, word => Assert.DoesNotContain("variable.other", grammar.Scopes($" {word} ")[1], StringComparison.Ordinal));
    }

    [Fact]
    public void SnippetsParse()
    {
        using var snippets = JsonDocument.Parse(Read("snippets/cnn.json"));
        foreach (var snippet in snippets.RootElement.EnumerateObject())
        {
            var body = string.Join("\n", snippet.Value.GetProperty("body").EnumerateArray().Select(line => line.GetString()));
            var text = Regex.Replace(body, @"\$\{\d+:([^{}]*)\}", "$1");
            Assert.DoesNotContain("$", text, StringComparison.Ordinal);
            Assert.Equal(text + "\n", CnnFormatter.Format(new SourceFile(snippet.Name, text)));
        }
    }

    [Fact]
    public void ThePackageNamesFilesThatExist()
    {
        var paths = Regex.Matches(Read("package.json"), "\"\\./([^\"]+)\"").Select(match => match.Groups[1].Value).ToList();
        Assert.Equal(4, paths.Count);
        Assert.All(paths, path => JsonDocument.Parse(Read(path)).Dispose());
    }
}
