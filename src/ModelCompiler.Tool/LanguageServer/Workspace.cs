// What the server knows at one moment: the documents an editor holds open, as typed, and behind them the files on disk.
// A workspace never changes, a change makes the next one; so an answer can be worked out while typing goes on.
using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using ModelCompiler.Evaluation;
using ModelCompiler.Grammar;

namespace ModelCompiler.Tool.LanguageServer;

/// <param name="Uri">As the client writes it.</param>
internal sealed record Document(string Uri, int Version, SourceFile Source);

internal sealed record Workspace(ImmutableDictionary<string, Document> Documents, ImmutableArray<string> Roots, Compilations Compilations)
{
    /// <summary>Files looked through for uses of a name; more are left alone.</summary>
    private const int MostFiles = 5000;

    public static readonly Workspace Empty = new(ImmutableDictionary<string, Document>.Empty, [], new Compilations(new DiskFiles()));

    /// <summary>The file of a URI: the open document, or what is on disk.</summary>
    public SourceFile Source(JsonElement parameters)
    {
        var uri = parameters.Get("textDocument").Text("uri");
        return Find(FileUris.ToPath(uri)) ?? throw new RpcException(RpcError.InvalidParams, $"'{uri}' is not open, and not on disk");
    }

    public SourceFile? Find(string path) => Documents.TryGetValue(path, out var document) ? document.Source : Compilations.Disk.Read(path);

    /// <summary>Imports are relative to the file that names them.</summary>
    public SourceFile? Import(string fromPath, string importPath) =>
        Path.IsPathRooted(fromPath) ? Find(Path.GetFullPath(Path.Combine(Path.GetDirectoryName(fromPath) ?? "", importPath))) : null;

    public string Uri(SourceFile file) => Documents.TryGetValue(file.Path, out var document) ? document.Uri : FileUris.FromPath(file.Path);

    public JsonObject Location(SourceSpan place) => new() { ["uri"] = Uri(place.File), ["range"] = Positions.Range(place.File, place.Span) };

    public Inspection Inspect(SourceFile file) => Compilations.Inspect(file, Import);

    /// <summary>What the expressions of a file are; of a library, what they are where networks of other files use it.</summary>
    public Inspection InspectInUse(SourceFile file)
    {
        var own = Inspect(file);
        return !own.File.Networks.IsEmpty ? own : Libraries.Inspect(this, file, own);
    }

    public NameIndex Names(SourceFile file) => Compilations.Names(file, Import);

    /// <summary>The open documents, and the files in the folders of the workspace.</summary>
    public IEnumerable<SourceFile> Files()
    {
        var options = new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true, MaxRecursionDepth = 32 };
        var onDisk = Roots.Where(Directory.Exists).SelectMany(root => Directory.EnumerateFiles(root, "*.cnn", options)).Select(Path.GetFullPath);
        return Documents.Keys.Concat(onDisk).Distinct().Take(MostFiles).Select(Find).OfType<SourceFile>();
    }
}

/// <summary>Files on disk. One that did not change stays the same object, so that what was compiled from it stays valid.</summary>
internal sealed class DiskFiles
{
    private const int LargestFile = 16 << 20;
    private readonly Dictionary<string, (DateTime Written, long Length, SourceFile File)> known = new(StringComparer.Ordinal);

    public SourceFile? Read(string path)
    {
        try
        {
            var info = new FileInfo(path);
            if (!info.Exists || info.Length > LargestFile)
            {
                return null;
            }

            lock (known)
            {
                if (!known.TryGetValue(path, out var entry) || entry.Written != info.LastWriteTimeUtc || entry.Length != info.Length)
                {
                    known[path] = entry = (info.LastWriteTimeUtc, info.Length, new SourceFile(path, File.ReadAllText(path)));
                }

                return entry.File;
            }
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return null;
        }
    }
}

/// <summary>What the compiler said about files, kept while the file and all that it imports stay the same.</summary>
internal sealed class Compilations(DiskFiles disk)
{
    private readonly ConditionalWeakTable<SourceFile, Slot<Inspection>> inspections = new();
    private readonly ConditionalWeakTable<SourceFile, ConcurrentDictionary<SourceFile, Slot<Inspection>>> uses = new();
    private readonly ConditionalWeakTable<SourceFile, Slot<NameIndex>> names = new();
    private readonly ConditionalWeakTable<SourceFile, ParseResult> trees = new();

    public DiskFiles Disk { get; } = disk;

    public Inspection Inspect(SourceFile file, ImportResolver imports) => inspections.GetOrCreateValue(file).Get(file, imports, Evaluator.Inspect);

    /// <summary>What the expressions of <paramref name="seen"/> are in the networks of a file that uses it.</summary>
    public Inspection InspectUse(SourceFile file, ImportResolver imports, SourceFile seen) =>
        uses.GetOrCreateValue(file).GetOrAdd(seen, _ => new Slot<Inspection>()).Get(file, imports, (user, resolver) => Evaluator.Inspect(user, resolver, seen));

    public NameIndex Names(SourceFile file, ImportResolver imports) => names.GetOrCreateValue(file).Get(file, imports, NameIndex.Of);

    public FileSyntax Parse(SourceFile file) => trees.GetValue(file, CnnParser.Parse).File;

    private sealed class Slot<T>
        where T : class
    {
        private readonly Dictionary<(string From, string Import), SourceFile?> dependencies = new();
        private T? value;

        public T Get(SourceFile file, ImportResolver imports, Func<SourceFile, ImportResolver, T> compile)
        {
            lock (this)
            {
                if (value is null || dependencies.Any(known => imports(known.Key.From, known.Key.Import) != known.Value))
                {
                    dependencies.Clear();
                    value = compile(file, (from, import) => dependencies[(from, import)] = imports(from, import));
                }

                return value;
            }
        }
    }
}

/// <summary>Between URIs and paths. A document that is no file (a new one, not saved yet) has its URI for a path.</summary>
internal static class FileUris
{
    public static string ToPath(string uri)
    {
        if (!System.Uri.TryCreate(uri, UriKind.Absolute, out var parsed) || !parsed.IsFile)
        {
            return uri;
        }

        var path = System.Uri.UnescapeDataString(parsed.AbsolutePath);
        var drive = OperatingSystem.IsWindows() && path.Length > 2 && path[0] == '/' && path[2] == ':';
        return Path.GetFullPath(drive ? path[1..] : path);
    }

    public static string FromPath(string path) => Path.IsPathRooted(path) ? new Uri(path).AbsoluteUri : path;
}
