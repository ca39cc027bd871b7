// The pages about syntax show a mistake that really gives the code, and a remedy that really parses.
using static ModelCompiler.Grammar.Tests.Texts;

namespace ModelCompiler.Grammar.Tests;

public class DiagnosticPageTests
{
    public static TheoryData<string> Codes => new(DiagnosticCatalog.All.Select(entry => entry.Code).Where(code => code.StartsWith("CNN1", StringComparison.Ordinal)));

    [Theory]
    [MemberData(nameof(Codes))]
    public void ThePageShowsTheMistakeAndItsRemedy(string code)
    {
        var page = File.ReadAllText(Path.Combine(GrammarFolder(), "diagnostics", code + ".md"));
        var samples = Samples(page).Select(sample => sample.Text).ToList();
        if (code == "CNN1016")
        {
            Assert.Empty(samples); // binary data has no place on a page
            return;
        }

        Assert.Equal(2, samples.Count);
        Assert.Equal(code, Assert.Single(Parse(samples[0]).Diagnostics).Code);
        Assert.Empty(Parse(samples[1]).Diagnostics);
    }
}
