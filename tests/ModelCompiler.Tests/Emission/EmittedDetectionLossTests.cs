// The losses of the zoo's detectors at small sizes: emitted code and oracle against each other, with masks of any number, and
// both against torchvision or the papers' formulas in PyTorch (Goldens/pytorch/detection.py), with masks of 0 and 1.
using ModelCompiler.Gradient;
using ModelCompiler.Graph;
using ModelCompiler.Runtime;
using ModelCompiler.Tests.Oracle;

namespace ModelCompiler.Tests.Emission;

public class EmittedDetectionLossTests
{
    private const int Batch = 3;

    /// <summary>The block, its answers, and its targets in the order in which it takes them.</summary>
    private static readonly (string Block, string Arguments, string[] Answers, string[] Targets)[] Losses =
    [
        ("RetinaNetLoss", "", ["scores 7x3", "offsets 7x4"], ["classes 7x3", "places 7x4", "positive 7x1", "counted 7x1"]),
        ("MultiBoxLoss", "", ["scores 16x4", "offsets 16x4"], ["label [class,16]", "places 16x4", "positive 16x1", "counted 16x1"]),
        ("ProposalLoss", "", ["scores 13x1", "offsets 13x4"], ["objects 13x1", "places 13x4", "sampled 13x1"]),
        ("RegionLoss", "", ["scores 6x4", "offsets 6x16"], ["label [class,6]", "places 6x4", "own 6x4"]),
        ("MaskLoss", "", ["scores 4x3x5x5"], ["pixels 4x5x5", "own 4x3"]),
        ("YoloV1Loss", "(2)", ["answers 14x3x3"], ["truth 14x3x3", "responsible 2x3x3", "occupied 1x3x3"]),
        ("YoloV2Loss", "", ["answers 9x9"], ["label [class,9]", "places 9x4", "confidence 9x1", "object 9x1", "empty 9x1"]),
        ("YoloV3Loss", "", ["answers 9x9"], ["classes 9x4", "places 9x4", "object 9x1", "counted 9x1"]),
    ];

    private static readonly Lazy<CompiledTexts> Compiled = new(() => new CompiledTexts(
        Common("detection_losses.cnn") + Common("yolo_losses.cnn") + string.Concat(Losses.Select((_, i) => Network(i)))));

    private static readonly Dictionary<string, StoredTensor> Goldens = Golden.Read("detection");

    public static TheoryData<string> Names => [.. Losses.Select(loss => loss.Block)];

    /// <summary>A new loss is not finished before PyTorch was asked.</summary>
    [Fact]
    public void NoLossIsForgotten() => Assert.Equal(
        Losses.Select(loss => loss.Block),
        (Common("detection_losses.cnn") + Common("yolo_losses.cnn")).Split('\n').Where(line => line.StartsWith("block ", StringComparison.Ordinal))
            .Select(line => line.Split(' ', '(')[1]).Where(name => name.EndsWith("Loss", StringComparison.Ordinal)));

    [Theory]
    [MemberData(nameof(Names))]
    public void AgreeWithTheOracle(string name)
    {
        foreach (var batch in new[] { 1, 5 })
        {
            using var training = Compiled.Value.Training(NetworkOf(name), batch);
            using var inference = Compiled.Value.Inference(NetworkOf(name), batch, training.Parameters);
            OracleComparison.Run(Graph(name), training, inference, new Random(batch));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void EqualPyTorchInTheOracle(string name)
    {
        var training = Differentiation.Differentiate(Graph(name), inputGradients: true);
        var values = new Interpreter(Batch).Run(training.Graph.Nodes, node =>
            Golden.Values(Goldens[$"{name}/{node.As<InputAttributes>().Name}"]).Chunk((int)node.Shape.Count).ToArray());
        Golden.Equal(Goldens[$"{name}/loss"], values[training.Graph.Loss!]);
        Assert.All(training.InputGradients, pair => Golden.Equal(Goldens[$"{name}/gradient.{pair.Input}"], values[pair.Gradient]));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void EqualPyTorch(string name)
    {
        using var training = Compiled.Value.Training(NetworkOf(name), Batch);
        foreach (var input in training.Inputs)
        {
            Goldens[$"{name}/{input.Info.Name}"].ToFloats().CopyTo(input.Data);
        }

        foreach (var target in training.Targets)
        {
            var golden = Goldens[$"{name}/{target.Info.Name}"];
            if (target.Info.Kind == TensorKind.Class)
            {
                golden.ToIntegers().Select(label => (int)label).ToArray().CopyTo(target.Classes);
            }
            else
            {
                golden.ToFloats().CopyTo(target.Data);
            }
        }

        training.ComputeGradients();
        AssertRoundings(Goldens[$"{name}/loss"], [training.Loss]);
        foreach (var gradient in training.InputGradients)
        {
            AssertRoundings(Goldens[$"{name}/gradient.{gradient.Info.Name}"], gradient.Data);
        }
    }

    /// <summary>Eight roundings (2^-24) of the tensor's largest value.</summary>
    private static void AssertRoundings(StoredTensor golden, ReadOnlySpan<float> actual)
    {
        var roundings = Golden.Roundings(golden, actual);
        Assert.True(roundings <= 8, $"{golden.Name}: {roundings:F1} roundings from PyTorch, 8 allowed");
    }

    private static string NetworkOf(string name) => "Of" + name;

    private static NetworkGraph Graph(string name) => Compiled.Value.Graphs.Single(graph => graph.Name == NetworkOf(name));

    private static string Network(int number)
    {
        var (block, arguments, answers, targets) = Losses[number];
        var lines = answers.Select(a => "input " + a).Concat(targets.Select(t => "target " + t)).Select(line => line.Split(' ')).Select(parts => $"    {parts[0]} {parts[1]}: {parts[2]}");
        var names = answers.Concat(targets).Select(text => text.Split(' ')[0]);
        return $"network {NetworkOf(block)} {{\n{string.Join("\n", lines)}\n    output {names.First()}\n    loss [{string.Join(", ", names)}] -> {block}{arguments}\n}}\n";
    }

    private static string Common(string file) => File.ReadAllText(Repository.File("examples", "zoo", "common", file));
}
