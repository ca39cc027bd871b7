// The whole way in one process: text to source, source to assembly, assembly to numbers; also where numbers are
// written with another minus sign than C#'s.
using System.Globalization;
using System.Reflection;
using System.Runtime.Loader;
using ModelCompiler.Grammar;
using ModelCompiler.Runtime;

namespace ModelCompiler.Generators.Tests;

public class GeneratedCodeTests
{
    private const string Network = """
        network Signs(classes = 3) {
            input image: 2x8x6
            target label: class
            features = image -> conv(4, 3x3, pad: 1, bias: false) -> batchnorm -> leaky_relu(slope: 0.1) -> maxpool(2x2)
            scores = features -> conv(5, 2x2) -> tanh -> flatten -> dense(classes)
            output probabilities = scores -> softmax
            loss 0.5 * cross_entropy(scores, label)
        }
        """;

    [Fact]
    public void SourcesDoNotDependOnTheCulture()
    {
        var expected = Sources();

        Assert.NotEmpty(expected);
        Assert.Equal(expected, Under(Swedish(), Sources));
    }

    [Fact]
    public void DiagnosticsDoNotDependOnTheCulture()
    {
        var broken = Network.Replace("pad: 1", "pad: -1").Replace("dense(classes)", "dense(0 - 5)").Replace("0.1", "-0.5 / 0");
        string[] Messages() => Compiler.Compile(new SourceFile("signs.cnn", broken), (_, _) => null, new CompilerOptions("N", ""))
            .Diagnostics.Select(diagnostic => diagnostic.ToString()).ToArray();

        var expected = Messages();

        Assert.NotEmpty(expected);
        Assert.Equal(expected, Under(Swedish(), Messages));
    }

    [Fact]
    public void GeneratedCodeTrainsUnderAnyCulture()
    {
        var losses = Train();

        Assert.True(losses[^1] < losses[0] / 2, $"the loss went from {losses[0]} to {losses[^1]}");
        Assert.Equal(losses, Under(Swedish(), Train));
    }

    [Fact]
    public void ACommentThatShiftsTheLinesLeavesTheCompilersSourceCached()
    {
        var host = new GeneratorHost().With("signs.cnn", Network);
        host.Run();

        var sources = host.With("signs.cnn", "// shifted\n\n" + Network).Run().TrackedSteps[NetworkGenerator.Steps.Sources];

        Assert.All(sources.SelectMany(step => step.Outputs), output => Assert.Contains(
            output.Reason, new[] { Microsoft.CodeAnalysis.IncrementalStepRunReason.Cached, Microsoft.CodeAnalysis.IncrementalStepRunReason.Unchanged }));
        Assert.NotEmpty(sources);
    }

    [Fact]
    public void AFreshBuildMapsToTheShiftedLines()
    {
        string[] Lines(string prefix) => new GeneratorHost().With("signs.cnn", prefix + Network).Run().GeneratedSources
            .SelectMany(source => source.SourceText.ToString().Split('\n')).Where(line => line.TrimStart().StartsWith("#line ", StringComparison.Ordinal)).ToArray();

        Assert.Contains(Lines(""), line => line.Contains("#line 4 \"/project/signs.cnn\"", StringComparison.Ordinal));
        Assert.Contains(Lines("\n\n"), line => line.Contains("#line 6 \"/project/signs.cnn\"", StringComparison.Ordinal));
    }

    private static string[] Sources() =>
        new GeneratorHost().With("signs.cnn", Network).Run().GeneratedSources.Select(source => source.SourceText.ToString()).ToArray();

    private static float[] Train()
    {
        var host = new GeneratorHost().With("signs.cnn", Network);
        Assert.Empty(host.Run().Diagnostics);
        using var image = new MemoryStream();
        var emitted = host.Generated.Emit(image);
        Assert.True(emitted.Success, string.Join('\n', emitted.Diagnostics));
        image.Position = 0;
        var context = new AssemblyLoadContext("generated", isCollectible: true);
        try
        {
            var type = context.LoadFromStream(image).GetType("Shop.Vision.Signs+Training", throwOnError: true)!;
            using var training = (TrainingNetwork)type.GetConstructors().Single().Invoke(
                BindingFlags.OptionalParamBinding, null, [3, 1, Type.Missing, new Sgd(0.5f), 7UL], null)!;
            for (var i = 0; i < training.Inputs[0].Data.Length; i++)
            {
                training.Inputs[0].Data[i] = MathF.Sin(i);
            }

            new[] { 0, 1, 2 }.CopyTo(training.Targets[0].Classes);
            return Enumerable.Range(0, 30).Select(_ => training.Step()).ToArray();
        }
        finally
        {
            context.Unload();
        }
    }

    /// <summary>As Swedish has it: U+2212 for minus, a comma in front of decimals.</summary>
    private static CultureInfo Swedish()
    {
        var culture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        culture.NumberFormat.NegativeSign = "\u2212";
        culture.NumberFormat.NumberDecimalSeparator = ",";
        culture.NumberFormat.NumberGroupSeparator = "\u00A0";
        return culture;
    }

    private static T Under<T>(CultureInfo culture, Func<T> action)
    {
        var before = CultureInfo.CurrentCulture;
        CultureInfo.CurrentCulture = culture;
        try
        {
            return action();
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }
}
