// PNG against an encoder written from the specification: every colour type, depth and filter, and damage.
using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace ModelCompiler.Runtime.Tests;

public sealed class PngTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    /// <summary>Made by another program (Python's zlib and struct), 3x2, grey 8 bits, rows filtered as Paeth and Average.</summary>
    [Fact]
    public void ReadsAnotherProgramsFile()
    {
        var image = Png.Read(folder.Write("a.png", Convert.FromBase64String("iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAAAAAC4HznGAAAAEElEQVR4nGPh2hfGrLzrEgAJSwLVJzi0JgAAAABJRU5ErkJggg==")));
        Assert.Equal((3, 2, 1), (image.Width, image.Height, image.Channels));
        Assert.Equal([10, 200, 30, 40, 50, 250], image.Pixels);
    }

    [Theory]
    [InlineData(0, 1, 1)]
    [InlineData(0, 2, 1)]
    [InlineData(0, 4, 1)]
    [InlineData(0, 8, 1)]
    [InlineData(0, 16, 1)]
    [InlineData(2, 8, 3)]
    [InlineData(2, 16, 3)]
    [InlineData(4, 8, 2)]
    [InlineData(4, 16, 2)]
    [InlineData(6, 8, 4)]
    [InlineData(6, 16, 4)]
    public void ReadsEveryColourTypeDepthAndFilter(int colour, int depth, int samples)
    {
        const int width = 13;
        const int height = 10;
        var random = new RandomGenerator((ulong)((colour * 100) + depth));
        var values = new int[width * height * samples];
        foreach (ref var value in values.AsSpan())
        {
            value = random.Next(1 << depth);
        }

        var image = Png.Read(folder.Write("a.png", Encode(width, height, depth, colour, values, samples)));
        var channels = colour is 0 or 4 ? 1 : 3;
        Assert.Equal((width, height, channels), (image.Width, image.Height, image.Channels));
        for (var pixel = 0; pixel < width * height; pixel++)
        {
            for (var c = 0; c < channels; c++)
            {
                var value = values[(pixel * samples) + c];
                Assert.Equal(depth == 16 ? value >> 8 : value * 255 / ((1 << depth) - 1), image.Pixels[(pixel * channels) + c]);
            }
        }
    }

    [Fact]
    public void ReadsPalettes()
    {
        byte[] palette = [1, 2, 3, 40, 50, 60, 70, 80, 90];
        var image = Png.Read(folder.Write("a.png", Encode(3, 1, 2, 3, [2, 0, 1], 1, palette)));
        Assert.Equal([70, 80, 90, 1, 2, 3, 40, 50, 60], image.Pixels);
        var message = Assert.Throws<DatasetException>(() => Png.Read(folder.Write("b.png", Encode(3, 1, 2, 3, [2, 0, 3], 1, palette)))).Message;
        Assert.Contains("colour 3 is not in its palette of 3", message);
    }

    [Fact]
    public void DamageIsRefusedWithAReason()
    {
        var good = Encode(5, 4, 8, 0, new int[20], 1);
        void Refused(byte[] bytes, string reason) =>
            Assert.Contains(reason, Assert.Throws<DatasetException>(() => ImageBytes.Read(folder.Write("bad.png", bytes))).Message);
        Refused([], "not a PNG");
        Refused(good[..30], "truncated");
        Refused(good[..^12], "truncated");
        Refused([.. good[..20], (byte)(good[20] ^ 1), .. good[21..]], "checksum");
        Refused([.. good[..8], .. Chunk("IEND", [])], "without its header");
        Refused([.. good[..8], .. Chunk("IHDR", [1, 2]), .. Chunk("IEND", [])], "wrong length");
        Refused([.. good[..8], .. Chunk("IHDR", [0, 0, 0, 5, 0, 0, 0, 4, 8, 0, 0, 0, 1]), .. Chunk("IEND", [])], "interlaced");
        Refused([.. good[..8], .. Chunk("IHDR", [0, 0, 0, 5, 0, 0, 0, 4, 3, 2, 0, 0, 0]), .. Chunk("IEND", [])], "colour type 2 with 3 bits");
        Refused([.. good[..8], .. Chunk("IHDR", [255, 255, 255, 255, 0, 0, 0, 4, 8, 2, 0, 0, 0]), .. Chunk("IEND", [])], "size of 4294967295x4");
        Refused([.. good[..8], .. Chunk("IHDR", [0, 0, 32, 0, 0, 0, 32, 0, 8, 0, 0, 0, 0]), .. Chunk("IDAT", new byte[99]), .. Chunk("IEND", [])], "99 compressed bytes");
        Refused([.. good[..33], .. Chunk("IDAT", Zip([0, 1, 2])), .. Chunk("IEND", [])], "pixel data");
        Refused([.. good[..33], .. Chunk("IDAT", [1, 2, 3, 4]), .. Chunk("IEND", [])], "pixel data");
        Refused([.. good[..33], .. Chunk("IDAT", Zip([9, 0, 0, 0, 0, 0])), .. Chunk("IEND", [])], "filter 9");
    }

    /// <summary>Rows take the five filters in turn.</summary>
    private static byte[] Encode(int width, int height, int depth, int colour, int[] values, int samples, byte[]? palette = null)
    {
        var stride = ((width * samples * depth) + 7) / 8;
        var back = Math.Max(samples * depth / 8, 1);
        var raw = new byte[height * stride];
        for (var i = 0; i < values.Length; i++)
        {
            var (y, bit) = (i / (width * samples), i % (width * samples) * depth);
            var place = (y * stride) + (bit / 8);
            if (depth == 16)
            {
                BinaryPrimitives.WriteUInt16BigEndian(raw.AsSpan(place), (ushort)values[i]);
            }
            else
            {
                raw[place] |= (byte)(values[i] << (8 - depth - (bit % 8)));
            }
        }

        var filtered = new List<byte>();
        for (var y = 0; y < height; y++)
        {
            filtered.Add((byte)(y % 5));
            for (var x = 0; x < stride; x++)
            {
                var a = x >= back ? raw[(y * stride) + x - back] : 0;
                var b = y > 0 ? raw[((y - 1) * stride) + x] : 0;
                var c = x >= back && y > 0 ? raw[((y - 1) * stride) + x - back] : 0;
                var p = a + b - c;
                var nearest = new[] { a, b, c }.MinBy(v => Math.Abs(p - v));
                var prediction = (y % 5) switch { 0 => 0, 1 => a, 2 => b, 3 => (a + b) / 2, _ => nearest };
                filtered.Add((byte)(raw[(y * stride) + x] - prediction));
            }
        }

        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9]) = ((byte)depth, (byte)colour);
        var zipped = Zip(filtered.ToArray());
        return
        [
            0x89, .. "PNG\r\n\x1a\n"u8, .. Chunk("IHDR", header), .. palette is null ? [] : Chunk("PLTE", palette),
            .. Chunk("IDAT", zipped[..5]), .. Chunk("IDAT", zipped[5..]), .. Chunk("IEND", []),
        ];
    }

    private static byte[] Chunk(string type, byte[] data)
    {
        byte[] named = [.. Encoding.ASCII.GetBytes(type), .. data];
        var crc = uint.MaxValue;
        foreach (var value in named)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xEDB88320 : crc >> 1;
            }
        }

        var frame = new byte[8];
        BinaryPrimitives.WriteInt32BigEndian(frame, data.Length);
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(4), ~crc);
        return [.. frame[..4], .. named, .. frame[4..]];
    }

    private static byte[] Zip(byte[] data)
    {
        using var stream = new MemoryStream();
        using (var zip = new ZLibStream(stream, CompressionLevel.Fastest))
        {
            zip.Write(data);
        }

        return stream.ToArray();
    }
}
