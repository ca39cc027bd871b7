// What only the host can see: whether the project around the `.cnn` files can compile and run their code.
using ModelCompiler.Grammar;

namespace ModelCompiler.Generators;

internal static class HostDiagnostics
{
    public const string Unoptimized = "CNN4101";
    public const string UnsafeNotAllowed = "CNN5101";
    public const string RuntimeMissing = "CNN5102";
    public const string ClashingNetworks = "CNN5103";
    public const string SettingNotUnderstood = "CNN5104";

    /// <summary>Reports about the project as a whole; they have no place in a file.</summary>
    public static EquatableArray<DiagnosticValue> About(ConsumerFacts project)
    {
        var found = new List<DiagnosticValue>();
        if (!project.HasRuntime)
        {
            found.Add(Of(RuntimeMissing, Severity.Error,
                "the project has networks but does not reference the library they build on: reference the package 'ModelCompiler'"));
        }
        else if (!project.AllowsUnsafe)
        {
            found.Add(Of(UnsafeNotAllowed, Severity.Error,
                "networks are compiled to code with pointers: set <AllowUnsafeBlocks>true</AllowUnsafeBlocks> in the project"));
        }
        else if (!project.IsOptimized)
        {
            found.Add(Of(Unoptimized, Severity.Warning,
                "this build is not optimised, so networks run at about a twentieth of their speed: "
                + "set <Optimize>true</Optimize> in the project, or build with '-c Release'"));
        }

        return found.ToEquatableArray();
    }

    private static DiagnosticValue Of(string code, Severity severity, string message) => new(code, severity, null, message, default);
}
