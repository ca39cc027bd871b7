// JSON-RPC's refusals, and reading parameters so that a wrong one becomes such a refusal.
using System.Text.Json;
using System.Text.RegularExpressions;

namespace ModelCompiler.Tool.LanguageServer;

/// <summary>Codes of JSON-RPC 2.0 and of the Language Server Protocol 3.17.</summary>
internal static class RpcError
{
    public const int ParseError = -32700;
    public const int InvalidRequest = -32600;
    public const int MethodNotFound = -32601;
    public const int InvalidParams = -32602;
    public const int InternalError = -32603;
    public const int ServerNotInitialized = -32002;
    public const int RequestFailed = -32803;
    public const int ContentModified = -32801;
    public const int RequestCancelled = -32800;
}

/// <summary>A request that cannot be answered, by the client's mistake or wish.</summary>
internal sealed class RpcException(int code, string message) : Exception(message)
{
    public int Code { get; } = code;
}

internal static partial class JsonReading
{
    public static JsonElement Get(this JsonElement parent, string name) =>
        parent.TryGet(name) ?? throw new RpcException(RpcError.InvalidParams, $"'{name}' is missing");

    public static JsonElement? TryGet(this JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    public static string Text(this JsonElement parent, string name)
    {
        var value = parent.Get(name);
        if (value.ValueKind != JsonValueKind.String)
        {
            throw new RpcException(RpcError.InvalidParams, $"'{name}' is not a string");
        }

        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair: an editor's text may hold one. It is replaced by a character as long as itself.
            return JsonSerializer.Deserialize<string>(WithoutLoneSurrogates(value.GetRawText()))!;
        }
    }

    public static int Number(this JsonElement parent, string name) =>
        parent.Get(name) is { ValueKind: JsonValueKind.Number } value && value.TryGetInt32(out var number)
            ? number
            : throw new RpcException(RpcError.InvalidParams, $"'{name}' is not an integer");

    public static IEnumerable<JsonElement> Items(this JsonElement parent, string name) =>
        parent.Get(name) is { ValueKind: JsonValueKind.Array } list
            ? list.EnumerateArray()
            : throw new RpcException(RpcError.InvalidParams, $"'{name}' is not an array");

    /// <summary>Pairs and other escapes come first, and stay as they are.</summary>
    private static string WithoutLoneSurrogates(string json) =>
        Surrogates().Replace(json, match => match.Groups["kept"].Success ? match.Value : @"\ufffd");

    [GeneratedRegex(@"(?<kept>\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\[^u])|\\u[dD][89a-fA-F][0-9a-fA-F]{2}")]
    private static partial Regex Surrogates();
}
