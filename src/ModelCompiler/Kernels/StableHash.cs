// Names of emitted methods must be the same in every process; string.GetHashCode is not.
namespace ModelCompiler.Kernels;

internal static class StableHash
{
    /// <summary>FNV-1a over UTF-16 units.</summary>
    public static int Of(string text)
    {
        var hash = 2166136261u;
        foreach (var c in text)
        {
            hash = unchecked((hash ^ c) * 16777619u);
        }

        return unchecked((int)hash);
    }

    /// <summary>A triple as text: a tuple's own ToString writes signs as the culture has them.</summary>
    public static string Text((int Depth, int Rows, int Columns) triple) => FormattableString.Invariant($"({triple.Depth}, {triple.Rows}, {triple.Columns})");
}
