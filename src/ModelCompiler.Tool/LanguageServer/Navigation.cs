// From a name to its definition, and from a definition to its uses, across files.
using System.Text.Json;
using System.Text.Json.Nodes;
using ModelCompiler.Evaluation;
using ModelCompiler.Grammar;

namespace ModelCompiler.Tool.LanguageServer;

internal static class Navigation
{
    public static JsonNode? Definition(Workspace workspace, JsonElement parameters)
    {
        var source = workspace.Source(parameters);
        var offset = Positions.Offset(source, parameters.Get("position"));
        if (workspace.Names(source).At(offset) is { } use)
        {
            return workspace.Location(use.Definition);
        }

        var import = workspace.Compilations.Parse(source).Declarations.OfType<UseSyntax>().FirstOrDefault(use => use.Span.Start <= offset && offset <= use.Span.End);
        return import is not null && workspace.Import(source.Path, import.Path) is { } file ? workspace.Location(new SourceSpan(file, default)) : null;
    }

    public static JsonNode? References(Workspace workspace, JsonElement parameters)
    {
        var source = workspace.Source(parameters);
        if (workspace.Names(source).At(Positions.Offset(source, parameters.Get("position"))) is not { } use)
        {
            return null;
        }

        var withDefinition = parameters.TryGet("context") is { } context && context.TryGet("includeDeclaration") is { ValueKind: JsonValueKind.True };
        return new JsonArray([.. Uses(workspace, source, use.Definition).Where(place => withDefinition || place != use.Definition).Select(workspace.Location)]);
    }

    /// <summary>Where a name is used and defined: in its own file, in the file asked about, in open ones and those of the workspace.</summary>
    public static IEnumerable<SourceSpan> Uses(Workspace workspace, SourceFile asked, SourceSpan definition) =>
        workspace.Files().Append(asked).Append(definition.File).Distinct().OrderBy(file => file.Path, StringComparer.Ordinal)
            .SelectMany(file => workspace.Names(file).Uses.Where(use => use.Definition == definition).Select(use => new SourceSpan(file, use.Place)));
}
