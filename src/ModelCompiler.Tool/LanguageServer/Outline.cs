// The contents of a file as a tree: blocks and networks, and the names in them.
using System.Text.Json;
using System.Text.Json.Nodes;
using ModelCompiler.Grammar;

namespace ModelCompiler.Tool.LanguageServer;

internal static class Outline
{
    private enum SymbolKind
    {
        Class = 5,
        Property = 7,
        Field = 8,
        Interface = 11,
        Function = 12,
        Variable = 13,
    }

    public static JsonNode Answer(Workspace workspace, JsonElement parameters)
    {
        var source = workspace.Source(parameters);
        return Children(source, workspace.Compilations.Parse(source).Declarations);
    }

    private static JsonArray Children(SourceFile source, IEnumerable<SyntaxNode> nodes) =>
        new([.. nodes.SelectMany(node => Symbols(source, node))]);

    private static IEnumerable<JsonObject> Symbols(SourceFile source, SyntaxNode node) => node switch
    {
        TopLevelSyntax top => Symbols(source, top.Statement),
        LocalBlockSyntax local => Symbols(source, local.Block),
        BlockSyntax block => [Symbol(source, node, block.Name, SymbolKind.Function, "block", block.Body)],
        NetworkSyntax network => [Symbol(source, node, network.Name, SymbolKind.Class, "network", network.Body)],
        DerivedNetworkSyntax derived => [Symbol(source, node, derived.Name, SymbolKind.Class, "network")],
        InputSyntax input => [Symbol(source, node, input.Name, SymbolKind.Property, "input")],
        TargetSyntax target => [Symbol(source, node, target.Name, SymbolKind.Property, "target")],
        FreeParameterSyntax free => [Symbol(source, node, free.Name, SymbolKind.Field, "parameter")],
        SharedSyntax shared => [Symbol(source, node, shared.Name, SymbolKind.Field, "shared")],
        OutputSyntax { Name: { } name } => [Symbol(source, node, name, SymbolKind.Interface, "output")],
        BindingSyntax binding => binding.Names.Select(name => Symbol(source, node, name, SymbolKind.Variable, "")),
        _ => [],
    };

    private static JsonObject Symbol(
        SourceFile source, SyntaxNode node, NameSyntax name, SymbolKind kind, string detail, IEnumerable<SyntaxNode>? inside = null)
    {
        var symbol = new JsonObject
        {
            ["name"] = name.Text,
            ["detail"] = detail,
            ["kind"] = (int)kind,
            ["range"] = Positions.Range(source, node.Span),
            ["selectionRange"] = Positions.Range(source, name.Span),
        };
        if (inside is not null)
        {
            symbol["children"] = Children(source, inside);
        }

        return symbol;
    }
}
