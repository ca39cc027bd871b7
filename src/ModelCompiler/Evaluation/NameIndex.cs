// What editors ask about names: what each one stands for, and which are known at a place. The check of names answers
// while it looks them up, so that an editor and the compiler can never disagree.
using System.Collections.Immutable;
using ModelCompiler.Grammar;

namespace ModelCompiler.Evaluation;

/// <summary>A name in the text and the place where it is defined; a definition is a use of itself.</summary>
internal readonly record struct NameUse(TextSpan Place, SourceSpan Definition);

/// <summary>A file, body or comprehension and the names it defines; the scope of a file has those of the files it uses too.</summary>
internal sealed record NameScope(TextSpan Span, IReadOnlyDictionary<string, SourceSpan> Names);

/// <param name="Uses">In the order of the text.</param>
/// <param name="Scopes">Outer ones before inner ones.</param>
internal sealed record NameIndex(ImmutableArray<NameUse> Uses, ImmutableArray<NameScope> Scopes)
{
    private static readonly NameIndex Empty = new([], []);

    /// <summary>The names of a file, as far as its text can be read.</summary>
    public static NameIndex Of(SourceFile file, ImportResolver imports)
    {
        var reporter = new Reporter();
        try
        {
            var files = new FileSet(file, imports, reporter);
            var recorder = new NameRecorder(files);
            new NameCheck(files, files.Main, reporter, recorder).Run();
            return recorder.ToIndex();
        }
        catch (BudgetException)
        {
            return Empty; // too many files; the file's diagnostics say so
        }
    }

    /// <summary>The name that starts, ends or stands at a character.</summary>
    public NameUse? At(int offset)
    {
        foreach (var use in Uses)
        {
            if (use.Place.Start <= offset && offset <= use.Place.End)
            {
                return use;
            }
        }

        return null;
    }

    /// <summary>What a name would stand for at a character; null for nothing.</summary>
    public SourceSpan? Find(string name, int offset)
    {
        SourceSpan? found = null;
        foreach (var scope in ScopesAt(offset))
        {
            found = scope.Names.TryGetValue(name, out var definition) ? definition : found;
        }

        return found;
    }

    /// <summary>Outer ones first.</summary>
    public IEnumerable<NameScope> ScopesAt(int offset) => Scopes.Where(scope => scope.Span.Start <= offset && offset <= scope.Span.End);
}

/// <summary>Collects what the check of names finds in one file.</summary>
internal sealed class NameRecorder(FileSet files)
{
    private readonly Dictionary<TextSpan, SourceSpan> uses = new();
    private readonly List<(TextSpan Span, NameCheck.Level Level)> scopes = new();
    private readonly Dictionary<SourceFile, Dictionary<TextSpan, ImmutableArray<ParameterSyntax>>> parameters = new();

    public void Open(TextSpan span, NameCheck.Level level) => scopes.Add((span, level));

    public void Use(TextSpan place, SourceSpan definition) => uses[place] = definition;

    /// <summary>The named arguments of a block or network are uses of its parameters.</summary>
    public void Call(CallExpression call)
    {
        if (call.Callee is not NameExpression callee || !uses.TryGetValue(callee.Span, out var definition)
            || !ParametersOf(definition.File).TryGetValue(definition.Span, out var declared))
        {
            return;
        }

        foreach (var argument in call.Arguments)
        {
            if (argument.Name is { } name && declared.FirstOrDefault(parameter => parameter.Name.Text == name.Text) is { } parameter)
            {
                Use(name.Span, new SourceSpan(definition.File, parameter.Name.Span));
            }
        }
    }

    public NameIndex ToIndex() => new(
        [.. uses.Select(use => new NameUse(use.Key, use.Value)).OrderBy(use => use.Place.Start)],
        [.. scopes.Select(scope => new NameScope(scope.Span, scope.Level.Names))]);

    /// <summary>Of every block and network of a file, by the place of its name.</summary>
    private Dictionary<TextSpan, ImmutableArray<ParameterSyntax>> ParametersOf(SourceFile file)
    {
        if (!parameters.TryGetValue(file, out var found))
        {
            parameters.Add(file, found = new());
            var open = new Stack<SyntaxNode>([files.Unit(file).Syntax]);
            while (open.Count > 0)
            {
                var node = open.Pop();
                switch (node)
                {
                    case BlockSyntax block:
                        found[block.Name.Span] = block.Parameters;
                        break;
                    case NetworkSyntax network:
                        found[network.Name.Span] = network.Parameters;
                        break;
                    case ExpressionSyntax:
                        continue;
                }

                foreach (var child in SyntaxWalk.Children(node))
                {
                    open.Push(child);
                }
            }
        }

        return found;
    }
}
