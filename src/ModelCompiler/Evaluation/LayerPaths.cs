// Names of layers. Automatic names count in the order of the text, but layers are made in the order of
// evaluation; so a layer first gets a place in a tree and a key that says where its text stands, and the tree is
// given its names when the whole network is known.
using System.Collections.Immutable;
using System.Globalization;
using ModelCompiler.Grammar;

namespace ModelCompiler.Evaluation;

/// <summary>A node of the tree of names: the network, a block use, a labelled sequence, or a layer.</summary>
internal sealed class PathScope
{
    private readonly List<PathScope> children = new();
    private readonly Dictionary<string, PathScope> known = new(StringComparer.Ordinal);
    private string? path;

    public PathScope(PathScope? parent, string? name, string baseName, ImmutableArray<int> key, SourceSpan place, int id)
    {
        Parent = parent;
        Name = name;
        BaseName = baseName;
        Key = key;
        Place = place;
        Id = id;
    }

    public PathScope? Parent { get; }

    /// <summary>A label or a number; null until automatic names are given.</summary>
    public string? Name { get; private set; }

    public string BaseName { get; }

    /// <summary>Text positions from the scope's body down to the word, for ordering.</summary>
    public ImmutableArray<int> Key { get; }

    public SourceSpan Place { get; }

    public int Id { get; }

    /// <summary>Whether something in it is part of the finished network.</summary>
    public bool Live { get; private set; }

    /// <summary>Stands for the path in nodes made before names are known.</summary>
    public string Token => "#" + Id.ToString(CultureInfo.InvariantCulture);

    /// <summary>The finished path; empty for the network itself.</summary>
    public string Path => path ??= Parent is null ? "" : Parent.Path.Length == 0 ? Name! : Parent.Path + "." + Name;

    public IReadOnlyList<PathScope> Children => children;

    public PathScope? Find(string key) => known.TryGetValue(key, out var scope) ? scope : null;

    public void Add(string key, PathScope child)
    {
        known.Add(key, child);
        children.Add(child);
    }

    public void MarkLive()
    {
        for (var scope = this; scope is { Live: false }; scope = scope.Parent)
        {
            scope.Live = true;
        }
    }

    /// <summary>Gives automatic names to the live children: operator and count, labelled ones counting too.</summary>
    public void NameChildren()
    {
        var taken = new HashSet<string>(children.Where(child => child.Name is not null).Select(child => child.Name!), StringComparer.Ordinal);
        foreach (var group in children.Where(child => child.Live).GroupBy(child => child.BaseName, StringComparer.Ordinal))
        {
            var count = 0;
            foreach (var child in group.OrderBy(child => child.Key, KeyOrder.Instance))
            {
                count++;
                if (child.Name is null)
                {
                    while (!taken.Add(child.BaseName + count.ToString(CultureInfo.InvariantCulture)))
                    {
                        count++;
                    }

                    child.Name = child.BaseName + count.ToString(CultureInfo.InvariantCulture);
                }
            }
        }
    }

    private sealed class KeyOrder : IComparer<ImmutableArray<int>>
    {
        public static readonly KeyOrder Instance = new();

        public int Compare(ImmutableArray<int> left, ImmutableArray<int> right)
        {
            for (var i = 0; i < left.Length && i < right.Length; i++)
            {
                if (left[i] != right[i])
                {
                    return left[i].CompareTo(right[i]);
                }
            }

            return left.Length.CompareTo(right.Length);
        }
    }
}

/// <summary>One pass over a scope's body. Only a shared stage makes several passes over the same scope, and each finds
/// the children of the first.</summary>
/// <param name="numbered">True inside a labelled sequence or list, where members are called 0, 1, 2, …</param>
internal sealed class Naming(PathScope scope, bool numbered, Func<int> nextId)
{
    private readonly Dictionary<string, int> seen = new(StringComparer.Ordinal);
    private int next;

    public PathScope Scope { get; } = scope;

    public bool Numbered { get; } = numbered;

    /// <summary>Told of every new scope.</summary>
    public Action<PathScope>? Created { get; init; }

    /// <summary>The scope of an unlabelled stage.</summary>
    public PathScope Automatic(string baseName, ImmutableArray<int> key, SourceSpan place)
    {
        var number = next++;
        if (Numbered)
        {
            var name = number.ToString(CultureInfo.InvariantCulture);
            return Child("." + name, name, baseName, key, place);
        }

        var text = baseName + "@" + string.Join(",", key);
        seen.TryGetValue(text, out var occurrence);
        seen[text] = occurrence + 1;
        return Child(text + "#" + occurrence.ToString(CultureInfo.InvariantCulture), null, baseName, key, place);
    }

    /// <summary>The scope of a labelled stage; <paramref name="clash"/> is the other stage of that label in the same pass, if any.</summary>
    public PathScope Labelled(string label, string baseName, ImmutableArray<int> key, SourceSpan place, out PathScope? clash)
    {
        next++;
        var text = "." + label;
        seen.TryGetValue(text, out var occurrence);
        seen[text] = occurrence + 1;
        clash = occurrence > 0 ? Scope.Find(text) : null;
        return clash is null
            ? Child(text, label, baseName, key, place)
            : Child(text + "#" + occurrence.ToString(CultureInfo.InvariantCulture), label, baseName, key, place);
    }

    public Naming Inside(PathScope child, bool numbered) => new(child, numbered, nextId) { Created = Created };

    private PathScope Child(string key, string? name, string baseName, ImmutableArray<int> order, SourceSpan place)
    {
        if (Scope.Find(key) is { } known)
        {
            return known;
        }

        var child = new PathScope(Scope, name, baseName, order, place, nextId());
        Scope.Add(key, child);
        Created?.Invoke(child);
        return child;
    }
}
