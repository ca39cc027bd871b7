// Emitted classes against the oracle: every operator in a small network, odd shapes first, batch 1 and 5, forward,
// loss, all gradients, running statistics.
using ModelCompiler.Gradient;
using ModelCompiler.Graph;
using ModelCompiler.Runtime;
using ModelCompiler.Tests.Kernels;
using ModelCompiler.Tests.Oracle;

namespace ModelCompiler.Tests.Emission;

public class EmittedNetworkTests
{
    /// <summary>Bodies of networks: from 'image' to 'logits' of 5 features.</summary>
    public static readonly TheoryData<string, string> Networks = new()
    {
        { "1x7x7", "image -> flatten -> dense(5)" },
        { "3x1x1", "image -> conv(17, 1x1) -> flatten -> dense(5)" },
        { "1x9x9", "image -> conv(3, 3x3) -> relu -> flatten -> dense(5)" },
        { "3x8x8", "image -> conv(17, 3x3, pad: 1) -> tanh -> conv(33, 3x3, pad: 1, stride: 2) -> relu -> flatten -> dense(5)" },
        { "17x7x7", "image -> conv(5, 5x5, pad: 2, stride: 3) -> sigmoid -> flatten -> dense(40) -> relu -> dense(5)" },
        { "3x13x11", "image -> conv(16, 7x7, stride: 2, pad: 3, bias: false) -> batchnorm -> relu -> maxpool(3x3, stride: 2, pad: 1) -> global_avgpool -> flatten -> dense(5)" },
        { "6x9x9", "image -> conv(12, 3x3, groups: 3, pad: 1) -> relu -> conv(12, 3x3, groups: 12, pad: 1) -> relu -> flatten -> dense(5)" },
        { "48x6x6", "image -> conv(96, 3x3, groups: 3, pad: 1, bias: false) -> relu -> global_avgpool -> flatten -> dense(5)" },
        { "20x6x6", "image -> conv(40, 3x3, groups: 4, stride: 2) -> relu -> global_avgpool -> flatten -> dense(5)" },
        { "4x12x12", "image -> conv(8, 3x3, dilation: 3) -> leaky_relu(0.1) -> avgpool(2x2) -> flatten -> dense(5)" },
        { "2x10x10", "image -> conv(5, 2x2, stride: 3) -> relu -> flatten -> dense(5)" },
        { "4x15", "image -> conv(9, 5, pad: 2) -> relu -> maxpool(3) -> conv(7, 3, dilation: 2) -> tanh -> flatten -> dense(5)" },
        { "2x5x6x7", "image -> conv(6, 3x3x3, pad: 1) -> relu -> maxpool(2x2x2) -> conv(4, 2, stride: 2) -> flatten -> dense(5)" },
        { "3x6x6", "image -> dropout(0.4) -> conv(18, 3x3, pad: same) -> relu -> dropout(0.5) -> flatten -> dense(5)" },
        { "5x6x6", "concat(image -> conv(16, 1x1), image -> conv(3, 3x3, pad: 1), image -> maxpool(3x3, stride: 1, pad: 1)) -> relu -> flatten -> dense(5)" },
        { "8x6x6", "(image + (image -> conv(8, 3x3, pad: 1) -> batchnorm)) -> relu -> flatten -> dense(5)" },
        { "8x6x6", "image * (image -> global_avgpool -> dense(4) -> relu -> dense(8) -> sigmoid) -> flatten -> dense(5)" },
        { "8x5x5", "image -> upconv(6, 2x2, stride: 2) -> relu -> upconv(3, 3x3, stride: 2, pad: 1) -> flatten -> dense(5)" },
        { "7x12", "image -> dense(16) -> gelu -> layernorm -> dense(9) -> flatten -> dense(5)" },
        { "6x4x4", "image -> groupnorm(3) -> silu -> conv(4, 3x3, pad: 1) -> elu -> flatten -> dense(5) -> softplus" },
    };

    [Theory]
    [MemberData(nameof(Networks))]
    public void AgreeWithTheOracle(string shape, string body)
    {
        var text = $"network Net {{\n input image: {shape}\n target label: class\n logits = {body}\n output logits\n output probabilities = logits -> softmax\n loss cross_entropy(logits, label)\n}}\n";
        var compiled = new CompiledText(text);
        foreach (var batch in new[] { 1, 5 })
        {
            Compare(compiled, batch);
        }
    }

