// Measured choices of kernels: every choice that a layer has computes the same, a file says them in words that are read back, and
// what does not fit any more is a warning with a place.
using ModelCompiler.Evaluation;
using ModelCompiler.Grammar;
using ModelCompiler.Graph;
using ModelCompiler.Kernels;
using ModelCompiler.Planning;

namespace ModelCompiler.Tests.Emission;

public class TuningTests
{
    private const string Convolutions = """
        network Net {
            input image: 3x13x11
            target label: class
            logits = image -> a: conv(17, 3x3, pad: 1) -> relu -> b: conv(33, 3x3, pad: 1) -> tanh -> c: conv(48, 1x1) -> relu
                -> d: conv(20, 3x3, stride: 2, pad: 1) -> flatten -> dense(5)
            output logits
            loss cross_entropy(logits, label)
        }
        """;

    private const string Rows = """
        network Net {
            input image: 19x24
            target label: class
            logits = image -> a: dense(70) -> relu -> b: dense(48) -> flatten -> dense(5)
            output logits
            loss cross_entropy(logits, label)
        }
        """;

    // Strassen's algorithm: into a halo, from one, over an odd number of places, over every second one, over rows.
    private const string Products = """
        network Net {
            input image: 32x7x9
            target label: class
            maps = image -> a: conv(64, 1x1) -> relu -> b: conv(96, 3x3, pad: 1) -> c: conv(64, 1x1) -> relu -> d: conv(160, 1x1, stride: 2)
            rows = maps + relu(maps) -> e: conv(64, 1x1) -> tanh -> reshape(20x64) -> f: dense(96) -> relu
            logits = rows + (rows -> g: dense(96)) -> flatten -> dense(5)
            output logits
            loss cross_entropy(logits, label)
        }
        """;

    private const string B = "Net inference b convolution 17x13x11*33x17x3x3->33x13x11 ";

    [Theory]
    [InlineData(Convolutions, 5, 4)]
    [InlineData(Rows, 4, 2)]
    [InlineData(Products, 5, 4)]
    public void EveryChoiceIsFollowedAndComputesTheSame(string text, int leastOptions, int leastTrainingOptions)
    {
        var graph = Graph(text);
        var (inference, training) = (Planner.ForInference(graph).Choices, Planner.ForTraining(graph, inputGradients: true).Choices);
        Assert.InRange(inference.Max(p => p.Options.Length), leastOptions, 10);
        Assert.InRange(training.Max(p => p.Options.Length), leastTrainingOptions, 10);
        for (var i = 0; i < inference.Concat(training).Max(p => p.Options.Length); i++)
        {
            KernelChoice Choice(ChoicePoint point) => point.Options[Math.Min(i, point.Options.Length - 1)];
            TuningEntry Entry(ChoicePoint point, bool trains) => new(graph.Name, trains, point.Layer, point.Step, point.Shapes, Choice(point));
            var tuning = Tuning.Read(new SourceFile("net.cnn.tune", new Tuning([.. inference.Select(p => Entry(p, false)), .. training.Select(p => Entry(p, true))]).Write(["remark"])));
            Assert.Empty(tuning.Diagnostics);

            var compiled = new CompiledText(text, tuning: tuning);
            var plan = Planner.ForInference(compiled.Graph, tuning: tuning.For(graph.Name, training: false));
            foreach (var point in inference)
            {
                var name = plan.Choices.Single(p => (p.Layer, p.Step) == (point.Layer, point.Step)).Steps[^1];
                Assert.StartsWith(Choice(point) with { Blocked = false } is var plain && plain.Tile == default && plain is { Winograd: 0, Strassen: false } ? "direct" : plain.ToString(), plan.Steps.Single(s => s.Name == name).Kernel.Choice);
            }

            OracleComparison.Run(compiled, batch: 5);
        }
    }

    [Fact]
    public void AnImageOfFewChannelsIsPutIntoBlocksWhereThatIsWanted()
    {
        var graph = Graph(Convolutions);
        var tuning = Read("Net inference a convolution 3x13x11*17x3x3x3->17x13x11 direct blocked");
        Assert.Contains("Input_to_blocks", Planner.ForInference(graph, tuning: tuning.For("Net", training: false)).Steps.Select(s => s.Name));
        Assert.DoesNotContain("Input_to_blocks", Planner.ForInference(graph).Steps.Select(s => s.Name));
    }

