// cnnc format: the usual form, or the news that a file lacks it.
namespace ModelCompiler.Tool.Tests;

public sealed class FormatCommandTests : IDisposable
{
    private const string Untidy = "// why\nblock  Unit( channels ){\n  out in->conv(channels,3x3) // how\n}\n";
    private const string Tidy = "// why\nblock Unit(channels) {\n    out in -> conv(channels, 3x3) // how\n}\n";

    private readonly Tool tool = new();

    public void Dispose() => tool.Dispose();

    [Fact]
    public void FilesAreWrittenInTheUsualFormWithTheirComments()
    {
        var (untidy, tidy) = (tool.Write("untidy.cnn", Untidy), tool.Write("tidy.cnn", Tidy));
        var before = File.GetLastWriteTimeUtc(tidy);

        Assert.Equal(Program.Success, tool.Run("format", untidy, tidy));
        Assert.Equal($"{untidy} formatted{Environment.NewLine}", tool.Output);
        Assert.Equal(Tidy, File.ReadAllText(untidy));
        Assert.Equal(before, File.GetLastWriteTimeUtc(tidy));

        Assert.Equal(Program.Success, tool.Run("format", untidy));
        Assert.Empty(tool.Output + tool.Errors);
        Assert.Equal(["tidy.cnn", "untidy.cnn"], Directory.GetFiles(tool.At("")).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void CheckNamesFilesAndLeavesThemAlone()
    {
        var (untidy, tidy) = (tool.Write("untidy.cnn", Untidy), tool.Write("tidy.cnn", Tidy));

        Assert.Equal(Program.Diagnostics, tool.Run("format", "--check", untidy, tidy));
        Assert.Equal($"{untidy} would change{Environment.NewLine}", tool.Output);
        Assert.Equal(Untidy, File.ReadAllText(untidy));
        Assert.Equal(Program.Success, tool.Run("format", "--check", tidy));
        Assert.Empty(tool.Output + tool.Errors);
    }

    [Fact]
    public void AFileWithMistakesOfSyntaxIsReportedAndLeftAlone()
    {
        var broken = tool.Write("broken.cnn", "block Unit {\n  out in ->\n}\n");
        var untidy = tool.Write("untidy.cnn", Untidy);

        Assert.Equal(Program.Diagnostics, tool.Run("format", broken, untidy));
        Assert.StartsWith($"{broken}(2,", tool.Errors, StringComparison.Ordinal);
        Assert.Contains("error CNN1", tool.Errors, StringComparison.Ordinal);
        Assert.Equal("block Unit {\n  out in ->\n}\n", File.ReadAllText(broken));
        Assert.Equal(Tidy, File.ReadAllText(untidy));
    }

    [Fact]
    public void ALinkStaysALink()
    {
        var target = tool.Write("target.cnn", Untidy);
        File.CreateSymbolicLink(tool.At("link.cnn"), target);

        Assert.Equal(Program.Success, tool.Run("format", tool.At("link.cnn")));
        Assert.Equal(Tidy, File.ReadAllText(target));
        Assert.NotNull(new FileInfo(tool.At("link.cnn")).LinkTarget);
    }

    [Fact]
    public void AMissingFileIsRefusedBeforeAnythingIsWritten()
    {
        var untidy = tool.Write("untidy.cnn", Untidy);

        tool.AssertRefused("there is no file", "format", untidy, tool.At("missing.cnn"));
        Assert.Equal(Untidy, File.ReadAllText(untidy));
    }
}
