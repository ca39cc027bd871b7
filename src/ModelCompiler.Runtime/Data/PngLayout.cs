// What the header of a PNG image says, and how to turn its rows into bytes of 0 … 255.
using System.Buffers.Binary;

namespace ModelCompiler.Runtime;

/// <summary>How pixels lie in a row.</summary>
internal sealed record PngLayout(int Width, int Height, int Depth, int ColourType)
{
    private const int HeaderLength = 13;
    private const int Palette = 3;
    private const uint MaximumSide = 1 << 15;

    /// <summary>Channels in the file, transparency included.</summary>
    private int Samples => ColourType switch { 0 or Palette => 1, 2 => 3, 4 => 2, _ => 4 };

    public int RowBytes => checked((int)((((long)Width * Samples * Depth) + 7) / 8));

    public int PixelBytes => Math.Max(Samples * Depth / 8, 1);

    public static PngLayout Read(ReadOnlySpan<byte> header)
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
            ? new PngLayout((int)width, (int)height, depth, colour)
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
