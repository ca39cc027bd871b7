// A safetensors file whose header has been checked and whose values have not been read: weights go from here to where they
// are used, in pieces, without a copy of the file in memory. They are read rather than mapped: measured on Linux, reading through a
// buffer that stays in the cache takes a sixth of the time of a mapping's page faults, and a file that shrinks is
// an exception instead of a signal.
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace ModelCompiler.Runtime;

/// <summary>An open file. What is read later must be what was there when it was opened.</summary>
internal sealed class TensorFile : IDisposable
{
    private const int PieceBytes = 1 << 18;

    private readonly SafeFileHandle handle;
    private readonly long length;
    private readonly DateTime written;
    private readonly long dataStart;

    private TensorFile(string path, SafeFileHandle handle)
    {
        Path = path;
        this.handle = handle;
        try
        {
            length = RandomAccess.GetLength(handle);
        }
        catch (NotSupportedException)
        {
            throw new FormatException("it is not a regular file");
        }

        written = File.GetLastWriteTimeUtc(handle);
        if (length < sizeof(long))
        {
            throw new FormatException($"it has only {length} bytes");
        }

        Span<byte> prefix = stackalloc byte[sizeof(long)];
        ReadExactly(prefix, 0);
        var headerBytes = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        var rest = length - sizeof(long);
        if (headerBytes > (ulong)rest || headerBytes > SafetensorsHeader.MaximumBytes)
        {
            throw new FormatException($"its header claims {headerBytes} bytes, of {rest} in the file");
        }

        var header = new byte[headerBytes];
        ReadExactly(header, sizeof(long));
        dataStart = sizeof(long) + (long)headerBytes;
        var (entries, checksum) = SafetensorsHeader.Parse(header, length - dataStart);
        var tensors = new StoredTensor[entries.Count];
        for (var i = 0; i < tensors.Length; i++)
        {
            tensors[i] = new StoredTensor(this, entries[i]);
        }

        Tensors = tensors;
        if (checksum is not null && checksum != Checksum(tensors))
        {
            throw new FormatException("its values are not those that were written (the checksum differs)");
        }
    }

    public string Path { get; }

    /// <summary>In the order of the header.</summary>
    public StoredTensor[] Tensors { get; }

    /// <exception cref="WeightsException">The file is damaged or of another kind.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static TensorFile Open(string path)
    {
        if (Directory.Exists(path))
        {
            throw new WeightsException(path, "is a directory, not a safetensors file.");
        }

        // Whoever wants to may delete or replace the file: the open one stays what it is.
        var handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, FileOptions.RandomAccess);
        try
        {
            return new TensorFile(path, handle);
        }
        catch (FormatException exception)
        {
            handle.Dispose();
            throw new WeightsException(path, $"not a valid safetensors file: {exception.Message}.", exception);
        }
        catch (EndOfStreamException exception)
        {
            handle.Dispose();
            throw new WeightsException(path, "not a valid safetensors file: it ended while it was read.", exception);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>SHA-256 over names, types, shapes and values, in an order that does not depend on the file's.</summary>
    public static string Checksum(IEnumerable<StoredTensor> tensors)
    {
        StoredTensor[] ordered = [.. tensors];
        Array.Sort(ordered, (a, b) => string.CompareOrdinal(a.Name, b.Name));
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[]? piece = null;
        foreach (var tensor in ordered)
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"{tensor.Name} {tensor.ElementType} {Shapes.Text(tensor.Shape)}\n"));
            if (tensor.HasBytes)
            {
                hash.AppendData(tensor.Bytes);
                continue;
            }

            piece ??= new byte[PieceBytes];
            for (var at = 0L; at < tensor.ByteCount; at += PieceBytes)
            {
                var part = piece.AsSpan(0, (int)Math.Min(PieceBytes, tensor.ByteCount - at));
                tensor.ReadBytes(at, part);
                hash.AppendData(part);
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <param name="offset">From the first byte behind the header.</param>
    /// <exception cref="EndOfStreamException">The file is shorter than it was.</exception>
    public void Read(long offset, Span<byte> bytes) => ReadExactly(bytes, dataStart + offset);

    /// <exception cref="WeightsException">The file is no longer what was opened.</exception>
    public void CheckUnchanged()
    {
        if (RandomAccess.GetLength(handle) != length || File.GetLastWriteTimeUtc(handle) != written)
        {
            throw Changed(null);
        }
    }

    public WeightsException Changed(Exception? inner) =>
        new(Path, "was written to after it was loaded and before its values were used; load it again when it is complete.", inner);

    public void Dispose() => handle.Dispose();

    private void ReadExactly(Span<byte> bytes, long offset)
    {
        while (bytes.Length > 0)
        {
            var count = RandomAccess.Read(handle, bytes, offset);
            if (count == 0)
            {
                throw new EndOfStreamException();
            }

            bytes = bytes[count..];
            offset += count;
        }
    }
}
