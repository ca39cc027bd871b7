// A network as text, for tests and people: one line a node, stable from build to build.
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using ModelCompiler.Operators;

namespace ModelCompiler.Graph;

public static class GraphText
{
    /// <summary>The whole graph. Nodes are called by parameter, input or layer names where they have one, else %1, %2, ….</summary>
    public static string Write(NetworkGraph graph)
    {
        var names = Names(graph);
        var text = new StringBuilder();
        text.Append("network ").Append(graph.Name).Append('\n');
        foreach (var node in graph.Nodes)
        {
            text.Append("  ").Append(names[node]).Append(" = ").Append(node.Primitive.Name);
            if (!node.Inputs.IsEmpty)
            {
                text.Append('(').Append(string.Join(", ", node.Inputs.Select(input => names[input]))).Append(')');
            }

            var details = Details(node.Attributes);
            text.Append(details.Length == 0 ? "" : " " + details).Append(" : ").Append(node.Shape).Append(node.Batched ? "" : ", one for all samples").Append('\n');
        }

        foreach (var output in graph.Outputs)
        {
            text.Append("  output ").Append(output.Name).Append(" = ").Append(names[output.Node]).Append('\n');
        }

        if (graph.Loss is not null)
        {
            text.Append("  loss ").Append(names[graph.Loss]).Append('\n');
        }

        return text.ToString();
    }

    /// <summary>The layers alone: <c>conv1 conv(6, 5x5, pad: 2) : 6x28x28, 156 parameters</c>.</summary>
    public static string WriteLayers(NetworkGraph graph)
    {
        var text = new StringBuilder();
        foreach (var layer in graph.Layers)
        {
            var parameters = layer.Parameters.Where(node => node.As<ParameterAttributes>().Trainable).Sum(node => node.Shape.Count);
            text.Append(layer.Path).Append(' ').Append(layer.Operator).Append('(').Append(layer.Description).Append(") : ").Append(layer.Output.Shape);
            text.Append(parameters == 0 ? "" : ", " + parameters.ToString(CultureInfo.InvariantCulture) + " parameters").Append('\n');
        }

        return text.ToString();
    }

    private static Dictionary<Node, string> Names(NetworkGraph graph)
    {
        var names = new Dictionary<Node, string>();
        var taken = new HashSet<string>(StringComparer.Ordinal);
        foreach (var node in graph.Nodes)
        {
            var name = node.Attributes switch
            {
                ParameterAttributes parameter => parameter.Name,
                InputAttributes input => input.Name,
                _ => graph.Layers.FirstOrDefault(layer => layer.Output == node)?.Path,
            };
            names.Add(node, name is not null && taken.Add(name) ? name : "%" + node.Id.ToString(CultureInfo.InvariantCulture));
        }

        return names;
    }

    private static string Details(object? attributes) => attributes switch
    {
        null => "",
        InputAttributes { IsClass: true } => "class target",
        InputAttributes { IsTarget: true } => "target",
        InputAttributes => "",
        ParameterAttributes parameter => $"{parameter.Initializer.Kind}({Text(parameter.Initializer.Value)}){(parameter.Trainable ? "" : " fixed")}",
        ConvolutionAttributes convolution => Details(convolution.Window) + (convolution.Groups == 1 ? "" : " groups " + Text(convolution.Groups)),
        MaxPoolAttributes pool => Details(pool.Window),
        MaxPoolGradientAttributes pool => Details(pool.Window),
        AveragePoolAttributes pool => Details(pool.Window) + (pool.CountPadding ? "" : " without padding"),
        ReduceAttributes reduce => $"{reduce.Kind} over [{Text(reduce.Axes)}]{(reduce.OverBatch ? " and batch" : "")}",
        PointwiseAttributes pointwise => Details(pointwise.Formula, 0),
        ReshapeAttributes => "",
        ConcatAttributes concat => "axis " + Text(concat.Axis),
        SliceAttributes slice => $"axis {Text(slice.Axis)} from {Text(slice.Start)} count {Text(slice.Count)}",
        _ => attributes.ToString()!.Replace(attributes.GetType().Name + " ", ""),
    };

    private static string Details(Window window)
    {
        var text = "kernel " + Dims(window.Kernel);
        text += window.Stride.All(stride => stride == 1) ? "" : " stride " + Dims(window.Stride);
        text += window.PadBegin.Concat(window.PadEnd).All(pad => pad == 0) ? ""
            : window.PadBegin.SequenceEqual(window.PadEnd) ? " pad " + Dims(window.PadBegin) : $" pad {Dims(window.PadBegin)} and {Dims(window.PadEnd)}";
        return text + (window.Dilation.All(dilation => dilation == 1) ? "" : " dilation " + Dims(window.Dilation));
    }

    private static string Details(Expression formula, int depth) => depth > 20 ? "…" : formula switch
    {
        InputFormula input => "x" + Text(input.Index),
        ConstantFormula constant => Text(constant.Value),
        BatchSizeFormula => "batch",
        RandomFormula random => "random" + Text(random.Stream),
        UnaryFormula unary => $"{unary.Function}({Details(unary.Operand, depth + 1)})",
        BinaryFormula binary => $"{binary.Function}({Details(binary.Left, depth + 1)}, {Details(binary.Right, depth + 1)})",
        SelectFormula select => $"Select({Details(select.Condition, depth + 1)}, {Details(select.Then, depth + 1)}, {Details(select.Else, depth + 1)})",
        _ => formula.GetType().Name,
    };

    private static string Dims(ImmutableArray<int> sizes) => string.Join("x", sizes.Select(size => Text(size)));

    private static string Text(ImmutableArray<int> numbers) => string.Join(", ", numbers.Select(number => Text(number)));

    private static string Text(IFormattable number) => number.ToString(null, CultureInfo.InvariantCulture);
}
