// One way to write a shape in every message.
using System.Globalization;

namespace ModelCompiler.Runtime;

internal static class Shapes
{
    /// <summary><c>6x1x5x5</c>; <c>scalar</c> when empty.</summary>
    public static string Text<T>(IReadOnlyCollection<T> shape)
        where T : IFormattable =>
        shape.Count == 0 ? "scalar" : string.Join('x', shape.Select(size => size.ToString(null, CultureInfo.InvariantCulture)));
}
