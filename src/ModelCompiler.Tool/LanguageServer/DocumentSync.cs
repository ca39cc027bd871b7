// What clients tell about their documents, applied to the workspace: opened, typed in, closed.
using System.Collections.Immutable;
using System.Text.Json;
using ModelCompiler.Grammar;

namespace ModelCompiler.Tool.LanguageServer;

internal static class DocumentSync
{
    public static Workspace Open(Workspace workspace, JsonElement parameters)
    {
        var document = parameters.Get("textDocument");
        return With(workspace, document.Text("uri"), document.Number("version"), document.Text("text"));
    }

    public static Workspace Change(Workspace workspace, JsonElement parameters)
    {
        var identifier = parameters.Get("textDocument");
        var (uri, version) = (identifier.Text("uri"), identifier.Number("version"));
        if (!workspace.Documents.TryGetValue(FileUris.ToPath(uri), out var document))
        {
            throw new RpcException(RpcError.InvalidParams, $"'{uri}' is not open");
        }

        var source = document.Source;
        foreach (var change in parameters.Items("contentChanges"))
        {
            var text = change.Text("text");
            if (change.TryGet("range") is { } range)
            {
                var span = Positions.Span(source, range);
                text = string.Concat(source.Text.AsSpan(0, span.Start), text, source.Text.AsSpan(span.End));
            }

            source = new SourceFile(source.Path, text);
        }

        return With(workspace, document.Uri, version, source.Text);
    }

    public static Workspace Close(Workspace workspace, JsonElement parameters) =>
        workspace with { Documents = workspace.Documents.Remove(FileUris.ToPath(parameters.Get("textDocument").Text("uri"))) };

    public static Workspace Initialize(Workspace workspace, JsonElement parameters)
    {
        var folders = parameters.TryGet("workspaceFolders") is { ValueKind: JsonValueKind.Array } list
            ? list.EnumerateArray().Select(folder => folder.Text("uri"))
            : parameters.TryGet("rootUri") is not null ? [parameters.Text("rootUri")] : [];
        return workspace with { Roots = [.. folders.Select(FileUris.ToPath)] };
    }

    private static Workspace With(Workspace workspace, string uri, int version, string text)
    {
        var path = FileUris.ToPath(uri);
        return workspace with { Documents = workspace.Documents.SetItem(path, new Document(uri, version, new SourceFile(path, text))) };
    }
}
