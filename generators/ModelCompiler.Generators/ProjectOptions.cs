// What of the consuming project matters to generated code. Only these few values are kept: a compilation
// changes with every keystroke, these almost never, so everything behind them stays cached.
using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;

namespace ModelCompiler.Generators;

/// <summary>Names that the build gives.</summary>
internal sealed record ProjectNames(string? RootNamespace, string? ProjectFolder)
{
    public static ProjectNames Read(AnalyzerConfigOptionsProvider provider) => new(
        Property(provider, "build_property.RootNamespace"), Property(provider, "build_property.ProjectDir"));

    private static string? Property(AnalyzerConfigOptionsProvider provider, string name) =>
        provider.GlobalOptions.TryGetValue(name, out var value) && value.Length > 0 ? value : null;
}

/// <summary>Whether generated code can be compiled and will be fast.</summary>
internal sealed record ConsumerFacts(string? AssemblyName, bool AllowsUnsafe, bool IsOptimized, bool HasRuntime)
{
    public bool CanCompile => AllowsUnsafe && HasRuntime;

    public static ConsumerFacts Of(Compilation compilation) => new(
        compilation.AssemblyName,
        compilation.Options is CSharpCompilationOptions { AllowUnsafe: true },
        compilation.Options.OptimizationLevel == OptimizationLevel.Release,
        compilation.GetTypeByMetadataName("ModelCompiler.Runtime.InferenceNetwork") is not null);
}

/// <summary>What the compiler has to be told about names.</summary>
internal sealed record NamingOptions(string Namespace, string? ProjectFolder)
{
    public static NamingOptions Of(ProjectNames names, string? assemblyName) =>
        new(ToNamespace(names.RootNamespace ?? assemblyName ?? "Networks"), names.ProjectFolder);

    /// <summary>Folder of the file inside the project, as the front of a generated file's name: <c>Models/</c>.</summary>
    public string HintPrefix(string path)
    {
        var inside = ProjectFolder is null ? null : ImportPath.Inside(ProjectFolder, path);
        var folder = inside is null ? "." : ImportPath.Folder(inside);
        return folder == "." ? "" : new string((folder + "/").Select(c => IsHintCharacter(c) ? c : '_').ToArray());
    }

    private static bool IsHintCharacter(char c) => c is '/' or '.' or '-' or '_' || (c < 128 && char.IsLetterOrDigit(c));

    /// <summary>Makes any project name a namespace: <c>my-app.2d</c> becomes <c>my_app._2d</c>.</summary>
    private static string ToNamespace(string name) => string.Join(".", name.Split('.').Where(part => part.Length > 0).Select(ToIdentifier));

    private static string ToIdentifier(string part)
    {
        var text = new StringBuilder();
        foreach (var c in part)
        {
            text.Append(SyntaxFacts.IsIdentifierPartCharacter(c) ? c : '_');
        }

        if (!SyntaxFacts.IsIdentifierStartCharacter(text[0]))
        {
            text.Insert(0, '_');
        }

        return SyntaxFacts.GetKeywordKind(text.ToString()) == SyntaxKind.None ? text.ToString() : "@" + text;
    }
}
