// The example as its user meets it: a process, its output, its file. A subset of the digits keeps it short.
using System.Globalization;
using System.Text.RegularExpressions;
using ModelCompiler.Runtime;

namespace ModelCompiler.Examples.Tests;

public sealed partial class MnistTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("modelcompiler-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void LearnsSavesAndLoads()
    {
        var (code, output) = Run("--epochs", "2", "--limit", "12000", "--threads", "2");
        Assert.Equal(0, code);
        Assert.Contains("12,000 training digits, 10,000 test digits", output);
        Assert.Equal(2, Regex.Count(output, "^epoch [12]: loss ", RegexOptions.Multiline));
        var accuracy = Accuracy(output);
        Assert.InRange(accuracy, 95, 100);
        Assert.Contains("true\\said", output);
        Assert.Matches(@"true \d, said \d", output);
        var saved = Path.Combine(folder, "LeNet5.safetensors");
        var weights = Safetensors.Read(saved);
        Assert.Equal(10, weights.Count);
        Assert.Equal([6L, 1, 5, 5], weights.Single(t => t.Name == "conv1.weight").Shape);

        var (loadCode, loaded) = Run("--epochs", "0", "--load", saved, "--out", Path.Combine(folder, "again.safetensors"));
        Assert.Equal(0, loadCode);
        Assert.Equal(accuracy, Accuracy(loaded));
        Assert.Equal(File.ReadAllBytes(saved), File.ReadAllBytes(Path.Combine(folder, "again.safetensors")));
    }

    [Fact]
    public void TheSeedDecidesEveryBitForAnyNumberOfThreads()
    {
        byte[] Train(string seed, string threads)
        {
            var file = Path.Combine(folder, $"{seed}-{threads}");
            var (code, _) = Run("--epochs", "1", "--limit", "1280", "--seed", seed, "--threads", threads, "--out", file);
            Assert.Equal(0, code);
            return File.ReadAllBytes(file);
        }

        var expected = Train("7", "1");
        Assert.Equal(expected, Train("7", "2"));
        Assert.Equal(expected, Train("7", "3"));
        Assert.Equal(expected, Train("7", "8"));
        Assert.NotEqual(expected, Train("8", "1"));
    }

    [Fact]
    public void BadInputIsOneLineAndAnExitCode()
    {
        var notWeights = Path.Combine(folder, "notes.txt");
        File.WriteAllText(notWeights, "these are no weights");
        foreach (var (arguments, reason) in new (string[], string)[]
        {
            (["--load", notWeights], "not a valid safetensors file"),
            (["--data", folder], "train-images-idx3-ubyte.gz"),
            (["--batch", "0"], "--batch must lie in 1"),
            (["--epochs", "many"], "many"),
            (["--limit", "5"], "do not fill one batch of 64"),
        })
        {
            var (code, output) = Run(arguments);
            Assert.Equal(1, code);
            Assert.Contains(reason, output);
            Assert.DoesNotContain("   at ", output);
        }
    }

    private static double Accuracy(string output) =>
        double.Parse(AccuracyPattern().Match(output).Groups[1].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"test accuracy ([0-9.]+) %")]
    private static partial Regex AccuracyPattern();

    private (int Code, string Output) Run(params string[] arguments) => ExampleProcess.Run("Mnist", folder, arguments);
}
