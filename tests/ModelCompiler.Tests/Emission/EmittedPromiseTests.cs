// What emitted networks promise beyond right numbers: the same bits for every number of threads, runs that allocate
// nothing, samples that do not see each other, and source text that depends on the network alone.
using System.Globalization;
using ModelCompiler.Evaluation;
using ModelCompiler.Grammar;
using ModelCompiler.Runtime;

namespace ModelCompiler.Tests.Emission;

public class EmittedPromiseTests(EmittedPromiseTests.Compiled networks) : IClassFixture<EmittedPromiseTests.Compiled>
{
    private const string Text = """
        network Net {
            input image: 3x13x11
            target label: class
            x = image
                -> conv(24, 3x3, pad: 1, bias: false) -> batchnorm -> relu -> dropout(0.3)
                -> conv(24, 3x3, groups: 24, stride: 2) -> batchnorm -> silu
            logits = x + (x -> conv(24, 1x1) -> tanh -> groupnorm(3)) -> maxpool(2x2) -> flatten -> dense(37) -> relu -> dropout(0.5) -> dense(5)
            output logits
            loss cross_entropy(logits, label)
        }
        """;

    /// <summary>Compiled once for all tests.</summary>
    public sealed class Compiled
    {
        internal CompiledText Network { get; } = new(Text);
    }

    [Theory]
    [InlineData(5)]
    [InlineData(16)]
    public void TrainingDoesNotDependOnThreads(int batch)
    {
        var expected = Train(batch, threads: 1);
        foreach (var threads in new[] { 2, 3, 8 })
        {
            Assert.Equal(expected, Train(batch, threads));
        }
    }

    /// <summary>Values so large that kernels sum them up while they store them.</summary>
    [Fact]
    public void SumsOfLargeValuesDoNotDependOnThreads()
    {
        var network = new CompiledText("""
            network Net {
                input image: 3x91x97
                target label: class
                x = image -> conv(32, 3x3, pad: 1, bias: false) -> batchnorm -> relu -> depthwise(3x3, pad: 1, bias: false) -> batchnorm -> relu
                logits = x -> conv(192, 1x1, bias: false) -> batchnorm -> relu -> global_avgpool -> flatten -> dense(5)
                output logits
                loss cross_entropy(logits, label)
            }
            """);
        var expected = Train(3, threads: 1, network);
        foreach (var threads in new[] { 2, 3, 8 })
        {
            Assert.Equal(expected, Train(3, threads, network));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void InferenceDoesNotDependOnThreads(int batch)
    {
        // Winograd over tiles, over weights and over planes, direct convolution over places and over weights, steps too small to share.
        var network = new CompiledText("""
            network Net {
                input clip: 32x3x17x15
                frame = clip -> conv(48, 3x3x3, pad: 1) -> relu -> conv(35, 1x1x1) -> conv(64, 3, stride: 2, pad: 1) -> slice(0, 1, axis: 1) -> reshape([64, 9, 8])
                output y = frame -> conv(64, 3x3, pad: 1) -> relu -> conv(200, 1x1) -> conv(600, 3x3, pad: 1) -> maxpool(2x2) -> conv(130, 1x1) -> flatten -> dense(37)
            }
            """);
        using var one = network.Inference(batch);
        var random = new Random(3);
        foreach (ref var value in one.Inputs[0].Data)
        {
            value = random.NextSingle() - 0.5f;
        }

        one.Forward();
        foreach (var threads in new[] { 2, 3, 8 })
        {
            using var several = network.Inference(batch, threads, one.Parameters);
            one.Inputs[0].Data.CopyTo(several.Inputs[0].Data);
            several.Forward();
            Assert.Equal(one.Outputs[0].Data.ToArray(), several.Outputs[0].Data.ToArray());
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void RunsAllocateNothing(int threads)
    {
        using var training = networks.Network.Training(batch: 4, threads);
        OracleComparison.Randomize(training, new Random(1));
        using var inference = networks.Network.Inference(batch: 4, threads, training.Parameters);
        training.Step();
        inference.Forward();

        // Weights have changed in between, so that the second forward pass prepares them again. The runtime may allocate
        // once for itself, so one clean round is the proof: a run that allocates has none.
        var least = long.MaxValue;
        for (var round = 0; round < 3; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            training.Step();
            inference.Forward();
            inference.Forward();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, least);
    }

    [Fact]
    public void SamplesDoNotSeeEachOther()
    {
        using var training = networks.Network.Training(batch: 7);
        OracleComparison.Randomize(training, new Random(2));
        var images = training.Inputs[0];
        using var all = networks.Network.Inference(batch: 7, parameters: training.Parameters);
        images.Data.CopyTo(all.Inputs[0].Data);
        all.Forward();
        using var one = networks.Network.Inference(batch: 1, parameters: training.Parameters);
        using var reversed = networks.Network.Inference(batch: 7, threads: 2, parameters: training.Parameters);
        for (var sample = 0; sample < 7; sample++)
        {
            images.Sample(6 - sample).CopyTo(reversed.Inputs[0].Sample(sample));
        }

        reversed.Forward();
        for (var sample = 0; sample < 7; sample++)
        {
            images.Sample(sample).CopyTo(one.Inputs[0].Data);
            one.Forward();
            Assert.Equal(all.Outputs[0].Sample(sample).ToArray(), one.Outputs[0].Data.ToArray());
            Assert.Equal(all.Outputs[0].Sample(sample).ToArray(), reversed.Outputs[0].Sample(6 - sample).ToArray());
        }
    }

    [Fact]
    public void SourceDependsOnTheNetworkAlone()
    {
        var odd = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        odd.NumberFormat.NegativeSign = "\u2212";
        odd.NumberFormat.NumberDecimalSeparator = ",";
        var before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = odd;
            Assert.Equal(Source(), networks.Network.Sources.Select(s => s.Source));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }

        static IEnumerable<string> Source()
        {
            var evaluated = Evaluator.Evaluate(new SourceFile("test.cnn", Text), (_, _) => null);
            return Compiler.Emit(evaluated.Networks.Single(), new CompilerOptions("Emitted", "", InputGradients: true)).Select(s => s.Source);
        }
    }

    /// <summary>Bits after three steps: losses, gradients of the parameters and the input, weights and running statistics.</summary>
    private int[] Train(int batch, int threads, CompiledText? network = null)
    {
        using var training = (network ?? networks.Network).Training(batch, threads, optimizer: new Adam(), seed: 42);
        OracleComparison.Randomize(training, new Random(batch));
        var bits = new List<int>();
        for (var step = 0; step < 3; step++)
        {
            bits.Add(BitConverter.SingleToInt32Bits(training.Step()));
        }

        foreach (var parameter in training.Parameters.All)
        {
            bits.AddRange(parameter.ToArray().Select(BitConverter.SingleToInt32Bits));
            if (parameter.Info.Trainable)
            {
                bits.AddRange(training.Gradients[parameter.Name].Values.ToArray().Select(BitConverter.SingleToInt32Bits));
            }
        }

        bits.AddRange(training.InputGradients[0].Data.ToArray().Select(BitConverter.SingleToInt32Bits));
        return [.. bits];
    }
}
