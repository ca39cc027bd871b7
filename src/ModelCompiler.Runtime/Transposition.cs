// Weights lie in PyTorch's order and kernels want their outputs side by side in a vector: packing is transposition,
// and training packs in every step.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ModelCompiler.Runtime;

/// <summary>Used by generated code. Rows become lanes of blocks of sixteen.</summary>
public static unsafe class Transposition
{
    /// <summary>to[c · toStride + r] = from[r · stride + c] for r below <paramref name="rows"/>, 0 for the other lanes up to 16.</summary>
    /// <param name="rows">1 … 16.</param>
    /// <param name="columns">1 … 16.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Turn(float* from, long stride, int rows, int columns, float* to, long toStride = 16)
    {
        if (rows == 16 && columns == 16 && TurnWhole(from, stride, to, toStride))
        {
            return;
        }

        for (var column = 0; column < columns; column++, to += toStride)
        {
            var row = 0;
            for (; row < rows; row++)
            {
                to[row] = from[(row * stride) + column];
            }

            for (; row < 16; row++)
            {
                to[row] = 0;
            }
        }
    }

    /// <summary>The way back: to[c · stride + r] = from[r · 16 + c], and nothing else is written.</summary>
    /// <param name="rows">1 … 16.</param>
    /// <param name="columns">1 … 16.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Return(float* from, int rows, int columns, float* to, long stride)
    {
        if (rows == 16 && columns == 16 && TurnWhole(from, 16, to, stride))
        {
            return;
        }

        for (var column = 0; column < columns; column++, to += stride)
        {
            for (var row = 0; row < rows; row++)
            {
                to[row] = from[(row * 16) + column];
            }
        }
    }

    /// <summary><see cref="Turn"/>, where lanes beyond the last row repeat it: what is computed of them is as finite as what is computed of
    /// a row, and nobody needs it.</summary>
    public static void Repeat(float* from, long stride, int rows, int columns, float* to)
    {
        Turn(from, stride, rows, columns, to);
        for (var column = 0; rows < 16 && column < columns; column++, to += 16)
        {
            new Span<float>(to + rows, 16 - rows).Fill(to[rows - 1]);
        }
    }

    /// <summary>Sixteen rows of sixteen; false where no instruction helps.</summary>
    private static bool TurnWhole(float* from, long stride, float* to, long toStride)
    {
        if (Avx512F.IsSupported)
        {
            Turn512(from, stride, to, toStride);
            return true;
        }

        for (var row = 0; Avx.IsSupported && row < 16; row += 8)
        {
            Turn256(from + (row * stride), stride, to + row, toStride);
            Turn256(from + (row * stride) + 8, stride, to + row + (8 * toStride), toStride);
        }

        return Avx.IsSupported;
    }

    /// <summary>Pairs of rows, then fours, then eights are interleaved, until each vector holds a column.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Turn512(float* from, long stride, float* to, long toStride)
    {
        Four512(from, stride, out var a0, out var a1, out var a2, out var a3);
        Four512(from + (4 * stride), stride, out var b0, out var b1, out var b2, out var b3);
        Four512(from + (8 * stride), stride, out var c0, out var c1, out var c2, out var c3);
        Four512(from + (12 * stride), stride, out var d0, out var d1, out var d2, out var d3);
        Store512(a0, b0, c0, d0, to, toStride);
        Store512(a1, b1, c1, d1, to + toStride, toStride);
        Store512(a2, b2, c2, d2, to + (2 * toStride), toStride);
        Store512(a3, b3, c3, d3, to + (3 * toStride), toStride);
    }

    /// <summary>Vector k holds columns k, k + 4, k + 8 and k + 12 of four rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Four512(float* from, long stride, out Vector512<float> v0, out Vector512<float> v1, out Vector512<float> v2, out Vector512<float> v3)
    {
        var (r0, r1) = (*(Vector512<float>*)from, *(Vector512<float>*)(from + stride));
        var (r2, r3) = (*(Vector512<float>*)(from + (2 * stride)), *(Vector512<float>*)(from + (3 * stride)));
        var (low01, high01) = (Avx512F.UnpackLow(r0, r1).AsDouble(), Avx512F.UnpackHigh(r0, r1).AsDouble());
        var (low23, high23) = (Avx512F.UnpackLow(r2, r3).AsDouble(), Avx512F.UnpackHigh(r2, r3).AsDouble());
        (v0, v1) = (Avx512F.UnpackLow(low01, low23).AsSingle(), Avx512F.UnpackHigh(low01, low23).AsSingle());
        (v2, v3) = (Avx512F.UnpackLow(high01, high23).AsSingle(), Avx512F.UnpackHigh(high01, high23).AsSingle());
    }

    /// <summary>Columns k, k + 4, k + 8 and k + 12 from four vectors of four rows each.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store512(Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d, float* to, long stride)
    {
        var (ab02, ab13) = (Avx512F.Shuffle4x128(a, b, 0x88), Avx512F.Shuffle4x128(a, b, 0xDD));
        var (cd02, cd13) = (Avx512F.Shuffle4x128(c, d, 0x88), Avx512F.Shuffle4x128(c, d, 0xDD));
        *(Vector512<float>*)to = Avx512F.Shuffle4x128(ab02, cd02, 0x88);
        *(Vector512<float>*)(to + (4 * stride)) = Avx512F.Shuffle4x128(ab13, cd13, 0x88);
        *(Vector512<float>*)(to + (8 * stride)) = Avx512F.Shuffle4x128(ab02, cd02, 0xDD);
        *(Vector512<float>*)(to + (12 * stride)) = Avx512F.Shuffle4x128(ab13, cd13, 0xDD);
    }

    /// <summary>Eight rows of eight.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Turn256(float* from, long stride, float* to, long toStride)
    {
        Four256(from, stride, out var a0, out var a1, out var a2, out var a3);
        Four256(from + (4 * stride), stride, out var b0, out var b1, out var b2, out var b3);
        Store256(a0, b0, to, toStride);
        Store256(a1, b1, to + toStride, toStride);
        Store256(a2, b2, to + (2 * toStride), toStride);
        Store256(a3, b3, to + (3 * toStride), toStride);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Four256(float* from, long stride, out Vector256<float> v0, out Vector256<float> v1, out Vector256<float> v2, out Vector256<float> v3)
    {
        var (r0, r1) = (*(Vector256<float>*)from, *(Vector256<float>*)(from + stride));
        var (r2, r3) = (*(Vector256<float>*)(from + (2 * stride)), *(Vector256<float>*)(from + (3 * stride)));
        var (low01, high01) = (Avx.UnpackLow(r0, r1).AsDouble(), Avx.UnpackHigh(r0, r1).AsDouble());
        var (low23, high23) = (Avx.UnpackLow(r2, r3).AsDouble(), Avx.UnpackHigh(r2, r3).AsDouble());
        (v0, v1) = (Avx.UnpackLow(low01, low23).AsSingle(), Avx.UnpackHigh(low01, low23).AsSingle());
        (v2, v3) = (Avx.UnpackLow(high01, high23).AsSingle(), Avx.UnpackHigh(high01, high23).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store256(Vector256<float> a, Vector256<float> b, float* to, long stride)
    {
        *(Vector256<float>*)to = Avx.Permute2x128(a, b, 0x20);
        *(Vector256<float>*)(to + (4 * stride)) = Avx.Permute2x128(a, b, 0x31);
    }
}
