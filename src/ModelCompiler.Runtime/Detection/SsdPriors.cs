// SSD's default boxes: unlike other anchors they are parts of the image, with sizes between those of two maps.
namespace ModelCompiler.Runtime;

/// <summary>Default boxes of SSD (Liu et al., 2016; torchvision's <c>DefaultBoxGenerator</c>): at every place a square of the map's scale,
/// one of the mean with the next map's, and for every ratio r boxes of r : 1 and 1 : r.</summary>
public sealed class SsdPriors
{
    private readonly double[][] ratios;
    private readonly double[] scales;
    private readonly double[] steps;

    /// <param name="ratios">For each map the ratios above 1.</param>
    /// <param name="scales">Parts of the image, one more than maps.</param>
    /// <param name="steps">For each map, pixels of the image between its places.</param>
    /// <exception cref="ArgumentException">Lengths do not agree, or a number is not positive.</exception>
    public SsdPriors(double[][] ratios, double[] scales, double[] steps)
    {
        ArgumentNullException.ThrowIfNull(ratios);
        ArgumentNullException.ThrowIfNull(scales);
        ArgumentNullException.ThrowIfNull(steps);
        if (scales.Length != ratios.Length + 1 || steps.Length != ratios.Length
            || ratios.SelectMany(map => map).Concat(scales).Concat(steps).Any(value => !(value > 0 && double.IsFinite(value))))
        {
            throw new ArgumentException($"{ratios.Length} maps take {ratios.Length + 1} scales and {ratios.Length} steps, all positive; there are {scales.Length} and {steps.Length}.");
        }

        this.ratios = Array.ConvertAll(ratios, map => (double[])map.Clone());
        this.scales = (double[])scales.Clone();
        this.steps = (double[])steps.Clone();
    }

    /// <summary>Of SSD300: 8,732 boxes on maps of 38, 19, 10, 5, 3 and 1.</summary>
    public static SsdPriors Ssd300 { get; } = new(
        [[2], [2, 3], [2, 3], [2, 3], [2], [2]], [0.07, 0.15, 0.33, 0.51, 0.69, 0.87, 1.05], [8, 16, 32, 64, 100, 300]);

    /// <summary>Number of maps.</summary>
    public int Levels => ratios.Length;

    /// <summary>Boxes at each place of a map.</summary>
    public int PerPlace(int level) => 2 + (2 * ratios[level].Length);

    /// <summary>All boxes of an image in pixels, map by map; they may reach over its edge.</summary>
    /// <param name="maps">Height and width of every map.</param>
    /// <exception cref="ArgumentException">The number of maps is not <see cref="Levels"/>, or a size is not positive.</exception>
    public Box[] Of(int imageHeight, int imageWidth, params (int Height, int Width)[] maps)
    {
        ArgumentNullException.ThrowIfNull(maps);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(imageHeight);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(imageWidth);
        if (maps.Length != Levels || maps.Any(map => map.Height < 1 || map.Width < 1))
        {
            throw new ArgumentException($"there are boxes for {Levels} maps with at least one place each; {maps.Length} maps were given.", nameof(maps));
        }

        return [.. maps.SelectMany((map, level) => Level(level, map.Height, map.Width, imageHeight, imageWidth))];
    }

    private IEnumerable<Box> Level(int level, int height, int width, int imageHeight, int imageWidth)
    {
        var shapes = Shapes(level).Select(shape => (Width: Math.Min(shape.Width, 1), Height: Math.Min(shape.Height, 1))).ToArray();
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var (centreX, centreY) = ((x + 0.5) * steps[level], (y + 0.5) * steps[level]);
                foreach (var (w, h) in shapes)
                {
                    var (halfWidth, halfHeight) = (0.5 * w * imageWidth, 0.5 * h * imageHeight);
                    yield return new Box(
                        (float)(centreX - halfWidth), (float)(centreY - halfHeight), (float)(centreX + halfWidth), (float)(centreY + halfHeight));
                }
            }
        }
    }

    // As parts of the image
    private IEnumerable<(double Width, double Height)> Shapes(int level)
    {
        var scale = scales[level];
        var between = Math.Sqrt(scale * scales[level + 1]);
        yield return (scale, scale);
        yield return (between, between);
        foreach (var root in ratios[level].Select(Math.Sqrt))
        {
            yield return (scale * root, scale / root);
            yield return (scale / root, scale * root);
        }
    }
}
