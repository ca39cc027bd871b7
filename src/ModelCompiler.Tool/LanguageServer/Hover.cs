// What is under the cursor: the value with its shape and cost, what a name stands for, what an operator or argument does.
using System.Text.Json;
using System.Text.Json.Nodes;
using ModelCompiler.Evaluation;
using ModelCompiler.Grammar;

namespace ModelCompiler.Tool.LanguageServer;

internal static class Hover
{
    /// <summary>Layers named in one hover; a block that is used often stands for many.</summary>
    private const int MostLayers = 4;

    public static JsonNode? Answer(Workspace workspace, JsonElement parameters)
    {
        var source = workspace.Source(parameters);
        var offset = Positions.Offset(source, parameters.Get("position"));
        var path = SyntaxPath.At(workspace.Compilations.Parse(source), offset);
        var inspection = workspace.InspectInUse(source);
        var values = new InspectedValues(inspection);
        var use = workspace.Names(source).At(offset);
        var defined = use is { } known ? DefinedName.Find(workspace, known.Definition) : null;
        string?[] parts =
        [
            Value(path, defined, values, workspace.Names(source)) is { } value ? ValueText.Describe(value) : null,
            defined is not null ? Describe(defined) : Word(path),
            Layers(new SourceSpan(source, path[^1].Span), inspection),
        ];
        var text = string.Join("\n\n---\n\n", parts.OfType<string>());
        return text.Length == 0 ? null : new JsonObject
        {
            ["contents"] = new JsonObject { ["kind"] = "markdown", ["value"] = text },
            ["range"] = Positions.Range(source, use?.Place ?? path[^1].Span),
        };
    }

    private static InspectedValue? Value(List<SyntaxNode> path, DefinedName? defined, InspectedValues values, NameIndex names)
    {
        switch (path[^1])
        {
            case IntegerExpression or FloatExpression or DimsExpression or StringExpression or BooleanExpression:
                return null; // it says all there is to say
            case ExpressionSyntax expression:
                return values.Of(expression) is { Nodes.IsEmpty: false } own ? own
                    : path.Count > 1 && path[^2] is CallExpression call && call.Callee == expression ? values.Of(call) : values.Of(expression);
            case NameSyntax when path.Count > 1 && path[^2] is MemberExpression member:
                return values.Of(member);
            case NameSyntax when path.Count > 1 && path[^2] is LabelExpression label:
                return values.Of(label);
            case NameSyntax when path.Count > 1 && path[^2] is ArgumentSyntax:
                return null;
            case NameSyntax when defined is not null:
                var bound = defined.Owner is BindingSyntax { Names.Length: 1, Value: var whole } ? values.Of(whole)
                    : defined.Owner is OutputSyntax { Value: var result } ? values.Of(result) : null;
                return bound ?? names.Uses.Where(use => use.Definition == defined.Name).Select(use => values.At(use.Place)).FirstOrDefault(value => value is not null);
            default:
                return null;
        }
    }

    private static string Describe(DefinedName name)
    {
        var comment = name.Comment is { } text ? "\n\n" + text : "";
        return $"```cnn\n{name.Description}\n```\n{name.Kind} '{name.Text}'{comment}";
    }

    /// <summary>A word of the language, or an argument's name.</summary>
    private static string? Word(List<SyntaxNode> path) => path[^1] switch
    {
        NameExpression name => Vocabulary.Operator(name.Name) is { } known ? OperatorText.Describe(known.Signature) : OperatorText.Word(name.Name),
        NameSyntax name when path.Count > 2 && path[^2] is ArgumentSyntax && path[^3] is CallExpression { Callee: NameExpression callee } =>
            Vocabulary.Operator(callee.Name)?.Signature.Arguments.FirstOrDefault(spec => spec.Name == name.Text) is { } spec ? OperatorText.Describe(spec) : null,
        _ => null,
    };

    /// <summary>The paths of the layers that an operator's word became: the names of their weights.</summary>
    private static string? Layers(SourceSpan word, Inspection inspection)
    {
        var paths = inspection.File.Networks.SelectMany(network => network.Layers)
            .Where(layer => layer.Place == word)
            .Select(layer => layer.Path).Distinct().ToList();
        var more = paths.Count > MostLayers ? $" and {paths.Count - MostLayers} more" : "";
        return paths.Count == 0 ? null : $"layer {string.Join(", ", paths.Take(MostLayers).Select(path => $"`{path}`"))}{more}";
    }
}
