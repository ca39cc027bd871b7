// All memory that kernels touch. Pinned managed arrays rather than native allocations: they never move, a
// span of one keeps it alive, and nothing a caller does (dispose early, forget to dispose) can leave a
// dangling pointer behind.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ModelCompiler.Runtime;

/// <summary>Zeroed floats at a fixed, 64-byte aligned address.</summary>
internal sealed unsafe class AlignedBuffer
{
    private const int Alignment = 64;

    /// <summary>Before the first float as alignment needs, and at least one vector behind the last: a kernel may read over
    /// the end by less than that.</summary>
    private const int Slack = 2 * Alignment / sizeof(float);

    private readonly float[] array;
    private readonly int start;

    /// <param name="what">For the message when memory is short: <c>activations</c>.</param>
    public AlignedBuffer(long floats, string what)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(floats);
        if (floats > Array.MaxLength - Slack)
        {
            throw new OutOfMemoryException($"{what} would need {floats * sizeof(float) / (1 << 20)} MiB, more than one buffer can hold; use a smaller batch.");
        }

        Length = (int)floats;
        try
        {
            array = GC.AllocateArray<float>(Length + Slack, pinned: true);
        }
        catch (OutOfMemoryException exception)
        {
            throw new OutOfMemoryException($"{what} need {floats * sizeof(float) / (1 << 20)} MiB, which the system does not have.", exception);
        }

        var address = (nuint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(array));
        start = (int)((Alignment - (address % Alignment)) % Alignment / sizeof(float));
        Pointer = (float*)address + start;
        LargePages.Advise(Pointer, floats * sizeof(float));
    }

    public int Length { get; }

    /// <summary>Valid while this object, or a span from <see cref="Span"/>, is reachable.</summary>
    public float* Pointer { get; }

    public Span<float> Span => new(array, start, Length);
}
