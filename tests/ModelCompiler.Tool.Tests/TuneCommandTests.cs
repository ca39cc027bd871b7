// cnnc tune: the file that it writes is one that the other commands read. Which kernels are faster is not asked.
namespace ModelCompiler.Tool.Tests;

public sealed class TuneCommandTests : IDisposable
{
    private const string Network = """
        network Two {
            input image: 16x8x8
            target label: class
            scores = image -> conv1: conv(32, 3x3, pad: 1) -> relu -> conv2: conv(16, 1x1) -> relu -> flatten -> dense(3)
            output probabilities = scores -> softmax
            loss cross_entropy(scores, label)
        }
        """;

    private const string Line = "Two inference conv2 convolution 32x8x8*16x32x1x1->16x8x8 direct 1x3x1";

    private readonly Tool tool = new();

    public void Dispose() => tool.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void WritesAFileThatTheCompilerReads(bool train)
    {
        var path = tool.Write("two.cnn", Network);
        Assert.Equal(Program.Success, tool.Run(["tune", path, "--seconds", "1", "--batch", "2", .. train ? ["--train"] : Array.Empty<string>()]));
        Assert.Contains($"Two, {(train ? "training" : "inference")}: ", tool.Output, StringComparison.Ordinal);
        Assert.Contains("\ntune 1\n", File.ReadAllText(path + ".tune"), StringComparison.Ordinal);

        Assert.Equal(Program.Success, tool.Run("check", path));
        Assert.DoesNotContain("CNN402", tool.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void WhatWasMeasuredOfOtherProductsStays()
    {
        var path = tool.Write("two.cnn", Network);
        tool.Write("two.cnn.tune", $"tune 1\n{Line}\n");
        Assert.Equal(Program.Success, tool.Run("tune", path, "--train", "--seconds", "1"));
        Assert.Contains($"\n{Line}\n", File.ReadAllText(path + ".tune"), StringComparison.Ordinal);
    }

    [Fact]
    public void OtherCommandsFollowTheFile()
    {
        var path = tool.Write("two.cnn", Network);
        tool.Write("two.cnn.tune", $"tune 1\n{Line}\n");
        Assert.Equal(Program.Success, tool.Run("explain", path));
        Assert.Contains("direct 1x3x1", tool.Output, StringComparison.Ordinal);
        Assert.Equal(Program.Success, tool.Run("summary", path));
        Assert.Contains("direct 1x3x1", tool.Output, StringComparison.Ordinal);
        Assert.Equal(Program.Success, tool.Run("emit", path, "-o", tool.At("out")));
        Assert.Contains("1x3x1", File.ReadAllText(tool.At("out/Two.Kernels.g.cs")), StringComparison.Ordinal);

        tool.Write("two.cnn.tune", $"tune 1\n{Line.Replace("conv2", "conv3")}\n");
        Assert.Equal(Program.Success, tool.Run("check", path));
        Assert.Contains("two.cnn.tune(2,1): warning CNN4021: ", tool.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void StrictPrecisionHasNoWinograd()
    {
        var path = tool.Write("two.cnn", Network);
        tool.Write("two.cnn.tune", "tune 1\nTwo inference conv1 convolution 16x8x8*32x16x3x3->32x8x8 winograd F(4x4)\n");
        Assert.Equal(Program.Success, tool.Run("explain", path));
        Assert.Contains("winograd F(4x4)", tool.Output, StringComparison.Ordinal);
        Assert.Equal(Program.Success, tool.Run("explain", path, "--strict"));
        Assert.DoesNotContain("winograd", tool.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void TrainingNeedsALoss() => tool.AssertRefused(
        "has no loss", "tune", tool.Write("plain.cnn", "network Plain { input x: 1x6x6\n output y = x -> relu }"), "--train");
}
