// Whatever the text: no exception, no hang, no memory kept, and never silence. Files of the zoo and of the corpus are mutated word by
// word, so that most of them still parse and the mistakes reach the evaluator.
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using ModelCompiler.Evaluation;
using ModelCompiler.Grammar;

namespace ModelCompiler.Tests.Evaluation;

public class FuzzTests
{
    private static readonly Regex Words = new(@"\w+|->|\.\.|==|[^\s\w]|\s+", RegexOptions.CultureInvariant);

    private static readonly string[] Spice =
    [
        "in", "x", "0", "1", "-1", "2", "3x3", "1000000", "0.5", "true", "\"a\"", "relu", "conv", "concat", "conv(4, 3x3)", "[1, 2]", "[relu, tanh]", "[]",
        "in[0]", "in.channels", "max", "sum", "chain", "class", "-> relu", "* 3", "+ 1", "@ in", "a: relu", "if true then 1 else 2", "[i for i of 0..3]", "_", "zeros", "same",
    ];

    private const long MostMemory = 1L << 30;

    /// <summary>A longer run, with other seeds, is asked for by the environment (CONTRIBUTING.md).</summary>
    private static readonly TimeSpan Time = TimeSpan.FromSeconds(Setting("CNN_FUZZ_SECONDS"));

    [Theory]
    [InlineData(1, 1500)]
    [InlineData(2, 1500)]
    public void MutatedFilesAreReportedOrCompiled(int seed, int count)
    {
        var watch = Stopwatch.StartNew();
        var random = new Random(seed + Setting("CNN_FUZZ_SEED"));
        var texts = Directory.GetFiles(Repository.File("examples", "zoo"), "*.cnn", SearchOption.AllDirectories)
            .Concat(Directory.GetFiles(Repository.File("tests", "ModelCompiler.Tests", "Broken"), "*.cnn"))
            .Order(StringComparer.Ordinal).Select(File.ReadAllText).Where(text => text.Length < 4_000 && !text.Contains("CNN501")).ToList();
        for (var i = 0; i < count || watch.Elapsed < Time; i++)
        {
            var text = Mutate(texts[random.Next(texts.Count)], random);
            var source = new SourceFile("fuzz.cnn", text);
            var result = Evaluator.Evaluate(source, (_, _) => null);
            foreach (var diagnostic in result.Diagnostics)
            {
                Assert.True(diagnostic.Code != "CNN9001", diagnostic + "\n" + text);
                Assert.InRange(diagnostic.Place.Span.Start, 0, diagnostic.Place.File.Text.Length);
                Assert.InRange(diagnostic.Place.Span.End, diagnostic.Place.Span.Start, diagnostic.Place.File.Text.Length);
                Assert.DoesNotMatch(@"#\d", diagnostic.Message);
            }

            if (!result.Diagnostics.Any(diagnostic => diagnostic.Severity == Severity.Error))
            {
                var networks = CnnParser.Parse(source).File.Declarations.Count(declaration =>
                    declaration is DerivedNetworkSyntax || (declaration is NetworkSyntax network && network.Parameters.All(parameter => parameter.Default is not null)));
                Assert.True(result.Networks.Length == networks, "a network was left out silently\n" + text);
            }
        }

        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true), 0, MostMemory);
    }

    private static int Setting(string name) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : 0;

    private static string Mutate(string text, Random random)
    {
        var words = Words.Matches(text).Select(match => match.Value).ToList();
        for (var n = random.Next(1, 4); n > 0; n--)
        {
            var at = random.Next(words.Count);
            switch (random.Next(5))
            {
                case 0:
                    words.RemoveAt(at);
                    break;
                case 1:
                    words.Insert(at, words[random.Next(words.Count)]);
                    break;
                case 2:
                    words[at] = words[random.Next(words.Count)];
                    break;
                case 3:
                    words[at] = Spice[random.Next(Spice.Length)];
                    break;
                default:
                    words.Insert(at, " " + Spice[random.Next(Spice.Length)] + " ");
                    break;
            }
        }

        return string.Concat(words);
    }
}
