// What the host itself reports: about the project around the files, and about faults of the compiler.
using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using ModelCompiler.Grammar;

namespace ModelCompiler.Generators.Tests;

public class ProjectDiagnosticTests
{
    [Fact]
    public void AProjectThatForbidsUnsafeCodeGetsOneErrorAndNoSource()
    {
        var result = new GeneratorHost(Pretending.Names, GeneratorHost.Optimized.WithAllowUnsafe(false)).With("a.cnn", "network A { }").Run();

        AssertOne(result, "CNN5101", DiagnosticSeverity.Error, "<AllowUnsafeBlocks>true</AllowUnsafeBlocks>");
        Assert.Empty(result.GeneratedSources);
    }

    [Fact]
    public void AProjectWithoutTheLibraryGetsOneErrorAndNoSource()
    {
        var result = new GeneratorHost(Pretending.Names, runtime: false).With("a.cnn", "network A { }").Run();

        AssertOne(result, "CNN5102", DiagnosticSeverity.Error, "reference the package 'ModelCompiler'");
        Assert.Empty(result.GeneratedSources);
    }

    [Fact]
    public void ABuildWithoutOptimisationIsWarnedAbout()
    {
        var result = new GeneratorHost(Pretending.Names, GeneratorHost.Optimized.WithOptimizationLevel(OptimizationLevel.Debug)).With("a.cnn", "network A { }").Run();

        AssertOne(result, "CNN4101", DiagnosticSeverity.Warning, "<Optimize>true</Optimize>");
        Assert.Single(result.GeneratedSources);
    }

    [Fact]
    public void AProjectWithoutNetworksHearsNothing()
    {
        var options = GeneratorHost.Optimized.WithAllowUnsafe(false).WithOptimizationLevel(OptimizationLevel.Debug);

        Assert.Empty(new GeneratorHost(Pretending.Names, options, runtime: false).With("units.cnn", "block A { out in }").Run().Diagnostics);
    }

    [Fact]
    public void TheSameNetworkInTwoFilesIsReportedInTheSecond()
    {
        var result = new GeneratorHost(Pretending.Names).With("b/late.cnn", "\nnetwork LeNet { }").With("a/early.cnn", "network lenet { }").Run();

        var diagnostic = AssertOne(result, "CNN5103", DiagnosticSeverity.Error, "'/project/a/early.cnn'");
        Assert.Equal("/project/b/late.cnn", diagnostic.Location.GetLineSpan().Path);
        Assert.Equal((1, 8), (diagnostic.Location.GetLineSpan().StartLinePosition.Line, diagnostic.Location.GetLineSpan().StartLinePosition.Character));
        Assert.Equal("/project/a/early.cnn", Assert.Single(diagnostic.AdditionalLocations).GetLineSpan().Path);
        Assert.Equal("a/lenet.g.cs", Assert.Single(result.GeneratedSources).HintName);
    }

    [Fact]
    public void NetworksOfOneFileThatDifferInCaseOnlyAreReported()
    {
        var result = new GeneratorHost(Pretending.Names).With("a.cnn", "network LeNet { }\nnetwork lenet { }").Run();

        Assert.Null(result.Exception);
        Assert.Equal(1, AssertOne(result, "CNN5103", DiagnosticSeverity.Error, "'LeNet'").Location.GetLineSpan().StartLinePosition.Line);
        Assert.Equal("LeNet.g.cs", Assert.Single(result.GeneratedSources).HintName);
    }

    [Fact]
    public void AFaultOfTheCompilerIsADiagnosticAndOtherFilesStillCompile()
    {
        static CompilationResult Faulty(SourceFile file, ImportResolver imports, CompilerOptions options) =>
            file.Path.EndsWith("bad.cnn", StringComparison.Ordinal) ? throw new InvalidOperationException("no plan") : Pretending.Names(file, imports, options);

        var result = new GeneratorHost(Faulty).With("bad.cnn", "network Bad { }").With("good.cnn", "network Good { }").Run();

        Assert.Null(result.Exception);
        var diagnostic = AssertOne(result, "CNN9001", DiagnosticSeverity.Error, "InvalidOperationException: no plan");
        Assert.Equal("/project/bad.cnn", diagnostic.Location.GetLineSpan().Path);
        Assert.Equal("Good.g.cs", Assert.Single(result.GeneratedSources).HintName);
    }

    [Fact]
    public void AMistakeInASharedFileIsReportedOnce()
    {
        static CompilationResult Compile(SourceFile file, ImportResolver imports, CompilerOptions options)
        {
            var units = file.Path.EndsWith("units.cnn", StringComparison.Ordinal) ? file : imports(file.Path, "units.cnn")!;
            var mistake = new Grammar.Diagnostic("CNN2001", Severity.Error, new SourceSpan(units, new(0, 5)), "unknown operator");
            return new CompilationResult([], [mistake]);
        }

        var result = new GeneratorHost(Compile)
            .With("units.cnn", "block Wrong { out in }")
            .With("a.cnn", "use \"units.cnn\"\nnetwork A { }")
            .With("b.cnn", "use \"units.cnn\"\nnetwork B { }").Run();

        AssertOne(result, "CNN2001", DiagnosticSeverity.Error, "unknown operator");
    }

    [Theory]
    [InlineData(ReportDiagnostic.Error, DiagnosticSeverity.Error)]
    [InlineData(ReportDiagnostic.Info, DiagnosticSeverity.Info)]
    public void AProjectSetsSeverities(ReportDiagnostic wanted, DiagnosticSeverity expected)
    {
        var options = GeneratorHost.Optimized.WithOptimizationLevel(OptimizationLevel.Debug)
            .WithSpecificDiagnosticOptions([KeyValuePair.Create("CNN4101", wanted)]);

        AssertOne(new GeneratorHost(Pretending.Names, options).With("a.cnn", "network A { }").Run(), "CNN4101", expected, "");
    }

    [Fact]
    public void AProjectSwitchesCodesOff()
    {
        var options = GeneratorHost.Optimized.WithOptimizationLevel(OptimizationLevel.Debug)
            .WithSpecificDiagnosticOptions([KeyValuePair.Create("CNN4101", ReportDiagnostic.Suppress)]);

        Assert.Empty(new GeneratorHost(Pretending.Names, options).With("a.cnn", "network A { }").Run().Diagnostics);
    }

    private static Microsoft.CodeAnalysis.Diagnostic AssertOne(GeneratorRunResult result, string code, DiagnosticSeverity severity, string text)
    {
        var diagnostic = Assert.Single(result.Diagnostics);
        Assert.Equal(code, diagnostic.Id);
        Assert.Equal(severity, diagnostic.Severity);
        Assert.Contains(text, diagnostic.GetMessage(), StringComparison.Ordinal);
        return diagnostic;
    }
}
