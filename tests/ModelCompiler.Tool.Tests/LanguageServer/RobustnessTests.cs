// Whatever is typed, the server goes on: every beginning of a file, edits at random, documents far too large. No request
// ends as a fault of the server, and nothing is said on its error stream.
using System.Text.Json.Nodes;
using ModelCompiler.Grammar;

namespace ModelCompiler.Tool.Tests.LanguageServer;

public sealed class RobustnessTests : IDisposable
{
    private const string Uri = "file:///nowhere/typed.cnn";
    private const string Sample = """
        use "missing.cnn"
        // größer 😀
        block Unit(channels, stride = 1) {
            main = in -> conv(channels, 3x3, stride: stride, pad: 1, init: normal(0.1)) -> bn{1}: batchnorm
            skip = if in.channels == channels and stride == 1 then in else in -> (conv(channels, 1, stride: stride) -> batchnorm)
            out main + skip -> relu
        }
        network Net(depths = [2, 3]) {
            input image: 3x16x16
            target label: class
            stages = [Unit(8 * (i + 1)) * n for i, n of enumerate(depths)]
            logits = image -> chain(stages) -> [maxpool(2), avgpool(2x2)] -> concat -> flatten -> dense(10)
            output scores = logits -> softmax
            loss cross_entropy(logits, label)
        }

        """;

    private static readonly string[] PointRequests =
        ["hover", "completion", "signatureHelp", "definition", "references", "prepareRename", "rename"];

    private readonly EditorClient client = EditorClient.InProcess();
    private int version = 1;

    public RobustnessTests() => client.Initialize("file:///nowhere");

    public void Dispose() => client.Dispose();

    [Fact]
    public void EveryBeginningOfAFileIsServed()
    {
        client.Open(Uri, version, "");
        for (var length = 0; length <= Sample.Length; length += 3)
        {
            var text = Sample[..length];
            client.Change(Uri, ++version, new JsonObject { ["text"] = text });
            AskAll(text, length);
        }

        Leave();
    }

    [Fact]
    public void EveryPlaceOfAFileIsServed()
    {
        client.Open(Uri, version, Sample);
        for (var at = 0; at <= Sample.Length; at += 5)
        {
            AskAll(Sample, at);
        }

        Leave();
    }

    [Fact]
    public void EditsEndAtTheTextTheyMake()
    {
        var random = new Random(11);
        string[] pieces = ["", "x", "->", "\r\n", "\n", "😀", "(", "}", " relu", "3x3", "\"", "/*", "é", "\r", "network N {"];
        var text = Sample;
        client.Open(Uri, version, text);
        for (var i = 0; i < 200; i++)
        {
            var file = new SourceFile(Uri, text);
            var start = random.Next(text.Length + 1);
            var end = Math.Min(text.Length, start + random.Next(6));
            if (IsBetweenLineEnds(text, start) || IsBetweenLineEnds(text, end))
            {
                continue; // no position of the protocol
            }

            var piece = pieces[random.Next(pieces.Length)];
            client.Change(Uri, ++version, new JsonObject { ["range"] = Range(file, start, end), ["text"] = piece });
            text = text[..start] + piece + text[end..];
        }

        // A copy opened with the same text is said to have the same mistakes, at the same places.
        var typed = client.Diagnostics(Uri, version);
        client.Open("file:///nowhere/copy.cnn", 1, text);
        var copy = client.Diagnostics("file:///nowhere/copy.cnn", 1);
        Assert.NotEmpty(copy["diagnostics"]!.AsArray());
        Assert.Equal(copy["diagnostics"]!.ToJsonString(), typed["diagnostics"]!.ToJsonString());
        Leave();
    }

    [Fact]
    public void OnlyTheNewestTextIsJudged()
    {
        client.Open(Uri, version, "");
        for (var i = 0; i < 300; i++)
        {
            client.Change(Uri, ++version, new JsonObject { ["text"] = $"network N {{\n    input x: 3x8x8\n    output y = x -> wrong{i}\n}}\n" });
        }

        var last = client.Diagnostics(Uri, version);
        Assert.Contains("'wrong299'", (string?)Assert.Single(last["diagnostics"]!.AsArray())!["message"], StringComparison.Ordinal);
        var earlier = Leave().Where(message => (string?)message["method"] == "textDocument/publishDiagnostics");
        Assert.True(earlier.Count() < 250, "intermediate texts should be passed over");
    }

    [Fact]
    public void HugeDocumentsAreServed()
    {
        var flow = "network N {\n    input x: 3x8x8\n    output y = x" + string.Concat(Enumerable.Repeat(" -> relu", 9_000)) + "\n}\n";
        var tooLarge = string.Concat(Enumerable.Repeat("// 😀 nothing but words\n", 100_000));
        var nested = "a = " + new string('(', 100_000);
        client.Open(Uri, version, "");
        foreach (var text in new[] { flow, tooLarge, nested })
        {
            client.Change(Uri, ++version, new JsonObject { ["text"] = text });
            AskAll(text, text.Length / 2);
        }

        Leave();
    }

    [Fact]
    public void ACancelledRequestIsAnsweredOnce()
    {
        client.Open(Uri, version, Sample);
        for (var id = 1; id <= 20; id++)
        {
            client.Send(new JsonObject { ["id"] = id, ["method"] = "textDocument/hover", ["params"] = At(Sample, Sample.IndexOf("relu", StringComparison.Ordinal)) });
            client.Notify("$/cancelRequest", new JsonObject { ["id"] = id });
        }

        for (var id = 1; id <= 20; id++)
        {
            var answer = client.Next(message => (int?)message["id"] == id);
            Assert.True(answer["error"] is null || (int?)answer["error"]!["code"] == -32800, answer.ToJsonString());
        }

        Assert.DoesNotContain(Leave(), message => message.ContainsKey("id"));
    }

    [Fact]
    public void TheEndOfTheStreamEndsTheServer() => Assert.Equal(1, client.End());

    private void AskAll(string text, int at)
    {
        foreach (var request in PointRequests)
        {
            var parameters = At(text, at);
            parameters["newName"] = "other_name";
            Check(request, parameters);
        }

        var everything = Range(new SourceFile(Uri, text), 0, text.Length);
        foreach (var request in new[] { "formatting", "documentSymbol", "inlayHint" })
        {
            Check(request, new JsonObject { ["textDocument"] = new JsonObject { ["uri"] = Uri }, ["range"] = everything.DeepClone() });
        }
    }

    private void Check(string request, JsonObject parameters)
    {
        var answer = client.Ask("textDocument/" + request, parameters);
        var refused = (int?)answer["error"]?["code"];
        Assert.True(refused is null || (request == "rename" && refused == -32803), $"{request} {parameters.ToJsonString()}: {answer.ToJsonString()}");
    }

    private static JsonObject At(string text, int at) => new()
    {
        ["textDocument"] = new JsonObject { ["uri"] = Uri },
        ["position"] = Position(new SourceFile(Uri, text), at),
    };

    private static JsonObject Range(SourceFile file, int start, int end) => new() { ["start"] = Position(file, start), ["end"] = Position(file, end) };

    private static JsonObject Position(SourceFile file, int at)
    {
        var position = file.Locate(at);
        return new JsonObject { ["line"] = position.Line, ["character"] = position.Column };
    }

    private static bool IsBetweenLineEnds(string text, int at) => at > 0 && at < text.Length && text[at - 1] == '\r' && text[at] == '\n';

    private IReadOnlyList<JsonObject> Leave()
    {
        var rest = client.Leave();
        Assert.Empty(client.Log);
        return rest;
    }
}
