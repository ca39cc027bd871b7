// Plays the editor: talks to a language server over two streams, in this process or in one of its own.
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.IO.Pipes;
using System.Text;
using System.Text.Json.Nodes;
using ModelCompiler.Tool.LanguageServer;

namespace ModelCompiler.Tool.Tests.LanguageServer;

internal sealed class EditorClient : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly Stream toServer;
    private readonly BlockingCollection<JsonObject> received = new();
    private readonly List<JsonObject> waiting = [];
    private readonly Func<int> exitCode;
    private readonly Func<string> log;
    private int lastId = 1000;

    private EditorClient(Stream toServer, Stream fromServer, Func<int> exitCode, Func<string> log)
    {
        (this.toServer, this.exitCode, this.log) = (toServer, exitCode, log);
        new Thread(() => Receive(new BufferedStream(fromServer))) { IsBackground = true }.Start();
    }

    /// <summary>What the server said on its error stream.</summary>
    public string Log => log();

    public static EditorClient InProcess()
    {
        var toServer = new AnonymousPipeServerStream(PipeDirection.Out);
        var fromServer = new AnonymousPipeServerStream(PipeDirection.In);
        var input = new AnonymousPipeClientStream(PipeDirection.In, toServer.ClientSafePipeHandle);
        var output = new AnonymousPipeClientStream(PipeDirection.Out, fromServer.ClientSafePipeHandle);
        var log = new StringWriter();
        var server = Task.Factory.StartNew(
            () =>
            {
                using (input)
                using (output)
                {
                    return Server.Run(input, output, log);
                }
            },
            TaskCreationOptions.LongRunning);
        return new EditorClient(toServer, fromServer, () => server.Wait(Patience) ? server.Result : throw new TimeoutException("the server does not end"), log.ToString);
    }

    /// <summary><c>cnnc lsp</c> as an editor starts it.</summary>
    public static EditorClient OfProcess()
    {
        var process = Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "cnnc.dll"), "lsp"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var log = process.StandardError.ReadToEndAsync();
        return new EditorClient(process.StandardInput.BaseStream, process.StandardOutput.BaseStream, End, () => log.IsCompleted ? log.Result : "");

        int End()
        {
            using (process)
            {
                if (!process.WaitForExit(Patience))
                {
                    process.Kill();
                    throw new TimeoutException("the server does not end");
                }

                log.Wait(Patience);
                return process.ExitCode;
            }
        }
    }

    public void Send(JsonObject message)
    {
        message = (JsonObject)message.DeepClone();
        message.TryAdd("jsonrpc", "2.0");
        SendBody(message.ToJsonString());
    }

    public void SendBody(string body)
    {
        var bytes = Encoding.UTF8.GetBytes(body);
        SendRaw(string.Create(CultureInfo.InvariantCulture, $"Content-Length: {bytes.Length}\r\n\r\n") + body);
    }

    public void SendRaw(string text)
    {
        toServer.Write(Encoding.UTF8.GetBytes(text));
        toServer.Flush();
    }

    public void Notify(string method, JsonNode parameters) => Send(new JsonObject { ["method"] = method, ["params"] = parameters });

    /// <summary>Asks and waits for the answer, with its result or error.</summary>
    public JsonObject Ask(string method, JsonNode? parameters)
    {
        Send(new JsonObject { ["id"] = ++lastId, ["method"] = method, ["params"] = parameters });
        var id = lastId;
        return Next(message => message["id"] is JsonValue value && value.TryGetValue(out int number) && number == id);
    }

    public void Initialize(string rootUri)
    {
        Ask("initialize", new JsonObject { ["processId"] = null, ["rootUri"] = rootUri, ["capabilities"] = new JsonObject() });
        Notify("initialized", new JsonObject());
    }

    public void Open(string uri, int version, string text) => Notify("textDocument/didOpen", new JsonObject
    {
        ["textDocument"] = new JsonObject { ["uri"] = uri, ["languageId"] = "cnn", ["version"] = version, ["text"] = text },
    });

    public void Change(string uri, int version, params JsonNode?[] changes) => Notify("textDocument/didChange", new JsonObject
    {
        ["textDocument"] = new JsonObject { ["uri"] = uri, ["version"] = version },
        ["contentChanges"] = new JsonArray(changes),
    });

    /// <summary>The next diagnostics of a document from a version on.</summary>
    public JsonObject Diagnostics(string uri, int version) => Next(message =>
        (string?)message["method"] == "textDocument/publishDiagnostics" && (string?)message["params"]!["uri"] == uri
        && (int?)message["params"]!["version"] >= version)["params"]!.AsObject();

    /// <summary>The next message of that kind; others are kept for later.</summary>
    public JsonObject Next(Predicate<JsonObject> wanted)
    {
        var at = waiting.FindIndex(wanted);
        if (at >= 0)
        {
            var found = waiting[at];
            waiting.RemoveAt(at);
            return found;
        }

        while (received.TryTake(out var message, Patience))
        {
            if (wanted(message))
            {
                return message;
            }

            waiting.Add(message);
        }

        throw new TimeoutException($"the server is silent; it sent {string.Join("\n", waiting.Select(message => message.ToJsonString()))}\n{Log}");
    }

    /// <summary>Says goodbye and gives what nobody waited for.</summary>
    public IReadOnlyList<JsonObject> Leave()
    {
        Assert.True(Ask("shutdown", null).ContainsKey("result"));
        Notify("exit", new JsonObject());
        Assert.Equal(0, End());
        return waiting;
    }

    /// <summary>Closes the stream; the exit code of the server.</summary>
    public int End()
    {
        toServer.Dispose();
        var code = exitCode();
        waiting.AddRange(received.GetConsumingEnumerable());
        return code;
    }

    public void Dispose() => toServer.Dispose();

    private void Receive(Stream stream)
    {
        using var reader = new BinaryReader(stream);
        try
        {
            while (ReadHeader(stream) is { } length)
            {
                received.Add((JsonObject)JsonNode.Parse(reader.ReadBytes(length))!);
            }
        }
        finally
        {
            received.CompleteAdding();
        }
    }

    private static int? ReadHeader(Stream stream)
    {
        var header = new StringBuilder();
        while (!header.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            var next = stream.ReadByte();
            if (next < 0)
            {
                return null;
            }

            header.Append((char)next);
        }

        return int.Parse(header.ToString()["Content-Length: ".Length..^4], CultureInfo.InvariantCulture);
    }
}
