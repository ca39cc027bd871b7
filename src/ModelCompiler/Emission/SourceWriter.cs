// Writes C# that is meant to be read: it keeps the indentation, and re-indents raw string literals handed
// to it whole. Numbers go through Literals, never through culture.
using System.Globalization;
using System.Text;

namespace ModelCompiler.Emission;

/// <param name="indentation">Levels to begin with.</param>
public class SourceWriter(int indentation = 0)
{
    private readonly StringBuilder text = new();

    /// <summary>Levels at the moment.</summary>
    public int Indentation { get; private set; } = indentation;

    /// <summary>Braces end the line they belong to, and methods follow one another without a blank line: for the many methods of kernels.</summary>
    public bool IsCompact { get; init; }

    /// <summary>Characters written so far.</summary>
    protected int Length => text.Length;

    /// <summary>One or more lines; the text's own relative indentation is kept.</summary>
    public SourceWriter Line(string lines = "")
    {
        if (lines.Length == 0 && IsCompact)
        {
            return this;
        }

        for (var start = 0; start <= lines.Length;)
        {
            var stop = lines.IndexOf('\n', start);
            stop = stop < 0 ? lines.Length : stop;
            var end = stop;
            while (end > start && lines[end - 1] is '\r' or ' ')
            {
                end--;
            }

            if (end > start)
            {
                // Preprocessor lines stand at the margin.
                text.Append(' ', lines[start] == '#' ? 0 : Indentation * 4).Append(lines, start, end - start);
            }

            text.Append('\n');
            start = stop + 1;
        }

        return this;
    }

    /// <summary>Finished lines.</summary>
    public void Append(string lines) => text.Append(lines);

    /// <summary>An opening line, a brace, and one level more.</summary>
    public SourceWriter Open(string line)
    {
        if (line.Length > 0 && IsCompact)
        {
            Line(line + " {");
        }
        else if (line.Length > 0)
        {
            Line(line).Line("{");
        }
        else
        {
            Line("{");
        }

        Indentation++;
        return this;
    }

    /// <summary>A closing brace (with what follows it on the line) one level up.</summary>
    public SourceWriter Close(string suffix = "")
    {
        Indentation--;
        return Line("}" + suffix);
    }

    /// <summary>Everything written.</summary>
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

    /// <summary>What moves an address on, to stand behind it: nothing for 0.</summary>
    public static string Plus(int offset) => offset == 0 ? "" : $" + {Int(offset)}";

    /// <summary>A quoted string literal.</summary>
    public static string Text(string value)
    {
        var quoted = new StringBuilder("\"");
        foreach (var c in value)
        {
            if (c is '"' or '\\')
            {
                quoted.Append('\\').Append(c);
            }
            else if (c is < ' ' or > '~')
            {
                quoted.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture));
            }
            else
            {
                quoted.Append(c);
            }
        }

        return quoted.Append('"').ToString();
    }
}
