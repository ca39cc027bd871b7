// The shape behind every arrow, where the editor shows it between the words.
using System.Text.Json;
using System.Text.Json.Nodes;
using ModelCompiler.Evaluation;
using ModelCompiler.Grammar;

namespace ModelCompiler.Tool.LanguageServer;

internal static class InlayHints
{
    private const int TypeHint = 1;

    public static JsonNode Answer(Workspace workspace, JsonElement parameters)
    {
        var source = workspace.Source(parameters);
        var range = Positions.Span(source, parameters.Get("range"));
        var values = new InspectedValues(workspace.InspectInUse(source));
        var hints = SyntaxPath.All(workspace.Compilations.Parse(source)).OfType<FlowExpression>()
            .SelectMany(flow => flow.Stages.SelectMany(Stages))
            .Where(stage => stage.Span.End >= range.Start && stage.Span.End <= range.End)
            .OrderBy(stage => stage.Span.End)
            .Select(stage => (Stage: stage, Value: values.Of(stage)))
            .Where(hint => hint.Value is { Nodes.IsEmpty: false })
            .Select(hint => (At: hint.Stage.Span.End, Text: ValueText.Shapes(hint.Value!)))
            .ToList();
        return new JsonArray([.. hints.Where((hint, i) => i + 1 == hints.Count || !IsRepeated(source, hint, hints[i + 1])).Select(hint => Hint(source, hint.At, hint.Text))]);
    }

    /// <summary>A stage, and the first one inside its parentheses, which stands behind the same arrow.</summary>
    private static IEnumerable<ExpressionSyntax> Stages(ExpressionSyntax stage) => stage switch
    {
        LabelExpression { Value: ParenthesizedExpression { Inner: FlowExpression flow } } => [stage, flow.First],
        ParenthesizedExpression { Inner: FlowExpression flow } => [stage, flow.First],
        _ => [stage],
    };

    /// <summary>The last stage in parentheses gives what the parentheses give: it is said once.</summary>
    private static bool IsRepeated(SourceFile source, (int At, string Text) hint, (int At, string Text) next) =>
        hint.Text == next.Text && source.Text.AsSpan(hint.At, next.At - hint.At).TrimEnd(')').IsWhiteSpace();

    private static JsonObject Hint(SourceFile source, int at, string text) => new()
    {
        ["position"] = Positions.Position(source, at),
        ["label"] = text,
        ["kind"] = TypeHint,
        ["paddingLeft"] = true,
    };
}

/// <summary>The values of a file by the text they stand for.</summary>
internal sealed class InspectedValues(Inspection inspection)
{
    private readonly Dictionary<TextSpan, InspectedValue> values = inspection.Values.ToDictionary(value => value.Place.Span);

    public InspectedValue? At(TextSpan span) => values.GetValueOrDefault(span);

    /// <summary>The value of an expression; of a stage inside a recipe, what its operator or block gave where it was applied.</summary>
    public InspectedValue? Of(ExpressionSyntax expression)
    {
        var own = At(expression.Span);
        return own is { Nodes.IsEmpty: false } ? own : expression switch
        {
            CallExpression call => At(call.Callee.Span) is { Nodes.IsEmpty: false } applied ? applied : own,
            LabelExpression label => Of(label.Value) ?? own,
            ParenthesizedExpression parenthesized => Of(parenthesized.Inner) ?? own,
            FlowExpression flow => Of(flow.Stages[^1]) ?? own,
            _ => own,
        };
    }
}
