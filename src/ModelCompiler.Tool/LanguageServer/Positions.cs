// Places as the protocol writes them: zero-based lines, and columns in UTF-16 units, as the compiler counts them too.
using System.Text.Json;
using System.Text.Json.Nodes;
using ModelCompiler.Grammar;

namespace ModelCompiler.Tool.LanguageServer;

internal static class Positions
{
    /// <summary>The character offset of a position; positions outside the text are moved into it, as the protocol wants.</summary>
    public static int Offset(SourceFile file, JsonElement position)
    {
        var (line, column) = (position.Number("line"), position.Number("character"));
        if (line < 0 || column < 0)
        {
            throw new RpcException(RpcError.InvalidParams, "a position is negative");
        }

        return line >= file.LineCount ? file.Text.Length : Math.Min(file.LineStart(line) + Math.Min(column, file.Text.Length), LineEnd(file, line));
    }

    public static TextSpan Span(SourceFile file, JsonElement range)
    {
        var (start, end) = (Offset(file, range.Get("start")), Offset(file, range.Get("end")));
        return start <= end ? TextSpan.FromBounds(start, end) : throw new RpcException(RpcError.InvalidParams, "a range ends before it starts");
    }

    public static JsonObject Position(SourceFile file, int offset)
    {
        var position = file.Locate(offset);
        return new JsonObject { ["line"] = position.Line, ["character"] = position.Column };
    }

    public static JsonObject Range(SourceFile file, TextSpan span) =>
        new() { ["start"] = Position(file, span.Start), ["end"] = Position(file, span.End) };

    public static JsonObject Edit(SourceFile file, TextSpan span, string text) => new() { ["range"] = Range(file, span), ["newText"] = text };

    private static int LineEnd(SourceFile file, int line)
    {
        var end = line + 1 < file.LineCount ? file.LineStart(line + 1) : file.Text.Length;
        while (end > file.LineStart(line) && file.Text[end - 1] is '\n' or '\r')
        {
            end--;
        }

        return end;
    }
}
