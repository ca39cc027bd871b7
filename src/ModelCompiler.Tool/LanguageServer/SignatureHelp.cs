// The arguments of the call being typed, the one at the cursor marked.
using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using ModelCompiler.Evaluation;
using ModelCompiler.Grammar;

namespace ModelCompiler.Tool.LanguageServer;

/// <summary>A block or network that is called.</summary>
internal sealed record CalledBlock(DefinedName Name, ImmutableArray<ParameterSyntax> Parameters)
{
    public static CalledBlock? Find(Workspace workspace, SourceFile source, CallAtCursor call)
    {
        var defined = workspace.Names(source).Find(call.Callee.Text, call.Callee.Span.Start) is { } place ? DefinedName.Find(workspace, place) : null;
        return defined?.Owner switch
        {
            BlockSyntax block => new CalledBlock(defined, block.Parameters),
            NetworkSyntax network => new CalledBlock(defined, network.Parameters),
            _ => null,
        };
    }

    public string Text(ParameterSyntax parameter) => Name.Name.File.Text.Substring(parameter.Span.Start, parameter.Span.Length);
}

internal static class SignatureHelp
{
    /// <param name="Name">How a call names it; null when it cannot.</param>
    private sealed record Parameter(string Label, string? Name, string? Documentation);

    public static JsonNode? Answer(Workspace workspace, JsonElement parameters)
    {
        var source = workspace.Source(parameters);
        if (Cursor.At(source, Positions.Offset(source, parameters.Get("position"))).Call is not { } call)
        {
            return null;
        }

        if (CalledBlock.Find(workspace, source, call) is { } block)
        {
            return Write(call, block.Name.Comment, [.. block.Parameters.Select(parameter => new Parameter(block.Text(parameter), parameter.Name.Text, null))]);
        }

        if (workspace.Names(source).Find(call.Callee.Text, call.Callee.Span.Start) is not null || Vocabulary.Operator(call.Callee.Text)?.Signature is not { } signature)
        {
            return null;
        }

        var labels = OperatorText.Parameters(signature, call.Applied).ToList();
        var inputs = labels.Count - signature.Arguments.Length;
        return Write(call, signature.Summary, [.. labels.Select((label, i) => i < inputs
            ? new Parameter(label, null, null)
            : new Parameter(label, signature.Arguments[i - inputs].Name, OperatorText.Describe(signature.Arguments[i - inputs])))]);
    }

    private static JsonObject Write(CallAtCursor call, string? documentation, ImmutableArray<Parameter> parameters)
    {
        var label = call.Callee.Text + "(";
        var written = new JsonArray();
        foreach (var parameter in parameters)
        {
            label += written.Count > 0 ? ", " : "";
            var json = new JsonObject { ["label"] = new JsonArray(label.Length, label.Length + parameter.Label.Length) };
            if (parameter.Documentation is not null)
            {
                json["documentation"] = Markdown(parameter.Documentation);
            }

            label += parameter.Label;
            written.Add(json);
        }

        var signature = new JsonObject { ["label"] = label + ")", ["parameters"] = written };
        if (documentation is not null)
        {
            signature["documentation"] = Markdown(documentation);
        }

        var active = call.ArgumentName is null ? call.Argument : parameters.Select(parameter => parameter.Name).ToList().IndexOf(call.ArgumentName);
        return new JsonObject
        {
            ["signatures"] = new JsonArray(signature),
            ["activeSignature"] = 0,
            ["activeParameter"] = active < 0 ? parameters.Length : active, // past the end: none is marked
        };
    }

    private static JsonObject Markdown(string text) => new() { ["kind"] = "markdown", ["value"] = text };
}
