// The formatter of the grammar as an edit: only the text between the first and the last change, so that the cursor stays.
using System.Text.Json;
using System.Text.Json.Nodes;
using ModelCompiler.Grammar;

namespace ModelCompiler.Tool.LanguageServer;

internal static class Formatting
{
    public static JsonNode Answer(Workspace workspace, JsonElement parameters)
    {
        var source = workspace.Source(parameters);
        if (CnnFormatter.Format(source) is not { } formatted || formatted == source.Text)
        {
            return new JsonArray(); // nothing to do, or mistakes of syntax, which the diagnostics show
        }

        var start = source.Text.AsSpan().CommonPrefixLength(formatted);
        var longest = Math.Min(source.Text.Length, formatted.Length) - start;
        var end = 0;
        while (end < longest && source.Text[^(end + 1)] == formatted[^(end + 1)])
        {
            end++;
        }

        // Not between the halves of a line end or of a character.
        start -= start > 0 && (source.Text[start - 1] == '\r' || char.IsHighSurrogate(source.Text[start - 1])) ? 1 : 0;
        end -= end > 0 && (source.Text[^end] == '\n' || char.IsLowSurrogate(source.Text[^end])) ? 1 : 0;
        return new JsonArray(Positions.Edit(source, TextSpan.FromBounds(start, source.Text.Length - end), formatted[start..^end]));
    }
}
