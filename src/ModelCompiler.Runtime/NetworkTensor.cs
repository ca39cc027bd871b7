// An input, target, output or input gradient of a network object, as the caller sees it.
using System.Runtime.InteropServices;

namespace ModelCompiler.Runtime;

/// <summary>A contiguous buffer of [batch][shape] elements, owned by a network object and overwritten by its runs.</summary>
public sealed unsafe class NetworkTensor
{
    private readonly AlignedBuffer buffer;

    internal NetworkTensor(TensorInfo info, int batch)
    {
        Info = info;
        Batch = batch;
        SampleCount = info.Count;
        buffer = new AlignedBuffer((long)batch * SampleCount, $"tensor '{info.Name}'");
    }

    public TensorInfo Info { get; }

    /// <summary>Samples in the buffer.</summary>
    public int Batch { get; }

    /// <summary>Elements of one sample.</summary>
    public int SampleCount { get; }

    /// <summary>All elements, batch first.</summary>
    /// <exception cref="InvalidOperationException">The tensor holds class numbers.</exception>
    public Span<float> Data => Info.Kind == TensorKind.Float
        ? buffer.Span
        : throw new InvalidOperationException($"'{Info.Name}' holds class numbers: use {nameof(Classes)}.");

    /// <summary>All class numbers, batch first.</summary>
    /// <exception cref="InvalidOperationException">The tensor holds real numbers.</exception>
    public Span<int> Classes => Info.Kind == TensorKind.Class
        ? MemoryMarshal.Cast<float, int>(buffer.Span)
        : throw new InvalidOperationException($"'{Info.Name}' holds real numbers: use {nameof(Data)}.");

    internal float* Pointer => buffer.Pointer;

    /// <summary>The elements of sample <paramref name="index"/>, 0 … Batch - 1.</summary>
    public Span<float> Sample(int index)
    {
        CheckSample(index);
        return Data.Slice(index * SampleCount, SampleCount);
    }

    /// <summary>The class numbers of sample <paramref name="index"/>, 0 … Batch - 1.</summary>
    public Span<int> SampleClasses(int index)
    {
        CheckSample(index);
        return Classes.Slice(index * SampleCount, SampleCount);
    }

    /// <exception cref="InvalidOperationException">A class number is outside 0 … Classes - 1.</exception>
    internal void CheckClasses()
    {
        if (Info.Kind != TensorKind.Class)
        {
            return;
        }

        var classes = Classes;
        for (var i = 0; i < classes.Length; i++)
        {
            if ((uint)classes[i] >= (uint)Info.Classes && classes[i] != Info.Ignored)
            {
                var ignored = Info.Ignored is { } number ? $" and is not {number}, the label that is ignored" : "";
                throw new InvalidOperationException(
                    $"target '{Info.Name}': class {classes[i]} at sample {i / SampleCount} is outside 0 … {Info.Classes - 1}{ignored}.");
            }
        }
    }

    /// <exception cref="InvalidOperationException">A number is none that the network can use.</exception>
    internal void CheckValues()
    {
        if (Info.Limits is not { } limits)
        {
            return;
        }

        var values = Data;
        for (var i = 0; limits.Places > 0 && i < values.Length; i++)
        {
            if (!(values[i] >= 0 && values[i] < limits.Places && values[i] == MathF.Floor(values[i])))
            {
                throw new InvalidOperationException(
                    $"input '{Info.Name}': {values[i]} at element {i % SampleCount} of sample {i / SampleCount} is no whole number from 0 to {limits.Places - 1}.");
            }
        }

        for (var i = 0; limits.Width > 0 && i < values.Length; i += 4)
        {
            var box = values.Slice(i, 4);
            if (!(box[0] >= 0 && box[0] <= box[2] && box[2] <= limits.Width && box[1] >= 0 && box[1] <= box[3] && box[3] <= limits.Height))
            {
                throw new InvalidOperationException(
                    $"input '{Info.Name}': box {i % SampleCount / 4} of sample {i / SampleCount}, ({box[0]}, {box[1]}) to ({box[2]}, {box[3]}), does not lie in the plane from (0, 0) to ({limits.Width}, {limits.Height}).");
            }
        }
    }

    private void CheckSample(int index)
    {
        if ((uint)index >= (uint)Batch)
        {
            throw new ArgumentOutOfRangeException(nameof(index), $"sample {index} of '{Info.Name}' is outside the batch of {Batch}.");
        }
    }
}
