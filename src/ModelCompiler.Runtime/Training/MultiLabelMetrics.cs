// Several classes may be true of one sample: each is a question of its own, answered yes or no by a sigmoid.
namespace ModelCompiler.Runtime;

/// <summary>Counts of right and wrong answers for every class of a multi-label classifier. Metrics without a case are NaN.</summary>
public sealed class MultiLabelMetrics
{
    private readonly long[] found;
    private readonly long[] wrong;
    private readonly long[] missed;
    private readonly float threshold;

    /// <param name="threshold">Scores of this or more are a yes: 0 for logits, 0.5 for probabilities.</param>
    public MultiLabelMetrics(int classes, float threshold = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(classes);
        Classes = classes;
        this.threshold = threshold;
        (found, wrong, missed) = (new long[classes], new long[classes], new long[classes]);
    }

    public int Classes { get; }

    /// <summary>Of all yeses, over all classes, the part that is right.</summary>
    public double MicroPrecision => Ratio(found.Sum(), found.Sum() + wrong.Sum());

    /// <summary>Of all that is true, over all classes, the part that was found.</summary>
    public double MicroRecall => Ratio(found.Sum(), found.Sum() + missed.Sum());

    /// <summary>Harmonic mean of the two.</summary>
    public double MicroF1 => Ratio(2 * found.Sum(), (2 * found.Sum()) + wrong.Sum() + missed.Sum());

    /// <summary>Mean over the classes; one without a yes counts 0.</summary>
    public double MacroPrecision => Enumerable.Range(0, Classes).Average(c => OrZero(Precision(c)));

    /// <summary>Mean over the classes; one that is never true counts 0.</summary>
    public double MacroRecall => Enumerable.Range(0, Classes).Average(c => OrZero(Recall(c)));

    /// <summary>Mean over the classes; one that is never true nor answered counts 0.</summary>
    public double MacroF1 => Enumerable.Range(0, Classes).Average(c => OrZero(F1(c)));

    /// <summary>Counts one sample.</summary>
    /// <param name="scores">One for each class.</param>
    /// <param name="truth">1 where the class is true, else 0, as <c>binary_cross_entropy</c> takes targets.</param>
    /// <exception cref="ArgumentException">Lengths are not <see cref="Classes"/>, a score is NaN, or a truth is neither 0 nor 1; nothing was counted.</exception>
    public void Add(ReadOnlySpan<float> scores, ReadOnlySpan<float> truth)
    {
        if (scores.Length != Classes || truth.Length != Classes)
        {
            throw new ArgumentException($"a sample has {Classes} scores and as many truths, not {scores.Length} and {truth.Length}.");
        }

        for (var c = 0; c < Classes; c++)
        {
            if (float.IsNaN(scores[c]) || (truth[c] != 0 && truth[c] != 1))
            {
                throw new ArgumentException(FormattableString.Invariant($"class {c} has score {scores[c]} and truth {truth[c]}; a score must be a number, a truth 0 or 1."));
            }
        }

        for (var c = 0; c < Classes; c++)
        {
            var yes = scores[c] >= threshold;
            found[c] += yes && truth[c] == 1 ? 1 : 0;
            wrong[c] += yes && truth[c] == 0 ? 1 : 0;
            missed[c] += !yes && truth[c] == 1 ? 1 : 0;
        }
    }

    public double Precision(int @class) => Ratio(found[@class], found[@class] + wrong[@class]);

    public double Recall(int @class) => Ratio(found[@class], found[@class] + missed[@class]);

    public double F1(int @class) => Ratio(2 * found[@class], (2 * found[@class]) + wrong[@class] + missed[@class]);

    private static double Ratio(long part, long whole) => (double)part / whole;

    private static double OrZero(double value) => double.IsNaN(value) ? 0 : value;
}
