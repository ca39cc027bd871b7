// Turns diagnostics as values into Roslyn's, at the last moment. Roslyn then applies what the project says of
// them (NoWarn, WarningsAsErrors, dotnet_diagnostic.CNN….severity in a .globalconfig), as for any analyzer.
using System.Collections.Concurrent;
using System.Reflection;
using Microsoft.CodeAnalysis;
using ModelCompiler.Grammar;
using Diagnostic = Microsoft.CodeAnalysis.Diagnostic;

namespace ModelCompiler.Generators;

internal static class DiagnosticReporter
{
    private static readonly ConcurrentDictionary<(string, Severity), DiagnosticDescriptor> Descriptors = new();

    /// <summary>Where this generator was built from (the build property RepositoryUrl), which has a page for each code.</summary>
    private static readonly string? Repository = typeof(DiagnosticReporter).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .FirstOrDefault(metadata => metadata.Key == "RepositoryUrl")?.Value;

    public static Diagnostic ToRoslyn(DiagnosticValue value) => Diagnostic.Create(
        Descriptors.GetOrAdd((value.Code, value.Severity), key => Describe(key.Item1, key.Item2)),
        value.Place?.ToLocation() ?? Location.None,
        value.Notes.Items.Select(note => note.Place.ToLocation()),
        value.Message);

    private static DiagnosticDescriptor Describe(string code, Severity severity)
    {
        var entry = DiagnosticCatalog.Find(code);
        return new DiagnosticDescriptor(
            code,
            entry?.Title ?? code,
            "{0}",
            "ModelCompiler",
            severity switch { Severity.Error => DiagnosticSeverity.Error, Severity.Warning => DiagnosticSeverity.Warning, _ => DiagnosticSeverity.Info },
            isEnabledByDefault: true,
            entry?.Meaning,
            Repository is null ? null : $"{Repository}/blob/main/grammar/diagnostics/{code}.md");
    }
}
