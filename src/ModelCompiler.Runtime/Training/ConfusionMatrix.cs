// Where a classifier errs, and the numbers that follow from it.
namespace ModelCompiler.Runtime;

/// <summary>Counts of (true class, predicted class), one for each sample, or for each pixel of a segmentation. Metrics of a class that
/// never occurs are NaN. Where a sample has one class, the micro averages of precision, recall and F1 are all the
/// <see cref="Accuracy"/>; the macro averages give every class the same weight.</summary>
public sealed class ConfusionMatrix
{
    private readonly long[,] counts;
    private readonly int? ignored;

    /// <param name="ignored">A true class that is not counted, such as 255 for the unknown pixels of PASCAL VOC; it may lie outside the classes.</param>
    public ConfusionMatrix(int classes, int? ignored = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(classes);
        Classes = classes;
        this.ignored = ignored;
        counts = new long[classes, classes];
    }

    public int Classes { get; }

    /// <summary>Everything counted.</summary>
    public long Total { get; private set; }

    public long Correct => Enumerable.Range(0, Classes).Sum(c => counts[c, c]);

    /// <summary>Correct / total: top-1 accuracy of samples, pixel accuracy of pixels.</summary>
    public double Accuracy => (double)Correct / Total;

    /// <summary>Mean of <see cref="Precision"/> over the classes that occur or were predicted; one that was never predicted counts 0.</summary>
    public double MacroPrecision => MeanOfUsed(Precision);

    /// <summary>Mean of <see cref="Recall"/> over the classes that occur or were predicted; one that never occurs counts 0.</summary>
    public double MacroRecall => MeanOfUsed(Recall);

    /// <summary>Mean of <see cref="F1"/> over the classes that occur or were predicted.</summary>
    public double MacroF1 => MeanOfUsed(F1);

    /// <summary>Mean of <see cref="IntersectionOverUnion"/> over the classes that occur or were predicted (mIoU).</summary>
    public double MeanIntersectionOverUnion => MeanOfUsed(IntersectionOverUnion);

    public long this[int truth, int predicted] => counts[truth, predicted];

    /// <summary>Counts one sample or pixel.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A class is not within 0 to <see cref="Classes"/> - 1; nothing was counted.</exception>
    public void Add(int truth, int predicted)
    {
        if (truth == ignored)
        {
            return;
        }

        Check(truth, nameof(truth));
        Check(predicted, nameof(predicted));
        counts[truth, predicted]++;
        Total++;
    }

    /// <summary>Counts many, such as all pixels of an image.</summary>
    /// <exception cref="ArgumentException">Lengths differ, or a class is out of range; nothing was counted.</exception>
    public void Add(ReadOnlySpan<int> truths, ReadOnlySpan<int> predictions)
    {
        if (truths.Length != predictions.Length)
        {
            throw new ArgumentException($"{truths.Length} true classes need as many predictions, not {predictions.Length}.", nameof(predictions));
        }

        for (var i = 0; i < truths.Length; i++)
        {
            if (truths[i] != ignored)
            {
                Check(truths[i], nameof(truths));
                Check(predictions[i], nameof(predictions));
            }
        }

        for (var i = 0; i < truths.Length; i++)
        {
            Add(truths[i], predictions[i]);
        }
    }

    /// <summary>How often the class is true.</summary>
    public long Support(int @class) => Enumerable.Range(0, Classes).Sum(predicted => counts[@class, predicted]);

    /// <summary>Of what was predicted as the class, the part that is.</summary>
    public double Precision(int @class) => (double)counts[@class, @class] / Predicted(@class);

    /// <summary>Of what is the class, the part that was predicted so.</summary>
    public double Recall(int @class) => (double)counts[@class, @class] / Support(@class);

    /// <summary>Harmonic mean of precision and recall.</summary>
    public double F1(int @class) => 2.0 * counts[@class, @class] / (Predicted(@class) + Support(@class));

    /// <summary>Jaccard's index: both / either.</summary>
    public double IntersectionOverUnion(int @class) =>
        (double)counts[@class, @class] / (Predicted(@class) + Support(@class) - counts[@class, @class]);

    private double MeanOfUsed(Func<int, double> metric) => Enumerable.Range(0, Classes)
        .Where(c => Predicted(c) + Support(c) > 0)
        .Select(c => metric(c) is var value && double.IsNaN(value) ? 0 : value)
        .DefaultIfEmpty(double.NaN).Average();

    private void Check(int @class, string parameter)
    {
        if ((uint)@class >= (uint)Classes)
        {
            throw new ArgumentOutOfRangeException(parameter, @class, $"classes range from 0 to {Classes - 1}.");
        }
    }

    private long Predicted(int @class) => Enumerable.Range(0, Classes).Sum(truth => counts[truth, @class]);
}
