// What an edit runs again. An editor calls the generator at every keystroke; only what depends on the edit may run.
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using static ModelCompiler.Generators.NetworkGenerator;

namespace ModelCompiler.Generators.Tests;

public class IncrementalityTests
{
    private const string Tiny = """
        network Tiny {
            input image: 1x8x8
            output logits = image -> flatten -> dense(3)
        }
        """;

    [Fact]
    public void AnUnrelatedEditInCSharpRunsNothingAgain()
    {
        var host = new GeneratorHost(Pretending.Graphs).With("tiny.cnn", Tiny);
        host.Run();
        host.Compilation = host.Compilation.AddSyntaxTrees(CSharpSyntaxTree.ParseText("class Another;"));

        var result = host.Run();

        Assert.All(Reasons(result, Steps.Files), AssertKept);
        Assert.All(Reasons(result, Steps.Compiled), AssertKept);
        Assert.All(Reasons(result, Steps.Sources), AssertKept);
        Assert.All(OutputReasons(result), AssertKept);
    }

    [Theory]
    [InlineData("// a comment\n\n/* and another */\n")]
    [InlineData("\n\n\n")]
    public void ACommentThatShiftsTheLinesLeavesTheSourceCached(string prefix)
    {
        var host = new GeneratorHost(Pretending.Graphs).With("tiny.cnn", Tiny);
        host.Run();

        var result = host.With("tiny.cnn", prefix + Tiny).Run();

        Assert.Equal([IncrementalStepRunReason.Modified], Reasons(result, Steps.Files));
        Assert.NotEmpty(Reasons(result, Steps.Sources));
        Assert.All(Reasons(result, Steps.Sources), AssertKept);
        Assert.All(OutputReasons(result), AssertKept);
    }

    [Fact]
    public void AShiftedMistakeIsReportedAtItsNewLine()
    {
        var broken = Tiny.Replace("flatten", "flaten");
        var host = new GeneratorHost(Pretending.Graphs).With("broken.cnn", broken);
        var before = Assert.Single(host.Run().Diagnostics).Location.GetLineSpan().StartLinePosition;

        var after = Assert.Single(host.With("broken.cnn", "// shifted\n" + broken).Run().Diagnostics).Location.GetLineSpan().StartLinePosition;

        Assert.Equal(2, before.Line);
        Assert.Equal(3, after.Line);
        Assert.Equal(before.Character, after.Character);
    }

    [Fact]
    public void AFreshBuildHasTheShiftedLines()
    {
        var shifted = new GeneratorHost(Pretending.Graphs).With("tiny.cnn", "\n\n\n" + Tiny).Run().GeneratedSources.Single().SourceText.ToString();
        var plain = new GeneratorHost(Pretending.Graphs).With("tiny.cnn", Tiny).Run().GeneratedSources.Single().SourceText.ToString();

        Assert.NotEqual(plain, shifted);
        Assert.Equal(WithoutLines(plain), WithoutLines(shifted));
    }

    [Fact]
    public void AnEditCompilesOnlyTheFilesThatImportTheEditedOne()
    {
        const string user = """
            use "common/units.cnn"
            network User {
                input image: 1x8x8
                output logits = image -> Unit(4) -> flatten -> dense(3)
            }
            """;
        const string unit = "block Unit(channels) { out in -> conv(channels, 3x3, pad: 1) -> relu }";
        var host = new GeneratorHost(Pretending.Graphs).With("common/units.cnn", unit).With("tiny.cnn", Tiny).With("user.cnn", user);
        var before = host.Run();
        Assert.Empty(before.Diagnostics);
        Assert.Equal(2, before.GeneratedSources.Length);

        var result = host.With("common/units.cnn", unit.Replace("relu", "tanh")).Run();

        Assert.Single(Reasons(result, Steps.Compiled), reason => reason is IncrementalStepRunReason.Cached);
        Assert.Single(Reasons(result, Steps.Sources), reason => reason is IncrementalStepRunReason.Modified);
    }

    [Fact]
    public void AChangedFileOfKernelChoicesCompilesOnlyTheFileBesideIt()
    {
        const string maps = "network Maps {\n input image: 1x8x8\n output maps = image -> conv1: conv(4, 3x3)\n}";
        string Choice(string kernel, int size = 8) => $"tune 1\nMaps inference conv1 convolution 1x{size}x{size}*4x1x3x3->4x{size - 2}x{size - 2} {kernel}\n";
        var host = new GeneratorHost().With("tiny.cnn", Tiny).With("maps.cnn", maps).With("maps.cnn.tune", Choice("direct 1x2x1"));
        var before = host.Run();
        Assert.Empty(before.Diagnostics);
        Assert.Contains(before.GeneratedSources, s => s.HintName == "Maps.Kernels.g.cs" && s.SourceText.ToString().Contains("1x2x1", StringComparison.Ordinal));

        var result = host.With("maps.cnn.tune", Choice("direct 1x3x1")).Run();

        Assert.Single(Reasons(result, Steps.Compiled), reason => reason is IncrementalStepRunReason.Cached);
        Assert.Equal(2, Reasons(result, Steps.Sources).Count(reason => reason is IncrementalStepRunReason.Modified));
        Assert.Contains(result.GeneratedSources, s => s.HintName == "Maps.Kernels.g.cs" && s.SourceText.ToString().Contains("1x3x1", StringComparison.Ordinal));

        var stale = Assert.Single(host.With("maps.cnn.tune", Choice("direct 1x3x1", size: 9)).Run().Diagnostics);
        Assert.Equal(("CNN4021", DiagnosticSeverity.Warning, "/project/maps.cnn.tune", 1), (stale.Id, stale.Severity, stale.Location.GetLineSpan().Path, stale.Location.GetLineSpan().StartLinePosition.Line));
    }

    private static string WithoutLines(string text) =>
        string.Join('\n', text.Split('\n').Where(line => !line.TrimStart().StartsWith("#line", StringComparison.Ordinal)));

    private static void AssertKept(IncrementalStepRunReason reason) =>
        Assert.True(reason is IncrementalStepRunReason.Cached or IncrementalStepRunReason.Unchanged, $"ran again: {reason}");

    private static List<IncrementalStepRunReason> Reasons(GeneratorRunResult result, string step) =>
        result.TrackedSteps[step].SelectMany(run => run.Outputs).Select(output => output.Reason).ToList();

    private static IEnumerable<IncrementalStepRunReason> OutputReasons(GeneratorRunResult result) =>
        result.TrackedOutputSteps.SelectMany(step => step.Value).SelectMany(run => run.Outputs)
            .Where(output => output.Value is not null).Select(output => output.Reason);
}
