// The most common layout of image data: a folder for each class.
namespace ModelCompiler.Runtime;

/// <summary>Images of a folder whose subfolders are the classes, in alphabetical order.</summary>
/// <param name="Classes">Names of the subfolders; a label is an index into them.</param>
public sealed record ImageFolder(Dataset Data, IReadOnlyList<string> Classes)
{
    /// <summary>Reads every <c>.png</c>, <c>.pgm</c> and <c>.ppm</c> file, by name within its class.</summary>
    /// <exception cref="DatasetException">There are none, one is damaged, or sizes differ.</exception>
    public static ImageFolder Read(string folder, Normalization? normalization = null)
    {
        var classes = Directory.GetDirectories(folder).Order(StringComparer.Ordinal).ToArray();
        using var pixels = new MemoryStream();
        var labels = new List<int>();
        ImageBytes? first = null;
        for (var label = 0; label < classes.Length; label++)
        {
            var files = Directory.GetFiles(classes[label]).Where(IsImage).Order(StringComparer.Ordinal);
            foreach (var file in files)
            {
                var image = ImageBytes.Read(file);
                first ??= image;
                if ((image.Width, image.Height, image.Channels) != (first.Width, first.Height, first.Channels))
                {
                    throw new DatasetException($"{file}: {Text(image)}, but the first image is {Text(first)}; all must have one size.");
                }

                if (pixels.Length + image.Pixels.Length > Array.MaxLength)
                {
                    throw new DatasetException($"{folder}: more than {Array.MaxLength} bytes of pixels.");
                }

                pixels.Write(image.Pixels);
                labels.Add(label);
            }
        }

        if (first is null)
        {
            throw new DatasetException($"{folder}: no .png, .pgm or .ppm image in any subfolder.");
        }

        var inputs = (normalization ?? Normalization.None).Apply(
            pixels.GetBuffer().AsSpan(0, (int)pixels.Length), first.Channels, first.Width * first.Height, channelsLast: true);
        var data = new Dataset([first.Channels, first.Height, first.Width], inputs, labels.ToArray(), classes.Length);
        return new ImageFolder(data, Array.ConvertAll(classes, c => Path.GetFileName(c)!));
    }

    private static bool IsImage(string file) => Path.GetExtension(file).ToLowerInvariant() is ".png" or ".pgm" or ".ppm" or ".pnm";

    private static string Text(ImageBytes image) => $"{image.Channels}x{image.Height}x{image.Width}";
}
