// One emitted network, run once for inference and once for training, against the oracle in double precision: outputs,
// loss, the gradient of every parameter and input, running statistics.
using ModelCompiler.Gradient;
using ModelCompiler.Graph;
using ModelCompiler.Runtime;
using ModelCompiler.Tests.Oracle;

namespace ModelCompiler.Tests.Emission;

internal static class OracleComparison
{
    public static void Run(CompiledText compiled, int batch)
    {
        using var training = compiled.Training(batch);
        using var inference = compiled.Inference(batch, parameters: training.Parameters);
        Run(compiled.Graph, training, inference, new Random(batch));
    }

    public static void Run(NetworkGraph graph, TrainingNetwork training, InferenceNetwork inference, Random random)
    {
        var batch = training.Batch;
        Infer(graph, training, inference, random);
        var differentiated = Differentiation.Differentiate(graph, inputGradients: true);
        var expected = Oracle(differentiated.Graph.Nodes, training, batch);
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

    /// <summary>Inference alone, with the parameters and inputs that <paramref name="training"/> gets.</summary>
    public static void Infer(NetworkGraph graph, TrainingNetwork training, InferenceNetwork inference, Random random)
    {
        Randomize(training, random);
        for (var i = 0; i < training.Inputs.Count; i++)
        {
            training.Inputs[i].Data.CopyTo(inference.Inputs[i].Data);
        }

        inference.Forward();
        var lowered = Lowering.ForInference(graph);
        var expected = Oracle(lowered.Nodes, training, training.Batch);
        for (var i = 0; i < lowered.Outputs.Length; i++)
        {
            AssertClose(expected[lowered.Outputs[i].Node], inference.Outputs[i].Data, "inference " + lowered.Outputs[i].Name);
        }
    }

    /// <summary>Inputs in [-1, 1), real targets in [0, 1), classes, and parameters around their initial values.</summary>
    public static void Randomize(TrainingNetwork training, Random random)
    {
        foreach (var parameter in training.Parameters.All)
        {
            // Variances are positive.
            var positive = parameter.Name.EndsWith("running_var", StringComparison.Ordinal);
            parameter.Set(parameter.ToArray().Select(v => positive ? 0.5f + random.NextSingle() : v + (0.2f * (random.NextSingle() - 0.5f))).ToArray());
        }

        foreach (var input in training.Inputs)
        {
            Fill(input, random);
        }

        foreach (var target in training.Targets)
        {
            if (target.Info.Kind == TensorKind.Class)
            {
                foreach (ref var label in target.Classes)
                {
                    label = target.Info.Ignored is { } ignored && random.Next(3) == 0 ? ignored : random.Next(target.Info.Classes);
                }
            }
            else
            {
                foreach (ref var value in target.Data)
                {
                    value = random.NextSingle();
                }
            }
        }
    }

    private static void Fill(NetworkTensor input, Random random)
    {
        var data = input.Data;
        for (var i = 0; i < data.Length; i++)
        {
            data[i] = input.Info.Limits is { Places: > 0 } limits ? random.Next(limits.Places) : (2 * random.NextSingle()) - 1;
        }

        for (var i = 0; input.Info.Limits is { Width: > 0 } plane && i < data.Length; i += 4)
        {
            // Quarters: no rounding to a whole element is a matter of precision.
            float[] x = [Quarters(plane.Width), Quarters(plane.Width)], y = [Quarters(plane.Height), Quarters(plane.Height)];
            new[] { x.Min(), y.Min(), x.Max(), y.Max() }.CopyTo(data.Slice(i, 4));
        }

        float Quarters(float limit) => random.Next((int)(limit * 4) + 1) / 4f;
    }

    private static Dictionary<Node, double[][]> Oracle(IEnumerable<Node> nodes, TrainingNetwork training, int batch) =>
        new Interpreter(batch, training.Seed, training.StepNumber).Run(nodes, node => node.Attributes switch
        {
            ParameterAttributes parameter => [training.Parameters[parameter.Name].ToArray().Select(v => (double)v).ToArray()],
            InputAttributes input => Split(Numbers((input.IsTarget ? training.Targets : training.Inputs).Single(t => t.Info.Name == input.Name)), batch),
            _ => throw new InvalidOperationException($"{node} is no leaf"),
        });

    private static double[] Numbers(NetworkTensor tensor) => tensor.Info.Kind == TensorKind.Class
        ? [.. tensor.Classes.ToArray().Select(c => (double)c)]
        : [.. tensor.Data.ToArray().Select(v => (double)v)];

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
