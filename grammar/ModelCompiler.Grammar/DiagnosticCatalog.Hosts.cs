// CNN4101 and up, CNN5101 and up: what the project around the files gets wrong; found by the hosts, such as the generator.
using System.Collections.Immutable;

namespace ModelCompiler.Grammar;

public static partial class DiagnosticCatalog
{
    private static ImmutableArray<DiagnosticEntry> Hosts() => Rows(
        new("CNN4101", "Kernels are compiled without optimisation", Severity.Warning, "In a build without optimisation networks run at about a twentieth of their speed: set <Optimize>true</Optimize> or build with -c Release."),
        new("CNN5101", "Unsafe code is not allowed", Severity.Error, "Generated kernels use pointers: set <AllowUnsafeBlocks>true</AllowUnsafeBlocks> in the project."),
        new("CNN5102", "The library is not referenced", Severity.Error, "Generated classes build on the ModelCompiler package's library: reference the package, not its generator alone."),
        new("CNN5103", "Two files declare the same network", Severity.Error, "Every network becomes a class of the project's namespace, so its name must be its own, upper and lower case aside."),
        new("CNN5104", "Setting not understood", Severity.Error, "A property or option of the project that the compiler reads has a value that it cannot be."));
}
