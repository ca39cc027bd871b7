// What may stand at the cursor: operators, blocks and names in scope, arguments of the call around, labels, members,
// words of the language, files to use.
using System.Text.Json;
using System.Text.Json.Nodes;
using ModelCompiler.Evaluation;
using ModelCompiler.Grammar;
using ModelCompiler.Operators;

namespace ModelCompiler.Tool.LanguageServer;

internal static class Completion
{
    private enum ItemKind
    {
        Function = 3,
        Variable = 6,
        Class = 7,
        Property = 10,
        Value = 12,
        Keyword = 14,
        File = 17,
        EnumMember = 20,
        Struct = 22,
    }

    /// <param name="Rank">Items are listed by rank, then by name: the nearer ones first.</param>
    private sealed record Item(string Label, ItemKind Kind, int Rank, string Detail = "", string? Documentation = null, string? Text = null);

    private static readonly string[] ValueWords = ["if", "then", "else", "for", "of", "and", "or", "not", "true", "false", "in"];

    public static JsonNode Answer(Workspace workspace, JsonElement parameters)
    {
        var source = workspace.Source(parameters);
        var offset = Positions.Offset(source, parameters.Get("position"));
        var cursor = Cursor.At(source, offset);
        IEnumerable<Item> items = cursor.Place switch
        {
            CursorPlace.Text => [],
            CursorPlace.ImportPath => ImportPaths(workspace, source),
            CursorPlace.Member => Members.OfTensors.Append("count").Select(member => new Item(member, ItemKind.Property, 0, member == "count" ? "of a list" : "of a tensor")),
            CursorPlace.Statement => Statements().Concat(Names(workspace, source, offset)).Concat(Operators()),
            CursorPlace.Stage => [.. Names(workspace, source, offset), .. Operators(), .. Labels(workspace, source), .. Words("if", "chain")],
            _ => [.. Arguments(workspace, source, cursor.Call), .. Names(workspace, source, offset), .. Operators(), .. Functions(), .. Words(ValueWords)],
        };
        var range = Positions.Range(source, cursor.Word);
        return new JsonArray([.. items.DistinctBy(item => item.Text ?? item.Label).OrderBy(item => item.Rank).ThenBy(item => item.Label, StringComparer.Ordinal)
            .Select(item => Write(item, range))]);
    }

    private static IEnumerable<Item> Statements() => Keywords.Statements.Select(word => new Item(word, ItemKind.Keyword, 0));

    private static IEnumerable<Item> Words(params string[] words) => words.Select(word => new Item(word, ItemKind.Keyword, 4));

    private static IEnumerable<Item> Operators() => Catalog.All.Values.Select(known => new Item(
        known.Signature.Name, ItemKind.Function, 2, known.Signature.Summary, OperatorText.Describe(known.Signature)));

    private static IEnumerable<Item> Functions() => Evaluation.Functions.Names.Select(name => new Item(name, ItemKind.Function, 3, Evaluation.Functions.UsageOf(name)));

    private static IEnumerable<Item> Names(Workspace workspace, SourceFile source, int offset)
    {
        foreach (var (name, definition) in workspace.Names(source).ScopesAt(offset).Reverse().SelectMany(scope => scope.Names).DistinctBy(name => name.Key))
        {
            if (DefinedName.Find(workspace, definition) is { } defined)
            {
                var kind = defined.Owner switch
                {
                    BlockSyntax => ItemKind.Struct,
                    NetworkSyntax or DerivedNetworkSyntax => ItemKind.Class,
                    _ => ItemKind.Variable,
                };
                yield return new Item(name, kind, 1, defined.Description, defined.Comment);
            }
        }
    }

    /// <summary>Labels of the file, since the layers of networks that belong together are called alike.</summary>
    private static IEnumerable<Item> Labels(Workspace workspace, SourceFile source) =>
        SyntaxPath.All(workspace.Compilations.Parse(source)).OfType<LabelExpression>()
            .Select(label => new Item(label.Label.Text + ":", ItemKind.Property, 5, "label", Text: label.Label.Text + ": "));

    /// <summary>Arguments of the call that are not written yet; behind the name of one, the words it takes.</summary>
    private static IEnumerable<Item> Arguments(Workspace workspace, SourceFile source, CallAtCursor? call)
    {
        if (call is null)
        {
            return [];
        }

        if (CalledBlock.Find(workspace, source, call) is { } block)
        {
            return block.Parameters.Where(parameter => call.ArgumentName is null && !call.Named.Contains(parameter.Name.Text)).Select(parameter =>
                new Item(parameter.Name.Text + ":", ItemKind.Property, 0, block.Text(parameter), Text: parameter.Name.Text + ": "));
        }

        var arguments = Vocabulary.Operator(call.Callee.Text)?.Signature.Arguments ?? [];
        return call.ArgumentName is { } name
            ? arguments.Where(spec => spec.Name == name).SelectMany(spec => ArgumentKinds.Words(spec)).Select(word => new Item(word, ItemKind.EnumMember, 0))
            : arguments.Where(spec => !call.Named.Contains(spec.Name)).Select(spec =>
                new Item(spec.Name + ":", ItemKind.Property, 0, spec.Default is null ? "required" : "default " + spec.Default, OperatorText.Describe(spec), spec.Name + ": "));
    }

    private static IEnumerable<Item> ImportPaths(Workspace workspace, SourceFile source)
    {
        var folder = Path.GetDirectoryName(source.Path);
        return folder is null || !Path.IsPathRooted(source.Path) ? [] : workspace.Files().Where(file => file != source && Path.IsPathRooted(file.Path))
            .Select(file => new Item(Path.GetRelativePath(folder, file.Path).Replace('\\', '/'), ItemKind.File, 0));
    }

    private static JsonObject Write(Item item, JsonObject range)
    {
        var json = new JsonObject { ["label"] = item.Label, ["kind"] = (int)item.Kind };
        if (item.Detail.Length > 0)
        {
            json["detail"] = item.Detail;
        }

        if (item.Documentation is not null)
        {
            json["documentation"] = new JsonObject { ["kind"] = "markdown", ["value"] = item.Documentation };
        }

        json["sortText"] = $"{item.Rank}{item.Label}";
        json["textEdit"] = new JsonObject { ["range"] = range.DeepClone(), ["newText"] = item.Text ?? item.Label };
        return json;
    }
}
