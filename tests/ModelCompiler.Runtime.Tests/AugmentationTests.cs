// Pixels end where they should, and the same seed moves them the same way.
namespace ModelCompiler.Runtime.Tests;

public class AugmentationTests
{
    private static readonly int[] Shape = [2, 3, 4];

    [Fact]
    public void FlipMirrorsRows()
    {
        var image = Image();
        Augmentation.Flip(1).Apply(image, Shape, new RandomGenerator(1));
        Assert.Equal([4, 3, 2, 1, 8, 7, 6, 5, 12, 11, 10, 9], image[..12]);
        Augmentation.Flip(0).Apply(image, Shape, new RandomGenerator(1));
        Assert.Equal([16, 15, 14, 13], image[12..16]);
    }

    [Fact]
    public void CropMovesAllChannelsAlikeByEveryAmount()
    {
        var seen = new HashSet<(int, int)>();
        var random = new RandomGenerator(2);
        for (var round = 0; round < 400; round++)
        {
            var image = Image();
            Augmentation.Crop(2, fill: -1).Apply(image, Shape, random);
            var moves =
                from down in Enumerable.Range(-2, 5)
                from right in Enumerable.Range(-2, 5)
                where image.SequenceEqual(Moved(down, right))
                select (down, right);
            seen.Add(Assert.Single(moves));
        }

        Assert.Equal(25, seen.Count);
    }

    [Fact]
    public void CropBeyondTheImageFillsIt()
    {
        var image = new float[] { 1, 2, 3, 4 };
        for (var round = 0; round < 50; round++)
        {
            Augmentation.Crop(9, fill: 0).Apply(image, [1, 2, 2], new RandomGenerator((ulong)round));
        }

        Assert.All(image, value => Assert.Equal(0, value));
    }

    [Fact]
    public void CutoutFillsASquareInsideTheImage()
    {
        var random = new RandomGenerator(3);
        for (var round = 0; round < 200; round++)
        {
            var image = Image();
            Augmentation.Cutout(2, fill: -1).Apply(image, Shape, random);
            var hidden = image.Count(value => value == -1) / 2;
            Assert.Contains(hidden, new[] { 1, 2, 4 });
            Assert.Equal(image[..12].Select(v => v == -1), image[12..].Select(v => v == -1));
        }
    }

    [Fact]
    public void JitterKeepsWhatItDoesNotChange()
    {
        var image = Image();
        Augmentation.ColorJitter().Apply(image, Shape, new RandomGenerator(4));
        Assert.Equal(Image(), image);
        Augmentation.ColorJitter(brightness: 3).Apply(image, Shape, new RandomGenerator(4));
        Assert.All(image.Zip(Image()), pair => Assert.Equal(image[0] - 1, pair.First - pair.Second, 1e-4f));
        image = Image();
        Augmentation.ColorJitter(contrast: 0.5f).Apply(image, Shape, new RandomGenerator(4));
        Assert.Equal(12.5f, image.Average(), 1e-4f);
        Assert.NotEqual(23, image[23] - image[0], 1e-2f);
        image = Image();
        Augmentation.ColorJitter(saturation: 0.5f).Apply(image, Shape, new RandomGenerator(4));
        Assert.All(Enumerable.Range(0, 12), i => Assert.Equal(i + 7, (image[i] + image[i + 12]) / 2, 1e-4f));
        Assert.NotEqual(12, image[12] - image[0], 1e-2f);
    }

    [Fact]
    public void TrainingWithItDependsOnTheSeedAlone()
    {
        float[] Train(int threads, ulong seed)
        {
            using var training = new LogisticTraining(batch: 8, threads: threads);
            var augmentation = Augmentation.Of(Augmentation.Flip(), Augmentation.Crop(1), Augmentation.Cutout(1), Augmentation.ColorJitter(0.1f, 0.1f));
            new Trainer(training) { Augmentation = augmentation, ShuffleSeed = seed }.Fit(Logistic.Data(80, 1), 2);
            return training.Parameters.Storage.ToArray();
        }

        Assert.Equal(Train(1, 1), Train(3, 1));
        Assert.NotEqual(Train(1, 1), Train(1, 2));
    }

    [Fact]
    public void SamplesThatAreNoImagesAreRefused()
    {
        var message = Assert.Throws<DatasetException>(() => Augmentation.Flip().Check([7])).Message;
        Assert.Contains("channels x height x width", message);
    }

    private static float[] Image() => Enumerable.Range(1, 24).Select(i => (float)i).ToArray();

    private static float[] Moved(int down, int right)
    {
        var result = new float[24];
        for (var i = 0; i < 24; i++)
        {
            var (c, y, x) = (i / 12, (i / 4 % 3) - down, (i % 4) - right);
            result[i] = y is >= 0 and < 3 && x is >= 0 and < 4 ? (c * 12) + (y * 4) + x + 1 : -1;
        }

        return result;
    }
}
