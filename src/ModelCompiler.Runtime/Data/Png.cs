// PNG images (https://www.w3.org/TR/png-3/): the format most data sets of images come in.
using System.Buffers.Binary;
using System.IO.Compression;

namespace ModelCompiler.Runtime;

/// <summary>Reads PNG images of every colour type and depth, without interlacing.</summary>
public static class Png
{
    /// <summary>Deflate packs at most 258 bytes into 2 bits: a damaged header cannot make us allocate more than this.</summary>
    private const int MaximumCompression = 1032;

    private static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    /// <summary>Grey images give one channel, coloured ones three; 16 bits are cut to 8 and transparency is dropped.</summary>
    /// <exception cref="DatasetException">The file is damaged, interlaced or no PNG image.</exception>
    public static ImageBytes Read(string path)
    {
        var bytes = File.ReadAllBytes(path);
        try
        {
            return Decode(bytes);
        }
        catch (Exception exception) when (exception is FormatException or InvalidDataException or EndOfStreamException)
        {
            throw new DatasetException($"{path}: {(exception is FormatException ? exception.Message : "damaged or truncated pixel data.")}", exception);
        }
    }

    private static ImageBytes Decode(ReadOnlySpan<byte> bytes)
    {
        if (!bytes.StartsWith(Signature))
        {
            throw new FormatException("not a PNG image.");
        }

        PngLayout? layout = null;
        byte[] palette = [];
        using var compressed = new MemoryStream();
        var ended = false;
        for (var place = Signature.Length; !ended;)
        {
            var chunk = ReadChunk(bytes, ref place, out var type);
            switch (type)
            {
                case "IHDR":
                    layout = PngLayout.Read(chunk);
                    break;
                case "PLTE":
                    palette = chunk.ToArray();
                    break;
                case "IDAT":
                    compressed.Write(chunk);
                    break;
                case "IEND":
                    ended = true;
                    break;
            }
        }

        if (layout is null)
        {
            throw new FormatException("a PNG image without its header.");
        }

        if ((layout.RowBytes + 1L) * layout.Height > (compressed.Length + 1) * MaximumCompression)
        {
            throw new FormatException($"truncated: {compressed.Length} compressed bytes cannot hold {layout.Width}x{layout.Height} pixels.");
        }

        compressed.Position = 0;
        using var rows = new ZLibStream(compressed, CompressionMode.Decompress);
        return layout.Unpack(Unfilter(rows, layout), palette);
    }

    private static ReadOnlySpan<byte> ReadChunk(ReadOnlySpan<byte> bytes, ref int place, out string type)
    {
        const int frame = 12;
        if (bytes.Length - place < frame)
        {
            throw new FormatException("truncated: it ends between chunks.");
        }

        var length = BinaryPrimitives.ReadUInt32BigEndian(bytes[place..]);
        if (length > bytes.Length - place - frame)
        {
            throw new FormatException($"truncated: a chunk of {length} bytes at {place} of {bytes.Length}.");
        }

        var checkedPart = bytes.Slice(place + 4, (int)length + 4);
        if (Crc(checkedPart) != BinaryPrimitives.ReadUInt32BigEndian(bytes[(place + 8 + (int)length)..]))
        {
            throw new FormatException($"damaged: the checksum of the chunk at {place} is wrong.");
        }

        type = System.Text.Encoding.ASCII.GetString(checkedPart[..4]);
        place += frame + (int)length;
        return checkedPart[4..];
    }

    /// <summary>Rows without their filter bytes, each as the sum of its residue and a prediction from its neighbours.</summary>
    private static byte[] Unfilter(Stream rows, PngLayout layout)
    {
        var stride = layout.RowBytes;
        var pixels = new byte[(long)stride * layout.Height];
        var back = layout.PixelBytes;
        ReadOnlySpan<byte> above = new byte[stride];
        for (var y = 0; y < layout.Height; y++)
        {
            var filter = rows.ReadByte();
            var row = pixels.AsSpan(y * stride, stride);
            rows.ReadExactly(row);
            for (var x = 0; x < stride; x++)
            {
                int a = x >= back ? row[x - back] : 0;
                int b = above[x];
                int c = x >= back ? above[x - back] : 0;
                row[x] += (byte)(filter switch
                {
                    0 => 0,
                    1 => a,
                    2 => b,
                    3 => (a + b) / 2,
                    4 => Paeth(a, b, c),
                    _ => throw new FormatException($"damaged: row {y} has the unknown filter {filter}."),
                });
            }

            above = row;
        }

        return pixels;
    }

    private static int Paeth(int a, int b, int c)
    {
        var (da, db, dc) = (Math.Abs(b - c), Math.Abs(a - c), Math.Abs(a + b - (2 * c)));
        return da <= db && da <= dc ? a : db <= dc ? b : c;
    }

    private static uint Crc(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xEDB88320 : crc >> 1;
            }
        }

        return ~crc;
    }
}
