// Every operator and loss, in the language, against PyTorch: result and all gradients, in double precision.
using ModelCompiler.Gradient;
using ModelCompiler.Graph;
using ModelCompiler.Tests.Evaluation;
using ModelCompiler.Tests.Oracle;

namespace ModelCompiler.Tests.Operators;

public class PyTorchOperatorTests
{
    public static TheoryData<string> Operators => [.. GoldenCase.Read("operators").Select(c => c.Name)];

    public static TheoryData<string> Losses => [.. GoldenCase.Read("losses").Select(c => c.Name)];

    [Theory]
    [MemberData(nameof(Losses))]
    public void LossEqualsPyTorch(string name)
    {
        var (golden, training, values) = Run("losses", name);
        Golden.Equal(golden.Tensor("loss"), values[training.Graph.Loss!]);
        Golden.Equal(golden.Tensor("gradient.input.x"), values[training.InputGradients.Single().Gradient]);
    }

    [Theory]
    [MemberData(nameof(Operators))]
    public void EqualsPyTorch(string name)
    {
        var (golden, training, values) = Run("operators", name);
        Golden.Equal(golden.Tensor("y"), values[training.Graph.Outputs.Single().Node]);
        foreach (var (input, gradient) in training.InputGradients)
        {
            if (golden.Has($"gradient.input.{input}"))
            {
                Golden.Equal(golden.Tensor($"gradient.input.{input}"), values[gradient]);
            }
            else
            {
                Assert.All(values[gradient].SelectMany(sample => sample), slope => Assert.Equal(0, slope));
            }
        }

        Assert.Equal(golden.Gradients, training.Gradients.Length);
        foreach (var (parameter, gradient) in training.Gradients)
        {
            Golden.Equal(golden.Tensor($"gradient.{GoldenCase.NameOf(parameter.As<ParameterAttributes>().Name)}"), values[gradient]);
        }
    }

    /// <summary>An operator is not finished before PyTorch, or its formula there, was asked.</summary>
    [Fact]
    public void NoOperatorIsForgotten()
    {
        var known = GoldenCase.Read("operators").Concat(GoldenCase.Read("losses")).SelectMany(c => c.Text.Split(' ', '(', ')', '[', ']', ',')).ToHashSet(StringComparer.Ordinal);

        // What draws random numbers has no golden; what moves nothing needs none.
        string[] without = ["dropout", "identity", "flatten", "mean"];
        Assert.Equal([], ModelCompiler.Operators.Catalog.All.Keys.Except(known).Except(without));
    }

    private static (GoldenCase Golden, TrainingGraph Training, Dictionary<Node, double[][]> Values) Run(string file, string name)
    {
        var golden = GoldenCase.Find(file, name);
        var training = Differentiation.Differentiate(Evaluating.Network(GoldenCase.Blocks + golden.Network("Case")), inputGradients: true);
        return (golden, training, new Interpreter(golden.Batch).Run(training.Graph.Nodes, node => Leaf(golden, node)));
    }

    private static double[][] Leaf(GoldenCase golden, Node node)
    {
        if (node.Attributes is InputAttributes input)
        {
            return Golden.Values(golden.Tensor(input.Name)).Chunk((int)node.Shape.Count).ToArray();
        }

        // Running statistics play no part in a training step, and are not in the file; other buffers are.
        var parameter = node.As<ParameterAttributes>();
        return [golden.Has(GoldenCase.NameOf(parameter.Name)) ? Golden.Values(golden.Tensor(GoldenCase.NameOf(parameter.Name))) : new double[node.Shape.Count]];
    }
}
