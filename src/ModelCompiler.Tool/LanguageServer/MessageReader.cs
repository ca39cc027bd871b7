// Frames of the base protocol: header lines, a blank line, a body of Content-Length bytes. A client's mistake in one
// frame must not cost the next one, so whatever cannot be read is reported and skipped as far as the next header.
using System.Globalization;
using System.Text;

namespace ModelCompiler.Tool.LanguageServer;

/// <param name="Body">The text of a message, or null when there was none to read.</param>
/// <param name="Problem">What was wrong before or with it, or null.</param>
internal readonly record struct Frame(string? Body, string? Problem);

internal sealed class MessageReader(Stream stream)
{
    private const string LengthHeader = "Content-Length:";
    private const int LongestLine = 8192;

    /// <summary>Bytes; a .cnn file is far smaller, also when every character of it is escaped.</summary>
    private const long LargestBody = 64 << 20;

    private readonly BufferedStream input = new(stream, 1 << 16);

    /// <summary>The next frame; null at the end of the stream.</summary>
    public Frame? Read()
    {
        string? problem = null;
        long? length = null;
        var headers = 0;
        while (true)
        {
            if (ReadLine() is not { } line)
            {
                return null;
            }

            if (line.Length == 0)
            {
                if (headers == 0)
                {
                    continue; // blank lines between frames
                }

                break;
            }

            headers++;

            var at = line.LastIndexOf(LengthHeader, StringComparison.OrdinalIgnoreCase);
            if (at < 0)
            {
                problem ??= line.Contains(':') && line[0] is not ('{' or '[') ? null : "text outside of a frame was skipped";
                continue;
            }

            problem ??= at > 0 ? "text outside of a frame was skipped" : null;
            if (long.TryParse(line.AsSpan(at + LengthHeader.Length), NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var written))
            {
                length = written;
            }
            else
            {
                problem = "Content-Length is not a number of bytes";
            }
        }

        return length switch
        {
            null => new Frame(null, problem ?? "a frame has no Content-Length"),
            > LargestBody => Skip(length.Value) ? new Frame(null, "the message is too large") : null,
            _ => ReadBody((int)length.Value) is { } body ? new Frame(body, problem) : null,
        };
    }

    /// <summary>A line without its end; null at the end of the stream. Of a very long line, the end.</summary>
    private string? ReadLine()
    {
        var line = new StringBuilder();
        while (true)
        {
            switch (input.ReadByte())
            {
                case < 0:
                    return null;
                case '\n':
                    return line.ToString();
                case '\r':
                    break;
                case var c:
                    line.Append((char)c);
                    if (line.Length > LongestLine)
                    {
                        line.Remove(0, LongestLine / 2);
                    }

                    break;
            }
        }
    }

    private string? ReadBody(int length)
    {
        var bytes = new byte[length];
        return input.ReadAtLeast(bytes, length, throwOnEndOfStream: false) == length ? Encoding.UTF8.GetString(bytes) : null;
    }

    private bool Skip(long length)
    {
        var bytes = new byte[1 << 16];
        while (length > 0)
        {
            var read = input.Read(bytes, 0, (int)Math.Min(bytes.Length, length));
            if (read == 0)
            {
                return false;
            }

            length -= read;
        }

        return true;
    }
}
