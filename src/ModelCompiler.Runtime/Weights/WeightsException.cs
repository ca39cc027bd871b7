// One exception for everything that can be wrong with a weight or tensor file.
namespace ModelCompiler.Runtime;

/// <summary>A file is not what it should be. Nothing was changed by the attempt to load it.</summary>
public sealed class WeightsException : Exception
{
    internal WeightsException(string path, IReadOnlyList<string> differences, Exception? inner = null)
        : base(Text(path, differences), inner)
    {
        Path = path;
        Differences = differences;
    }

    internal WeightsException(string path, string difference, Exception? inner = null)
        : this(path, [difference], inner)
    {
    }

    public string Path { get; }

    /// <summary>Everything that is wrong, one entry each.</summary>
    public IReadOnlyList<string> Differences { get; }

    private static string Text(string path, IReadOnlyList<string> differences) => differences.Count == 1
        ? $"{path}: {differences[0]}"
        : $"{path}: {differences.Count} differences:{string.Concat(differences.Select(d => $"{Environment.NewLine}  {d}"))}";
}
