// The package as a feed of its own in a temporary folder: packed once, and projects that know nothing else. Nothing is
// downloaded: the projects' only source of packages is that folder.
using System.Diagnostics;
using System.Text;

namespace ModelCompiler.Generators.Tests;

[CollectionDefinition(Name)]
public sealed class PackageCollection : ICollectionFixture<PackedPackage>
{
    public const string Name = "package";
}

public sealed class PackedPackage : IDisposable
{
    public const string Version = "0.0.1-test";

    public PackedPackage()
    {
        Dotnet(RepositoryFolder, "pack", "src/ModelCompiler.Package", "-c", Configuration(), "--no-build", "-p:PackageVersion=" + Version, "-o", Path.Combine(Folder, "feed"));
        Write("nuget.config", """<configuration><packageSources><clear /><add key="feed" value="feed" /></packageSources></configuration>""");
    }

    public static string RepositoryFolder { get; } = FindRepository();

    public string Folder { get; } = Directory.CreateTempSubdirectory("cnn-package").FullName;

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    public void Write(string name, string text)
    {
        var path = Path.Combine(Folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }

    /// <summary>A project that references the package.</summary>
    /// <param name="properties">Elements of its property group.</param>
    /// <param name="packages">Folder that packages are restored to.</param>
    /// <param name="assets">Attributes of the reference.</param>
    public void WriteProject(string name, string properties = "<Optimize>true</Optimize>", string packages = "packages", string assets = "") => Write($"{name}/{name}.csproj", $"""
        <Project Sdk="Microsoft.NET.Sdk">
          <PropertyGroup>
            <OutputType>Exe</OutputType>
            <TargetFramework>net10.0</TargetFramework>
            <RestorePackagesPath>../{packages}</RestorePackagesPath>
            <UseAppHost>false</UseAppHost>
            {properties}
          </PropertyGroup>
          <ItemGroup>
            <PackageReference Include="ModelCompiler" Version="{Version}" {assets} />
          </ItemGroup>
        </Project>
        """);

    public static string Dotnet(string workingFolder, params string[] arguments) => Dotnet(workingFolder, succeeds: true, arguments);

    /// <summary>What the command wrote; fails when it ends otherwise than it should.</summary>
    public static string Dotnet(string workingFolder, bool succeeds, params string[] arguments)
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

    private static string FindRepository()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(at.FullName, "ModelCompiler.sln")))
        {
            at = at.Parent!;
        }

        return at.FullName;
    }
}
