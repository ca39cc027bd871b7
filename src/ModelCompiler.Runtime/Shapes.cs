// One way to write a shape in every message.
using System.Globalization;

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

    /// <summary>As below.</summary>
    public static string Text(long[] shape)
    {
        var text = shape.Length == 0 ? "scalar" : "";
        for (var i = 0; i < shape.Length; i++)
        {
            text += i == 0 ? $"{shape[i]}" : $"x{shape[i]}";
        }

        return text;
    }

    /// <summary><c>6x1x5x5</c>; <c>scalar</c> when empty.</summary>
    public static string Text<T>(IReadOnlyCollection<T> shape)
        where T : IFormattable =>
        shape.Count == 0 ? "scalar" : string.Join('x', shape.Select(size => size.ToString(null, CultureInfo.InvariantCulture)));
}
