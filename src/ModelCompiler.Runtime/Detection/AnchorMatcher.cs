// Training a detector asks for every anchor: which object is it to find, if any?
namespace ModelCompiler.Runtime;

/// <summary>Assigns objects to anchors by their overlap (Ren et al., 2015, section 3.1.2; torchvision's <c>Matcher</c>): above one threshold
/// an anchor has an object, below another it is background, and between them it does not count.</summary>
public sealed class AnchorMatcher
{
    /// <summary>The anchor is background.</summary>
    public const int Background = -1;

    /// <summary>The anchor is between the thresholds and takes no part in the loss.</summary>
    public const int Ignored = -2;

    private readonly float high;
    private readonly float low;
    private readonly bool bestOfEach;

    /// <param name="high">An anchor with this intersection over union or more has the object.</param>
    /// <param name="low">One with less is background.</param>
    /// <param name="bestOfEach">Whether the anchors that overlap an object most have one at any overlap, so that no object is lost.</param>
    public AnchorMatcher(float high = 0.7f, float low = 0.3f, bool bestOfEach = true)
    {
        if (!(low >= 0 && high <= 1 && low <= high))
        {
            throw new ArgumentOutOfRangeException(nameof(low), low, $"0 <= low <= high <= 1 is needed; high is {high}.");
        }

        (this.high, this.low, this.bestOfEach) = (high, low, bestOfEach);
    }

    /// <summary>For each anchor the index of its object, <see cref="Background"/> or <see cref="Ignored"/>. Of equal overlaps the first object wins.
    /// An object that overlaps no anchor at all is nobody's; without objects everything is background.</summary>
    /// <exception cref="ArgumentException">A box is not finite or ends before it begins.</exception>
    public int[] Match(ReadOnlySpan<Box> objects, ReadOnlySpan<Box> anchors)
    {
        Box.Check(objects, nameof(objects));
        Box.Check(anchors, nameof(anchors));
        var matches = new int[anchors.Length];
        var nearest = new int[anchors.Length];
        var best = new float[objects.Length];
        for (var a = 0; a < anchors.Length; a++)
        {
            var overlap = -1f;
            for (var o = 0; o < objects.Length; o++)
            {
                var iou = Box.IoU(objects[o], anchors[a]);
                best[o] = MathF.Max(best[o], iou);
                if (iou > overlap)
                {
                    (overlap, nearest[a]) = (iou, o);
                }
            }

            matches[a] = overlap < low || objects.IsEmpty ? Background : overlap < high ? Ignored : nearest[a];
        }

        // The anchors that see an object best take the object that they themselves see best, which may be another one.
        for (var a = 0; bestOfEach && a < anchors.Length; a++)
        {
            for (var o = 0; o < objects.Length; o++)
            {
                if (best[o] > 0 && Box.IoU(objects[o], anchors[a]) == best[o])
                {
                    matches[a] = nearest[a];
                }
            }
        }

        return matches;
    }
}