    /// <summary>A kernel that takes the pool over is measured with it, so one that does not is, too.</summary>
    [Fact]
    public void APoolCountsAsItsLayersWhoeverComputesIt()
    {
        var graph = Graph("network Net {\n input image: 17x17x57\n output y = image -> a: conv(33, 3x3, stride: 2) -> relu -> maxpool(3x3, stride: 2) -> b: conv(5, 1x1)\n}\n");
        string[] StepsOf(string kernel) => [.. Planner.ForInference(graph, tuning: Read($"Net inference a convolution 17x17x57*33x17x3x3->33x8x28 {kernel}").For("Net", training: false))
            .Choices.Single(c => c.Layer == "a").Steps.Where(name => !name.StartsWith("Input", StringComparison.Ordinal)).Select(name => name[(name.IndexOf('_') + 1)..])];
        Assert.Equal(["convolution"], StepsOf("direct 1x14x2"));
        Assert.Equal(["convolution", "max_pool"], StepsOf("direct 2x7x2"));
    }

    [Fact]
    public void AFileIsReadBackAsItWasWritten()
    {
        TuningEntry[] entries =
        [
            new("Net", false, "a.0.conv1", "convolution", "17x13x11*33x17x3x3->33x13x11", new KernelChoice(4), "0.1 ms; direct 0.2 ms"),
            new("Net", true, "a.0.conv1", "data_gradient", "33x13x11*33x17x3x3->17x13x11", new KernelChoice(2)),
            new("Net", true, "a.0.conv1", "weight_gradient", "17x13x11*33x13x11->33x17x3x3", new KernelChoice(0)),
            new("Other", false, "b", "convolution", "3x8x8*16x3x3x3->16x8x8", new KernelChoice(0, new Tile(1, 14, 2), Blocked: true)),
            new("Other", false, "c", "convolution", "3x8x8*16x3x3x3->16x8x8", new KernelChoice(0, default, Blocked: true)),
            new("Other", false, "d", "dense", "197x768*768x768->197x768", new KernelChoice(0, Strassen: true)),
        ];
        var text = new Tuning(entries).Write(["written by hand", "for a test"]);
        Assert.StartsWith("# written by hand\n# for a test\ntune 1\nNet inference a.0.conv1 convolution 17x13x11*33x17x3x3->33x13x11 winograd F(4x4)   # 0.1 ms; direct 0.2 ms\n", text, StringComparison.Ordinal);
        foreach (var newline in new[] { "\n", "\r\n" })
        {
            var read = Tuning.Read(new SourceFile("x.tune", text.Replace("\n", newline, StringComparison.Ordinal)));
            Assert.Empty(read.Diagnostics);
            Assert.Equal(entries, read.Entries.Select(e => e with { Place = null }));
        }
    }

    [Fact]
    public void TheSameTextsGiveTheSameCode()
    {
        string Code() => string.Join("\n", Compile(Convolutions, B + "direct 1x5x2").Networks.Select(n => n.Source));
        Assert.Equal(Code(), Code());
        Assert.NotEqual(Code(), string.Join("\n", Compile(Convolutions, "").Networks.Select(n => n.Source)));
    }

