// The package as its user meets it: packed to a folder, referenced by a new console project, built and run by the
// SDK alone.
namespace ModelCompiler.Generators.Tests;

[Collection(PackageCollection.Name)]
public sealed class PackageTests(PackedPackage package)
{
    private const string Network = """
        network Tiny {
            input image: 1x6x6
            target label: class
            scores = image -> conv(4, 3x3, pad: 1) -> relu -> maxpool(2x2) -> flatten -> dense(3)
            output probabilities = scores -> softmax
            loss cross_entropy(scores, label)
        }
        """;

    private const string Program = """
        using Consumer;
        using var training = new Tiny.Training(batch: 2, threads: 1, seed: 5);
        training.Image.Fill(0.5f);
        training.Step();
        using var network = new Tiny(batch: 1, threads: 1, parameters: training.Parameters);
        network.Image.Fill(0.5f);
        network.Forward();
        var sum = 0f;
        foreach (var probability in network.Probabilities) sum += probability;
        System.Console.WriteLine(Tiny.Info.Layers[0].Kernel);
        System.Console.WriteLine($"{Tiny.Info.ParameterCount} parameters, probabilities sum to {System.MathF.Round(sum, 4)}");
        """;

    [Fact]
    public void APackedPackageBuildsRunsAndReportsMistakes()
    {
        package.WriteProject("Consumer");
        package.Write("Consumer/Program.cs", Program);
        package.Write("Consumer/Models/tiny.cnn", Network);
        package.Write("Consumer/Models/tiny.cnn.tune", "tune 1\nTiny inference conv1 convolution 1x6x6*4x1x3x3->4x6x6 direct 1x2x1\n");
        var project = Path.Combine(package.Folder, "Consumer");

        var built = PackedPackage.Dotnet(project, "build", "--nologo");
        Assert.Contains("0 Warning(s)", built, StringComparison.Ordinal);
        var output = PackedPackage.Dotnet(project, Path.Combine("bin", "Debug", "net10.0", "Consumer.dll"));
        Assert.Contains("direct 1x2x1 + ", output, StringComparison.Ordinal);
        Assert.EndsWith("151 parameters, probabilities sum to 1", output.Trim(), StringComparison.Ordinal);

        package.Write("Consumer/Models/tiny.cnn", Network.Replace("maxpool", "maxpol"));
        var broken = PackedPackage.Dotnet(project, succeeds: false, "build", "--no-restore", "--nologo");
        var place = Path.Combine("Models", "tiny.cnn") + "(4,55): error CNN2001: unknown operator 'maxpol'; did you mean 'maxpool'?";
        Assert.Contains(place, broken, StringComparison.Ordinal);
    }
}
