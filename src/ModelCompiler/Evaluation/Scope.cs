// Where a name is looked up, and what an expression may know beside its text: the block's input, the names of
// layers around it, and the uses that led to it.
using System.Collections.Immutable;
using ModelCompiler.Grammar;

namespace ModelCompiler.Evaluation;

/// <summary>A step of the chain of uses that led to a place.</summary>
/// <param name="subject">What is used: <c>block 'Basic'</c>.</param>
/// <param name="verb">used, or derived for a network.</param>
internal sealed class Frame(Frame? parent, string subject, SourceSpan place, string verb = "used")
{
    public Frame? Parent { get; } = parent;

    public SourceSpan Place { get; } = place;

    public DiagnosticNote Note => new(Place, $"{subject} is {verb} here");

    /// <summary>For instance <c>block 'Basic' used in line 12</c>, with the file where it is another one.</summary>
    public string Text(SourceFile file) => Place.File == file
        ? $"{subject} {verb} in line {Place.Line}"
        : $"{subject} {verb} in '{Place.File.Path}', line {Place.Line}";

    public int Depth { get; } = parent is null ? 1 : parent.Depth + 1;
}

internal sealed class Scope(Scope? parent, SourceFile file, Naming naming)
{
    public Scope? Parent { get; } = parent;

    public SourceFile File { get; } = file;

    public Dictionary<string, Binding> Names { get; } = new(StringComparer.Ordinal);

    public Naming Naming { get; } = naming;

    /// <summary>Comes before the text position of whatever is applied here: numbers of the comprehensions around.</summary>
    public ImmutableArray<int> Prefix { get; init; } = parent?.Prefix ?? [];

    public Frame? Frame { get; init; } = parent?.Frame;

    /// <summary>What <c>in</c> stands for; null outside blocks.</summary>
    public Value? Input { get; init; } = parent?.Input;

    public Binding? Find(string name)
    {
        for (var scope = this; scope is not null; scope = scope.Parent)
        {
            if (scope.Names.TryGetValue(name, out var binding))
            {
                return binding;
            }
        }

        return null;
    }

    public SourceSpan Place(SyntaxNode node) => new(File, node.Span);

    public SourceSpan Place(TextSpan span) => new(File, span);
}

/// <summary>A name and its value, evaluated when first asked for.</summary>
internal sealed class Binding(string name, SourceSpan place, Func<Value> evaluate)
{
    private Func<Value>? pending = evaluate;
    private Value? value;
    private bool busy;

    public string Name { get; } = name;

    public SourceSpan Place { get; } = place;

    /// <summary>The list that this is a part of, when several names are bound at once.</summary>
    public Binding? Whole { get; init; }

    /// <summary>True while the value is being evaluated: asking again means that it is defined by itself.</summary>
    public bool Busy => busy || Whole is { Busy: true };

    public bool Evaluated => value is not null;

    public static Binding Of(string name, SourceSpan place, Value value) => new(name, place, () => value);

    public Value Force()
    {
        if (value is null)
        {
            busy = true;
            value = pending!();
            pending = null;
            busy = false;
        }

        return value;
    }
}