    [Theory]
    [InlineData("Net inference b convolution 17x26x22*33x17x3x3->33x26x22 winograd F(4x4)", "CNN4021", "layer 'b' of 'Net' is 17x13x11*33x17x3x3->33x13x11 now")]
    [InlineData("Net inference x convolution 17x13x11*33x17x3x3->33x13x11 winograd F(4x4)", "CNN4021", "'Net' has no layer 'x' whose convolution has a choice of kernels in inference")]
    [InlineData("Nets inference b convolution 17x13x11*33x17x3x3->33x13x11 winograd F(4x4)", "CNN4022", "there is no network 'Nets'")]
    [InlineData(B + "direct 1x12x2", "CNN4022", "layer 'b' of 'Net' cannot be computed by 'direct 1x12x2'")]
    [InlineData(B + "direct 1x5x4", "CNN4022", "cannot be computed by 'direct 1x5x4'")]
    [InlineData(B + "direct 4x11x3", "CNN4022", "cannot be computed by 'direct 4x11x3'")]
    [InlineData(B + "direct blocked", "CNN4022", "cannot be computed by 'direct blocked'")]
    [InlineData("Net inference d convolution 48x13x11*20x48x3x3->20x7x6 winograd F(2x2)", "CNN4022", "cannot be computed by 'winograd F(2x2)'")]
    [InlineData("Net inference b", "CNN4023", "this line is no choice of a kernel")]
    [InlineData(B + "winograd F(8x8)", "CNN4023", "this line is no choice of a kernel")]
    [InlineData(B + "direct 1x-5x2", "CNN4023", "this line is no choice of a kernel")]
    [InlineData(B + "direct 1x99999999999x2", "CNN4023", "this line is no choice of a kernel")]
    [InlineData("Net guessing b convolution 17x13x11*33x17x3x3->33x13x11 direct", "CNN4023", "this line is no choice of a kernel")]
    [InlineData("\0\u0001\uFFFF", "CNN4023", "this line is no choice of a kernel")]
    public void WhatDoesNotFitIsAWarningWithItsPlaceAndNothingElseChanges(string line, string code, string message)
    {
        var result = Compile(Convolutions, line);
        var diagnostic = Assert.Single(result.Diagnostics, d => d.Code.StartsWith("CNN402", StringComparison.Ordinal));
        Assert.Equal((code, Severity.Warning, "net.cnn.tune", 2), (diagnostic.Code, diagnostic.Severity, diagnostic.Place.File.Path, diagnostic.Place.Line));
        Assert.Contains(message, diagnostic.Message, StringComparison.Ordinal);
        Assert.True(Compile(Convolutions, null).Networks.SequenceEqual(result.Networks));
    }

    [Fact]
    public void ChoicesForTrainingOfANetworkWithoutALossAreForeign()
    {
        var text = Convolutions.Replace("    loss cross_entropy(logits, label)\n", "", StringComparison.Ordinal).Replace("    target label: class\n", "", StringComparison.Ordinal);
        var diagnostic = Assert.Single(Compile(text, B.Replace("inference", "training", StringComparison.Ordinal) + "direct").Diagnostics, d => d.Severity == Severity.Warning);
        Assert.Equal("CNN4022", diagnostic.Code);
        Assert.Contains("has no loss", diagnostic.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("tune 2\n" + B + "direct")]
    [InlineData(B + "direct")]
    public void AFileWithoutItsHeadIsNotUsed(string text)
    {
        var tuning = Tuning.Read(new SourceFile("net.cnn.tune", text));
        Assert.Empty(tuning.Entries);
        Assert.Equal(text.Length == 0 ? [] : ["CNN4023"], tuning.Diagnostics.Select(d => d.Code));
    }

    [Fact]
    public void TheFirstOfTwoChoicesHolds()
    {
        var tuning = Read(B + "winograd F(2x2)\n" + B + "direct");
        Assert.Equal(new KernelChoice(2), Assert.Single(tuning.Entries).Choice);
        Assert.Equal((3, "CNN4023"), (Assert.Single(tuning.Diagnostics).Place.Line, tuning.Diagnostics[0].Code));
    }

    [Fact]
    public void AFileOfRubbishIsToldSoAFewTimes() =>
        Assert.InRange(Read(string.Join("\n", Enumerable.Repeat("rubbish", 5000))).Diagnostics.Length, 1, 20);

    [Fact]
    public void StrictPrecisionGoesBeforeAMeasurement()
    {
        var tuning = Read(B + "winograd F(4x4)");
        var strict = Compiler.Compile(new SourceFile("net.cnn", Convolutions), (_, _) => null, new CompilerOptions("", "", Tuning: tuning, Strict: true));
        Assert.Equal("CNN4022", Assert.Single(strict.Diagnostics, d => d.Severity == Severity.Warning).Code);
        Assert.All(strict.Networks, n => Assert.DoesNotContain("Winograd", n.Source, StringComparison.Ordinal));
        var free = Compiler.Compile(new SourceFile("net.cnn", Convolutions), (_, _) => null, new CompilerOptions("", "", Tuning: tuning));
        Assert.Contains("Winograd4", free.Networks[0].Source, StringComparison.Ordinal);
    }

    private static NetworkGraph Graph(string text) => Evaluator.Evaluate(new SourceFile("net.cnn", text), (_, _) => null).Networks.Single();

    private static Tuning Read(string lines) => Tuning.Read(new SourceFile("net.cnn.tune", "tune 1\n" + lines));

    private static CompilationResult Compile(string text, string? lines) =>
        Compiler.Compile(new SourceFile("net.cnn", text), (_, _) => null, new CompilerOptions("", "", Tuning: lines is null ? null : Read(lines)));
}
