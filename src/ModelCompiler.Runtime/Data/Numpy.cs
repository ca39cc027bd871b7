// NumPy's array files: what most published data sets outside of image folders come as.
using System.Globalization;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;

namespace ModelCompiler.Runtime;

/// <summary>An array of numbers in row-major order.</summary>
/// <param name="ElementType">NumPy's description: <c>|u1</c>, <c>&lt;f4</c>, …</param>
public sealed record NumpyArray(int[] Shape, string ElementType, byte[] Bytes)
{
    /// <exception cref="DatasetException">The elements are no numbers this library reads.</exception>
    public float[] ToFloats() => ElementType switch
    {
        "<f4" => MemoryMarshal.Cast<byte, float>(Bytes).ToArray(),
        "<f8" => Array.ConvertAll(MemoryMarshal.Cast<byte, double>(Bytes).ToArray(), value => (float)value),
        "<f2" => Array.ConvertAll(MemoryMarshal.Cast<byte, Half>(Bytes).ToArray(), value => (float)value),
        _ => Array.ConvertAll(ToIntegers(), value => (float)value),
    };

    /// <exception cref="DatasetException">The elements are no integers, or do not fit 32 bits.</exception>
    public int[] ToIntegers() => ElementType switch
    {
        "|u1" or "|b1" => Array.ConvertAll(Bytes, value => (int)value),
        "|i1" => Array.ConvertAll(Bytes, value => (int)(sbyte)value),
        "<u2" => Array.ConvertAll(MemoryMarshal.Cast<byte, ushort>(Bytes).ToArray(), value => (int)value),
        "<i2" => Array.ConvertAll(MemoryMarshal.Cast<byte, short>(Bytes).ToArray(), value => (int)value),
        "<i4" => MemoryMarshal.Cast<byte, int>(Bytes).ToArray(),
        "<i8" => Array.ConvertAll(MemoryMarshal.Cast<byte, long>(Bytes).ToArray(), Narrow),
        _ => throw new DatasetException($"an array of '{ElementType}' does not hold integers."),
    };

    private static int Narrow(long value) => value is >= int.MinValue and <= int.MaxValue
        ? (int)value
        : throw new DatasetException($"{value} does not fit 32 bits.");
}

/// <summary>Reads <c>.npy</c> and <c>.npz</c> files (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).</summary>
public static partial class Numpy
{
    private const int MaximumHeader = 1 << 20;

    /// <exception cref="DatasetException">The file is damaged, or of a kind that is not read: Fortran order, structures, big-endian.</exception>
    public static NumpyArray Read(string path)
    {
        using var file = File.OpenRead(path);
        return Read(file, path);
    }

    /// <summary>The arrays of an archive by name, without <c>.npy</c>.</summary>
    /// <exception cref="DatasetException">The archive or an array in it is damaged.</exception>
    public static Dictionary<string, NumpyArray> ReadArchive(string path)
    {
        try
        {
            using var archive = ZipFile.OpenRead(path);
            var arrays = new Dictionary<string, NumpyArray>(StringComparer.Ordinal);
            foreach (var entry in archive.Entries.Where(e => e.FullName.EndsWith(".npy", StringComparison.Ordinal)))
            {
                using var stream = entry.Open();
                arrays[entry.FullName[..^".npy".Length]] = Read(stream, $"{path}/{entry.FullName}");
            }

            return arrays;
        }
        catch (InvalidDataException exception)
        {
            throw new DatasetException($"{path}: damaged archive: {exception.Message}", exception);
        }
    }

    private static NumpyArray Read(Stream stream, string path)
    {
        try
        {
            var header = ReadHeader(stream, path);
            var type = Match(TypePattern(), header, path, "descr");
            if (Match(OrderPattern(), header, path, "fortran_order") == "True")
            {
                throw new DatasetException($"{path}: in Fortran order; save it with numpy.ascontiguousarray.");
            }

            var shape = Match(ShapePattern(), header, path, "shape")
                .Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                .Select(size => int.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out var value)
                    ? value
                    : throw new DatasetException($"{path}: impossible size {size}."))
                .ToArray();
            var elementSize = type is ['|' or '<', 'u' or 'i' or 'f' or 'b', var digit and ('1' or '2' or '4' or '8')]
                ? digit - '0'
                : throw new DatasetException($"{path}: elements of type '{type}' are not read; only little-endian numbers are.");
            var bytes = shape.Aggregate((Int128)elementSize, (product, size) => product > Array.MaxLength ? product : product * size);
            return bytes <= Array.MaxLength
                ? new NumpyArray(shape, type, ExactReader.ReadToEnd(stream, (int)bytes, path))
                : throw new DatasetException($"{path}: shape {Shapes.Text(shape)} is too large.");
        }
        catch (EndOfStreamException exception)
        {
            throw new DatasetException($"{path}: truncated: it ends inside its header.", exception);
        }
    }

    private static string ReadHeader(Stream stream, string path)
    {
        Span<byte> start = stackalloc byte[8];
        stream.ReadExactly(start);
        if (start is not [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', >= 1 and <= 3, _])
        {
            throw new DatasetException($"{path}: not a NumPy array file.");
        }

        var length = new byte[start[6] == 1 ? 2 : 4];
        stream.ReadExactly(length);
        var count = length.Reverse().Aggregate(0L, (value, part) => (value << 8) | part);
        if (count > MaximumHeader)
        {
            throw new DatasetException($"{path}: a header of {count} bytes is damaged.");
        }

        var header = new byte[count];
        stream.ReadExactly(header);
        return Encoding.UTF8.GetString(header);
    }

    private static string Match(Regex pattern, string header, string path, string key) => pattern.Match(header) is { Success: true } match
        ? match.Groups[1].Value
        : throw new DatasetException($"{path}: the header has no readable '{key}': {header.Trim()[..Math.Min(header.Trim().Length, 100)]}");

    [GeneratedRegex(@"'descr'\s*:\s*'([^']*)'")]
    private static partial Regex TypePattern();

    [GeneratedRegex(@"'fortran_order'\s*:\s*(True|False)")]
    private static partial Regex OrderPattern();

    [GeneratedRegex(@"'shape'\s*:\s*\(([0-9, ]*)\)")]
    private static partial Regex ShapePattern();
}
