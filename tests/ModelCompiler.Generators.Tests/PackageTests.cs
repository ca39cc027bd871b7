// The package as its user meets it: packed to a folder, referenced by a new console project, built and run by the
// SDK alone. Nothing is downloaded: the project's only source of packages is that folder.
using System.Diagnostics;
using System.Text;

namespace ModelCompiler.Generators.Tests;

public sealed class PackageTests : IDisposable
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
        System.Console.WriteLine($"{Tiny.Info.ParameterCount} parameters, probabilities sum to {System.MathF.Round(sum, 4)}");
        """;

    private readonly string folder = Directory.CreateTempSubdirectory("cnn-package").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void APackedPackageBuildsRunsAndReportsMistakes()
    {
        Dotnet(RepositoryFolder(), "pack", "src/ModelCompiler.Package", "-c", Configuration(), "--no-build", "-p:PackageVersion=0.0.1-test", "-o", Path.Combine(folder, "feed"));
        Write("nuget.config", """<configuration><packageSources><clear /><add key="feed" value="feed" /></packageSources></configuration>""");
        Write("Consumer/Consumer.csproj", """
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <Optimize>true</Optimize>
                <RestorePackagesPath>../packages</RestorePackagesPath>
                <UseAppHost>false</UseAppHost>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="ModelCompiler" Version="0.0.1-test" />
              </ItemGroup>
            </Project>
            """);
        Write("Consumer/Program.cs", Program);
        Write("Consumer/Models/tiny.cnn", Network);
        var project = Path.Combine(folder, "Consumer");

        var built = Dotnet(project, "build", "--nologo");
        Assert.Contains("0 Warning(s)", built, StringComparison.Ordinal);
        var output = Dotnet(project, Path.Combine("bin", "Debug", "net10.0", "Consumer.dll"));
        Assert.Equal("151 parameters, probabilities sum to 1", output.Trim());

        Write("Consumer/Models/tiny.cnn", Network.Replace("maxpool", "maxpol"));
        var broken = Dotnet(project, succeeds: false, "build", "--no-restore", "--nologo");
        var place = Path.Combine("Models", "tiny.cnn") + "(4,55): error CNN2001: unknown operator 'maxpol'; did you mean 'maxpool'?";
        Assert.Contains(place, broken, StringComparison.Ordinal);
    }

    private void Write(string name, string text)
    {
        var path = Path.Combine(folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }

    private static string Dotnet(string workingFolder, params string[] arguments) => Dotnet(workingFolder, succeeds: true, arguments);

    private static string Dotnet(string workingFolder, bool succeeds, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = workingFolder, RedirectStandardOutput = true, RedirectStandardError = true };

        // The test's own host sets variables that would lead the inner build astray; no server may outlive the test.
        foreach (var name in start.Environment.Keys.Where(key => key.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToList())
        {
            start.Environment.Remove(name);
        }

        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["UseSharedCompilation"] = "false";
        start.Environment["DOTNET_CLI_UI_LANGUAGE"] = "en";
        using var process = Process.Start(start)!;
        var output = new StringBuilder();
        process.OutputDataReceived += (_, line) => output.AppendLine(line.Data);
        process.BeginOutputReadLine();
        var errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0 == succeeds, $"dotnet {string.Join(' ', arguments)} ended with {process.ExitCode}:\n{output}{errors}");
        return output.ToString();
    }

    /// <summary>The tests and what they pack are built alike.</summary>
    private static string Configuration() => new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;

    private static string RepositoryFolder()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(at.FullName, "ModelCompiler.sln")))
        {
            at = at.Parent!;
        }

        return at.FullName;
    }
}
