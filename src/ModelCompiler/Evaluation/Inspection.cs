// What editors ask: the value of every expression of a file, to show the shape behind each arrow and under the cursor.
using System.Collections.Immutable;
using ModelCompiler.Grammar;
using ModelCompiler.Graph;

namespace ModelCompiler.Evaluation;

/// <summary>An expression and what it was when it was first evaluated; a stage behind an arrow stands for its result.</summary>
/// <param name="Description">For instance <c>a tensor 64x56x56</c>.</param>
/// <param name="Shapes">One for a tensor, several for a list of tensors, none for other values.</param>
public sealed record InspectedValue(SourceSpan Place, string Description, ImmutableArray<Shape> Shapes);

/// <param name="Values">In the order of the text, outer expressions before the inner ones that start with them.</param>
public sealed record Inspection(EvaluatedFile File, ImmutableArray<InspectedValue> Values);

/// <summary>Collects values while networks are evaluated. A block that is used several times shows its first use.</summary>
internal sealed class Inspector(SourceFile file)
{
    private readonly Dictionary<TextSpan, InspectedValue> values = new();

    public ImmutableArray<InspectedValue> Values =>
        [.. values.Values.OrderBy(value => value.Place.Span.Start).ThenByDescending(value => value.Place.Span.Length)];

    public void See(SourceSpan place, Value value)
    {
        if (place.File != file || value is ErrorValue)
        {
            return;
        }

        if (!values.TryGetValue(place.Span, out var known) || (known.Shapes.IsEmpty && ArgumentBinder.CarriesTensor(value)))
        {
            values[place.Span] = new InspectedValue(place, value.Describe(), ShapesOf(value));
        }
    }

    private static ImmutableArray<Shape> ShapesOf(Value value) => value switch
    {
        TensorValue tensor => [tensor.Shape],
        ListValue list => [.. list.Items.OfType<TensorValue>().Select(tensor => tensor.Shape)],
        _ => [],
    };
}
