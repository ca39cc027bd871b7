// The language server: one loop that takes messages in order. Changes of documents are applied at once; requests are
// answered beside the loop from the workspace as it was when they came, so typing never waits for the compiler.
using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ModelCompiler.Tool.LanguageServer;

/// <summary>The Language Server Protocol 3.17 over two streams.</summary>
public sealed class Server
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly MessageReader reader;
    private readonly Client client;
    private readonly TextWriter log;
    private readonly Publisher publisher;
    private readonly ConcurrentDictionary<string, Pending> pending = new();
    private volatile Workspace workspace = Workspace.Empty;
    private bool initialized;
    private bool shutDown;
    private bool exit;

    private Server(Stream input, Stream output, TextWriter log)
    {
        reader = new MessageReader(input);
        client = new Client(output);
        this.log = TextWriter.Synchronized(log);
        publisher = new Publisher(client, () => workspace, Log);
    }

    private sealed record Pending(CancellationTokenSource Cancellation, Task Work);

    /// <summary>Serves until the client says <c>exit</c> or closes the stream.</summary>
    /// <param name="log">Faults of the server itself.</param>
    /// <returns>The exit code of the process: 0 when the client said <c>shutdown</c> first, otherwise 1.</returns>
    public static int Run(Stream input, Stream output, TextWriter log) => new Server(input, output, log).Run();

    private int Run()
    {
        while (!exit && reader.Read() is { } frame)
        {
            if (frame.Problem is not null)
            {
                client.Refuse(null, RpcError.ParseError, frame.Problem);
            }

            if (frame.Body is not null)
            {
                Handle(frame.Body);
            }
        }

        AwaitAnswers();
        publisher.Stop();
        return shutDown ? 0 : 1;
    }

    private void Handle(string body)
    {
        JsonElement message;
        try
        {
            using var parsed = JsonDocument.Parse(body);
            message = parsed.RootElement.Clone();
        }
        catch (JsonException)
        {
            client.Refuse(null, RpcError.ParseError, "the message is not JSON");
            return;
        }

        var id = Id(message);
        if (message.ValueKind == JsonValueKind.Object && !message.TryGetProperty("method", out _)
            && (message.TryGetProperty("result", out _) || message.TryGetProperty("error", out _)))
        {
            return; // an answer; the server asks nothing that it needs one for
        }

        if (message.TryGet("jsonrpc") is not { ValueKind: JsonValueKind.String } version || !version.ValueEquals("2.0")
            || message.TryGet("method") is not { ValueKind: JsonValueKind.String }
            || (id is null && message.TryGetProperty("id", out _)))
        {
            client.Refuse(id, RpcError.InvalidRequest, "the message is not a request or notification of JSON-RPC 2.0");
            return;
        }

        Answer(id, () =>
        {
            var method = message.Text("method");
            var parameters = message.TryGet("params") ?? default;
            if (id is null)
            {
                Notified(method, parameters);
            }
            else
            {
                Asked(id, method, parameters);
            }
        });
    }

    /// <summary>Runs a part of the work for a message; whatever goes wrong becomes the answer to a request, or a line of the log.</summary>
    private void Answer(JsonNode? id, Action work)
    {
        try
        {
            work();
        }
        catch (RpcException refusal) when (id is not null)
        {
            client.Refuse(id, refusal.Code, refusal.Message);
        }
        catch (RpcException refusal)
        {
            Log(refusal.Message);
        }
        catch (Exception fault)
        {
            Log(fault.ToString());
            if (id is not null)
            {
                client.Refuse(id, RpcError.InternalError, $"the server failed, which is its own fault: {fault.GetType().Name}: {fault.Message}");
            }
        }
    }

    // ---- notifications -------------------------------------------------------------------------------

    private void Notified(string method, JsonElement parameters)
    {
        if (method == "exit")
        {
            exit = true;
        }

        if (!initialized || shutDown)
        {
            return;
        }

        switch (method)
        {
            case "textDocument/didOpen":
                Become(DocumentSync.Open(workspace, parameters));
                break;
            case "textDocument/didChange":
                Become(DocumentSync.Change(workspace, parameters));
                break;
            case "textDocument/didClose":
                Become(DocumentSync.Close(workspace, parameters));
                break;
            case "textDocument/didSave" or "workspace/didChangeWatchedFiles":
                Become(workspace with { }); // files on disk have changed
                break;
            case "$/cancelRequest":
                Cancel(parameters);
                break;
        }
    }

    private void Become(Workspace next)
    {
        workspace = next;
        publisher.Wake();
    }

    private void Cancel(JsonElement parameters)
    {
        if (pending.TryGetValue(parameters.Get("id").GetRawText(), out var request))
        {
            request.Cancellation.Cancel();
        }
    }

    // ---- requests ------------------------------------------------------------------------------------

    private void Asked(JsonNode id, string method, JsonElement parameters)
    {
        if (method == "initialize" && !initialized)
        {
            workspace = DocumentSync.Initialize(workspace, parameters);
            initialized = true;
            client.Answer(id, Capabilities.Describe());
        }
        else if (!initialized)
        {
            throw new RpcException(RpcError.ServerNotInitialized, $"'{method}' came before 'initialize'");
        }
        else if (shutDown || method == "initialize")
        {
            throw new RpcException(RpcError.InvalidRequest, shutDown ? $"'{method}' came after 'shutdown'" : "'initialize' came twice");
        }
        else if (method == "shutdown")
        {
            AwaitAnswers();
            shutDown = true;
            client.Answer(id, null);
        }
        else
        {
            Begin(id, parameters, Capabilities.Features.GetValueOrDefault(method)
                ?? throw new RpcException(RpcError.MethodNotFound, $"there is no method '{method}'"));
        }
    }

    private void Begin(JsonNode id, JsonElement parameters, Func<Workspace, JsonElement, JsonNode?> feature)
    {
        var key = id.ToJsonString();
        var asked = workspace;
        var cancellation = new CancellationTokenSource();
        var work = new Task(() => Answer(id, () =>
        {
            try
            {
                Check(cancellation.Token, asked);
                var result = feature(asked, parameters);
                Check(cancellation.Token, asked);
                client.Answer(id, result);
            }
            finally
            {
                pending.TryRemove(key, out _);
            }
        }));
        if (!pending.TryAdd(key, new Pending(cancellation, work)))
        {
            throw new RpcException(RpcError.InvalidRequest, $"a request with the id {key} is being answered already");
        }

        work.Start(TaskScheduler.Default);
    }

    /// <summary>An answer about text that is no longer there would be shown at the wrong place.</summary>
    private void Check(CancellationToken cancellation, Workspace asked)
    {
        if (cancellation.IsCancellationRequested)
        {
            throw new RpcException(RpcError.RequestCancelled, "cancelled");
        }

        if (workspace.Documents != asked.Documents)
        {
            throw new RpcException(RpcError.ContentModified, "the text has changed since");
        }
    }

    private void AwaitAnswers() => Task.WaitAll([.. pending.Values.Select(request => request.Work)], Patience);

    /// <summary>The id of a request: a number or a string; null when there is none, or none that may be one.</summary>
    private static JsonNode? Id(JsonElement message) =>
        message.TryGet("id") is { ValueKind: JsonValueKind.Number or JsonValueKind.String } id ? JsonNode.Parse(id.GetRawText()) : null;

    private void Log(string text) => log.WriteLine("cnnc lsp: " + text);
}
