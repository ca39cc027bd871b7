// The static description of a product: what `LeNet5.Info` says.
using ModelCompiler.Graph;
using ModelCompiler.Operators;
using ModelCompiler.Planning;

namespace ModelCompiler.Emission;

internal sealed class InfoEmitter(NetworkGraph network, Plan plan, SourceWriter writer)
{
    private readonly Dictionary<string, Layer> planned = plan.Graph.Layers.GroupBy(layer => layer.Path).ToDictionary(same => same.Key, same => same.First());
    private readonly ILookup<string, Node> nodesOf = network.Nodes.Where(n => n.Origin.Path.Length > 0).ToLookup(n => n.Origin.Path);

    /// <summary>How many numbers stand on a line.</summary>
    private const int NumbersOnLine = 32;

    public void Emit()
    {
        if (plan.Training)
        {
            EmitTraining();
            return;
        }

        writer.Line("public static new NetworkInfo Info { get; } = new NetworkInfo(");
        writer.Line($"    Name: {Literals.Text(network.Name)},");
        Array("Inputs", "TensorInfo", network.Inputs.Select(Input));
        writer.Line("    Targets: [],");
        Array("Outputs", "TensorInfo", network.Outputs.Select(o => $"new({Literals.Text(o.Name)}, {Sizes(o.Node.Shape)})"));
        List("Parameters", "ParameterInfo", ParameterStorage.All(network).Select(Parameter));
        List("Layers", "LayerInfo", network.Layers.Select(Layer));
        writer.Line($"    StorageFloats: {Literals.Int(plan.StorageFloats)},");
        writer.Line($"    TrainableFloats: {Literals.Int(plan.TrainableFloats)},");
        writer.Line($"    SampleBytes: {Literals.Int(plan.SampleFloats * 4L)},");
        writer.Line($"    CommonBytes: {Literals.Int(plan.CommonFloats * 4L)},");
        writer.Line($"    ScratchBytes: {Literals.Int(plan.ScratchFloats * 4L)}{(plan.PreparationFloats == 0 ? "" : $", PreparationBytes: {Literals.Int(plan.PreparationFloats * 4L)}")});");
    }

    /// <summary>What inference and training have in common is written once.</summary>
    private void EmitTraining()
    {
        var ofLayers = network.Layers.Select(KernelOf).ToList();
        var kernels = ofLayers.Distinct().ToList();
        var choices = ofLayers.Select(kernel => Literals.Int(kernels.IndexOf(kernel))).ToList();
        writer.Line($"public static new NetworkInfo Info {{ get; }} = {network.Name}.Info with").Line("{");
        writer.Line("    Targets =").Line("    [");
        foreach (var target in plan.Graph.Targets)
        {
            writer.Line($"        {Target(target)},");
        }

        writer.Line("    ],");
        writer.Line($"    Layers = {network.Name}.Info.LayersWith([{string.Join(", ", kernels.Select(Literals.Text))}],").Line("    [");
        for (var i = 0; i < choices.Count; i += NumbersOnLine)
        {
            writer.Line($"        {string.Join(", ", choices.Skip(i).Take(NumbersOnLine))},");
        }

        writer.Line("    ]),");
        writer.Line($"    SampleBytes = {Literals.Int(plan.SampleFloats * 4L)},");
        writer.Line($"    CommonBytes = {Literals.Int(plan.CommonFloats * 4L)},");
        writer.Line($"    ScratchBytes = {Literals.Int(plan.ScratchFloats * 4L)},");
        writer.Line($"    PreparationBytes = {Literals.Int(plan.PreparationFloats * 4L)},").Line($"    GroupBytes = {Literals.Int(plan.GroupFloats * 4L)},").Line("};");
    }

    private string KernelOf(Layer layer) =>
        planned.TryGetValue(layer.Path, out var same) && plan.KernelOf.TryGetValue(same.Output, out var text) ? text : "fused";

    private static string Sizes(Shape shape) => $"[{string.Join(", ", shape.Dimensions.Select(d => Literals.Int(d)))}]";

    private static string Parameter(ParameterSlot slot)
    {
        var p = slot.Attributes;
        return $"{p.Name} | {p.Shape} | {Literals.Int(slot.Offset)} | {(p.Trainable ? "trained" : "fixed")} | {p.Initializer.Kind} | "
            + $"{Literals.Float((float)p.Initializer.Value).TrimEnd('f')} | {Literals.Int(p.Initializer.FanIn)} | {Literals.Int(p.Initializer.FanOut)}";
    }

    private void Array(string name, string type, IEnumerable<string> items)
    {
        var list = items.ToList();
        if (list.Count == 0)
        {
            writer.Line($"    {name}: [],");
            return;
        }

        writer.Line($"    {name}:").Line("    [");
        foreach (var item in list)
        {
            writer.Line("        " + item + ",");
        }

        writer.Line("    ],");
    }

    /// <summary>A text with a line for each item, which the library reads: code that made them all would be the largest method of the network.</summary>
    private void List(string name, string type, IEnumerable<string> items)
    {
        var list = items.ToList();
        if (list.Count == 0)
        {
            writer.Line($"    {name}: [],");
            return;
        }

        const string quotes = "\"\"\"";
        writer.Line($"    {name}: {type}.List(").Line($"        {quotes}");
        list.ForEach(item => writer.Line("        " + item));
        writer.Line($"        {quotes}),");
    }

    private string Input(NamedNode input)
    {
        // The strictest of all that use it; a value may be read through a change of shape.
        var limits = network.Nodes.Where(n => n.Primitive == Primitives.Detach && n.Inputs[0] == input.Node)
            .Select(n => n.As<DetachAttributes>().Limits!).Where(l => l is not null).ToList();
        var text = limits.Count == 0 ? "" : $", Limits: new({Literals.Int(limits.Min(l => l.Places))}, {Literals.Float((float)limits.Min(l => l.Width))}, {Literals.Float((float)limits.Min(l => l.Height))})";
        return $"new({Literals.Text(input.Name)}, {Sizes(input.Node.Shape)}{text})";
    }

    private string Target(NamedNode target)
    {
        if (!target.Node.As<InputAttributes>().IsClass)
        {
            return $"new({Literals.Text(target.Name)}, {Sizes(target.Node.Shape)})";
        }

        // What gathers by class numbers says how many there are, and all of it which label does not count.
        var gathers = plan.Graph.Nodes.Where(n => n.Primitive == Primitives.GatherClass && n.Inputs[1] == target.Node).ToList();
        var classes = gathers.Select(n => n.Inputs[0].Shape[0]).DefaultIfEmpty(0).Min();
        var labels = gathers.Select(n => n.As<GatherClassAttributes>().Ignored).Distinct().ToList();
        var ignored = labels.Count == 1 && labels[0] is { } only ? $", Ignored: {Literals.Int(only)}" : "";
        return $"new({Literals.Text(target.Name)}, {Sizes(target.Node.Shape)}, TensorKind.Class, {Literals.Int(classes)}{ignored})";
    }

    private string Layer(Layer layer)
    {
        var parameters = layer.Parameters.Where(p => p.As<ParameterAttributes>().Trainable).Sum(p => p.Shape.Count);
        var macs = nodesOf[layer.Path].Sum(n => n.Primitive.Macs(n));
        return $"{layer.Path} | {layer.Operator} | {layer.Output.Shape} | {Literals.Int(parameters)} | {Literals.Int(macs)} | {KernelOf(layer)}";
    }
}
