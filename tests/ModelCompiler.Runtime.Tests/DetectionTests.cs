// Boxes, anchors, suppression and matching against torchvision's own numbers (Goldens/detection.py), and what they refuse.
using System.Text.Json;

namespace ModelCompiler.Runtime.Tests;

public class DetectionTests
{
    private static readonly Golden Expected = JsonSerializer.Deserialize<Golden>(
        File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Goldens", "detection.json")), JsonSerializerOptions.Web)!;

    [Fact]
    public void SuppressionKeepsWhatTorchvisionKeeps()
    {
        Assert.Equal(5, Expected.Nms.Count);
        foreach (var (threshold, kept) in Expected.Nms)
        {
            Assert.Equal(kept, NonMaximumSuppression.Run(Box.Of(Expected.Boxes), Expected.Scores, Number(threshold)));
        }

        foreach (var (threshold, kept) in Expected.BatchedNms)
        {
            Assert.Equal(kept, NonMaximumSuppression.Run(Box.Of(Expected.Boxes), Expected.Scores, Expected.Classes, Number(threshold)));
        }
    }

    [Fact]
    public void OverlapsAreTorchvisions()
    {
        var (first, second) = (Box.Of(Expected.First).ToArray(), Box.Of(Expected.Second).ToArray());
        Assert.Equal(Expected.Iou, from a in first from b in second select Box.IoU(a, b));
        AssertClose(Expected.Giou, [.. from a in first from b in second select Box.GIoU(a, b)], 1);
        Assert.Equal(Expected.Clipped, Corners(Box.Of(Expected.Boxes).ToArray().Select(b => new Box(b.X1 - 10, b.Y1 - 10, b.X2 - 10, b.Y2 - 10).Clip(45, 37))));
    }

    [Theory]
    [InlineData("proposals")]
    [InlineData("regions")]
    public void OffsetsAreTorchvisions(string weights)
    {
        var coder = weights == "regions" ? BoxCoder.Regions : BoxCoder.Proposals;
        var anchors = Box.Of(Expected.Proposals).ToArray();
        var offsets = new float[4 * anchors.Length];
        coder.Encode(Box.Of(Expected.Wanted), anchors, offsets);
        AssertClose(Expected.Encoded[weights], offsets, 10);

        var boxes = new Box[anchors.Length];
        coder.Decode(Expected.Offsets, anchors, boxes);
        var decoded = Expected.Decoded[weights];
        for (var i = 0; i < decoded.Length; i++)
        {
            // Relative to the box, which a growth of 62.5 makes large
            AssertClose([decoded[i]], [Corners(boxes)[i]], Math.Max(100, boxes[i / 4].Width + boxes[i / 4].Height));
        }

        coder.Decode(offsets, anchors, boxes);
        AssertClose(Expected.Wanted, Corners(boxes), 100);
    }

    [Fact]
    public void AnchorsAreTorchvisions()
    {
        AssertAnchors(Expected.FasterRcnn, Anchors.FasterRCNN.Of, 0);
        AssertAnchors(Expected.Pyramid, Anchors.Pyramid.Of, 0);
        AssertAnchors(Expected.RetinaNet, Anchors.RetinaNet.Of, 0);
        AssertAnchors(Expected.Ssd300, SsdPriors.Ssd300.Of, 300);
        Assert.Equal(8732, SsdPriors.Ssd300.Of(300, 300, (38, 38), (19, 19), (10, 10), (5, 5), (3, 3), (1, 1)).Length);
        Assert.Equal([3, 9, 9, 6], [Anchors.Pyramid.PerPlace(0), Anchors.FasterRCNN.PerPlace(0), Anchors.RetinaNet.PerPlace(4), SsdPriors.Ssd300.PerPlace(1)]);
    }

    [Fact]
    public void ObjectsFindTheAnchorsThatTorchvisionFinds()
    {
        Assert.Equal(Expected.Matches, new AnchorMatcher(0.5f, 0.3f).Match(Box.Of(Expected.Objects), Box.Of(Expected.Candidates)));
        Assert.Equal(Expected.StrictMatches, new AnchorMatcher(0.5f, 0.3f, bestOfEach: false).Match(Box.Of(Expected.Objects), Box.Of(Expected.Candidates)));
    }

    [Fact]
    public void WithoutObjectsEverythingIsBackground()
    {
        Box[] anchors = [new(0, 0, 10, 10), new(5, 5, 9, 9)];
        Assert.Equal([AnchorMatcher.Background, AnchorMatcher.Background], new AnchorMatcher(0.5f, 0).Match([], anchors));

        // One that overlaps no anchor does not turn all of them into its own.
        Assert.Equal([AnchorMatcher.Background, AnchorMatcher.Background], new AnchorMatcher().Match([new Box(50, 50, 60, 60)], anchors));
    }

    [Fact]
    public void OfEqualScoresTheEarlierBoxStays()
    {
        Box[] boxes = [new(0, 0, 10, 10), new(1, 0, 11, 10), new(20, 20, 30, 30), new(0, 0, 10, 10)];
        Assert.Equal([0, 2], NonMaximumSuppression.Run(boxes, [1, 1, 1, 1], 0.5f));
        Assert.Equal([3, 0, 2], NonMaximumSuppression.Run(boxes, [1, 1, 0.5f, 2], [0, 0, 0, 1], 0.5f));
        Assert.Empty(NonMaximumSuppression.Run([], [], 0.5f));
    }

    // Catalogue: IoU of a box with itself, with half of it, with a neighbour; without area there is nothing to share.
    [Fact]
    public void OverlapsOfSimpleBoxes()
    {
        var box = new Box(0, 0, 4, 2);
        Assert.Equal(1, Box.IoU(box, box));
        Assert.Equal(0.5f, Box.IoU(box, new Box(0, 0, 2, 2)));
        Assert.Equal(0, Box.IoU(box, new Box(4, 0, 8, 2)));
        Assert.Equal(0, Box.IoU(new Box(1, 1, 1, 1), new Box(1, 1, 1, 1)));
        Assert.Equal(0, Box.GIoU(new Box(1, 1, 1, 1), new Box(1, 1, 1, 1)));
        Assert.Equal(-0.5f, Box.GIoU(new Box(0, 0, 1, 1), new Box(3, 0, 4, 1)));
        Assert.Equal((4, 2, 8), (box.Width, box.Height, box.Area));
        Assert.Equal(new Box(1, 2, 5, 10), Box.FromCenter(3, 6, 4, 8));
    }

    [Fact]
    public void YoloWritesBoxesInItsOwnWays()
    {
        // The middle of cell (6, 3) of 32 pixels, and the prior as it is
        Assert.Equal(new Box(203, 105.5f, 213, 118.5f), YoloBoxes.Decode([0, 0, 0, 0], column: 6, row: 3, stride: 32, YoloBoxes.Coco[0]));
        AssertClose([208 - 10, 112 - 6.5f, 208 + 10, 112 + 6.5f], Corners([YoloBoxes.Decode([0, 0, MathF.Log(2), 0], 6, 3, 32, YoloBoxes.Coco[0])]), 300);
        Assert.Equal(new Box(168, 84, 280, 308), YoloBoxes.DecodeV1([0.5f, 0.0625f, 0.5f, MathF.Sqrt(0.5f)], column: 3, row: 3, cells: 7, 448, 448) with { Y1 = 84, Y2 = 308 });
        Assert.Equal((9, 5), (YoloBoxes.Coco.Count, YoloBoxes.TinyVoc.Count));
    }

    [Fact]
    public void BadBoxesAreRefusedByNumber()
    {
        Box[] good = [new(0, 0, 1, 1), new(0, 0, 1, 1)];
        Box[] nan = [new(0, 0, 1, 1), new(0, float.NaN, 1, 1)];
        Box[] inverted = [new(0, 0, 1, 1), new(3, 0, 1, 1)];
        foreach (var bad in new[] { nan, inverted, [good[0], new(0, 0, float.PositiveInfinity, 1)] })
        {
            Assert.StartsWith("box 1 is (", Assert.Throws<ArgumentException>(() => NonMaximumSuppression.Run(bad, [1, 1], 0.5f)).Message);
            Assert.StartsWith("box 1 is (", Assert.Throws<ArgumentException>(() => new AnchorMatcher().Match(bad, good)).Message);
            Assert.StartsWith("box 1 is (", Assert.Throws<ArgumentException>(() => BoxCoder.Regions.Encode(good, bad, new float[8])).Message);
            Assert.StartsWith("box 1 is (", Assert.Throws<ArgumentException>(() => BoxCoder.Regions.Decode(new float[8], bad, new Box[2])).Message);
            Assert.StartsWith("box 1 is (", Assert.Throws<ArgumentException>(() => new DetectionEvaluation(1).Add(bad.Select(b => new Detection(b, 0, 1)), [])).Message);
        }

        Assert.Contains("score 1 is NaN", Assert.Throws<ArgumentException>(() => NonMaximumSuppression.Run(good, [1, float.NaN], 0.5f)).Message);
        Assert.Contains("2 boxes need as many scores, not 1", Assert.Throws<ArgumentException>(() => NonMaximumSuppression.Run(good, [1], 0.5f)).Message);
        Assert.Contains("2 boxes need as many class numbers", Assert.Throws<ArgumentException>(() => NonMaximumSuppression.Run(good, [1, 1], [1], 0.5f)).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => NonMaximumSuppression.Run(good, [1, 1], 1.5f));
        Assert.Throws<ArgumentOutOfRangeException>(() => NonMaximumSuppression.Run(good, [1, 1], float.NaN));
        Assert.Contains("without area", Assert.Throws<ArgumentException>(() => BoxCoder.Regions.Encode([new Box(1, 1, 1, 5)], [good[0]], new float[4])).Message);
        Assert.Contains("2 anchors go with", Assert.Throws<ArgumentException>(() => BoxCoder.Regions.Decode(new float[4], good, new Box[2])).Message);
        Assert.Contains("7 is no multiple of 4", Assert.Throws<ArgumentException>(() => Box.Of(new float[7])).Message);
        Assert.Throws<ArgumentException>(() => new BoxCoder(0));
        Assert.Throws<ArgumentException>(() => new Anchors([[]], [1]));
        Assert.Throws<ArgumentException>(() => Anchors.Pyramid.Of(64, 64, (8, 8)));
        Assert.Throws<ArgumentException>(() => Anchors.FasterRCNN.Of(64, 64, (128, 8)));
        Assert.Throws<ArgumentException>(() => new SsdPriors([[2]], [0.1], [8]));
        Assert.Throws<ArgumentException>(() => SsdPriors.Ssd300.Of(300, 300, (38, 38)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new AnchorMatcher(0.3f, 0.7f));
        Assert.Throws<ArgumentException>(() => YoloBoxes.Decode([1, 2, 3], 0, 0, 32, (1, 1)));
    }

    private static void AssertAnchors(Grid expected, Func<int, int, (int, int)[], Box[]> actual, float scale)
    {
        var boxes = actual(expected.Image[0], expected.Image[1], [.. expected.Maps.Select(map => (map[0], map[1]))]);
        AssertClose(expected.Boxes, Corners(boxes), scale);
    }

    /// <summary>Within four roundings of numbers of this scale.</summary>
    private static void AssertClose(float[] expected, float[] actual, float scale)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
        {
            Assert.True(Math.Abs(expected[i] - actual[i]) <= 4 * MathF.Pow(2, -24) * Math.Max(scale, Math.Abs(expected[i])), $"{i}: {actual[i]}, torchvision has {expected[i]}");
        }
    }

    private static float[] Corners(IEnumerable<Box> boxes) => [.. boxes.SelectMany(box => new[] { box.X1, box.Y1, box.X2, box.Y2 })];

    private static float Number(string text) => float.Parse(text, System.Globalization.CultureInfo.InvariantCulture);

    private sealed record Grid(int[] Image, int[][] Maps, float[] Boxes);

    private sealed record Golden(
        float[] Boxes, float[] Scores, int[] Classes, Dictionary<string, int[]> Nms, Dictionary<string, int[]> BatchedNms,
        float[] First, float[] Second, float[] Iou, float[] Giou, float[] Clipped,
        float[] Proposals, float[] Wanted, float[] Offsets, Dictionary<string, float[]> Encoded, Dictionary<string, float[]> Decoded,
        float[] Objects, float[] Candidates, int[] Matches, int[] StrictMatches, Grid FasterRcnn, Grid Pyramid, Grid RetinaNet, Grid Ssd300);
}
