// The compiler's answer for one file, split into the two things that have lives of their own: sources, which
// change when the network does, and diagnostics, which move with every line.
using System.Text;
using ModelCompiler.Grammar;

namespace ModelCompiler.Generators;

/// <summary>The compiler's door, <see cref="Compiler.Compile"/>; tests pass another to see what the host does with its answers.</summary>
internal delegate CompilationResult CompileFile(SourceFile file, ImportResolver imports, CompilerOptions options);

internal sealed record CompiledFile(
    string Path, EquatableArray<NetworkSource> Networks, EquatableArray<DeclaredNetwork> Places, EquatableArray<DiagnosticValue> Diagnostics)
{
    public static CompiledFile Of(CompileFile compile, ImportClosure closure, NamingOptions naming, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        return FaultBarrier.Run(() => Compile(compile, closure, naming), fault => Failed(closure.File, fault));
    }

    private static CompiledFile Compile(CompileFile compile, ImportClosure closure, NamingOptions naming)
    {
        var file = closure.File;
        var options = new CompilerOptions(
            naming.Namespace, naming.HintPrefix(file.Path), MemoryBudget: file.Settings.MemoryBudget, TrainingMemoryBudget: file.Settings.TrainingMemoryBudget,
            Tuning: closure.Tuning is { } tuning ? Planning.Tuning.Read(new SourceFile(tuning.Path, tuning.Text)) : null, Strict: file.Settings.Strict);
        var result = compile(new SourceFile(file.Path, file.Text), closure.Resolve, options);
        var networks = result.Networks.Select(n => new NetworkSource(file.Path, n.Name, n.HintName, n.Source)).ToEquatableArray();
        return new CompiledFile(
            file.Path,
            networks,
            file.Declared.Where(declared => networks.Any(n => n.Name == declared.Name)).ToEquatableArray(),
            result.Diagnostics.Select(DiagnosticValue.Of).Concat(file.Settings.Diagnostics.Items).ToEquatableArray());
    }

    private static CompiledFile Failed(ProjectFile file, Exception fault)
    {
        var message = $"the network compiler failed on this file ({fault.GetType().Name}: {fault.Message}); "
            + "please report it together with the file";
        var diagnostic = new DiagnosticValue("CNN9001", Severity.Error, new Place(file.Path, 0, 0, 0, 0, 0, 0), message, default);
        return new CompiledFile(file.Path, default, default, new[] { diagnostic }.ToEquatableArray());
    }
}

/// <summary>The generated text of one network. Two are equal when they differ in nothing but the line numbers of
/// their <c>#line</c> directives: a comment that moves a network down its file then leaves the generated source, and
/// all that an editor computed from it, as it is. A build from the command line starts afresh and always has
/// the exact lines; in an editor they are renewed by the next edit that changes the network.</summary>
internal sealed class NetworkSource(string path, string name, string hintName, string text) : IEquatable<NetworkSource>
{
    private readonly string comparable = WithoutLines(text);

    public string Path { get; } = path;

    public string Name { get; } = name;

    public string HintName { get; } = hintName;

    public string Text { get; } = text;

    public bool Equals(NetworkSource? other) =>
        other is not null && Path == other.Path && Name == other.Name && HintName == other.HintName && comparable == other.comparable;

    public override bool Equals(object? obj) => Equals(obj as NetworkSource);

    public override int GetHashCode() => HintName.GetHashCode();

    private static string WithoutLines(string text)
    {
        const string directive = "#line";
        var kept = new StringBuilder(text.Length);
        for (var start = 0; start < text.Length;)
        {
            var newline = text.IndexOf('\n', start);
            var end = newline < 0 ? text.Length : newline + 1;
            var first = start;
            while (first < end && text[first] is ' ' or '\t')
            {
                first++;
            }

            if (string.CompareOrdinal(text, first, directive, 0, directive.Length) != 0)
            {
                kept.Append(text, start, end - start);
            }

            start = end;
        }

        return kept.ToString();
    }
}
