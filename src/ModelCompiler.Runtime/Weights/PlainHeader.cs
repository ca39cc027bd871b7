// The header of a safetensors file as every writer of them writes it: no escapes, no numbers but whole ones, nothing unknown. A general reader
// of JSON takes longer to be loaded and compiled than a small network's whole start, and is only asked about headers that
// are otherwise; it also finds the words for what is wrong with one.
using System.Text;

namespace ModelCompiler.Runtime;

internal ref struct PlainHeader
{
    /// <summary>Longer lists of numbers are left to the general reader.</summary>
    private const int MostNumbers = 16;

    /// <summary>So that a number fits a long whatever its digits are.</summary>
    private const int MostDigits = 18;

    private readonly ReadOnlySpan<byte> json;
    private int at;
    private bool failed;

    private PlainHeader(ReadOnlySpan<byte> json) => this.json = json;

    /// <summary>The entries in their order; null where the header is not of this form.</summary>
    /// <param name="checksum">Null where there is none.</param>
    public static List<SafetensorsEntry>? Read(ReadOnlySpan<byte> json, out string? checksum)
    {
        var reader = new PlainHeader(json);
        var entries = new List<SafetensorsEntry>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        checksum = null;
        for (var more = reader.Open('{', '}'); more; more = reader.Next('}'))
        {
            var name = reader.Key();
            reader.failed |= !names.Add(name);
            if (name == SafetensorsHeader.MetadataName)
            {
                reader.Metadata(ref checksum);
            }
            else
            {
                reader.Entry(entries, name);
            }
        }

        reader.SkipSpace();
        return reader.failed || reader.at < json.Length ? null : entries;
    }

    private void Metadata(ref string? checksum)
    {
        for (var more = Open('{', '}'); more; more = Next('}'))
        {
            var name = Key();
            var text = Text();
            checksum = name == SafetensorsHeader.ChecksumName ? text : checksum;
        }
    }

    private void Entry(List<SafetensorsEntry> entries, string name)
    {
        string? type = null;
        long[]? shape = null;
        long[]? offsets = null;
        for (var more = Open('{', '}'); more; more = Next('}'))
        {
            switch (Key())
            {
                case "dtype" when type is null:
                    type = Text();
                    break;
                case "shape" when shape is null:
                    shape = Numbers();
                    break;
                case "data_offsets" when offsets is null:
                    offsets = Numbers();
                    break;
                default:
                    failed = true;
                    break;
            }
        }

        if (type is null || shape is null || offsets is not [var begin, var end])
        {
            failed = true;
            return;
        }

        entries.Add(new SafetensorsEntry(name, type, shape, begin, end));
    }

    private long[] Numbers()
    {
        Span<long> numbers = stackalloc long[MostNumbers];
        var count = 0;
        for (var more = Open('[', ']'); more; more = Next(']'))
        {
            SkipSpace();
            var start = at;
            var number = 0L;
            for (; at < json.Length && json[at] is >= (byte)'0' and <= (byte)'9' && at - start < MostDigits; at++)
            {
                number = (10 * number) + json[at] - '0';
            }

            if (at == start || count == MostNumbers || (json[start] == '0' && at - start > 1))
            {
                failed = true;
                return [];
            }

            numbers[count++] = number;
        }

        return numbers[..count].ToArray();
    }

    /// <summary>Whether something follows in an object or a list that begins here.</summary>
    private bool Open(char open, char close)
    {
        Expect(open);
        SkipSpace();
        if (!failed && at < json.Length && json[at] == close)
        {
            at++;
            return false;
        }

        return !failed;
    }

    /// <summary>Whether another follows behind one; else it was the last.</summary>
    private bool Next(char close)
    {
        SkipSpace();
        if (!failed && at < json.Length && json[at] == ',')
        {
            at++;
            return true;
        }

        Expect(close);
        return false;
    }

    private string Key()
    {
        var name = Text();
        Expect(':');
        return name;
    }

    private string Text()
    {
        Expect('"');
        var start = at;
        while (at < json.Length && json[at] is >= (byte)' ' and < 0x7F and not (byte)'"' and not (byte)'\\')
        {
            at++;
        }

        var text = failed ? "" : Encoding.ASCII.GetString(json[start..at]);
        if (!failed && at < json.Length && json[at] == '"')
        {
            at++;
        }
        else
        {
            failed = true;
        }

        return text;
    }

    private void Expect(char character)
    {
        SkipSpace();
        if (!failed && at < json.Length && json[at] == character)
        {
            at++;
        }
        else
        {
            failed = true;
        }
    }

    private void SkipSpace()
    {
        while (at < json.Length && json[at] is (byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\r')
        {
            at++;
        }
    }
}
