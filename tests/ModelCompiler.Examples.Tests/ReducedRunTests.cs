// The longer examples with little data and few epochs: they learn, and leave what they say they leave.
using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using ModelCompiler.Runtime;

namespace ModelCompiler.Examples.Tests;

public sealed class ReducedRunTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("modelcompiler-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void ClothesAreLearntFromTheCommittedPart()
    {
        var data = Path.Combine(AppContext.BaseDirectory, "fashion-mnist");
        var output = Run("FashionMnist", "--epochs", "1", "--limit", "3200", "--threads", "2", "--data", data);
        Assert.Contains("3,200 training pictures, 2,000 test pictures", output);
        Assert.Contains("'apt-get install dataset-fashion-mnist'", output);
        Assert.InRange(Number(output, @"test accuracy ([0-9.]+) %"), 60, 100);
        CheckFiles("SmallResNet", curves: 2);
    }

    [Fact]
    public void FormsAreFoundAndARunContinues()
    {
        string[] arguments = ["--limit", "160", "--threads", "2", "--checkpoints", Path.Combine(folder, "checkpoints")];
        var first = Run("Segmentation", ["--epochs", "1", .. arguments]);
        var second = Run("Segmentation", ["--epochs", "3", .. arguments]);
        Assert.Contains("continues after 20 steps", second);
        Assert.DoesNotContain("epoch 1:", second);
        Assert.True(Number(second, @"test mIoU ([0-9.]+)") > Number(first, @"test mIoU ([0-9.]+)"));
        CheckFiles("UNet", curves: 2);
    }

    [Fact]
    public void SavedFeaturesHelp()
    {
        var output = Run("FineTuning", "--threads", "2");
        var (tuned, scratch) = (Number(output, @"test accuracy ([0-9.]+) % with"), Number(output, @"features, ([0-9.]+) % without"));
        Assert.InRange(tuned, 85, 100);
        Assert.True(tuned > scratch, $"{tuned} % with saved features, {scratch} % without");
        CheckFiles("LastDigits", curves: 2);

        // Weights from a file instead of a training of their own.
        var loaded = Run("FineTuning", "--load", "FirstDigits.safetensors", "--threads", "1");
        Assert.DoesNotContain("to learn features from", loaded);
        Assert.Equal(tuned, Number(loaded, @"test accuracy ([0-9.]+) % with"));
    }

    private static double Number(string output, string pattern) =>
        double.Parse(Regex.Match(output, pattern).Groups[1].Value, CultureInfo.InvariantCulture);

    private string Run(string name, params string[] arguments)
    {
        var (code, output) = ExampleProcess.Run(name, folder, arguments);
        Assert.True(code == 0, output);
        return output;
    }

    private void CheckFiles(string name, int curves)
    {
        Assert.NotEmpty(Safetensors.Read(Path.Combine(folder, name + ".safetensors")));
        var svg = XDocument.Load(Path.Combine(folder, name + ".svg")).Root!;
        Assert.Equal(curves, svg.Elements(XName.Get("polyline", "http://www.w3.org/2000/svg")).Count());
    }
}
