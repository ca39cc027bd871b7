// Where a classifier errs, and the numbers that follow from it.
namespace ModelCompiler.Runtime;

/// <summary>Counts of (true class, predicted class). Metrics of a class that never occurs are NaN.</summary>
public sealed class ConfusionMatrix
{
    private readonly long[,] counts;

    public ConfusionMatrix(int classes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(classes);
        Classes = classes;
        counts = new long[classes, classes];
    }

    public int Classes { get; }

    /// <summary>Everything counted.</summary>
    public long Total { get; private set; }

    public long Correct => Enumerable.Range(0, Classes).Sum(c => counts[c, c]);

    /// <summary>Correct / total.</summary>
    public double Accuracy => (double)Correct / Total;

    /// <summary>Mean of <see cref="IntersectionOverUnion"/> over the classes that occur.</summary>
    public double MeanIntersectionOverUnion =>
        Enumerable.Range(0, Classes).Select(IntersectionOverUnion).Where(value => !double.IsNaN(value)).DefaultIfEmpty(double.NaN).Average();

    public long this[int truth, int predicted] => counts[truth, predicted];

    public void Add(int truth, int predicted)
    {
        counts[truth, predicted]++;
        Total++;
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

    private long Predicted(int @class) => Enumerable.Range(0, Classes).Sum(truth => counts[truth, @class]);
}
