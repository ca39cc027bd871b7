// The boxes from which detectors start: the same few at every place of a map. Their order is the order in which the
// language's `rows` puts a head's answers: places from left to right and top to bottom, at each place all anchors.
namespace ModelCompiler.Runtime;

/// <summary>Anchors of region proposals and RetinaNet: every size in every aspect ratio, centred on the places of a map
/// (torchvision's <c>AnchorGenerator</c>).</summary>
public sealed class Anchors
{
    private readonly float[][] sizes;
    private readonly float[] ratios;

    /// <param name="sizes">For each map the square roots of its anchors' areas, pixels.</param>
    /// <param name="ratios">Height / width.</param>
    /// <exception cref="ArgumentException">There is no size or ratio, or one that is not positive.</exception>
    public Anchors(float[][] sizes, float[] ratios)
    {
        ArgumentNullException.ThrowIfNull(sizes);
        ArgumentNullException.ThrowIfNull(ratios);
        if (sizes.Length == 0 || ratios.Length == 0 || sizes.Any(level => level.Length == 0)
            || sizes.SelectMany(level => level).Concat(ratios).Any(value => !(value > 0 && float.IsFinite(value))))
        {
            throw new ArgumentException("anchors need at least one size for every map and one ratio, all positive and finite.");
        }

        this.sizes = Array.ConvertAll(sizes, level => (float[])level.Clone());
        this.ratios = (float[])ratios.Clone();
    }

    /// <summary>Of region proposals on a single map (Ren et al., 2015): three sizes in three ratios.</summary>
    public static Anchors FasterRCNN { get; } = new([[128, 256, 512]], [0.5f, 1, 2]);

    /// <summary>Of region proposals on a feature pyramid of five maps (Lin et al., 2017): one size for each map in three ratios.</summary>
    public static Anchors Pyramid { get; } = new([[32], [64], [128], [256], [512]], [0.5f, 1, 2]);

    /// <summary>RetinaNet's nine for each of five maps (Lin et al., 2017): three sizes a third of an octave apart, rounded down.</summary>
    public static Anchors RetinaNet { get; } = new(
        [[32, 40, 50], [64, 80, 101], [128, 161, 203], [256, 322, 406], [512, 645, 812]], [0.5f, 1, 2]);

    /// <summary>Number of maps.</summary>
    public int Levels => sizes.Length;

    /// <summary>Anchors at each place of a map.</summary>
    public int PerPlace(int level) => sizes[level].Length * ratios.Length;

    /// <summary>All anchors of an image, map by map.</summary>
    /// <param name="imageHeight">Pixels; the stride of a map is the image's size / the map's, rounded down.</param>
    /// <param name="maps">Height and width of every map.</param>
    /// <exception cref="ArgumentException">The number of maps is not <see cref="Levels"/>, or a map is empty or larger than the image.</exception>
    public Box[] Of(int imageHeight, int imageWidth, params (int Height, int Width)[] maps)
    {
        ArgumentNullException.ThrowIfNull(maps);
        if (maps.Length != Levels)
        {
            throw new ArgumentException($"there are anchors for {Levels} maps, not {maps.Length}.", nameof(maps));
        }

        foreach (var (height, width) in maps)
        {
            if (height < 1 || width < 1 || height > imageHeight || width > imageWidth)
            {
                throw new ArgumentException($"a map of {height}x{width} does not fit an image of {imageHeight}x{imageWidth}.", nameof(maps));
            }
        }

        return [.. maps.SelectMany((map, level) => Level(level, map.Height, map.Width, imageHeight / map.Height, imageWidth / map.Width))];
    }

    private IEnumerable<Box> Level(int level, int height, int width, int strideY, int strideX)
    {
        var centred = Centred(sizes[level]).ToArray();
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                foreach (var box in centred)
                {
                    yield return new Box((x * strideX) + box.X1, (y * strideY) + box.Y1, (x * strideX) + box.X2, (y * strideY) + box.Y2);
                }
            }
        }
    }

    // Around 0; whole pixels, halves to even, as the published detectors were trained.
    private IEnumerable<Box> Centred(float[] level) =>
        from ratio in ratios
        from size in level
        let tall = MathF.Sqrt(ratio)
        let width = 1 / tall * size
        let height = tall * size
        select new Box(MathF.Round(-width / 2), MathF.Round(-height / 2), MathF.Round(width / 2), MathF.Round(height / 2));
}
