// The commands that compile a network and run it: emit, run, grad, bench. Expected numbers are worked out by hand.
using System.Text.Json;
using ModelCompiler.Runtime;

namespace ModelCompiler.Tool.Tests;

public sealed class NetworkCommandTests : IDisposable
{
    /// <summary>y = w · x + b over two features; the loss is the mean of (y - wanted)².</summary>
    private const string Line = """
        network Line {
            input x: [2]
            target wanted: [1]
            y = x -> fit: dense(1)
            output y
            loss mse(y, wanted)
        }
        """;

    private readonly Tool tool = new();
    private readonly string network;

    public NetworkCommandTests()
    {
        network = tool.Write("line.cnn", Line);
        Safetensors.Write(tool.At("w"), [new StoredTensor("fit.weight", [1, 2], [2f, -1f]), new StoredTensor("fit.bias", [1], [0.5f])]);
        Safetensors.Write(tool.At("x"), [new StoredTensor("x", [3, 2], [1f, 0f, 0f, 1f, 2f, 2f]), new StoredTensor("wanted", [3, 1], [2.5f, 0f, 1f])]);
    }

    public void Dispose() => tool.Dispose();

    [Fact]
    public void RunWritesTheOutputsOfEverySample()
    {
        Assert.Equal(Program.Success, tool.Run("run", network, "--weights", tool.At("w"), "--input", tool.At("x"), "--output", tool.At("y")));

        var output = Assert.Single(Safetensors.Read(tool.At("y")));
        Assert.Equal("y", output.Name);
        Assert.Equal([3L, 1], output.Shape);
        Assert.Equal([2.5f, -0.5f, 2.5f], output.ToFloats());
    }

    [Fact]
    public void RunTakesMoreSamplesThanABatchHolds()
    {
        const int samples = 131; // two whole batches and a part
        var values = Enumerable.Range(0, samples * 2).Select(i => (float)i).ToArray();
        Safetensors.Write(tool.At("many"), [new StoredTensor("x", [samples, 2], values)]);

        Assert.Equal(Program.Success, tool.Run("run", network, "--weights", tool.At("w"), "--input", tool.At("many"), "--output", tool.At("y")));

        var expected = Enumerable.Range(0, samples).Select(i => (2f * values[2 * i]) - values[(2 * i) + 1] + 0.5f);
        Assert.Equal(expected, Assert.Single(Safetensors.Read(tool.At("y"))).ToFloats());
    }

    [Fact]
    public void GradWritesLossAndAllGradients()
    {
        Assert.Equal(Program.Success, tool.Run("grad", network, "--weights", tool.At("w"), "--input", tool.At("x"), "--output", tool.At("g")));

        // Differences y - wanted: 0, -0.5, 1.5; the gradient of the loss by y is 2/3 of them.
        var gradients = Safetensors.Read(tool.At("g")).ToDictionary(tensor => tensor.Name);
        Assert.Equal(["fit.bias", "fit.weight", "input.x", "loss"], gradients.Keys.Order(StringComparer.Ordinal));
        Assert.Empty(gradients["loss"].Shape);
        AssertNear([2.5f / 3], gradients["loss"]);
        AssertNear([2f / 3 * 3f, 2f / 3 * 2.5f], gradients["fit.weight"]);
        AssertNear([2f / 3], gradients["fit.bias"]);
        Assert.Equal([3L, 2], gradients["input.x"].Shape);
        AssertNear([0, 0, -2f / 3, 1f / 3, 2, -1], gradients["input.x"]);
    }

