// The commands that look at a file without compiling it: check, summary, init.
using System.Text.Json;
using ModelCompiler.Runtime;

namespace ModelCompiler.Tool.Tests;

public sealed class FileCommandTests : IDisposable
{
    private readonly Tool tool = new();

    public void Dispose() => tool.Dispose();

    [Fact]
    public void CheckPrintsNothingAboutAGoodFile()
    {
        Assert.Equal(Program.Success, tool.Run("check", tool.Write("tiny.cnn", Tool.Tiny)));
        Assert.Empty(tool.Output + tool.Errors);
    }

    [Fact]
    public void CheckPrintsDiagnosticsInMSBuildsForm()
    {
        var path = tool.Write("broken.cnn", Tool.Tiny.Replace("maxpool", "maxpol"));

        Assert.Equal(Program.Diagnostics, tool.Run("check", path));
        Assert.Equal($"{path}(4,55): error CNN2001: unknown operator 'maxpol'; did you mean 'maxpool'?{Environment.NewLine}", tool.Output);
    }

    [Fact]
    public void CheckFindsImportsBesideTheFileAndReportsTheirMistakesOnce()
    {
        tool.Write("common/units.cnn", "block Unit { out in -> rellu }");
        var paths = new[] { "a", "b" }.Select(name => tool.Write(name + ".cnn",
            $$"""
            use "common/units.cnn"
            network {{name.ToUpperInvariant()}} {
                input image: 1x6x6
                output y = image -> Unit
            }
            """)).ToArray();

        Assert.Equal(Program.Diagnostics, tool.Run(["check", .. paths, tool.At("common/units.cnn")]));
        var mistake = Assert.Single(tool.Output.Split('\n'), line => line.Contains("CNN2001", StringComparison.Ordinal));
        Assert.StartsWith(tool.At("common/units.cnn"), mistake, StringComparison.Ordinal);
    }

    [Fact]
    public void SummaryListsLayersAndTotals()
    {
        Assert.Equal(Program.Success, tool.Run("summary", tool.Write("tiny.cnn", Tool.Tiny), "--json"));
        using var json = JsonDocument.Parse(tool.Output);
        var root = json.RootElement;

        Assert.Equal("Tiny", root.GetProperty("network").GetString());
        var layers = root.GetProperty("layers").EnumerateArray().ToList();
        Assert.Equal(["conv1", "relu1", "maxpool1", "flatten1", "dense1"], layers.Take(5).Select(layer => layer.GetProperty("path").GetString()));
        Assert.Equal([4, 6, 6], Numbers(layers[0].GetProperty("outputShape")));
        Assert.Equal(40, layers[0].GetProperty("parameters").GetInt64());
        Assert.NotEmpty(layers[0].GetProperty("kernel").GetString()!);
        Assert.Equal(4 * 9 * 36, layers[0].GetProperty("macs").GetInt64());
        Assert.Equal(4 * 36 * 4, layers[0].GetProperty("activationBytes").GetInt64());
        Assert.Equal([4, 4], Numbers(layers[2].GetProperty("receptiveField").GetProperty("size")));
        Assert.Equal([2, 2], Numbers(layers[2].GetProperty("receptiveField").GetProperty("jump")));
        Assert.Equal(40 + (36 * 3) + 3, root.GetProperty("totals").GetProperty("parameters").GetInt64());
        Assert.Equal((4 * 9 * 36) + (36 * 3), root.GetProperty("totals").GetProperty("macs").GetInt64());
    }

    [Fact]
    public void SummaryCountsSharedParametersOnce()
    {
        var path = tool.Write("twice.cnn", """
            network Twice {
                input image: 4x6x6
                shared unit = conv(4, 3x3, pad: 1)
                output y = image -> unit -> relu -> unit
            }
            """);

        Assert.Equal(Program.Success, tool.Run("summary", path, "--json"));
        using var json = JsonDocument.Parse(tool.Output);

        Assert.Equal(148, json.RootElement.GetProperty("totals").GetProperty("parameters").GetInt64());
        Assert.Equal(148, json.RootElement.GetProperty("layers").EnumerateArray().Sum(layer => layer.GetProperty("parameters").GetInt64()));
        Assert.Equal(2 * 4 * 4 * 9 * 36, json.RootElement.GetProperty("totals").GetProperty("macs").GetInt64());
    }

    [Fact]
    public void TheNetworkNamedAsTheFileIsMeantAmongSeveral()
    {
        const string two = """
            network ResNet18 {
                input image: 1x6x6
                output y = image -> relu
            }
            network Other {
                input image: 1x6x6
                output y = image -> tanh
            }
            """;

        Assert.Equal(Program.Success, tool.Run("summary", tool.Write("res_net18.cnn", two)));
        Assert.StartsWith("ResNet18:", tool.Output, StringComparison.Ordinal);
        Assert.Equal(Program.Success, tool.Run("summary", tool.At("res_net18.cnn"), "--network", "Other"));
        Assert.StartsWith("Other:", tool.Output, StringComparison.Ordinal);
        tool.AssertRefused("choose with --network one of ResNet18, Other", "summary", tool.Write("both.cnn", two));
        tool.AssertRefused("has no network 'Third'; it has ResNet18, Other", "summary", tool.At("both.cnn"), "--network", "Third");
    }

    [Fact]
    public void InitIsAFunctionOfTheSeed()
    {
        var path = tool.Write("tiny.cnn", Tool.Tiny);
        foreach (var (seed, name) in new[] { ("7", "a"), ("7", "b"), ("8", "c") })
        {
            Assert.Equal(Program.Success, tool.Run("init", path, "--seed", seed, "--output", tool.At(name)));
        }

        Assert.Equal(File.ReadAllBytes(tool.At("a")), File.ReadAllBytes(tool.At("b")));
        Assert.NotEqual(File.ReadAllBytes(tool.At("a")), File.ReadAllBytes(tool.At("c")));
        var tensors = Safetensors.Read(tool.At("a"));
        Assert.Equal(["conv1.weight", "conv1.bias", "dense1.weight", "dense1.bias"], tensors.Select(tensor => tensor.Name));
        Assert.Equal([4L, 1, 3, 3], tensors[0].Shape);
        Assert.All(tensors[0].ToFloats(), value => Assert.InRange(value, -1f / 3, 1f / 3)); // 1 / sqrt(fan in)
        Assert.NotEqual(0, tensors[0].ToFloats().Distinct().Count() - 1);
    }

    [Fact]
    public void WhatCannotBeUsedIsRefusedInOneLine()
    {
        tool.AssertRefused("there is no file", "check", tool.At("missing.cnn"));
        tool.AssertRefused("is a folder", "summary", Path.GetDirectoryName(tool.At("x"))!);
        tool.AssertRefused("'frobnicate'", "frobnicate");
        tool.AssertRefused("--output", "init", tool.Write("tiny.cnn", Tool.Tiny));
        tool.AssertRefused("has no network", "summary", tool.Write("block.cnn", "block Unit { out in -> relu }"));
        tool.AssertRefused("cnnc: ", "init", tool.At("tiny.cnn"), "--output", tool.At("no/such/folder/w.safetensors"));
    }

    [Fact]
    public void AFileWithErrorsHasNoSummary()
    {
        Assert.Equal(Program.Diagnostics, tool.Run("summary", tool.Write("broken.cnn", Tool.Tiny.Replace("relu", "rellu"))));
        Assert.Empty(tool.Output);
        Assert.Contains("error CNN2001", tool.Errors, StringComparison.Ordinal);
    }

    private static int[] Numbers(JsonElement array) => array.EnumerateArray().Select(number => number.GetInt32()).ToArray();
}
