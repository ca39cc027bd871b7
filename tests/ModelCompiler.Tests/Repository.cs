// Where the repository's own files are, for tests that read them.
namespace ModelCompiler.Tests;

internal static class Repository
{
    /// <summary>Absolute path of a file of the repository.</summary>
    public static string File(params string[] parts)
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!System.IO.File.Exists(Path.Combine(folder.FullName, "ModelCompiler.sln")))
        {
            folder = folder.Parent ?? throw new DirectoryNotFoundException("The tests run outside of the repository.");
        }

        return Path.Combine([folder.FullName, .. parts]);
    }
}
