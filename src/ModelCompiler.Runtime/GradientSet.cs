// Gradients by the names of their weights.
namespace ModelCompiler.Runtime;

/// <summary>The gradient of the loss with respect to every trainable parameter, at the offsets of the parameters themselves.</summary>
public sealed unsafe class GradientSet
{
    private readonly AlignedBuffer buffer;
    private readonly Dictionary<string, Gradient> byName;
    private readonly Gradient[] all;

    internal GradientSet(NetworkInfo info)
    {
        Info = info;
        buffer = new AlignedBuffer(info.StorageFloats, $"gradients of '{info.Name}'");
        all = info.Parameters.Where(p => p.Trainable).Select(p => new Gradient(this, p)).ToArray();
        byName = all.ToDictionary(g => g.Name, StringComparer.Ordinal);
    }

    public NetworkInfo Info { get; }

    /// <summary>First float, 64-byte aligned.</summary>
    public float* Pointer => buffer.Pointer;

    /// <summary>The whole storage, padding included.</summary>
    public Span<float> Storage => buffer.Span;

    public IReadOnlyList<Gradient> All => all;

    /// <exception cref="KeyNotFoundException">No trainable parameter has this name.</exception>
    public Gradient this[string name] => byName.TryGetValue(name, out var gradient)
        ? gradient
        : throw new KeyNotFoundException($"network '{Info.Name}' has no trainable parameter '{name}'.");
}

/// <summary>The gradient of one parameter, row-major in the parameter's shape.</summary>
public sealed class Gradient
{
    private readonly GradientSet owner;

    internal Gradient(GradientSet owner, ParameterInfo info)
    {
        this.owner = owner;
        Info = info;
        Count = info.Count;
    }

    /// <summary>The parameter it belongs to.</summary>
    public ParameterInfo Info { get; }

    public string Name => Info.Name;

    public IReadOnlyList<int> Shape => Info.Shape;

    public int Count { get; }

    /// <summary>A view that the next run overwrites.</summary>
    public ReadOnlySpan<float> Values => owner.Storage.Slice(Info.Offset, Count);

    public float[] ToArray() => Values.ToArray();
}
