// PNG images (https://www.w3.org/TR/png-3/): the format most data sets of images come in.
using System.Buffers.Binary;
using System.IO.Compression;

namespace ModelCompiler.Runtime;

/// <summary>Reads PNG images of every colour type and depth, without interlacing.</summary>
public static class Png
{
    private const int HeaderLength = 13;

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

        Layout? layout = null;
        byte[] palette = [];
        using var compressed = new MemoryStream();
        var ended = false;
        for (var place = Signature.Length; !ended; )
        {
            var chunk = ReadChunk(bytes, ref place, out var type);
            switch (type)
            {
                case "IHDR":
                    layout = Layout.Read(chunk);
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
    private static byte[] Unfilter(Stream rows, Layout layout)
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

    /// <summary>How pixels lie in a row.</summary>
    private sealed record Layout(int Width, int Height, int Depth, int ColourType)
    {
        private const int Palette = 3;
        private const uint MaximumSide = 1 << 15;

        /// <summary>Channels in the file, transparency included.</summary>
        private int Samples => ColourType switch { 0 or Palette => 1, 2 => 3, 4 => 2, _ => 4 };

        public int RowBytes => checked((int)((((long)Width * Samples * Depth) + 7) / 8));

        public int PixelBytes => Math.Max(Samples * Depth / 8, 1);

        public static Layout Read(ReadOnlySpan<byte> header)
        {
            if (header.Length != HeaderLength)
            {
                throw new FormatException("damaged: its header has a wrong length.");
            }

            var (width, height) = (BinaryPrimitives.ReadUInt32BigEndian(header), BinaryPrimitives.ReadUInt32BigEndian(header[4..]));
            var (depth, colour) = (header[8], header[9]);
            var known = (colour, depth) is (0, 1 or 2 or 4 or 8 or 16) or (Palette, 1 or 2 or 4 or 8) or (2 or 4 or 6, 8 or 16);
            if (!known || header[10] != 0 || header[11] != 0 || header[12] > 1)
            {
                throw new FormatException($"damaged: colour type {colour} with {depth} bits, or an unknown method.");
            }

            if (header[12] == 1)
            {
                throw new FormatException("interlaced PNG images are not read; save it without interlacing.");
            }

            return width is > 0 and <= MaximumSide && height is > 0 and <= MaximumSide && (long)width * height * 8 <= Array.MaxLength
                ? new Layout((int)width, (int)height, depth, colour)
                : throw new FormatException($"a size of {width}x{height} is not read.");
        }

        public ImageBytes Unpack(byte[] rows, byte[] palette)
        {
            var channels = ColourType is 0 or 4 ? 1 : 3;
            var pixels = new byte[Width * Height * channels];
            for (var y = 0; y < Height; y++)
            {
                for (var x = 0; x < Width; x++)
                {
                    var target = ((y * Width) + x) * channels;
                    for (var c = 0; c < channels; c++)
                    {
                        pixels[target + c] = ColourType == Palette
                            ? Entry(palette, (Sample(rows, y, x) * 3) + c)
                            : (byte)(Sample(rows, y, (x * Samples) + c) * 255 / ((1 << Math.Min(Depth, 8)) - 1));
                    }
                }
            }

            return new ImageBytes(Width, Height, channels, pixels);
        }

        private static byte Entry(byte[] palette, int index) => index < palette.Length
            ? palette[index]
            : throw new FormatException($"damaged: colour {index / 3} is not in its palette of {palette.Length / 3}.");

        /// <summary>The high byte of 16 bits.</summary>
        private int Sample(byte[] rows, int y, int sample)
        {
            var bit = sample * Depth;
            var value = rows[(y * RowBytes) + (bit / 8)];
            return Depth >= 8 ? value : (value >> (8 - Depth - (bit % 8))) & ((1 << Depth) - 1);
        }
    }
}
