// Every diagnostic in a real `dotnet build` with the packed package: the corpus of broken files as one project, what only
// files of a certain size or a certain project can provoke beside it, and what a project makes of severities.
using System.Globalization;
using System.Text.RegularExpressions;
using ModelCompiler.Grammar;

namespace ModelCompiler.Generators.Tests;

[Collection(PackageCollection.Name)]
public sealed class DiagnosticBuildTests(PackedPackage package)
{
    private const string Mark = "// expect: ";
    private const string Network = "network Net {\n    input image: 1x8x8\n    output y = image -> conv(2, 3x3)\n}\n";

    /// <summary>Places are those of the corpus project; projects as a whole have none.</summary>
    private static readonly Regex Line = new(@"^(?:(?<file>.+?)\((?<line>\d+),(?<column>\d+)\)|CSC ): (?<severity>error|warning) (?<code>CNN\d{4}): (?<message>.*) \[.*?(?<project>\w+)\.csproj\]$",
        RegexOptions.CultureInvariant | RegexOptions.Multiline);

    private sealed record Report(string Project, string File, string Place, string Severity, string Code, string Message);

    [Fact]
    public void EveryCodeIsReportedByABuildAtItsPlace()
    {
        WriteCorpus();
        WriteGenerated();
        package.WriteProject("Unoptimised", "");
        package.WriteProject("Safe", "<Optimize>true</Optimize><AllowUnsafeBlocks>false</AllowUnsafeBlocks>");
        package.WriteProject("Alone", assets: "IncludeAssets=\"analyzers;build\"");
        package.WriteProject("Damaged", packages: "damaged");
        WriteSeverities();
        string[] projects = ["Corpus", "Unoptimised", "Safe", "Alone", "Damaged", "Severities"];
        foreach (var project in projects)
        {
            package.Write($"{project}/Program.cs", "System.Console.WriteLine();");
        }

        foreach (var project in projects.Skip(1).SkipLast(1))
        {
            package.Write($"{project}/net.cnn", Network);
        }

        package.Write("All.slnx", $"<Solution>{string.Concat(projects.Select(project => $"<Project Path=\"{project}/{project}.csproj\" />"))}</Solution>");
        PackedPackage.Dotnet(package.Folder, "restore", "All.slnx");

        // An installation with a broken assembly is the one fault of the compiler that can be had at will.
        File.WriteAllText(Path.Combine(package.Folder, "damaged", "modelcompiler", PackedPackage.Version, "analyzers", "dotnet", "cs", "Sprache.dll"), "no assembly");
        var output = PackedPackage.Dotnet(package.Folder, succeeds: false, "build", "All.slnx", "--no-restore", "--nologo", "-v:m", "-clp:NoSummary");
        var reports = Line.Matches(output.ReplaceLineEndings("\n")).Select(Read).Distinct().ToList();

        CheckCorpus(reports.Where(report => report.Project == "Corpus").ToLookup(report => report.File));
        CheckSeverities(reports.Where(report => report.Project == "Severities").ToList());
        Assert.Equal(["CNN4101", "CNN5101", "CNN5102", "CNN9001"],
            reports.Where(report => report.Project is not ("Corpus" or "Severities")).Select(report => report.Code).Order(StringComparer.Ordinal));
        Assert.Empty(DiagnosticCatalog.All.Select(entry => entry.Code).Except(reports.Select(report => report.Code)));
    }

    private Report Read(Match match)
    {
        var file = match.Groups["file"].Value.Replace('\\', '/');
        var folder = $"{package.Folder.Replace('\\', '/')}/{match.Groups["project"].Value}/";
        return new Report(
            match.Groups["project"].Value,
            file.StartsWith(folder, StringComparison.Ordinal) ? file[folder.Length..] : file,
            $"({match.Groups["line"].Value},{match.Groups["column"].Value})",
            match.Groups["severity"].Value,
            match.Groups["code"].Value,
            match.Groups["message"].Value.Replace(folder, "", StringComparison.Ordinal));
    }

    private void WriteCorpus()
    {
        package.WriteProject("Corpus", "<Optimize>true</Optimize><CnnTrainingMemoryBudget>plenty</CnnTrainingMemoryBudget><CnnPrecision>exact</CnnPrecision>");
        var corpus = Path.Combine(PackedPackage.RepositoryFolder, "tests", "ModelCompiler.Tests", "Broken");
        foreach (var path in Directory.EnumerateFiles(corpus, "*.cnn", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(package.Folder, "Corpus", Path.GetRelativePath(corpus, path));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(path, copy);
        }

        // Builds print no information.
        var quiet = DiagnosticCatalog.All.Where(entry => entry.Severity == Severity.Info).Select(entry => $"dotnet_diagnostic.{entry.Code}.severity = warning\n");
        package.Write("Corpus/.globalconfig", "is_global = true\n" + string.Concat(quiet));
        package.Write("Corpus/.editorconfig", "root = true\n[over-budget.cnn]\ncnn_memory_budget = 0.001\n");
    }

    private void WriteGenerated()
    {
        void Write(string name, string code, string place, string text) => package.Write($"Corpus/{name}.cnn", $"{Mark}{place} {code}\n{text}");

        Write("large-file", "CNN5002", "(1,1)", "// " + new string('x', 1 << 20));
        Write("hundred-mistakes", "CNN5003", "(103,12)", "network Net {\n" + string.Concat(Enumerable.Range(0, 200).Select(i => string.Create(CultureInfo.InvariantCulture, $"    a{i} = ;\n"))) + "}\n");
        Write("long-flow", "CNN5004", "(2,80010)", "recipe = " + string.Concat(Enumerable.Repeat("relu -> ", 10_000)) + "relu\n");
        Write("large-network", "CNN5015", "(5,23)", "network Large {\n    input image: 3x4000x4000\n    target label: class\n"
            + "    logits = image -> conv(64, 3x3, pad: 1) -> relu -> conv(32, 3x3, pad: 1) -> global_avgpool -> dense(5)\n    output logits\n    loss cross_entropy(logits, label)\n}\n");
        Write("chain-of-files", "CNN5023", "(2,5)", "use \"chain/part1.cnn\"\nnetwork Net {\n    input x: 8\n    output y = x -> relu\n}\n");
        Write("over-budget", "CNN4011", "(2,9)", "network OverBudget {\n    input image: 1x16x16\n    output y = image -> conv(8, 3x3) -> relu -> conv(4, 3x3)\n}\n");
        package.Write("Corpus/tuned.cnn", "network Tuned {\n    input image: 3x16x16\n    output y = image -> conv1: conv(8, 3x3)\n}\n");
        package.Write("Corpus/tuned.cnn.tune", "tune 1\nTuned inference conv1 convolution 3x32x32*8x3x3x3->8x30x30 direct\n  Tune inference conv1 convolution 3x16x16*8x3x3x3->8x14x14 direct\nTuned inference conv1\n");
        foreach (var i in Enumerable.Range(1, 60))
        {
            package.Write($"Corpus/chain/part{i}.cnn", $"use \"part{i + 1}.cnn\"\nblock Part{i} {{ out in -> relu }}\n");
        }
    }

    /// <summary>Each file's reports are those that its first lines announce, by place, code and message; a generated file announces
    /// one of them. That networks of several files have one name is the corpus's own doing.</summary>
    private void CheckCorpus(ILookup<string, Report> reports)
    {
        var problems = new List<string>();
        foreach (var path in Directory.EnumerateFiles(Path.Combine(package.Folder, "Corpus"), "*.cnn"))
        {
            var name = Path.GetFileName(path);
            var expected = File.ReadLines(path).TakeWhile(line => line.StartsWith(Mark, StringComparison.Ordinal)).Select(line => line[Mark.Length..]).Order(StringComparer.Ordinal).ToList();
            var found = reports[name].Where(report => report.Code != "CNN5103").Select(report => $"{report.Place} {report.Code} {report.Message}").Order(StringComparer.Ordinal).ToList();
            var isGenerated = expected.Count == 1 && expected[0].Split(' ').Length == 2;
            if (isGenerated ? !found.Any(line => line.StartsWith(expected[0], StringComparison.Ordinal)) : !expected.SequenceEqual(found))
            {
                problems.Add($"{name} expects\n  {string.Join("\n  ", expected)}\nand gets\n  {string.Join("\n  ", found.Take(5))}");
            }
        }

        Assert.True(problems.Count == 0, string.Join('\n', problems));
        Assert.Equal(["error CNN5104: 'CnnPrecision' is 'exact'", "error CNN5104: 'CnnTrainingMemoryBudget' is 'plenty'"],
            reports[""].Where(report => report.Code == "CNN5104").Select(report => $"{report.Severity} {report.Code}: {report.Message.Split(';')[0]}").Order(StringComparer.Ordinal));
        Assert.Equal(["(2,1) warning CNN4021", "(3,3) warning CNN4022", "(4,1) warning CNN4023"],
            reports["tuned.cnn.tune"].Select(report => $"{report.Place} {report.Severity} {report.Code}").Order(StringComparer.Ordinal));
    }

    private void WriteSeverities()
    {
        package.WriteProject("Severities", "<Optimize>true</Optimize><NoWarn>$(NoWarn);CNN4013</NoWarn><WarningsAsErrors>CNN4012</WarningsAsErrors>");
        package.Write("Severities/.globalconfig", """
            is_global = true
            dotnet_diagnostic.CNN4001.severity = warning
            dotnet_diagnostic.CNN4003.severity = error
            dotnet_diagnostic.CNN4004.severity = none
            """);
        package.Write("Severities/net.cnn", """
            network Advised {
                input image: 1x28x28
                target label: class
                unused = image -> relu
                halved = image -> conv(4, 3x3) -> conv(4, 5x5, stride: 2)
                slipped = halved -> conv(4, 8, 3x3)
                logits = slipped -> flatten -> dense(1)
                output y = logits
                loss cross_entropy(logits, label)
            }
            """);
    }

    /// <summary>Raised to a warning, raised to an error, switched off, off by NoWarn, an error by WarningsAsErrors.</summary>
    private static void CheckSeverities(List<Report> reports) => Assert.Equal(
        ["warning CNN4001", "error CNN4003", "error CNN4012"],
        reports.Select(report => $"{report.Severity} {report.Code}").OrderBy(text => text[^4..], StringComparer.Ordinal).Distinct());
}
