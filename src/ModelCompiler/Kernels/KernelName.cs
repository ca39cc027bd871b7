// Kernels are shared by name, so a name must tell everything that decides the structure of the code and stay an
// identifier of bearable length: the operation, then a hash of the rest.
using System.Globalization;

namespace ModelCompiler.Kernels;

internal static class KernelName
{
    /// <summary><c>Operation_hash</c>, where the hash covers <paramref name="structure"/>.</summary>
    public static string Of(string operation, params IEnumerable<string> structure) => $"{operation}_{Hash(string.Join(";", structure))}";

    /// <summary>48 bits of FNV-1a as 12 hexadecimal digits: the same on every run and machine, unlike GetHashCode.</summary>
    public static string Hash(string text)
    {
        var hash = 14695981039346656037UL;
        foreach (var c in text)
        {
            hash = unchecked((hash ^ c) * 1099511628211UL);
        }

        return (hash >> 16).ToString("x12", CultureInfo.InvariantCulture);
    }

    /// <summary>A triple as text: a tuple's own ToString writes signs as the culture has them.</summary>
    public static string Text((int Depth, int Rows, int Columns) triple) => FormattableString.Invariant($"({triple.Depth}, {triple.Rows}, {triple.Columns})");
}
