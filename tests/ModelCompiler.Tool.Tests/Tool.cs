// Runs the tool as its user would, in a folder of its own, and keeps what it printed.
namespace ModelCompiler.Tool.Tests;

public sealed class Tool : IDisposable
{
    public const string Tiny = """
        network Tiny {
            input image: 1x6x6
            target label: class
            scores = image -> conv(4, 3x3, pad: 1) -> relu -> maxpool(2x2) -> flatten -> dense(3)
            output probabilities = scores -> softmax
            loss cross_entropy(scores, label)
        }
        """;

    private readonly string folder = Directory.CreateTempSubdirectory("cnnc").FullName;

    public string Output { get; private set; } = "";

    public string Errors { get; private set; } = "";

    /// <summary>The path of a name inside the folder.</summary>
    public string At(string name) => Path.Combine(folder, name);

    public string Write(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(name))!);
        File.WriteAllText(At(name), text);
        return At(name);
    }

    public int Run(params string[] arguments)
    {
        var (output, errors) = (new StringWriter(), new StringWriter());
        var code = Program.Run(arguments, output, errors);
        (Output, Errors) = (output.ToString(), errors.ToString());
        return code;
    }

    /// <summary>The command fails as unusable, with exactly one line on the error stream, which holds the text.</summary>
    public void AssertRefused(string text, params string[] arguments)
    {
        Assert.Equal(Program.Usage, Run(arguments));
        Assert.StartsWith("cnnc: ", Errors, StringComparison.Ordinal);
        Assert.Contains(text, Errors, StringComparison.Ordinal);
        Assert.Equal(1, Errors.Count(c => c == '\n'));
        Assert.Empty(Output);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);
}
