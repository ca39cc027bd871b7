// What a network consists of and costs, as data; `cnnc summary` prints it, and its JSON form is stable:
// properties may be added, none will change.
using ModelCompiler.Advice;
using ModelCompiler.Graph;
using ModelCompiler.Operators;
using ModelCompiler.Planning;

namespace ModelCompiler.Tool;

/// <summary>Shapes and costs are of one sample.</summary>
internal sealed record NetworkSummary(
    string Network, TensorSummary[] Inputs, TensorSummary[] Targets, TensorSummary[] Outputs, LayerSummary[] Layers, TotalSummary Totals)
{
    /// <param name="tuning">Measured choices of kernels, if there are any.</param>
    public static NetworkSummary Of(NetworkGraph network, Tuning? tuning = null)
    {
        var fields = ReceptiveField.Of(network);
        var plan = Planner.ForInference(network, tuning: tuning?.For(network.Name, training: false));
        var counted = new HashSet<Node>();
        return new NetworkSummary(
            network.Name,
            Tensors(network.Inputs),
            Tensors(network.Targets),
            Tensors(network.Outputs),
            network.Layers.Select(layer => Describe(layer, counted, fields, plan)).ToArray(),
            Total(network, plan));
    }

    private static TensorSummary[] Tensors(IEnumerable<NamedNode> nodes) =>
        nodes.Select(named => new TensorSummary(named.Name, [.. named.Node.Shape.Dimensions])).ToArray();

    /// <param name="counted">Parameters of earlier layers: shared ones count where they appear first.</param>
    private static LayerSummary Describe(
        Layer layer, HashSet<Node> counted, IReadOnlyDictionary<Node, ReceptiveField> fields, Plan plan) => new(
        layer.Path,
        layer.Operator,
        layer.Description,
        [.. layer.Output.Shape.Dimensions],
        layer.Parameters.Where(IsTrainable).Where(counted.Add).Sum(parameter => parameter.Shape.Count),
        Within(layer).Sum(node => node.Primitive.Macs(node)),
        Kernel(layer, plan),
        layer.Output.Shape.Count * sizeof(float),
        fields.TryGetValue(layer.Output, out var field) ? new FieldSummary([.. field.Size], [.. field.Jump]) : null);

    /// <summary>The plan's graph is a lowered copy, in which layers keep their paths.</summary>
    private static string Kernel(Layer layer, Plan plan) =>
        plan.Graph.Layers.FirstOrDefault(planned => planned.Path == layer.Path) is { } planned && plan.KernelOf.TryGetValue(planned.Output, out var kernel)
            ? kernel
            : "";

    private static TotalSummary Total(NetworkGraph network, Plan plan) => new(
        network.Parameters.Where(IsTrainable).Sum(parameter => parameter.Shape.Count),
        network.Parameters.Where(parameter => !IsTrainable(parameter)).Sum(parameter => parameter.Shape.Count),
        network.Nodes.Sum(node => node.Primitive.Macs(node)),
        network.Layers.Select(layer => layer.Output).Distinct().Sum(output => output.Shape.Count * sizeof(float)),
        (long)plan.SampleFloats * sizeof(float),
        (long)plan.CommonFloats * sizeof(float));

    private static bool IsTrainable(Node parameter) => parameter.As<ParameterAttributes>().Trainable;

    /// <summary>The nodes that a layer adds: from its result back to its inputs and parameters.</summary>
    private static HashSet<Node> Within(Layer layer)
    {
        var found = new HashSet<Node>();
        var open = new Stack<Node>([layer.Output]);
        while (open.TryPop(out var node))
        {
            if (!layer.Inputs.Contains(node) && node.Primitive != Primitives.Parameter && found.Add(node))
            {
                foreach (var input in node.Inputs)
                {
                    open.Push(input);
                }
            }
        }

        return found;
    }
}

internal sealed record TensorSummary(string Name, int[] Shape);

/// <param name="Parameters">Trainable numbers; those shared with an earlier layer are counted there.</param>
/// <param name="Macs">Multiply-adds of convolutions, dense layers and matrix products.</param>
/// <param name="Kernel">The kernel chosen for inference; empty where the layer is part of another's kernel.</param>
/// <param name="ReceptiveField">Null where no spatial input leads to the layer.</param>
internal sealed record LayerSummary(
    string Path, string Operator, string Arguments, int[] OutputShape, long Parameters, long Macs, string Kernel,
    long ActivationBytes, FieldSummary? ReceptiveField);

/// <summary>In elements of the input, per spatial axis.</summary>
internal sealed record FieldSummary(int[] Size, int[] Jump);

/// <param name="Parameters">Trainable numbers.</param>
/// <param name="Buffers">Running statistics and fixed kernels.</param>
/// <param name="ActivationBytes">All layers' results together, none reused.</param>
/// <param name="SampleBytes">Memory an inference object holds for each sample of its batch, beside inputs and outputs.</param>
/// <param name="CommonBytes">Memory an inference object holds whatever its batch: packed weights and scratch.</param>
internal sealed record TotalSummary(long Parameters, long Buffers, long Macs, long ActivationBytes, long SampleBytes, long CommonBytes);
