// Functions and rearrangements for generated kernels. This part holds what has one width only.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace ModelCompiler.Runtime;

/// <summary>Vector functions that generated code calls. Accuracy is given in units in the last place (ulp), as measured by the
/// tests; infinities and NaN behave as in <see cref="MathF"/>.</summary>
public static partial class VectorMath
{
    /// <summary>The largest element; NaN when any is NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float MaxAcross(Vector512<float> x) => MaxAcross(Vector256.Max(x.GetLower(), x.GetUpper()));

    /// <summary>The largest element; NaN when any is NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float MaxAcross(Vector256<float> x) => MaxAcross(Vector128.Max(x.GetLower(), x.GetUpper()));

    /// <summary>The largest element; NaN when any is NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float MaxAcross(Vector128<float> x)
    {
        x = Vector128.Max(x, Vector128.Shuffle(x, Vector128.Create(2, 3, 0, 1)));
        return Vector128.Max(x, Vector128.Shuffle(x, Vector128.Create(1, 0, 3, 2))).ToScalar();
    }

    /// <summary>Transposes a 4x4 matrix of four rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Transpose(ref Vector128<float> a, ref Vector128<float> b, ref Vector128<float> c, ref Vector128<float> d)
    {
        if (Sse.IsSupported)
        {
            var ab = Sse.UnpackLow(a, b);
            var cd = Sse.UnpackLow(c, d);
            var abHigh = Sse.UnpackHigh(a, b);
            var cdHigh = Sse.UnpackHigh(c, d);
            a = Sse.MoveLowToHigh(ab, cd);
            b = Sse.MoveHighToLow(cd, ab);
            c = Sse.MoveLowToHigh(abHigh, cdHigh);
            d = Sse.MoveHighToLow(cdHigh, abHigh);
        }
        else if (AdvSimd.Arm64.IsSupported)
        {
            var ac = AdvSimd.Arm64.ZipLow(a, c);
            var bd = AdvSimd.Arm64.ZipLow(b, d);
            var acHigh = AdvSimd.Arm64.ZipHigh(a, c);
            var bdHigh = AdvSimd.Arm64.ZipHigh(b, d);
            a = AdvSimd.Arm64.ZipLow(ac, bd);
            b = AdvSimd.Arm64.ZipHigh(ac, bd);
            c = AdvSimd.Arm64.ZipLow(acHigh, bdHigh);
            d = AdvSimd.Arm64.ZipHigh(acHigh, bdHigh);
        }
        else
        {
            var (a0, b0, c0, d0) = (a, b, c, d);
            a = Vector128.Create(a0[0], b0[0], c0[0], d0[0]);
            b = Vector128.Create(a0[1], b0[1], c0[1], d0[1]);
            c = Vector128.Create(a0[2], b0[2], c0[2], d0[2]);
            d = Vector128.Create(a0[3], b0[3], c0[3], d0[3]);
        }
    }
}
