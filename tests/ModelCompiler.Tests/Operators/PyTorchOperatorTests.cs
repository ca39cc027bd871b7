// Every operator that PyTorch has, in the language, against PyTorch: result and all gradients of the mean squared error.
using ModelCompiler.Gradient;
using ModelCompiler.Graph;
using ModelCompiler.Runtime;
using ModelCompiler.Tests.Evaluation;
using ModelCompiler.Tests.Oracle;

namespace ModelCompiler.Tests.Operators;

public class PyTorchOperatorTests
{
    private static readonly Dictionary<string, StoredTensor> Tensors = Golden.Read("operators");
    private static readonly Dictionary<string, StoredTensor> LossTensors = Golden.Read("losses");

    public static TheoryData<string, string, string, string> Operators => Cases("operators.txt");

    public static TheoryData<string, string, string, string> Losses => Cases("losses.txt");

    [Theory]
    [MemberData(nameof(Losses))]
    public void LossEqualsPyTorch(string name, string prediction, string target, string text)
    {
        var graph = Evaluating.Network($$"""
            network Case {
                input x: {{Dims(prediction)}}
                target wanted: {{target}}
                output y = x -> identity
                loss {{text}}
            }
            """);
        var training = Differentiation.Differentiate(graph, inputGradients: true);
        var values = new Interpreter(batch: 3).Run(
            training.Graph.Nodes, node => Golden.Values(LossTensors[$"{name}/{node.As<InputAttributes>().Name}"]).Chunk((int)node.Shape.Count).ToArray());
        Golden.Equal(LossTensors[$"{name}/loss"], values[training.Graph.Loss!]);
        Golden.Equal(LossTensors[$"{name}/gradient.input.x"], values[training.InputGradients.Single().Gradient]);
    }

    [Theory]
    [MemberData(nameof(Operators))]
    public void EqualsPyTorch(string name, string input, string text, string output)
    {
        var graph = Evaluating.Network($$"""
            network Case {
                input x: {{Dims(input)}}
                target wanted: {{Dims(output)}}
                output y = x -> op: {{text}}
                loss mse(y, wanted)
            }
            """);
        var training = Differentiation.Differentiate(graph, inputGradients: true);
        var values = new Interpreter(batch: 2).Run(training.Graph.Nodes, node => Leaf(name, node));

        Golden.Equal(Tensors[$"{name}/y"], values[training.Graph.Outputs.Single().Node]);
        Golden.Equal(Tensors[$"{name}/gradient.input.x"], values[training.InputGradients.Single().Gradient]);
        Assert.Equal(Tensors.Keys.Count(key => key.StartsWith($"{name}/gradient.", StringComparison.Ordinal)) - 1, training.Gradients.Length);
        foreach (var (parameter, gradient) in training.Gradients)
        {
            Golden.Equal(Tensors[$"{name}/gradient.{NameOf(parameter)}"], values[gradient]);
        }
    }

    private static TheoryData<string, string, string, string> Cases(string file)
    {
        var cases = new TheoryData<string, string, string, string>();
        foreach (var parts in File.ReadLines(Repository.File("tests", "ModelCompiler.Tests", "Goldens", "pytorch", file)).Select(line => line.Split(" | ")))
        {
            cases.Add(parts[0], parts[1], parts[2], parts[3]);
        }

        return cases;
    }

    private static double[][] Leaf(string name, Node node)
    {
        if (node.Attributes is InputAttributes input)
        {
            return Golden.Values(Tensors[$"{name}/{input.Name}"]).Chunk((int)node.Shape.Count).ToArray();
        }

        // Running statistics play no part in a training step.
        var parameter = node.As<ParameterAttributes>();
        return parameter.Trainable ? [Golden.Values(Tensors[$"{name}/{NameOf(node)}"])] : [new double[node.Shape.Count]];
    }

    private static string NameOf(Node parameter) => parameter.As<ParameterAttributes>().Name["op.".Length..];

    private static string Dims(string dims) => dims.Contains('x') ? dims : $"[{dims}]";
}
