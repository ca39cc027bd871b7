// One named weight as a person or a file sees it: PyTorch's name, shape and element order.
namespace ModelCompiler.Runtime;

/// <summary>A view of one parameter or buffer of a <see cref="ParameterSet"/>.</summary>
public sealed class Parameter
{
    private readonly ParameterSet owner;

    internal Parameter(ParameterSet owner, ParameterInfo info, int place)
    {
        this.owner = owner;
        Place = place;
        Info = info;
        Count = info.Count;
    }

    public ParameterInfo Info { get; }

    /// <summary>For instance <c>layer1.0.conv1.weight</c>.</summary>
    public string Name => Info.Name;

    public IReadOnlyList<int> Shape => Info.Shape;

    /// <summary>Number of elements.</summary>
    public int Count { get; }

    /// <summary>False for running statistics and fixed kernels, which the optimizer leaves alone.</summary>
    public bool Trainable => Info.Trainable;

    /// <summary>In <see cref="ParameterSet.All"/>.</summary>
    internal int Place { get; }

    internal Span<float> Values => owner.ValuesOf(this);

    /// <summary>A copy, row-major in <see cref="Shape"/>.</summary>
    public float[] ToArray() => Values.ToArray();

    /// <summary>Copies all elements.</summary>
    /// <exception cref="ArgumentException"><paramref name="destination"/> holds fewer than <see cref="Count"/>.</exception>
    public void CopyTo(Span<float> destination)
    {
        if (destination.Length < Count)
        {
            throw new ArgumentException($"'{Name}' has {Count} elements ({Shapes.Text(Info.Shape)}), the destination {destination.Length}.", nameof(destination));
        }

        Values.CopyTo(destination);
    }

    /// <summary>Replaces all elements; networks that share the set see the change at their next run.</summary>
    /// <exception cref="ArgumentException">The number of elements is not <see cref="Count"/>.</exception>
    public void Set(ReadOnlySpan<float> values)
    {
        if (values.Length != Count)
        {
            throw new ArgumentException($"'{Name}' takes {Count} elements ({Shapes.Text(Info.Shape)}), not {values.Length}.", nameof(values));
        }

        values.CopyTo(owner.ValuesOf(this, replace: true));
        owner.Touch();
    }
}
