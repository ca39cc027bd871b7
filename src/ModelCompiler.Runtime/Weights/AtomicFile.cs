// Training runs get killed; the file they were writing must not be lost with them.
namespace ModelCompiler.Runtime;

/// <summary>A new file that takes its place only when it is complete and on disk.</summary>
internal sealed class AtomicFile : IDisposable
{
    /// <summary>Of the file until it is complete.</summary>
    public const string Extension = ".tmp";

    private readonly string path;
    private readonly string temporary;

    public AtomicFile(string path)
    {
        this.path = Path.GetFullPath(path);
        if (Directory.Exists(this.path))
        {
            throw new IOException($"{path}: is a directory.");
        }

        temporary = $"{this.path}.{Environment.ProcessId}-{Guid.NewGuid():N}{Extension}";
        Stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1 << 16);
    }

    public FileStream Stream { get; }

    public void Commit()
    {
        Stream.Flush(flushToDisk: true);
        Stream.Dispose();
        File.Move(temporary, path, overwrite: true);
    }

    public void Dispose()
    {
        Stream.Dispose();
        File.Delete(temporary);
    }
}
