// The table of codes stays in order and agrees with what is reported.
namespace ModelCompiler.Grammar.Tests;

public class CatalogTests
{
    [Fact]
    public void CodesAreUniqueAndInTheirRanges()
    {
        Assert.All(DiagnosticCatalog.All, entry => Assert.Matches("^CNN[123459][0-9]{3}$", entry.Code));
        Assert.Equal(DiagnosticCatalog.All.Length, DiagnosticCatalog.All.Select(entry => entry.Code).Distinct().Count());
        Assert.All(DiagnosticCatalog.All, entry => Assert.True(entry.Title.Length is > 0 and < 60 && entry.Meaning.EndsWith('.'), entry.Code));
    }

    [Fact]
    public void ACodeIsFound()
    {
        Assert.Equal("Value missing", DiagnosticCatalog.Find("CNN1009")?.Title);
        Assert.Null(DiagnosticCatalog.Find("CNN0000"));
    }
}
