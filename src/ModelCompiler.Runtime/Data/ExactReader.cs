// Data files announce how much they hold. They may lie, so memory grows with what is really there.
namespace ModelCompiler.Runtime;

internal static class ExactReader
{
    /// <summary>The rest of a stream, which must be exactly <paramref name="count"/> bytes.</summary>
    /// <exception cref="DatasetException">It is shorter or longer.</exception>
    public static byte[] ReadToEnd(Stream stream, int count, string path)
    {
        var values = Read(stream, count, path);
        return stream.ReadByte() < 0
            ? values
            : throw new DatasetException($"{path}: longer than the {count} values its header announces.");
    }

    private static byte[] Read(Stream stream, int count, string path)
    {
        var values = new byte[Math.Min(count, 1 << 20)];
        var read = 0;
        while (read < count)
        {
            if (read == values.Length)
            {
                Array.Resize(ref values, (int)Math.Min(count, 2L * values.Length));
            }

            var got = stream.Read(values, read, values.Length - read);
            if (got == 0)
            {
                throw new DatasetException($"{path}: truncated: {read} of {count} values.");
            }

            read += got;
        }

        return values;
    }
}
