// The part of a file that can lie. Every number in it is checked before anything is allocated or read.
using System.Text;
using System.Text.Json;

namespace ModelCompiler.Runtime;

/// <summary>Where a tensor lies: bytes [Begin, End) after the header.</summary>
internal sealed record SafetensorsEntry(string Name, string ElementType, long[] Shape, long Begin, long End);

/// <summary>The JSON header of a safetensors file (https://github.com/huggingface/safetensors#format).</summary>
internal static class SafetensorsHeader
{
    /// <summary>The reference implementation's limit.</summary>
    public const long MaximumBytes = 100_000_000;

    /// <summary>In the header's <c>__metadata__</c>: the checksum of files written here. Those of others have none.</summary>
    public const string ChecksumName = "sha256_of_tensors";

    public const string MetadataName = "__metadata__";

    /// <returns>Where the tensors lie, and the checksum where there is one.</returns>
    /// <param name="dataBytes">Bytes of the file after the header; the tensors must cover them without gap or overlap.</param>
    /// <exception cref="FormatException">Says what is wrong.</exception>
    public static (List<SafetensorsEntry> Entries, string? Checksum) Parse(ReadOnlySpan<byte> json, long dataBytes)
    {
        var entries = PlainHeader.Read(json, out var checksum) ?? ReadJson(json, out checksum);
        foreach (var entry in entries)
        {
            CheckSize(entry, dataBytes);
        }

        // Of two that begin at one place the empty one comes first; names make the message deterministic.
        var end = 0L;
        var last = "the header";
        var ordered = entries.ToArray();
        Array.Sort(ordered, InOrder);
        foreach (var entry in ordered)
        {
            if (entry.Begin != end)
            {
                throw new FormatException(entry.Begin < end
                    ? $"tensor '{entry.Name}' overlaps '{last}'"
                    : $"bytes {end} to {entry.Begin} before tensor '{entry.Name}' belong to no tensor");
            }

            (end, last) = (entry.End, entry.Name);
        }

        return end == dataBytes
            ? (entries, checksum)
            : throw new FormatException($"{dataBytes - end} bytes after the last tensor belong to no tensor");
    }

    private static int InOrder(SafetensorsEntry a, SafetensorsEntry b) =>
        a.Begin != b.Begin ? a.Begin.CompareTo(b.Begin) : a.End != b.End ? a.End.CompareTo(b.End) : string.CompareOrdinal(a.Name, b.Name);

    private static List<SafetensorsEntry> ReadJson(ReadOnlySpan<byte> json, out string? checksum)
    {
        try
        {
            return ReadEntries(json, out checksum);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw new FormatException($"the header is not valid JSON ({exception.Message})", exception);
        }
    }

    private static List<SafetensorsEntry> ReadEntries(ReadOnlySpan<byte> json, out string? checksum)
    {
        checksum = null;
        var reader = new Utf8JsonReader(json);
        var entries = new List<SafetensorsEntry>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        Expect(ref reader, JsonTokenType.StartObject, "the header");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            if (!names.Add(name))
            {
                throw new FormatException($"tensor '{name}' appears twice");
            }

            if (name == MetadataName)
            {
                checksum = ReadChecksum(ref reader);
            }
            else
            {
                entries.Add(ReadEntry(ref reader, name));
            }
        }

        // The reader itself insists that nothing but white space follows.
        while (reader.Read())
        {
        }

        return entries;
    }

    /// <summary>Of all that the metadata may hold.</summary>
    private static string? ReadChecksum(ref Utf8JsonReader reader)
    {
        string? checksum = null;
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            return null;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isChecksum = reader.ValueTextEquals(ChecksumName);
            reader.Read();
            checksum = isChecksum && reader.TokenType == JsonTokenType.String ? reader.GetString() : checksum;
            reader.Skip();
        }

        return checksum;
    }

    private static SafetensorsEntry ReadEntry(ref Utf8JsonReader reader, string name)
    {
        string? type = null;
        long[]? shape = null;
        long[]? offsets = null;
        Expect(ref reader, JsonTokenType.StartObject, $"tensor '{name}'");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("dtype"u8) && type is null)
            {
                Expect(ref reader, JsonTokenType.String, $"dtype of '{name}'");
                type = reader.GetString()!;
            }
            else if (reader.ValueTextEquals("shape"u8) && shape is null)
            {
                shape = ReadNumbers(ref reader, $"shape of '{name}'");
            }
            else if (reader.ValueTextEquals("data_offsets"u8) && offsets is null)
            {
                offsets = ReadNumbers(ref reader, $"data_offsets of '{name}'");
            }
            else
            {
                throw new FormatException($"tensor '{name}': '{reader.GetString()}' is unknown or appears twice");
            }
        }

        return type is null || shape is null || offsets is not [var begin, var end]
            ? throw new FormatException($"tensor '{name}' needs a dtype, a shape and two data_offsets")
            : new SafetensorsEntry(name, type, shape, begin, end);
    }

    private static long[] ReadNumbers(ref Utf8JsonReader reader, string what)
    {
        var numbers = new List<long>();
        Expect(ref reader, JsonTokenType.StartArray, what);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            numbers.Add(reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var number) && number >= 0
                ? number
                : throw new FormatException($"the {what} must hold whole numbers, 0 or more, not {Encoding.UTF8.GetString(reader.ValueSpan)}"));
        }

        return numbers.ToArray();
    }

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType type, string what)
    {
        if (!reader.Read() || reader.TokenType != type)
        {
            throw new FormatException($"{what}: expected {type}, found {reader.TokenType}");
        }
    }

    private static void CheckSize(SafetensorsEntry entry, long dataBytes)
    {
        var size = StoredTensor.ElementSize(entry.ElementType);
        if (size == 0)
        {
            throw new FormatException($"tensor '{entry.Name}' has the unknown dtype '{entry.ElementType}'");
        }

        if (entry.Begin > entry.End || entry.End > dataBytes)
        {
            throw new FormatException($"tensor '{entry.Name}' claims bytes {entry.Begin} to {entry.End} of {dataBytes}; the file is truncated or damaged");
        }

        var bytes = (long)size;
        foreach (var length in entry.Shape)
        {
            if (length > 0 && bytes > long.MaxValue / length)
            {
                throw new FormatException($"tensor '{entry.Name}' has the impossible shape {Shapes.Text(entry.Shape)}");
            }

            bytes *= length;
        }

        if (bytes != entry.End - entry.Begin)
        {
            throw new FormatException($"tensor '{entry.Name}' of shape {Shapes.Text(entry.Shape)} and dtype {entry.ElementType} takes {bytes} bytes, but its offsets span {entry.End - entry.Begin}");
        }

        if (bytes > Array.MaxLength)
        {
            throw new FormatException($"tensor '{entry.Name}' is larger than {Array.MaxLength} bytes");
        }
    }
}
