// A digit as text: two pixels, one above the other, make one character.
using System.Text;

namespace Mnist;

internal static class Digit
{
    /// <summary>Of all training pixels, scaled to 0 … 1.</summary>
    public const float Mean = 0.1307f;
    public const float Deviation = 0.3081f;

    private const int Size = 28;

    /// <summary>Digits keep away from the border.</summary>
    private const int Border = 3;
    private const string Shades = " .:-=+*#%@";

    /// <summary>Lines of equal length.</summary>
    /// <param name="image">28x28, normalised.</param>
    public static string[] Picture(ReadOnlySpan<float> image)
    {
        var lines = new List<string>();
        for (var y = Border - 1; y < Size - Border; y += 2)
        {
            var line = new StringBuilder();
            for (var x = Border; x < Size - Border; x++)
            {
                var brightness = (((image[(y * Size) + x] + image[((y + 1) * Size) + x]) / 2) * Deviation) + Mean;
                line.Append(Shades[Math.Clamp((int)(brightness * Shades.Length), 0, Shades.Length - 1)]);
            }

            lines.Add(line.ToString());
        }

        return lines.ToArray();
    }
}
