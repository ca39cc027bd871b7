// Every published network under examples/zoo is planned and written as C#, for inference and for training; small ones
// are compiled too, and no method of theirs is larger than the JIT optimises.
using System.Collections.Immutable;
using ModelCompiler.Grammar;
using ModelCompiler.Tests.Evaluation;
using ModelCompiler.Tests.Kernels;

namespace ModelCompiler.Tests.Emission;

public class ZooEmissionTests
{
    [Theory]
    [MemberData(nameof(ZooTests.Files), MemberType = typeof(ZooTests))]
    public void IsEmittedForInferenceAndTrainingWithinItsLines(string file)
    {
        var sources = Emit(file);
        Assert.Equal(2, sources.Length);
        var hasLoss = ZooTests.Evaluate(file).Loss is not null;
        Assert.Contains("protected override void RunForward()", sources[0].Source, StringComparison.Ordinal);
        Assert.Equal(hasLoss, sources[0].Source.Contains("protected override void RunTraining()", StringComparison.Ordinal));
        Assert.InRange(sources.Sum(source => source.Source.Count(c => c == '\n')), 1, LineBudget.Of(file));
    }

    [Theory]
    [InlineData("googlenet_module.cnn")]
    [InlineData("hrnet_stage.cnn")]
    [InlineData("se_block.cnn")]
    [InlineData("tcn.cnn")]
    [InlineData("resnet18.cnn")]
    public void CompiledMethodsAreSmallEnoughToBeOptimized(string file) =>
        MethodSize.AssertWithinBudget(CompiledText.Compile(Emit(file)));

    private static ImmutableArray<EmittedNetwork> Emit(string file)
    {
        var result = Compiler.Compile(ZooTests.Read(file)!, ZooTests.Import, new CompilerOptions("Emitted", ""));
        Assert.DoesNotContain(result.Diagnostics, diagnostic => diagnostic.Severity == Severity.Error);
        return result.Networks;
    }
}
