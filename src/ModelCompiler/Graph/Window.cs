// The geometry that convolutions and poolings share, for any number of spatial axes.
using System.Collections.Immutable;

namespace ModelCompiler.Graph;

/// <summary>A sliding window over the spatial axes. All arrays have one entry per axis.</summary>
/// <param name="PadBegin">Zeros (or the mode's values) before the first element; may be negative in gradients (a crop).</param>
public sealed class Window(
    ImmutableArray<int> kernel, ImmutableArray<int> stride, ImmutableArray<int> padBegin, ImmutableArray<int> padEnd, ImmutableArray<int> dilation)
    : IEquatable<Window>
{
    public ImmutableArray<int> Kernel { get; } = kernel;
    public ImmutableArray<int> Stride { get; } = stride;
    public ImmutableArray<int> PadBegin { get; } = padBegin;
    public ImmutableArray<int> PadEnd { get; } = padEnd;
    public ImmutableArray<int> Dilation { get; } = dilation;

    public int Rank => Kernel.Length;

    /// <summary>Extent of the dilated kernel: d(k-1)+1.</summary>
    public int Extent(int axis) => (Dilation[axis] * (Kernel[axis] - 1)) + 1;

    /// <summary>floor((i + pads - extent) / stride) + 1; zero or less where the window does not fit.</summary>
    public int OutputSize(int axis, int input)
    {
        var room = input + PadBegin[axis] + PadEnd[axis] - Extent(axis);
        return room < 0 ? 0 : (room / Stride[axis]) + 1;
    }

    public ImmutableArray<int> OutputSizes(ImmutableArray<int> spatial) =>
        spatial.Select((size, axis) => OutputSize(axis, size)).ToImmutableArray();

    public int KernelCount => Kernel.Aggregate(1, (product, k) => product * k);

    public bool Equals(Window? other) =>
        other is not null && Same(Kernel, other.Kernel) && Same(Stride, other.Stride) && Same(PadBegin, other.PadBegin)
        && Same(PadEnd, other.PadEnd) && Same(Dilation, other.Dilation);

    public override bool Equals(object? obj) => Equals(obj as Window);

    public override int GetHashCode()
    {
        var hash = 17;
        foreach (var part in new[] { Kernel, Stride, PadBegin, PadEnd, Dilation })
        {
            foreach (var value in part)
            {
                hash = unchecked((hash * 31) + value);
            }
        }

        return hash;
    }

    private static bool Same(ImmutableArray<int> a, ImmutableArray<int> b) => a.AsSpan().SequenceEqual(b.AsSpan());
}