    [Fact]
    [OnEveryHardware]
    public void AgreeOnThisHardware()
    {
        foreach (var row in Networks.Take(8))
        {
            AgreeWithTheOracle((string)row[0], (string)row[1]);
        }
    }

    private static void Compare(CompiledText compiled, int batch)
    {
        using var training = compiled.Training(batch);
        using var inference = compiled.Inference(batch, parameters: training.Parameters);
        var random = new Random(batch);
        Randomize(training, random);
        training.Inputs[0].Data.CopyTo(inference.Inputs[0].Data);

        inference.Forward();
        var lowered = Lowering.ForInference(compiled.Graph);
        var expected = Oracle(lowered.Nodes, training, batch);
        for (var i = 0; i < lowered.Outputs.Length; i++)
        {
            AssertClose(expected[lowered.Outputs[i].Node], inference.Outputs[i].Data, "inference " + lowered.Outputs[i].Name);
        }

        var differentiated = Differentiation.Differentiate(compiled.Graph, inputGradients: true);
        expected = Oracle(differentiated.Graph.Nodes, training, batch);
        training.ComputeGradients();
        AssertClose(expected[differentiated.Graph.Loss!], [training.Loss], "loss");
        for (var i = 0; i < differentiated.Graph.Outputs.Length; i++)
        {
            AssertClose(expected[differentiated.Graph.Outputs[i].Node], training.Outputs[i].Data, "training " + differentiated.Graph.Outputs[i].Name);
        }

        foreach (var (parameter, gradient) in differentiated.Gradients)
        {
            var name = parameter.As<ParameterAttributes>().Name;
            AssertClose(expected[gradient], training.Gradients[name].Values, "gradient of " + name);
        }

        for (var i = 0; i < differentiated.InputGradients.Length; i++)
        {
            AssertClose(expected[differentiated.InputGradients[i].Gradient], training.InputGradients[i].Data, "gradient of " + differentiated.InputGradients[i].Input);
        }

        foreach (var update in differentiated.Graph.Updates)
        {
            var name = update.Parameter.As<ParameterAttributes>().Name;
            AssertClose(expected[update.Value], training.Parameters[name].ToArray(), name);
        }
    }

    private static void Randomize(TrainingNetwork training, Random random)
    {
        foreach (var parameter in training.Parameters.All)
        {
            // Variances are positive; the rest is around its initial value.
            var positive = parameter.Name.EndsWith("running_var", StringComparison.Ordinal);
            parameter.Set(parameter.ToArray().Select(v => positive ? 0.5f + random.NextSingle() : v + (0.2f * (random.NextSingle() - 0.5f))).ToArray());
        }

        foreach (ref var value in training.Inputs[0].Data)
        {
            value = (2 * random.NextSingle()) - 1;
        }

        foreach (ref var label in training.Targets[0].Classes)
        {
            label = random.Next(5);
        }
    }

    private static Dictionary<Node, double[][]> Oracle(IEnumerable<Node> nodes, TrainingNetwork training, int batch) =>
        new Interpreter(batch, training.Seed, training.StepNumber).Run(nodes, node => node.Attributes switch
        {
            ParameterAttributes parameter => [training.Parameters[parameter.Name].ToArray().Select(v => (double)v).ToArray()],
            InputAttributes { IsTarget: true } => Split(training.Targets[0].Classes.ToArray().Select(c => (double)c).ToArray(), batch),
            _ => Split(training.Inputs[0].Data.ToArray().Select(v => (double)v).ToArray(), batch),
        });

    private static double[][] Split(double[] values, int batch) => [.. values.Chunk(values.Length / batch)];

    /// <summary>Errors of a float computation grow with the largest value that went into it: some hundred roundings of that.</summary>
    private static void AssertClose(double[][] expected, ReadOnlySpan<float> actual, string what)
    {
        var flat = expected.SelectMany(v => v).ToArray();
        Assert.True(flat.Length == actual.Length, $"{what}: {actual.Length} values, expected {flat.Length}");
        var scale = Math.Max(2e-2, flat.Max(Math.Abs));
        for (var i = 0; i < flat.Length; i++)
        {
            var error = Math.Abs(flat[i] - actual[i]);
            Assert.True(error <= 256 * Math.Pow(2, -24) * scale * 2, $"{what}: value {i} of {flat.Length} is {actual[i]}, expected {flat[i]} (largest {scale:G3})");
        }
    }
}
