// Diagnostics while typing. They are worked out beside the loop for the newest text only: a newer version takes the
// place of the one in work, whose result is dropped. A mistake is published at the file it lies in, whoever found it.
using System.Text.Json.Nodes;
using ModelCompiler.Grammar;

namespace ModelCompiler.Tool.LanguageServer;

internal sealed class Publisher
{
    /// <summary>Between a key and the next one.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(40);

    private readonly Client client;
    private readonly Func<Workspace> current;
    private readonly Action<string> log;
    private readonly AutoResetEvent woken = new(false);
    private readonly Dictionary<string, string> published = new(StringComparer.Ordinal);
    private volatile bool stopped;

    public Publisher(Client client, Func<Workspace> current, Action<string> log)
    {
        (this.client, this.current, this.log) = (client, current, log);
        new Thread(Run) { IsBackground = true, Name = "diagnostics" }.Start();
    }

    public void Wake() => woken.Set();

    public void Stop()
    {
        stopped = true;
        woken.Set();
    }

    private void Run()
    {
        while (true)
        {
            woken.WaitOne();
            while (woken.WaitOne(Pause))
            {
                // More is being typed.
            }

            if (stopped)
            {
                return;
            }

            try
            {
                Publish(current());
            }
            catch (Exception fault)
            {
                log(fault.ToString());
            }
        }
    }

    private void Publish(Workspace workspace)
    {
        var found = new List<Diagnostic>();
        foreach (var document in workspace.Documents.Values)
        {
            found.AddRange(workspace.Inspect(document.Source).File.Diagnostics);
            if (current() != workspace)
            {
                return; // a newer text waits
            }
        }

        var byFile = found.DistinctBy(diagnostic => diagnostic.ToString()).ToLookup(diagnostic => workspace.Uri(diagnostic.Place.File));
        var uris = workspace.Documents.Values.Select(document => document.Uri).Concat(byFile.Select(group => group.Key)).Concat(published.Keys);
        foreach (var uri in uris.Distinct().Order(StringComparer.Ordinal).ToList())
        {
            var version = workspace.Documents.GetValueOrDefault(FileUris.ToPath(uri))?.Version;
            var message = new JsonObject { ["uri"] = uri };
            if (version is not null)
            {
                message["version"] = version;
            }

            message["diagnostics"] = new JsonArray([.. byFile[uri].Select(diagnostic => Describe(workspace, diagnostic))]);
            var text = message.ToJsonString();
            if (published.GetValueOrDefault(uri) != text)
            {
                client.Notify("textDocument/publishDiagnostics", message);
                published[uri] = text;
            }

            if (version is null && !byFile.Contains(uri))
            {
                published.Remove(uri);
            }
        }
    }

    private static JsonObject Describe(Workspace workspace, Diagnostic diagnostic)
    {
        var json = new JsonObject
        {
            ["range"] = Positions.Range(diagnostic.Place.File, diagnostic.Place.Span),
            ["severity"] = diagnostic.Severity switch { Severity.Error => 1, Severity.Warning => 2, _ => 3 },
            ["code"] = diagnostic.Code,
            ["source"] = "cnn",
            ["message"] = diagnostic.Message,
        };
        if (diagnostic.Code == "CNN4004")
        {
            json["tags"] = new JsonArray(1); // unnecessary: shown faded
        }

        if (!diagnostic.Notes.IsEmpty)
        {
            json["relatedInformation"] = new JsonArray([.. diagnostic.Notes.Select(note => new JsonObject
            {
                ["location"] = workspace.Location(note.Place),
                ["message"] = note.Message,
            })]);
        }

        return json;
    }
}
