// What clipping of gradients needs: limits, and sums whose order is fixed, so that it gives the same bits everywhere.
using System.Runtime.Intrinsics;

namespace ModelCompiler.Runtime;

internal static unsafe class Norms
{
    /// <summary>In an order that depends on nothing but <paramref name="count"/>.</summary>
    public static double SumSquares(float* values, int count)
    {
        var (low, high) = (Vector512<double>.Zero, Vector512<double>.Zero);
        var i = 0;
        for (; i <= count - Vector512<float>.Count; i += Vector512<float>.Count)
        {
            var (lower, upper) = Vector512.Widen(Vector512.Load(values + i));
            low += lower * lower;
            high += upper * upper;
        }

        var sum = 0.0;
        for (var lane = 0; lane < Vector512<double>.Count; lane++)
        {
            sum += low[lane] + high[lane];
        }

        for (; i < count; i++)
        {
            sum += (double)values[i] * values[i];
        }

        return sum;
    }

    /// <summary>Limits every value to ±<paramref name="limit"/>; NaN stays.</summary>
    public static void Limit(float* values, int count, float limit)
    {
        var i = 0;
        for (; i <= count - Vector512<float>.Count; i += Vector512<float>.Count)
        {
            var v = Vector512.Load(values + i);
            Vector512.Store(Vector512.Min(Vector512.Max(v, Vector512.Create(-limit)), Vector512.Create(limit)), values + i);
        }

        for (; i < count; i++)
        {
            values[i] = Math.Min(Math.Max(values[i], -limit), limit);
        }
    }
}
