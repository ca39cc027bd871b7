// A detector answers many times for one object; this keeps the best answer of each. The result depends on nothing but
// its arguments: of equal scores the earlier box wins.
namespace ModelCompiler.Runtime;

/// <summary>Greedy non-maximum suppression, as torchvision's <c>ops.nms</c> and <c>ops.batched_nms</c> do it.</summary>
public static class NonMaximumSuppression
{
    /// <summary>Drops every box that overlaps one with a higher score by more than <paramref name="threshold"/>.</summary>
    /// <param name="boxes">N boxes.</param>
    /// <param name="scores">N scores, any finite numbers.</param>
    /// <param name="threshold">Intersection over union, 0 to 1, above which two boxes mean one object.</param>
    /// <returns>Indices of the boxes that stay, the highest score first; of equal scores the lower index.</returns>
    /// <exception cref="ArgumentException">Lengths differ, a box or score is not finite, a box ends before it begins.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The threshold is not within 0 to 1.</exception>
    public static int[] Run(ReadOnlySpan<Box> boxes, ReadOnlySpan<float> scores, float threshold) => Run(boxes, scores, default, threshold);

    /// <summary>The same within each class: boxes of different classes do not suppress each other.</summary>
    /// <param name="classes">N class numbers; empty takes all boxes as one class.</param>
    /// <inheritdoc cref="Run(ReadOnlySpan{Box}, ReadOnlySpan{float}, float)"/>
    public static int[] Run(ReadOnlySpan<Box> boxes, ReadOnlySpan<float> scores, ReadOnlySpan<int> classes, float threshold)
    {
        Check(boxes, scores, classes, threshold);
        var order = Ranking.Descending(scores);
        var dropped = new bool[boxes.Length];
        var kept = new List<int>();
        for (var i = 0; i < order.Length; i++)
        {
            var best = order[i];
            if (dropped[best])
            {
                continue;
            }

            kept.Add(best);
            for (var j = i + 1; j < order.Length; j++)
            {
                var other = order[j];
                if (!dropped[other] && (classes.IsEmpty || classes[other] == classes[best]))
                {
                    dropped[other] = Box.IoU(boxes[best], boxes[other]) > threshold;
                }
            }
        }

        return [.. kept];
    }

    private static void Check(ReadOnlySpan<Box> boxes, ReadOnlySpan<float> scores, ReadOnlySpan<int> classes, float threshold)
    {
        if (scores.Length != boxes.Length)
        {
            throw new ArgumentException($"{boxes.Length} boxes need as many scores, not {scores.Length}.", nameof(scores));
        }

        if (!classes.IsEmpty && classes.Length != boxes.Length)
        {
            throw new ArgumentException($"{boxes.Length} boxes need as many class numbers, or none, not {classes.Length}.", nameof(classes));
        }

        if (!(threshold is >= 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(threshold), threshold, "the threshold is an intersection over union, 0 to 1.");
        }

        Box.Check(boxes, nameof(boxes));
        Ranking.Check(scores, nameof(scores));
    }
}
