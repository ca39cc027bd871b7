// The corpus of broken files: each starts with the diagnostics it must give, every one with place, code and message
// to the letter.
using ModelCompiler.Evaluation;
using ModelCompiler.Grammar;

namespace ModelCompiler.Tests.Evaluation;

public class BrokenFileTests
{
    private const string Mark = "// expect: ";

    public static TheoryData<string> Files =>
        [.. Directory.GetFiles(Folder, "*.cnn").Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    private static string Folder => Repository.File("tests", "ModelCompiler.Tests", "Broken");

    [Theory]
    [MemberData(nameof(Files))]
    public void HasItsMistakeReportedAtItsPlace(string name)
    {
        var expected = Read(name)!.Text.Split('\n').TakeWhile(line => line.StartsWith(Mark, StringComparison.Ordinal))
            .Select(line => line[Mark.Length..].TrimEnd('\r'));
        var found = Evaluator.Evaluate(Read(name)!, Resolve).Diagnostics;
        Assert.Equal(string.Join('\n', expected), string.Join('\n', found.Select(diagnostic => Text(diagnostic, name))));
        Assert.All(found, diagnostic => Assert.Equal(DiagnosticCatalog.Find(diagnostic.Code)?.Severity, diagnostic.Severity));
        Assert.All(found, diagnostic => Assert.InRange(diagnostic.Place.Span.End, 0, diagnostic.Place.File.Text.Length));
    }

    [Fact]
    public void EveryCodeIsProvokedAndHasAPage()
    {
        var provoked = Directory.GetFiles(Folder, "*.cnn").SelectMany(File.ReadLines).Where(line => line.StartsWith(Mark, StringComparison.Ordinal))
            .Select(line => line.Split(' ').First(word => word.StartsWith("CNN", StringComparison.Ordinal))).ToHashSet();

        // Files alone cannot provoke what the hosts find in projects (the codes x101 and up): the hosts' tests do.
        var tests = Directory.GetFiles(Repository.File("tests"), "*.cs", SearchOption.AllDirectories).Select(File.ReadAllText).ToList();
        foreach (var entry in DiagnosticCatalog.All)
        {
            Assert.True(provoked.Contains(entry.Code) || entry.Code[4] == '1' || tests.Any(text => text.Contains(entry.Code, StringComparison.Ordinal)), $"no test provokes {entry.Code}");
            var page = Repository.File("grammar", "diagnostics", entry.Code + ".md");
            Assert.True(File.Exists(page), $"{entry.Code} has no page");
            Assert.StartsWith($"# {entry.Code}: {entry.Title}", File.ReadAllText(page), StringComparison.Ordinal);
        }
    }

    private static string Text(Diagnostic diagnostic, string name)
    {
        var start = diagnostic.Place.Start;
        var file = diagnostic.Place.File.Path == name ? "" : diagnostic.Place.File.Path;
        return $"{file}({start.Line + 1},{start.Column + 1}) {diagnostic.Code} {diagnostic.Message}";
    }

    private static SourceFile? Resolve(string from, string import) =>
        Read((Path.GetDirectoryName(from) is { Length: > 0 } folder ? folder + "/" : "") + import);

    private static SourceFile? Read(string name) =>
        File.Exists(Path.Combine(Folder, name)) ? new SourceFile(name, File.ReadAllText(Path.Combine(Folder, name))) : null;
}
