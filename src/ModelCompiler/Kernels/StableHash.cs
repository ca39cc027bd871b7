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
}
