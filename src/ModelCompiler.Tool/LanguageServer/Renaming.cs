// A new name for what a name stands for, at every place that uses it. A rename never changes what a file means: a name
// that is no name, or that stands for something else at one of the places, is refused.
using System.Text.Json;
using System.Text.Json.Nodes;
using ModelCompiler.Evaluation;
using ModelCompiler.Grammar;

namespace ModelCompiler.Tool.LanguageServer;

internal static class Renaming
{
    public static JsonNode? Prepare(Workspace workspace, JsonElement parameters)
    {
        var source = workspace.Source(parameters);
        return workspace.Names(source).At(Positions.Offset(source, parameters.Get("position"))) is { } use
            ? new JsonObject
            {
                ["range"] = Positions.Range(source, use.Place),
                ["placeholder"] = source.Text.Substring(use.Place.Start, use.Place.Length),
            }
            : null;
    }

    public static JsonNode Answer(Workspace workspace, JsonElement parameters)
    {
        var source = workspace.Source(parameters);
        var name = parameters.Text("newName");
        var use = workspace.Names(source).At(Positions.Offset(source, parameters.Get("position")))
            ?? throw Refusal("there is no name here that could be renamed");
        CheckWord(name);
        var places = Navigation.Uses(workspace, source, use.Definition).ToList();
        if (Clash(workspace, places, name, use.Definition) is { } other)
        {
            throw Refusal($"'{name}' is defined already: {Path.GetFileName(other.File.Path)}, line {other.Line}");
        }

        var changes = new JsonObject();
        foreach (var file in places.GroupBy(place => place.File))
        {
            changes[workspace.Uri(file.Key)] = new JsonArray([.. file.Select(place => Positions.Edit(file.Key, place.Span, name))]);
        }

        return new JsonObject { ["changes"] = changes };
    }

    private static void CheckWord(string name)
    {
        if (Lexis.Read(new SourceFile("", name)).Tokens is not [{ Kind: TokenKind.Name } word] || word.Text != name)
        {
            throw Refusal(Keywords.All.Contains(name)
                ? $"'{name}' is a word of the language"
                : $"'{name}' is not a name: letters a to z, digits and '_', no digit first");
        }

        if (Vocabulary.Knows(name))
        {
            throw Refusal($"'{name}' is a word of the language");
        }
    }

    /// <summary>What the new name stands for already: at one of the places, or in a scope that knows the definition too.</summary>
    private static SourceSpan? Clash(Workspace workspace, List<SourceSpan> places, string name, SourceSpan definition)
    {
        var atPlaces = places.Select(place => workspace.Names(place.File).Find(name, place.Span.Start));
        var inScopes = workspace.Files().Concat(places.Select(place => place.File)).Distinct()
            .SelectMany(file => workspace.Names(file).Scopes)
            .Where(scope => scope.Names.Values.Contains(definition))
            .Select(scope => scope.Names.TryGetValue(name, out var other) ? other : (SourceSpan?)null);
        return atPlaces.Concat(inScopes).FirstOrDefault(other => other is not null && other != definition);
    }

    private static RpcException Refusal(string message) => new(RpcError.RequestFailed, message);
}
