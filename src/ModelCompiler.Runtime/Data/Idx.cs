// The format of the MNIST files: four bytes of magic, big-endian sizes, raw values; often gzip-compressed.
using System.Buffers.Binary;
using System.IO.Compression;

namespace ModelCompiler.Runtime;

/// <summary>An array of unsigned bytes of any rank, row-major.</summary>
public sealed record IdxArray(int[] Shape, byte[] Values);

/// <summary>Reads idx files (https://yann.lecun.com/exdb/mnist/), plain or compressed by gzip.</summary>
public static class Idx
{
    private const int UnsignedByte = 0x08;
    private const int MaximumRank = 8;

    /// <exception cref="DatasetException">The file is truncated, too long, or not an idx file of unsigned bytes.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static IdxArray Read(string path)
    {
        using var file = File.OpenRead(path);
        Span<byte> magic = stackalloc byte[2];
        var isGzip = file.ReadAtLeast(magic, 2, throwOnEndOfStream: false) == 2 && magic is [0x1F, 0x8B];
        file.Position = 0;
        try
        {
            if (!isGzip)
            {
                return Read(file, path);
            }

            using var unzipped = new GZipStream(file, CompressionMode.Decompress);
            return Read(unzipped, path);
        }
        catch (EndOfStreamException exception)
        {
            throw new DatasetException($"{path}: truncated: it ends inside its header.", exception);
        }
        catch (InvalidDataException exception)
        {
            throw new DatasetException($"{path}: damaged gzip data: {exception.Message}", exception);
        }
    }

    private static IdxArray Read(Stream stream, string path)
    {
        Span<byte> word = stackalloc byte[4];
        stream.ReadExactly(word);
        if (word is not [0, 0, _, >= 1 and <= MaximumRank])
        {
            throw new DatasetException($"{path}: not an idx file: it begins with {Convert.ToHexString(word)}, not with 0000, a type and a rank of 1 … {MaximumRank}.");
        }

        if (word[2] != UnsignedByte)
        {
            throw new DatasetException($"{path}: elements of type 0x{word[2]:X2}; only unsigned bytes (0x08) are supported.");
        }

        var shape = new int[word[3]];
        var count = 1L;
        for (var axis = 0; axis < shape.Length; axis++)
        {
            stream.ReadExactly(word);
            var size = BinaryPrimitives.ReadUInt32BigEndian(word);
            count *= size;
            if (count > Array.MaxLength)
            {
                throw new DatasetException($"{path}: claims more than {Array.MaxLength} values; the header is damaged.");
            }

            shape[axis] = (int)size;
        }

        return new IdxArray(shape, ExactReader.ReadToEnd(stream, (int)count, path));
    }
}
