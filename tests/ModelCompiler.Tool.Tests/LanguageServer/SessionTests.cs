// Replays recorded sessions with the language server, the files in Sessions. A session is a list of steps: "send" a
// message, send "raw" text, "expect" a message. In what is expected, {"$part": {…}} stands for an object with at least
// these members, {"$contains": […]} for an array with at least these items, and {"$lacks": […]} for one without them.
// {root} is the URI of the folder of the session's files and {folder} its path; texts and files are written as arrays of lines.
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ModelCompiler.Tool.Tests.LanguageServer;

public sealed class SessionTests : IDisposable
{
    private static readonly string Sessions = Path.Combine(AppContext.BaseDirectory, "Sessions");
    private readonly Tool tool = new();

    public static TheoryData<string> Names => [.. Directory.GetFiles(Sessions, "*.json").Select(path => Path.GetFileNameWithoutExtension(path)).Order(StringComparer.Ordinal)];

    public void Dispose() => tool.Dispose();

    [Theory]
    [MemberData(nameof(Names))]
    public void TheServerAnswersAsRecorded(string name)
    {
        using var client = EditorClient.InProcess();
        Play(client, name);
    }

    [Fact]
    public void TheToolServesOverStandardInputAndOutput()
    {
        using var client = EditorClient.OfProcess();
        Play(client, "navigation");
        Assert.Empty(client.Log);
    }

    private void Play(EditorClient client, string name)
    {
        var text = File.ReadAllText(Path.Combine(Sessions, name + ".json"));
        var session = WithTexts(JsonNode.Parse(text.Replace("{root}", new Uri(tool.At("")).AbsoluteUri.TrimEnd('/')).Replace("{folder}", JsonEncodedText.Encode(tool.At("").TrimEnd(Path.DirectorySeparatorChar)).ToString()))!).AsObject();
        foreach (var (path, content) in session["files"]?.AsObject() ?? [])
        {
            tool.Write(path, (string)content!);
        }

        var ownLifecycle = session["lifecycle"] is not null;
        if (!ownLifecycle)
        {
            client.Initialize(new Uri(tool.At("")).AbsoluteUri);
        }

        foreach (var step in session["steps"]!.AsArray().Select(step => step!.AsObject()))
        {
            switch (step.Single())
            {
                case ("send", { } message):
                    client.Send(message.AsObject());
                    break;
                case ("raw", { } raw):
                    client.SendRaw((string)raw!);
                    break;
                case ("body", { } body):
                    client.SendBody((string)body!);
                    break;
                case ("expect", { } expected):
                    Expect(client, expected.AsObject());
                    break;
                case ("exit", { } code):
                    Assert.Equal((int)code!, client.End());
                    break;
                case var (kind, _):
                    Assert.Fail($"there is no step '{kind}'");
                    break;
            }
        }

        if (!ownLifecycle)
        {
            Assert.All(client.Leave(), message => Assert.Equal("textDocument/publishDiagnostics", (string?)message["method"]));
        }
    }

    private static void Expect(EditorClient client, JsonObject expected)
    {
        var parameters = expected["params"];
        var actual = (string?)expected["method"] == "textDocument/publishDiagnostics"
            ? client.Next(message => (string?)message["params"]?["uri"] == (string?)parameters!["uri"]
                && JsonNode.DeepEquals(message["params"]!["version"], parameters!["version"]))
            : client.Next(message => message.ContainsKey("id") && JsonNode.DeepEquals(message["id"], expected["id"]));
        Assert.Equal("2.0", (string?)actual["jsonrpc"]);
        actual.Remove("jsonrpc");
        Assert.True(Matches(expected, actual), $"expected\n{expected.ToJsonString()}\nreceived\n{actual.ToJsonString()}");
    }

    private static bool Matches(JsonNode? expected, JsonNode? actual) => (expected, actual) switch
    {
        (JsonObject { Count: 1 } part, JsonObject whole) when part["$part"] is JsonObject members =>
            members.All(member => whole.ContainsKey(member.Key) && Matches(member.Value, whole[member.Key])),
        (JsonObject { Count: 1 } some, JsonArray all) when some["$contains"] is JsonArray items =>
            items.All(item => all.Any(candidate => Matches(item, candidate))),
        (JsonObject { Count: 1 } none, JsonArray all) when none["$lacks"] is JsonArray items =>
            !items.Any(item => all.Any(candidate => Matches(item, candidate))),
        (JsonObject left, JsonObject right) =>
            left.Count == right.Count && left.All(member => right.ContainsKey(member.Key) && Matches(member.Value, right[member.Key])),
        (JsonArray left, JsonArray right) => left.Count == right.Count && left.Zip(right).All(pair => Matches(pair.First, pair.Second)),
        _ => JsonNode.DeepEquals(expected, actual),
    };

    /// <summary>Joins texts that are written as arrays of lines: values of "text", "value", "newText" and of "files".</summary>
    private static JsonNode WithTexts(JsonNode node)
    {
        switch (node)
        {
            case JsonObject parent:
                foreach (var (name, value) in parent.ToList())
                {
                    if (value is JsonArray lines && lines.All(line => line is JsonValue) && (name is "text" or "value" or "newText" || name.EndsWith(".cnn", StringComparison.Ordinal)))
                    {
                        parent[name] = string.Join("\n", lines.Select(line => (string?)line));
                    }
                    else if (value is not null)
                    {
                        WithTexts(value);
                    }
                }

                break;
            case JsonArray list:
                foreach (var item in list.OfType<JsonNode>())
                {
                    WithTexts(item);
                }

                break;
        }

        return node;
    }
}
