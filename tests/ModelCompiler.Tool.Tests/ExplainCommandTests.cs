// cnnc explain: every step of the plan with its numbers, which are worked out by hand; times exist, but how long is not asked.
using System.Text.Json;

namespace ModelCompiler.Tool.Tests;

public sealed class ExplainCommandTests : IDisposable
{
    private readonly Tool tool = new();

    public void Dispose() => tool.Dispose();

    [Fact]
    public void StepsHaveKernelsMultiplyAddsAndPredictions()
    {
        using var json = Explain("--batch", "3");
        Assert.Equal("Tiny", json.RootElement.GetProperty("network").GetString());
        Assert.True(json.RootElement.GetProperty("peakGflops").GetDouble() > 0);
        Assert.True(json.RootElement.GetProperty("bandwidthGBps").GetDouble() > 0);
        var steps = json.RootElement.GetProperty("steps").EnumerateArray().ToList();

        var convolution = steps.First(step => step.GetProperty("layer").GetString() is "conv1" or "relu1" && step.GetProperty("macs").GetInt64() > 0);
        Assert.Equal(3 * 4 * 9 * 36, convolution.GetProperty("macs").GetInt64());
        Assert.StartsWith("direct ", convolution.GetProperty("kernel").GetString());
        Assert.NotEmpty(convolution.GetProperty("fused").GetString()!);
        Assert.Contains(steps, step => step.GetProperty("kernel").GetString() == "Softmax" && step.GetProperty("bytes").GetInt64() >= 3 * 2 * 3 * 4);
        Assert.All(steps, step => Assert.True(step.GetProperty("predictedMs").GetDouble() > 0));
        Assert.All(steps, step => Assert.Equal(JsonValueKind.Null, step.GetProperty("measuredMs").ValueKind));
    }

    [Theory]
    [InlineData("1", false)]
    [InlineData("2", false)]
    [InlineData("1", true)]
    public void MeasuringTimesEveryStep(string threads, bool train)
    {
        using var json = Explain(["--measure", "--seconds", "1", "--threads", threads, .. train ? ["--train"] : Array.Empty<string>()]);
        var steps = json.RootElement.GetProperty("steps").EnumerateArray().ToList();

        Assert.Equal(train, json.RootElement.GetProperty("train").GetBoolean());
        Assert.True(steps.Count >= (train ? 10 : 4), $"{steps.Count} steps");
        Assert.True(steps.Sum(step => step.GetProperty("measuredMs").GetDouble()) > 0);
        Assert.All(steps, step => Assert.True(step.GetProperty("measuredMs").GetDouble() >= 0));
    }

    [Fact]
    public void TheTableHasALineForEachStepAndATotal()
    {
        Assert.Equal(Program.Success, tool.Run("explain", tool.Write("tiny.cnn", Tool.Tiny)));

        var lines = tool.Output.TrimEnd().Split(Environment.NewLine);
        Assert.StartsWith("Tiny, inference, batch 1, 1 thread; a core does ", lines[0]);
        Assert.StartsWith("layer", lines[1]);
        Assert.DoesNotContain("measured", lines[1]);
        Assert.Contains(lines, line => line.Contains("direct", StringComparison.Ordinal));
        Assert.StartsWith("total", lines[^1]);
    }

    [Fact]
    public void TrainingNeedsALoss() => tool.AssertRefused(
        "has no loss", "explain", tool.Write("plain.cnn", "network Plain { input x: 1x6x6\n output y = x -> relu }"), "--train");

    private JsonDocument Explain(params string[] arguments)
    {
        Assert.Equal(Program.Success, tool.Run(["explain", tool.Write("tiny.cnn", Tool.Tiny), "--json", .. arguments]));
        return JsonDocument.Parse(tool.Output);
    }
}
