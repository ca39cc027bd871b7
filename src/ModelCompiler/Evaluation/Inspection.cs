// What editors ask: the value of every expression of a file, to show the shape behind each arrow, and what is under the
// cursor with its cost.
using System.Collections.Immutable;
using ModelCompiler.Grammar;
using ModelCompiler.Graph;

namespace ModelCompiler.Evaluation;

/// <summary>An expression and what it was when it was first evaluated; a stage behind an arrow stands for its result.</summary>
/// <param name="Description">For instance <c>a tensor 64x56x56</c>.</param>
/// <param name="Nodes">One for a tensor, several for a list of tensors, none for other values.</param>
/// <param name="Sources">What flowed into a stage; empty for other expressions.</param>
public sealed record InspectedValue(SourceSpan Place, string Description, ImmutableArray<Node> Nodes, ImmutableArray<Node> Sources)
{
    public IEnumerable<Shape> Shapes => Nodes.Select(node => node.Shape);
}

/// <param name="Values">In the order of the text, outer expressions before the inner ones that start with them.</param>
public sealed record Inspection(EvaluatedFile File, ImmutableArray<InspectedValue> Values);

/// <summary>Collects values while networks are evaluated. A block that is used several times shows its first use.</summary>
internal sealed class Inspector(SourceFile file)
{
    private readonly Dictionary<TextSpan, InspectedValue> values = new();

    public ImmutableArray<InspectedValue> Values =>
        [.. values.Values.OrderBy(value => value.Place.Span.Start).ThenByDescending(value => value.Place.Span.Length)];

    /// <param name="source">What flowed into the stage that stands at the place; null for other expressions.</param>
    public void See(SourceSpan place, Value value, Value? source = null)
    {
        if (place.File != file || value is ErrorValue)
        {
            return;
        }

        if (!values.TryGetValue(place.Span, out var known) || (known.Nodes.IsEmpty && ArgumentBinder.CarriesTensor(value)))
        {
            values[place.Span] = new InspectedValue(place, value.Describe(), NodesOf(value), NodesOf(source));
        }
    }

    private static ImmutableArray<Node> NodesOf(Value? value) => value switch
    {
        TensorValue tensor => [tensor.Node],
        ListValue list => [.. list.Items.OfType<TensorValue>().Select(tensor => tensor.Node)],
        _ => [],
    };
}
