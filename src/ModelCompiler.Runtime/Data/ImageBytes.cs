// A decoded image, whatever file it came from.
namespace ModelCompiler.Runtime;

/// <summary>Pixels with their channels together, one byte each, rows from the top.</summary>
public sealed record ImageBytes(int Width, int Height, int Channels, byte[] Pixels)
{
    /// <summary>Reads a PGM, PPM or PNG file; transparency is dropped.</summary>
    /// <exception cref="DatasetException">The file is damaged or of another kind.</exception>
    public static ImageBytes Read(string path) =>
        Path.GetExtension(path).Equals(".png", StringComparison.OrdinalIgnoreCase) ? Png.Read(path) : Pnm.Read(path);
}
