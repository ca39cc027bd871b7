// Reading and writing of safetensors files: eight bytes of header length, a JSON header, raw little-endian values.
using System.Buffers.Binary;
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
        using var file = TensorFile.Open(path);
        foreach (var tensor in file.Tensors)
        {
            tensor.Keep();
        }

        return file.Tensors;
    }

    /// <summary>Writes to a file beside <paramref name="path"/> and renames it when everything is on disk: whatever happens, the
    /// path holds either what it held or the whole new file.</summary>
    public static void Write(string path, IReadOnlyList<StoredTensor> tensors)
    {
        var names = new HashSet<string>(StringComparer.Ordinal) { SafetensorsHeader.MetadataName };
        foreach (var tensor in tensors)
        {
            if (!names.Add(tensor.Name))
            {
                throw new ArgumentException($"a safetensors file cannot hold a tensor '{tensor.Name}' twice, or one named {SafetensorsHeader.MetadataName}.", nameof(tensors));
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

    private static byte[] Header(IReadOnlyList<StoredTensor> tensors)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteStartObject(SafetensorsHeader.MetadataName);
            json.WriteString("format", "pt");
            json.WriteString(SafetensorsHeader.ChecksumName, TensorFile.Checksum(tensors));
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
