// The specification is executable: what cnn.ebnf derives must parse, what language.md shows must parse, and both must
// know every form of the tree.
using static ModelCompiler.Grammar.Tests.Texts;

namespace ModelCompiler.Grammar.Tests;

public class SpecificationTests
{
    private static readonly IReadOnlyDictionary<string, Rule> Rules = Ebnf.Read(File.ReadAllText(Path.Combine(GrammarFolder(), "cnn.ebnf")));

    [Fact]
    public void EveryFileThatTheGrammarDerivesParses()
    {
        var derivation = new Derivation(Rules, new Random(1));
        for (var i = 0; i < 1500; i++)
        {
            var text = derivation.File(size: 100 + i);
            var result = Parse(text);
            Assert.True(result.Diagnostics.IsEmpty, $"{string.Join("\n", result.Diagnostics)}\n{text}");
        }

        Assert.Equal(Rules.Keys.Order(), derivation.Used.Order());
    }

    [Fact]
    public void DerivedFilesUseEveryFormOfTheTree()
    {
        var derivation = new Derivation(Rules, new Random(2));
        var seen = Enumerable.Range(0, 300).SelectMany(i => All(Parse(derivation.File(500)).File)).Select(node => node.GetType()).ToHashSet();
        var forms = typeof(SyntaxNode).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(SyntaxNode)) && !type.IsAbstract && type.IsPublic);
        Assert.Equal([], forms.Where(form => !seen.Contains(form)).Select(form => form.Name));
    }

    [Fact]
    public void EveryReferenceOfTheGrammarIsDefined()
    {
        static IEnumerable<string> References(Rule rule) => rule switch
        {
            Reference reference => [reference.Name],
            Sequence sequence => sequence.Parts.SelectMany(References),
            Alternatives alternatives => alternatives.Parts.SelectMany(References),
            Repeated repeated => References(repeated.Inner),
            _ => [],
        };
        Assert.Empty(Rules.Values.SelectMany(References).Except(Rules.Keys));
    }

    [Fact]
    public void TheGrammarNamesTheWordsOfTheLanguage() =>
        Assert.Equal(Keywords.All.Order(), ((Alternatives)Rules["KEYWORD"]).Parts.Select(part => ((Literal)part).Text).Order());

    public static TheoryData<int, string> PageSamples
    {
        get
        {
            var data = new TheoryData<int, string>();
            foreach (var (line, text) in Samples(File.ReadAllText(Path.Combine(GrammarFolder(), "language.md"))))
            {
                data.Add(line, text);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(PageSamples))]
    public void EverySampleOfThePageParses(int line, string text)
    {
        Assert.True(line > 0);
        Assert.NotEmpty(Tree(text).Declarations);
    }

    [Fact]
    public void ThePageListsEverySyntaxCodeAsTheTableHasIt()
    {
        var page = File.ReadAllText(Path.Combine(GrammarFolder(), "language.md"));
        foreach (var entry in DiagnosticCatalog.All.Where(entry => entry.Code.StartsWith("CNN1", StringComparison.Ordinal)))
        {
            Assert.Contains($"| {entry.Code} | {entry.Title} | {entry.Meaning} |", page, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void ThePageStatesTheLimits()
    {
        var page = File.ReadAllText(Path.Combine(GrammarFolder(), "language.md")).ReplaceLineEndings(" ");
        Assert.Contains(FormattableString.Invariant($"{Limits.FileCharacters:N0} characters"), page, StringComparison.Ordinal);
        Assert.Contains($"nest at most {Limits.Depth} deep", page, StringComparison.Ordinal);
        Assert.Contains($"at most {Limits.OpenIfs} `if`", page, StringComparison.Ordinal);
        Assert.Contains($"at most {Limits.NestedBlocks} deep in each", page, StringComparison.Ordinal);
        Assert.Contains(FormattableString.Invariant($"{Limits.FlowStages:N0} stages"), page, StringComparison.Ordinal);
        Assert.Contains($"first {Limits.Diagnostics} mistakes", page, StringComparison.Ordinal);
    }
}
