// How many pieces of a size cover a number of things: what units, tiles and groups are counted by.
namespace ModelCompiler.Kernels;

internal static class Rounding
{
    /// <summary><paramref name="a"/> / <paramref name="b"/>, rounded up.</summary>
    public static int Ceiling(int a, int b) => (a + b - 1) / b;

    /// <summary>The greatest number that divides both; the other one where one is 0.</summary>
    public static int CommonDivisor(int a, int b) => b == 0 ? a : CommonDivisor(b, a % b);
}
