// Kernels are shared by name, so a name must tell everything that decides the code and stay an identifier of
// bearable length: readable geometry first, then a hash of what is too long to spell.
using System.Globalization;

namespace ModelCompiler.Kernels;

internal static class KernelName
{
    /// <summary><c>Operation_geometry_hash</c>, where the hash covers <paramref name="details"/>.</summary>
    public static string Of(string operation, string geometry, params string[] details) =>
        details.Length == 0 ? $"{operation}_{geometry}" : $"{operation}_{geometry}_{Hash(string.Join(";", details))}";

    /// <summary>64-bit FNV-1a as 16 hexadecimal digits: the same on every run and machine, unlike GetHashCode.</summary>
    public static string Hash(string text)
    {
        var hash = 14695981039346656037UL;
        foreach (var c in text)
        {
            hash = unchecked((hash ^ c) * 1099511628211UL);
        }

        return hash.ToString("x16", CultureInfo.InvariantCulture);
    }

    /// <summary>A triple as text: a tuple's own ToString writes signs as the culture has them.</summary>
    public static string Text((int Depth, int Rows, int Columns) triple) => FormattableString.Invariant($"({triple.Depth}, {triple.Rows}, {triple.Columns})");
}
