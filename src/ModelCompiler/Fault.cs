// A fault of the compiler itself, which is never the file's: it is reported where the compiler was, like a mistake, and not thrown
// at a build.
using ModelCompiler.Grammar;

namespace ModelCompiler;

internal static class Fault
{
    /// <summary>CNN9001 for an exception.</summary>
    /// <param name="place">What the compiler was working on.</param>
    public static Diagnostic Of(Exception fault, SourceSpan place) => new(
        "CNN9001", Severity.Error, place, $"the compiler failed here, which is its own fault: {fault.GetType().Name}: {fault.Message}; please report it with this file");
}
