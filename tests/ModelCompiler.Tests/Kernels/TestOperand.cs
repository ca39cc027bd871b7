// Memory for one operand of a kernel under test: every float that is not an element is poisoned or watched.
using System.Runtime.InteropServices;
using ModelCompiler.Graph;
using ModelCompiler.Kernels;
using ModelCompiler.Planning;
using LayoutKind = ModelCompiler.Planning.LayoutKind;

namespace ModelCompiler.Tests.Kernels;

/// <summary>Elements lie as the layout says, samples <see cref="Stride"/> apart. Lanes beyond the last channel are NaN, and so is
/// the padding behind flat values; the halo of an input is what the test gives, an output's is watched like the canaries around
/// everything.</summary>
public sealed unsafe class TestOperand : IDisposable
{
    /// <summary>What elements of an output hold before the kernel runs.</summary>
    public const float Unwritten = -99.5f;

    private const float Watched = 7.25f;
    private const int Canary = 64;
    private readonly float* memory;
    private readonly long length;
    private readonly bool[] free;
    private readonly List<long> elements = [];
    private readonly bool isOutput;

    private TestOperand(Layout layout, int samples, bool isOutput, float halo, Func<int, int[], double> value)
    {
        Layout = layout;
        Samples = samples;
        this.isOutput = isOutput;
        Stride = layout.Size + 32;
        length = (2 * Canary) + ((long)Math.Max(1, samples) * Stride);
        free = new bool[length];
        memory = (float*)NativeMemory.AlignedAlloc((nuint)(length * sizeof(float)), 64);
        new Span<float>(memory, (int)length).Fill(Watched);
        for (var sample = 0; sample < Math.Max(1, samples); sample++)
        {
            var start = Start(sample);
            if (!isOutput)
            {
                new Span<float>(memory + start, layout.Size).Fill(halo);
            }

            foreach (var lane in PadLanes(layout))
            {
                memory[start + lane] = float.NaN;
                free[start + lane] = true;
            }

            foreach (var index in Indices(layout.Shape))
            {
                var at = start + Address(layout, index);
                memory[at] = (float)value(sample, index);
                free[at] = true;
                elements.Add(at);
            }
        }
    }

    public Layout Layout { get; }

    /// <summary>0 for an operand that all samples share.</summary>
    public int Samples { get; }

    /// <summary>Floats from one sample to the next.</summary>
    public long Stride { get; }

    /// <summary>Numbers of a kind that sums keep exact enough, different for each seed, sample and element.</summary>
    public static TestOperand Input(Layout layout, int samples, int seed, float halo = 0) =>
        new(layout, samples, false, halo, (sample, index) => Number(seed, sample, index));

    public static TestOperand Input(Layout layout, int samples, Func<int, int[], double> value, float halo = 0) =>
        new(layout, samples, false, halo, value);

    public static TestOperand Output(Layout layout, int samples) => new(layout, samples, true, 0, (_, _) => Unwritten);

    public nint Pointer(int sample) => (nint)(memory + Start(Samples == 0 ? 0 : sample));

    /// <summary>Where the kernel's operand points.</summary>
    public nint Pointer(Operand operand, int sample) => Pointer(sample) + (operand.Offset * sizeof(float));

    /// <summary>The element at an index of one sample; axes of size 1 and missing ones are broadcast.</summary>
    public double this[int sample, params int[] index]
    {
        get
        {
            var own = Layout.Shape.Rank == 0 ? [] : index.Select((n, axis) => Layout.Shape[axis] == 1 ? 0 : n).ToArray();
            return memory[Start(Samples == 0 ? 0 : sample) + Address(Layout, own)];
        }
    }

    /// <summary>Every float as bits: two runs must agree on them all.</summary>
    public int[] Bits() => new Span<int>(memory, (int)length).ToArray();

    public void Restore(int[] bits) => bits.CopyTo(new Span<int>(memory, (int)length));

    /// <summary>Which floats belong to a turn, if parts are <paramref name="stride"/> floats apart: whole blocks of channels, or of each block a part.</summary>
    public bool[] Part(int stride, int turn)
    {
        var block = Layout.Kind == LayoutKind.Blocked && stride % Layout.BlockStride != 0 ? Layout.BlockStride : Layout.Size;
        var part = new bool[length];
        for (var sample = 0; sample < Math.Max(1, Samples); sample++)
        {
            for (var i = 0; i < Layout.Size; i++)
            {
                part[Start(sample) + i] = i % block / stride == turn;
            }
        }

        return part;
    }

    /// <summary>Elements only: what a kernel leaves in free lanes is its own affair.</summary>
    public int[] ElementBits()
    {
        var bits = Bits();
        return [.. elements.Select(at => bits[at])];
    }

    /// <summary>Asserts that nothing outside the elements and the free lanes was written.</summary>
    public void AssertUntouched(int[] before, string what)
    {
        var after = Bits();
        for (var i = 0; i < after.Length; i++)
        {
            if (after[i] != before[i])
            {
                Assert.True(isOutput && free[i], $"{what}: float {i - Canary} of {Layout.Tag} was overwritten.");
            }
        }
    }

    public static IEnumerable<int[]> Indices(Shape shape)
    {
        var index = new int[shape.Rank];
        for (long n = 0; n < shape.Count; n++)
        {
            yield return (int[])index.Clone();
            for (var axis = shape.Rank - 1; axis >= 0 && ++index[axis] == shape[axis]; axis--)
            {
                index[axis] = 0;
            }
        }
    }

    public static double Number(int seed, int sample, int[] index)
    {
        var hash = (uint)((seed * 977) + (sample * 131) + 12345);
        foreach (var i in index)
        {
            hash = ((hash ^ (uint)i) * 2654435761u) ^ (hash >> 15);
        }

        hash *= 0x846ca68bu;
        return (((hash >> 8) % 4001) - 2000.0) / 1000;
    }

    public static long Address(Layout layout, int[] index)
    {
        if (layout.Kind == LayoutKind.Flat)
        {
            return index.Select((n, axis) => (n, axis)).Aggregate(0L, (at, i) => (at * layout.Shape[i.axis]) + i.n);
        }

        var rank = index.Length;
        int At(int fromEnd, int minimumRank) => rank >= minimumRank ? index[rank - fromEnd] : 0;
        var c = rank > 0 ? index[0] : 0;
        return layout.Origin + ((long)(c / 16) * layout.BlockStride) + ((long)(c % 16) * layout.LaneStride)
            + ((long)At(3, 4) * layout.DepthStride) + ((long)At(2, 3) * layout.RowStride) + ((long)At(1, 2) * layout.ColumnStride);
    }

    public void Dispose() => NativeMemory.AlignedFree(memory);

    private static IEnumerable<long> PadLanes(Layout layout)
    {
        if (layout.Kind == LayoutKind.Flat)
        {
            for (var i = layout.Shape.Count; i < layout.Size; i++)
            {
                yield return i;
            }
        }
        else if (layout.Kind == LayoutKind.Blocked && layout.Channels % 16 != 0)
        {
            var last = layout.Shape.Rank == 0 ? layout.Shape : layout.Shape.With(0, 1);
            foreach (var index in Indices(last))
            {
                for (var lane = layout.Channels % 16; lane < 16; lane++)
                {
                    yield return Address(layout, index) + ((long)(layout.Blocks - 1) * layout.BlockStride) + lane;
                }
            }
        }
    }

    private long Start(int sample) => Canary + (sample * Stride);
}
