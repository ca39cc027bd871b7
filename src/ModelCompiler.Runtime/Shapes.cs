// One way to write a shape in every message.
namespace ModelCompiler.Runtime;

internal static class Shapes
{
    /// <summary>Elements. A loop, for the start of a network waits for whatever LINQ makes of it to be compiled.</summary>
    public static int Count(int[] shape)
    {
        var count = 1;
        foreach (var size in shape)
        {
            count *= size;
        }

        return count;
    }

    public static bool AreEqual(long[] a, int[] b)
    {
        if (a.Length != b.Length)
        {
            return false;
        }

        for (var i = 0; i < a.Length; i++)
        {
            if (a[i] != b[i])
            {
                return false;
            }
        }

        return true;
    }

    /// <summary><c>6x1x5x5</c>; <c>scalar</c> when empty. A loop, as <see cref="Count"/> is.</summary>
    public static string Text<T>(IReadOnlyCollection<T> shape)
        where T : IFormattable
    {
        var text = shape.Count == 0 ? "scalar" : "";
        foreach (var size in shape)
        {
            text += (text.Length == 0 ? "" : "x") + size.ToString(null, InfoText.Invariant);
        }

        return text;
    }
}
