// Reading and writing of safetensors files: eight bytes of header length, a JSON header, raw little-endian values.
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace ModelCompiler.Runtime;

/// <summary>Named tensors in a file, readable by PyTorch (<c>safetensors.torch.load_file</c>) and most other tools.</summary>
public static class Safetensors
{
    /// <summary>All tensors of a file, in the order of its header.</summary>
    /// <exception cref="WeightsException">The file is damaged or of another kind.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static IReadOnlyList<StoredTensor> Read(string path)
    {
        using var stream = OpenRead(path);
        try
        {
            return Read(stream);
        }
        catch (FormatException exception)
        {
            throw new WeightsException(path, $"not a valid safetensors file: {exception.Message}.", exception);
        }
        catch (EndOfStreamException exception)
        {
            throw new WeightsException(path, "not a valid safetensors file: it ended while it was read.", exception);
        }
    }

    /// <summary>Writes to a file beside <paramref name="path"/> and renames it when everything is on disk: whatever happens, the
    /// path holds either what it held or the whole new file.</summary>
    public static void Write(string path, IReadOnlyList<StoredTensor> tensors)
    {
        var names = new HashSet<string>(StringComparer.Ordinal) { "__metadata__" };
        foreach (var tensor in tensors)
        {
            if (!names.Add(tensor.Name))
            {
                throw new ArgumentException($"a safetensors file cannot hold a tensor '{tensor.Name}' twice, or one named __metadata__.", nameof(tensors));
            }
        }

        var header = Header(tensors);
        Span<byte> length = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        using var file = new AtomicFile(path);
        file.Stream.Write(length);
        file.Stream.Write(header);
        foreach (var tensor in tensors)
        {
            file.Stream.Write(tensor.Bytes);
        }

        file.Commit();
    }

    private static FileStream OpenRead(string path)
    {
        if (Directory.Exists(path))
        {
            throw new WeightsException(path, "is a directory, not a safetensors file.");
        }

        return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1 << 16);
    }

    private static List<StoredTensor> Read(FileStream stream)
    {
        if (!stream.CanSeek)
        {
            throw new FormatException("it is not a regular file");
        }

        var fileBytes = stream.Length;
        if (fileBytes < sizeof(long))
        {
            throw new FormatException($"it has only {fileBytes} bytes");
        }

        Span<byte> prefix = stackalloc byte[sizeof(long)];
        stream.ReadExactly(prefix);
        var headerBytes = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        var rest = fileBytes - sizeof(long);
        if (headerBytes > (ulong)rest || headerBytes > SafetensorsHeader.MaximumBytes)
        {
            throw new FormatException($"its header claims {headerBytes} bytes, of {rest} in the file");
        }

        var header = new byte[headerBytes];
        stream.ReadExactly(header);
        var dataStart = sizeof(long) + (long)headerBytes;
        var tensors = new List<StoredTensor>();
        var (entries, checksum) = SafetensorsHeader.Parse(header, fileBytes - dataStart);
        foreach (var entry in entries)
        {
            var bytes = new byte[entry.End - entry.Begin];
            stream.Position = dataStart + entry.Begin;
            stream.ReadExactly(bytes);
            tensors.Add(new StoredTensor(entry.Name, entry.ElementType, entry.Shape, bytes));
        }

        return checksum is null || checksum == Checksum(tensors)
            ? tensors
            : throw new FormatException("its values are not those that were written (the checksum differs)");
    }

    /// <summary>SHA-256 over names, types, shapes and values, in an order that does not depend on the file's.</summary>
    private static string Checksum(IEnumerable<StoredTensor> tensors)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var tensor in tensors.OrderBy(tensor => tensor.Name, StringComparer.Ordinal))
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"{tensor.Name} {tensor.ElementType} {Shapes.Text(tensor.Shape)}\n"));
            hash.AppendData(tensor.Bytes);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static byte[] Header(IReadOnlyList<StoredTensor> tensors)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteStartObject("__metadata__");
            json.WriteString("format", "pt");
            json.WriteString(SafetensorsHeader.ChecksumName, Checksum(tensors));
            json.WriteEndObject();
            var offset = 0L;
            foreach (var tensor in tensors)
            {
                json.WriteStartObject(tensor.Name);
                json.WriteString("dtype", tensor.ElementType);
                WriteArray(json, "shape", tensor.Shape);
                WriteArray(json, "data_offsets", [offset, offset + tensor.Bytes.Length]);
                json.WriteEndObject();
                offset += tensor.Bytes.Length;
            }

            json.WriteEndObject();
        }

        while (stream.Length % sizeof(long) != 0)
        {
            stream.WriteByte((byte)' ');
        }

        return stream.ToArray();
    }

    private static void WriteArray(Utf8JsonWriter json, string name, IEnumerable<long> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
        {
            json.WriteNumberValue(value);
        }

        json.WriteEndArray();
    }
}
