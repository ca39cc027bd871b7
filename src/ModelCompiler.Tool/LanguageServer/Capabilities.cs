// What the server can do, as it says in its answer to 'initialize', and who does it.
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ModelCompiler.Tool.LanguageServer;

internal static class Capabilities
{
    /// <summary>Requests by method.</summary>
    public static readonly IReadOnlyDictionary<string, Func<Workspace, JsonElement, JsonNode?>> Features =
        new Dictionary<string, Func<Workspace, JsonElement, JsonNode?>>
        {
            ["textDocument/hover"] = Hover.Answer,
            ["textDocument/completion"] = Completion.Answer,
            ["textDocument/signatureHelp"] = SignatureHelp.Answer,
            ["textDocument/definition"] = Navigation.Definition,
            ["textDocument/references"] = Navigation.References,
            ["textDocument/prepareRename"] = Renaming.Prepare,
            ["textDocument/rename"] = Renaming.Answer,
            ["textDocument/formatting"] = Formatting.Answer,
            ["textDocument/documentSymbol"] = Outline.Answer,
            ["textDocument/inlayHint"] = InlayHints.Answer,
        };

    public static JsonObject Describe() => new()
    {
        ["capabilities"] = new JsonObject
        {
            ["positionEncoding"] = "utf-16",
            ["textDocumentSync"] = new JsonObject { ["openClose"] = true, ["change"] = 2, ["save"] = true },
            ["hoverProvider"] = true,
            ["completionProvider"] = new JsonObject { ["triggerCharacters"] = new JsonArray(".", ">", "(", ",", "\"", "/") },
            ["signatureHelpProvider"] = new JsonObject { ["triggerCharacters"] = new JsonArray("(", ","), ["retriggerCharacters"] = new JsonArray(":") },
            ["definitionProvider"] = true,
            ["referencesProvider"] = true,
            ["renameProvider"] = new JsonObject { ["prepareProvider"] = true },
            ["documentFormattingProvider"] = true,
            ["documentSymbolProvider"] = true,
            ["inlayHintProvider"] = true,
        },
        ["serverInfo"] = new JsonObject { ["name"] = "cnnc", ["version"] = typeof(Capabilities).Assembly.GetName().Version!.ToString(3) },
    };
}
