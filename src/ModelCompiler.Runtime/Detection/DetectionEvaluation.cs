// What a detector found on many images, against what is there: which answers are right, and the mean average precision.
namespace ModelCompiler.Runtime;

/// <summary>An answer of a detector.</summary>
public readonly record struct Detection(Box Box, int Class, float Score);

/// <summary>An object that is there. A difficult one (VOC) need not be found, and finding it is no mistake.</summary>
public readonly record struct DetectionTarget(Box Box, int Class, bool Difficult = false);

/// <summary>Gathers answers image by image. An answer is right if it overlaps an object of its class enough that no better answer
/// has; each object counts once, and more answers for it are wrong.</summary>
/// <remarks>By VOC's rules an answer means the object that it overlaps most, by COCO's the one it overlaps most of those still free.
/// Overlaps are of continuous coordinates (VOC's own program adds a pixel to widths and heights).</remarks>
public sealed class DetectionEvaluation
{
    private readonly List<(Detection[] Found, DetectionTarget[] There)> images = [];

    public DetectionEvaluation(int classes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(classes);
        Classes = classes;
    }

    public int Classes { get; }

    public int Images => images.Count;

    /// <summary>Adds an image.</summary>
    /// <exception cref="ArgumentException">A box is not finite or ends before it begins, a score is not finite, or a class is out of range.
    /// Nothing was added.</exception>
    public void Add(IEnumerable<Detection> found, IEnumerable<DetectionTarget> there)
    {
        var (detections, targets) = (found.ToArray(), there.ToArray());
        Box.Check(Array.ConvertAll(detections, detection => detection.Box), nameof(found));
        Box.Check(Array.ConvertAll(targets, target => target.Box), nameof(there));
        Ranking.Check(Array.ConvertAll(detections, detection => detection.Score), nameof(found));
        CheckClasses(Array.ConvertAll(detections, detection => detection.Class), nameof(found));
        CheckClasses(Array.ConvertAll(targets, target => target.Class), nameof(there));
        images.Add((detections, targets));
    }

    /// <summary>Precision and recall of one class.</summary>
    /// <param name="threshold">The intersection over union that makes an answer right, above 0 and up to 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such class, or the threshold is out of range.</exception>
    public AveragePrecision Of(int @class, AveragePrecisionRule rule, double threshold = 0.5)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(@class);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(@class, Classes);
        if (!(threshold is > 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(threshold), threshold, "the threshold is an intersection over union, above 0 and up to 1.");
        }

        var (scores, right, positives) = (new List<float>(), new List<bool>(), 0);
        foreach (var (found, there) in images)
        {
            var targets = Array.FindAll(there, target => target.Class == @class);
            var detections = Array.FindAll(found, detection => detection.Class == @class);
            positives += targets.Count(target => !target.Difficult);
            var taken = new bool[targets.Length];
            foreach (var i in Ranking.Descending(Array.ConvertAll(detections, detection => detection.Score)))
            {
                var match = rule == AveragePrecisionRule.Coco
                    ? MatchCoco(detections[i].Box, targets, taken, (float)threshold)
                    : MatchVoc(detections[i].Box, targets, (float)threshold);
                if (match < 0 || !targets[match].Difficult)
                {
                    scores.Add(detections[i].Score);
                    right.Add(match >= 0 && !taken[match]);
                }

                if (match >= 0)
                {
                    taken[match] = true;
                }
            }
        }

        return AveragePrecision.Of(scores.ToArray(), right.ToArray(), positives);
    }

    /// <summary>The mean over all classes that have objects; NaN without any.</summary>
    public double MeanAveragePrecision(AveragePrecisionRule rule, double threshold = 0.5) =>
        Enumerable.Range(0, Classes).Select(c => Of(c, rule, threshold).Value(rule)).Where(value => !double.IsNaN(value)).DefaultIfEmpty(double.NaN).Average();

    /// <summary>COCO's main figure: the mean over the thresholds 0.50, 0.55, …, 0.95 as well.</summary>
    public double CocoMeanAveragePrecision() =>
        Enumerable.Range(10, 10).Average(twentieths => MeanAveragePrecision(AveragePrecisionRule.Coco, twentieths / 20.0));

    // The object that an answer overlaps most, taken or not; of equal overlaps the first
    private static int MatchVoc(Box box, DetectionTarget[] targets, float threshold)
    {
        var (best, overlap) = (-1, 0f);
        for (var i = 0; i < targets.Length; i++)
        {
            var iou = Box.IoU(box, targets[i].Box);
            if (iou >= threshold && iou > overlap)
            {
                (best, overlap) = (i, iou);
            }
        }

        return best;
    }

    // The free object that an answer overlaps most, one that counts if there is any; of equal overlaps the last
    private static int MatchCoco(Box box, DetectionTarget[] targets, bool[] taken, float threshold)
    {
        foreach (var difficult in new[] { false, true })
        {
            var (best, overlap) = (-1, threshold);
            for (var i = 0; i < targets.Length; i++)
            {
                var iou = Box.IoU(box, targets[i].Box);
                if (targets[i].Difficult == difficult && !taken[i] && iou >= overlap)
                {
                    (best, overlap) = (i, iou);
                }
            }

            if (best >= 0)
            {
                return best;
            }
        }

        return -1;
    }

    private void CheckClasses(int[] classes, string parameter)
    {
        var wrong = Array.FindIndex(classes, c => c < 0 || c >= Classes);
        if (wrong >= 0)
        {
            throw new ArgumentException($"box {wrong} has class {classes[wrong]}, outside 0 to {Classes - 1}.", parameter);
        }
    }
}