    [Fact]
    public void GradTakesClassNumbers()
    {
        var path = tool.Write("tiny.cnn", Tool.Tiny);
        Assert.Equal(Program.Success, tool.Run("init", path, "--seed", "3", "--output", tool.At("init")));
        var image = Enumerable.Range(0, 72).Select(i => i / 72f).ToArray();
        Safetensors.Write(tool.At("images"), [new StoredTensor("image", [2, 1, 6, 6], image), new StoredTensor("label", [2], new long[] { 0, 2 })]);
        Safetensors.Write(tool.At("outside"), [new StoredTensor("image", [2, 1, 6, 6], image), new StoredTensor("label", [2], new long[] { 0, 3 })]);

        Assert.Equal(Program.Success, tool.Run("grad", path, "--weights", tool.At("init"), "--input", tool.At("images"), "--output", tool.At("g")));
        var bias = Safetensors.Read(tool.At("g")).Single(tensor => tensor.Name == "dense1.bias").ToFloats();
        Assert.Equal(0, bias.Sum(), 6f); // softmax minus one-hot sums to zero

        tool.AssertRefused("class 3 at element 1, outside 0 to 2", "grad", path, "--weights", tool.At("init"), "--input", tool.At("outside"), "--output", tool.At("g2"));
        Assert.False(File.Exists(tool.At("g2")));
    }

    [Fact]
    public void EmitWritesTheSources()
    {
        Assert.Equal(Program.Success, tool.Run("emit", network, "-o", tool.At("out"), "--namespace", "Fits"));

        var text = File.ReadAllText(tool.At("out/Line.g.cs"));
        Assert.Contains("namespace Fits;", text, StringComparison.Ordinal);
        Assert.Contains("class Line", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData]
    [InlineData("--train")]
    public void BenchMeasures(params string[] options)
    {
        Assert.Equal(Program.Success, tool.Run(["bench", network, "--batch", "4", "--threads", "1", "--seconds", "1", "--json", .. options]));

        using var json = JsonDocument.Parse(tool.Output);
        var result = json.RootElement;
        Assert.Equal("Line", result.GetProperty("network").GetString());
        Assert.Equal(options.Length > 0, result.GetProperty("train").GetBoolean());
        Assert.Equal(0, result.GetProperty("allocatedBytes").GetInt64());
        Assert.All(["medianMs", "gflops", "firstResultMs", "compileMs", "samplesPerSecond"], name => Assert.True(result.GetProperty(name).GetDouble() > 0, name));
    }

    [Fact]
    public void WhatDoesNotFitIsRefusedInOneLine()
    {
        Safetensors.Write(tool.At("narrow"), [new StoredTensor("x", [3, 1], [1f, 2f, 3f])]);
        Safetensors.Write(tool.At("other"), [new StoredTensor("z", [1, 2], [1f, 2f])]);
        Safetensors.Write(tool.At("uneven"), [new StoredTensor("x", [1, 2], [1f, 2f]), new StoredTensor("wanted", [2, 1], [1f, 2f])]);
        File.WriteAllText(tool.At("text"), "no tensors");

        tool.AssertRefused("'x' is 3x1, but the network takes Nx2", Run("w", "narrow"));
        tool.AssertRefused("there is no tensor 'x' (Nx2) in the file; it has z", Run("w", "other"));
        tool.AssertRefused("not a valid safetensors file", Run("w", "text"));
        tool.AssertRefused("missing: 'fit.weight'", Run("x", "x"));
        tool.AssertRefused("missing.safetensors", Run("missing.safetensors", "x"));
        tool.AssertRefused("the same number of samples", "grad", network, "--weights", tool.At("w"), "--input", tool.At("uneven"), "--output", tool.At("g"));
        tool.AssertRefused("has no loss", "bench", tool.Write("free.cnn", Line.Replace("loss mse(y, wanted)", "").Replace("target wanted: [1]", "")), "--train");
        tool.AssertRefused("--weights", "run", network, "--input", tool.At("x"), "--output", tool.At("y"));
    }

    private string[] Run(string weights, string input) => ["run", network, "--weights", tool.At(weights), "--input", tool.At(input), "--output", tool.At("y")];

    private static void AssertNear(float[] expected, StoredTensor actual) =>
        Assert.All(expected.Zip(actual.ToFloats()), pair => Assert.Equal(pair.First, pair.Second, 1e-6f));
}
