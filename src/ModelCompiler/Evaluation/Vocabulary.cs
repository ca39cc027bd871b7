// The words that every file knows without a definition: operators, functions on numbers and lists, initializers, and
// the words that operators take as arguments.
using System.Collections.Immutable;
using ModelCompiler.Operators;

namespace ModelCompiler.Evaluation;

internal static class Vocabulary
{
    private static readonly ImmutableHashSet<string> Functions = Evaluation.Functions.Names.ToImmutableHashSet(StringComparer.Ordinal);

    /// <summary>Bare words such as <c>same</c> and <c>reflect</c>.</summary>
    public static readonly ImmutableHashSet<string> Words = Catalog.All.Values
        .SelectMany(@operator => @operator.Signature.Arguments)
        .SelectMany(spec => spec.Words.IsDefault ? [] : spec.Words)
        .Concat(ArgumentKinds.PaddingWords)
        .ToImmutableHashSet(StringComparer.Ordinal);

    /// <summary>Everything that may be meant where a value is written, for suggestions.</summary>
    public static readonly ImmutableArray<string> All = [.. Catalog.All.Keys.Concat(Functions)];

    public static bool IsFunction(string name) => Functions.Contains(name);

    public static bool Knows(string name) => Operator(name) is not null || IsFunction(name) || Words.Contains(name) || Initializers.Contains(name);

    /// <summary>The operator of that name; the sum of a list of tensors is the operator <c>add</c>.</summary>
    public static Operator? Operator(string name)
    {
        if (Catalog.All.TryGetValue(name, out var found))
        {
            return found;
        }

        return name == "sum" && Catalog.All.TryGetValue("add", out var add) ? add : null;
    }
}
