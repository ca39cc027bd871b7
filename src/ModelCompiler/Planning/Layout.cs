// How one sample's value lies in memory. Every kernel is written against these strides, so a layout is a
// choice of the planner and never a case in a kernel.
using System.Collections.Immutable;
using ModelCompiler.Graph;

namespace ModelCompiler.Planning;

public enum LayoutKind
{
    /// <summary>Row-major without gaps, any rank: what users see, and what PyTorch calls contiguous.</summary>
    Flat,

    /// <summary>channels, depth, rows, columns, each plane with its halo: the first layers of images.</summary>
    Planar,

    /// <summary>Channels in blocks of 16 that lie side by side: [C/16][D][H][W][16]. Lanes beyond the last channel hold
    /// anything; no kernel lets them reach a real one. A vector of C features is Blocked with a 1x1 plane, and lies
    /// in memory exactly as Flat.</summary>
    Blocked,

    /// <summary>Sixteen samples side by side: [C][D][H][W][16 samples]. For small images in training, whose few channels would leave
    /// most of a block empty. Lanes beyond the last sample repeat it, and no kernel lets them reach another.</summary>
    Interleaved,
}

/// <summary>Zeros around the plane that convolutions read as padding. Written once, when the arena is made: kernels write
/// the inside only, and memory is shared only between values of equal layout.</summary>
/// <param name="Rows">Extra rows before and after (same for columns and depth).</param>
public readonly record struct Halo(int DepthBefore, int DepthAfter, int RowsBefore, int RowsAfter, int ColumnsBefore, int ColumnsAfter)
{
    public static readonly Halo None = default;

    public bool IsNone => this == None;

    /// <summary>The smallest halo that serves both.</summary>
    public Halo Union(Halo other) => new(
        Math.Max(DepthBefore, other.DepthBefore), Math.Max(DepthAfter, other.DepthAfter),
        Math.Max(RowsBefore, other.RowsBefore), Math.Max(RowsAfter, other.RowsAfter),
        Math.Max(ColumnsBefore, other.ColumnsBefore), Math.Max(ColumnsAfter, other.ColumnsAfter));
}

/// <summary>Address of element (c, d, y, x), in floats from the value's start:
/// Origin + c / 16 * BlockStride + c % 16 * LaneStride + d * DepthStride + y * RowStride + x * ColumnStride.
/// For Flat values of rank 1 to 4 the same formula holds (rank 1: channels with a 1x1 plane; rank 2: channels x length).</summary>
public sealed record Layout
{
    /// <summary>Channels per block, on every instruction set: one 512-bit, two 256-bit or four 128-bit vectors.</summary>
    public const int Lanes = 16;

    public Layout(LayoutKind kind, Shape shape, Halo halo = default)
    {
        Kind = kind;
        Shape = shape;
        Halo = halo;
        var rank = shape.Rank;
        Channels = rank > 0 ? shape[0] : 1;
        Depth = rank > 3 ? shape[1] : 1;
        Height = rank > 2 ? shape[rank - 2] : 1;
        Width = rank > 1 ? shape[rank - 1] : 1;
        var paddedWidth = Width + halo.ColumnsBefore + halo.ColumnsAfter;
        var paddedHeight = Height + halo.RowsBefore + halo.RowsAfter;
        var paddedDepth = Depth + halo.DepthBefore + halo.DepthAfter;
        ColumnStride = kind is LayoutKind.Blocked or LayoutKind.Interleaved ? Lanes : 1;
        RowStride = checked(ColumnStride * paddedWidth);
        DepthStride = checked(RowStride * paddedHeight);
        var volume = checked(DepthStride * paddedDepth);
        LaneStride = kind == LayoutKind.Blocked ? 1 : volume;
        BlockStride = kind == LayoutKind.Blocked ? volume : checked(volume * Lanes);
        Origin = (halo.DepthBefore * DepthStride) + (halo.RowsBefore * RowStride) + (halo.ColumnsBefore * ColumnStride);
        var count = kind == LayoutKind.Flat ? shape.Count : kind == LayoutKind.Blocked ? (long)volume * Blocks : (long)volume * Channels;

        // A vector load at the last element of a Planar or Flat value may read up to one block beyond it.
        Size = checked((int)((count + Lanes - 1) / Lanes * Lanes)) + (kind == LayoutKind.Planar ? Lanes : 0);
    }

    public LayoutKind Kind { get; }

    public Shape Shape { get; }

    public Halo Halo { get; }

    public int Channels { get; }

    public int Depth { get; }

    public int Height { get; }

    public int Width { get; }

    /// <summary>Blocks of 16 channels, the last perhaps not full.</summary>
    public int Blocks => (Channels + Lanes - 1) / Lanes;

    public int ColumnStride { get; }

    public int RowStride { get; }

    public int DepthStride { get; }

    public int LaneStride { get; }

    public int BlockStride { get; }

    /// <summary>Offset of element (0, 0, 0, 0).</summary>
    public int Origin { get; }

    /// <summary>Floats to reserve, a multiple of 16: for one sample, of Interleaved values for sixteen.</summary>
    public int Size { get; }

    /// <summary>Rows, columns and depth without gaps between them: the plane can be walked as one run.</summary>
    public bool IsDense => Halo.IsNone;

    /// <summary>An Interleaved value as a Blocked one of one sample: a channel of sixteen samples is a block of sixteen channels. A Blocked value is one. What treats all
    /// channels alike need not know the difference.</summary>
    public Layout AsBlocks => Kind switch
    {
        LayoutKind.Interleaved => new Layout(LayoutKind.Blocked, Shape.With(0, checked(Channels * Lanes)), Halo),
        LayoutKind.Blocked => this,
        _ => throw new InvalidOperationException($"The layout {Tag} has no lanes."),
    };

    /// <summary>For names of kernel methods: <c>b64x56x56h1</c>.</summary>
    public string Tag => $"{(Kind switch { LayoutKind.Flat => "f", LayoutKind.Planar => "p", LayoutKind.Blocked => "b", _ => "i" })}{Shape}"
        + (Halo.IsNone ? "" : "h" + (Halo is { DepthBefore: 0, DepthAfter: 0 } && Halo.RowsBefore == Halo.RowsAfter && Halo.ColumnsBefore == Halo.ColumnsAfter && Halo.RowsBefore == Halo.ColumnsBefore
            ? $"{Halo.RowsBefore}" : $"{Halo.DepthBefore}_{Halo.DepthAfter}_{Halo.RowsBefore}_{Halo.RowsAfter}_{Halo.ColumnsBefore}_{Halo.ColumnsAfter}"));
}
