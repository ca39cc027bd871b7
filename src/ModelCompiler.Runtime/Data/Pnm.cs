// The simplest image files there are: PGM (grey) and PPM (colour), as text or bytes.
using System.Globalization;

namespace ModelCompiler.Runtime;

/// <summary>Reads and writes PGM and PPM images (http://netpbm.sourceforge.net/doc/).</summary>
public static class Pnm
{
    /// <summary>P2, P3, P5 and P6; values are scaled to 0 … 255 when the file's maximum is another.</summary>
    /// <exception cref="DatasetException">The file is damaged or of another kind.</exception>
    public static ImageBytes Read(string path)
    {
        var bytes = File.ReadAllBytes(path);
        if (bytes is not [(byte)'P', (byte)'2' or (byte)'3' or (byte)'5' or (byte)'6', ..])
        {
            throw new DatasetException($"{path}: not a PGM or PPM image.");
        }

        var kind = bytes[1];
        var place = 2;
        var width = ReadNumber(bytes, ref place, path);
        var height = ReadNumber(bytes, ref place, path);
        var maximum = ReadNumber(bytes, ref place, path);
        var channels = kind is (byte)'3' or (byte)'6' ? 3 : 1;
        if (width == 0 || height == 0 || maximum is 0 or > ushort.MaxValue || (long)width * height * channels > Array.MaxLength)
        {
            throw new DatasetException($"{path}: impossible size {width}x{height} or maximum {maximum}.");
        }

        var count = width * height * channels;
        return new ImageBytes(width, height, channels, kind is (byte)'2' or (byte)'3'
            ? ReadText(bytes, place, count, maximum, path)
            : ReadBinary(bytes, place + 1, count, maximum, path));
    }

    /// <summary>P5 for one channel, P6 for three.</summary>
    public static void Write(string path, ImageBytes image)
    {
        if (image.Channels is not (1 or 3) || image.Pixels.Length != (long)image.Width * image.Height * image.Channels)
        {
            throw new ArgumentException($"{image.Pixels.Length} bytes are no {image.Width}x{image.Height} image of 1 or 3 channels.", nameof(image));
        }

        using var file = new AtomicFile(path);
        file.Stream.Write(System.Text.Encoding.ASCII.GetBytes(string.Create(
            CultureInfo.InvariantCulture, $"P{(image.Channels == 1 ? 5 : 6)}\n{image.Width} {image.Height}\n255\n")));
        file.Stream.Write(image.Pixels);
        file.Commit();
    }

    private static byte[] ReadText(byte[] bytes, int place, int count, int maximum, string path)
    {
        var pixels = new byte[Math.Min(count, bytes.Length)];
        for (var i = 0; i < count; i++)
        {
            var value = ReadNumber(bytes, ref place, path);
            pixels[i] = Scale(value, maximum, path);
        }

        return pixels;
    }

    private static byte[] ReadBinary(byte[] bytes, int place, int count, int maximum, string path)
    {
        var size = maximum > 255 ? 2 : 1;
        if (bytes.Length - place < (long)count * size)
        {
            throw new DatasetException($"{path}: truncated: {Math.Max(bytes.Length - place, 0)} of {(long)count * size} bytes.");
        }

        var pixels = new byte[count];
        for (var i = 0; i < count; i++)
        {
            var value = size == 1 ? bytes[place + i] : (bytes[place + (2 * i)] << 8) | bytes[place + (2 * i) + 1];
            pixels[i] = Scale(value, maximum, path);
        }

        return pixels;
    }

    private static byte Scale(int value, int maximum, string path) => value <= maximum
        ? (byte)(((value * 255L) + (maximum / 2)) / maximum)
        : throw new DatasetException($"{path}: value {value} is above the announced maximum {maximum}.");

    /// <summary>Skips white space and comments, then reads digits.</summary>
    private static int ReadNumber(byte[] bytes, ref int place, string path)
    {
        while (place < bytes.Length && (char.IsWhiteSpace((char)bytes[place]) || bytes[place] == '#'))
        {
            place++;
            if (bytes[place - 1] == '#')
            {
                while (place < bytes.Length && bytes[place] != '\n')
                {
                    place++;
                }
            }
        }

        var first = place;
        var value = 0;
        while (place < bytes.Length && char.IsAsciiDigit((char)bytes[place]) && place - first < 9)
        {
            value = (value * 10) + bytes[place++] - '0';
        }

        return place > first
            ? value
            : throw new DatasetException($"{path}: expected a number at byte {first} of {bytes.Length}; the file is truncated or damaged.");
    }
}
