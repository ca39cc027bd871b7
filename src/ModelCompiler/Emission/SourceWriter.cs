// Writes C# that is meant to be read: it keeps the indentation, and re-indents raw string literals handed
// to it whole. Numbers go through Literals, never through culture.
using System.Globalization;
using System.Text;

namespace ModelCompiler.Emission;

public sealed class SourceWriter
{
    private readonly StringBuilder text = new();
    private int indentation;

    /// <summary>Number of lines written so far.</summary>
    public int LineCount { get; private set; }

    /// <summary>One or more lines; the text's own relative indentation is kept.</summary>
    public SourceWriter Line(string lines = "")
    {
        foreach (var line in lines.Split('\n'))
        {
            var trimmed = line.TrimEnd('\r', ' ');
            if (trimmed.Length > 0)
            {
                // Preprocessor lines stand at the margin.
                text.Append(' ', trimmed[0] == '#' ? 0 : indentation * 4).Append(trimmed);
            }

            text.Append('\n');
            LineCount++;
        }

        return this;
    }

    /// <summary>An opening line, a brace, and one level more.</summary>
    public SourceWriter Open(string line)
    {
        if (line.Length > 0)
        {
            Line(line);
        }

        Line("{");
        indentation++;
        return this;
    }

    /// <summary>A closing brace (with what follows it on the line) one level up.</summary>
    public SourceWriter Close(string suffix = "")
    {
        indentation--;
        return Line("}" + suffix);
    }

    public override string ToString() => text.ToString();
}

/// <summary>C# literals that read back to the same bits under every culture.</summary>
public static class Literals
{
    public static string Float(float value)
    {
        if (float.IsNaN(value))
        {
            return "float.NaN";
        }

        if (float.IsInfinity(value))
        {
            return value > 0 ? "float.PositiveInfinity" : "float.NegativeInfinity";
        }

        var text = value.ToString("R", CultureInfo.InvariantCulture);
        return (float.Parse(text, CultureInfo.InvariantCulture) == value ? text : value.ToString("G9", CultureInfo.InvariantCulture)) + "f";
    }

    public static string Int(long value) => value.ToString(CultureInfo.InvariantCulture);

    /// <summary>A quoted string literal.</summary>
    public static string Text(string value)
    {
        var quoted = new StringBuilder("\"");
        foreach (var c in value)
        {
            quoted.Append(c switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                < ' ' or > '~' => "\\u" + ((int)c).ToString("x4", CultureInfo.InvariantCulture),
                _ => c.ToString(),
            });
        }

        return quoted.Append('"').ToString();
    }
}
