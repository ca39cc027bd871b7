// The catalogue as a whole: its page is up to date, its signatures are complete.
using ModelCompiler.Grammar;
using ModelCompiler.Operators;

namespace ModelCompiler.Tests.Operators;

public class CatalogTests
{
    public static TheoryData<string> Names => [.. Catalog.All.Keys];

    /// <summary>Set CNN_UPDATE_REFERENCE=1 to write the page anew after changing a signature.</summary>
    [Fact]
    public void ThePageOfOperatorsIsGenerated()
    {
        var path = Repository.File("grammar", "operators.md");
        if (Environment.GetEnvironmentVariable("CNN_UPDATE_REFERENCE") == "1")
        {
            File.WriteAllText(path, Reference.Markdown());
        }

        Assert.Equal(File.ReadAllText(path).ReplaceLineEndings("\n"), Reference.Markdown());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void SignaturesAreComplete(string name)
    {
        var signature = Catalog.All[name].Signature;
        Assert.Equal(name, signature.Name);
        Assert.NotEmpty(signature.Inputs);
        Assert.EndsWith(".", signature.Summary);
        Assert.Equal(signature.Arguments.Length, signature.Arguments.Select(argument => argument.Name).Distinct().Count());
        Assert.All(signature.Arguments, argument => Assert.False(string.IsNullOrWhiteSpace(argument.Documentation)));
        Assert.All(signature.Arguments, argument => Assert.Equal(argument.Kind == ArgumentKind.Word, !argument.Words.IsDefaultOrEmpty));

        // A required argument after an optional one could never be given by position.
        var optional = signature.Arguments.SkipWhile(argument => argument.Default is null);
        Assert.All(optional, argument => Assert.NotNull(argument.Default));
    }

    [Theory]
    [InlineData("CNN2050")]
    [InlineData("CNN3001")]
    [InlineData("CNN3012")]
    [InlineData("CNN4003")]
    public void CodesOfOperatorsAreInTheTable(string code) => Assert.NotNull(DiagnosticCatalog.Find(code));
}
