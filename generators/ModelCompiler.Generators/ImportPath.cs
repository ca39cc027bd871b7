// Paths as text: a generator may not touch the file system, so `use "../common/units.cnn"` is resolved by
// walking its parts. Upper and lower case count everywhere, so that a project builds alike on every system.
namespace ModelCompiler.Generators;

internal static class ImportPath
{
    /// <summary>The normalized path that <paramref name="importPath"/> means inside the file <paramref name="fromPath"/>.</summary>
    public static string Resolve(string fromPath, string importPath)
    {
        var import = importPath.Replace('\\', '/');
        return IsRooted(import) ? Normalize(import) : Normalize(Folder(fromPath) + "/" + import);
    }

    /// <summary>Forward slashes, without <c>.</c> and <c>..</c> where a folder in front of them can be dropped.</summary>
    public static string Normalize(string path)
    {
        var parts = new List<string>();
        foreach (var part in path.Replace('\\', '/').Split('/'))
        {
            if (part == ".." && parts.Count > 0 && parts[parts.Count - 1] is not (".." or ""))
            {
                parts.RemoveAt(parts.Count - 1);
            }
            else if (part != "." && (part.Length > 0 || parts.Count == 0))
            {
                parts.Add(part);
            }
        }

        return string.Join("/", parts);
    }

    /// <summary>The path inside the project, or null for a file outside of it.</summary>
    public static string? Inside(string projectFolder, string path)
    {
        var folder = Normalize(projectFolder).TrimEnd('/') + "/";
        var full = Normalize(path);
        return folder.Length > 1 && full.StartsWith(folder, StringComparison.OrdinalIgnoreCase) ? full.Substring(folder.Length) : null;
    }

    /// <summary>Everything in front of the file name, without the last slash.</summary>
    public static string Folder(string path)
    {
        var normal = Normalize(path);
        var slash = normal.LastIndexOf('/');
        return slash < 0 ? "." : normal.Substring(0, slash);
    }

    private static bool IsRooted(string path) => path.StartsWith("/", StringComparison.Ordinal) || (path.Length > 1 && path[1] == ':');
}
