// One number for a ranking: how much of what was found is right, over how much of what there is was found. Published
// figures use three definitions, which differ by some percent, so the definition is an argument.
namespace ModelCompiler.Runtime;

/// <summary>How the area under the curve of precision over recall is taken.</summary>
public enum AveragePrecisionRule
{
    /// <summary>PASCAL VOC until 2009: the mean over the recalls 0, 0.1, …, 1 of the highest precision at that recall or more.</summary>
    Voc2007,

    /// <summary>PASCAL VOC since 2010: the area under the highest precision at each recall or more.</summary>
    Voc2010,

    /// <summary>COCO: as <see cref="Voc2007"/> at the recalls 0, 0.01, …, 1.</summary>
    Coco,
}

/// <summary>Precision and recall down a ranking, and their area.</summary>
public sealed class AveragePrecision
{
    private readonly int[] hits;

    private AveragePrecision(int positives, int[] hits, double[] precision)
    {
        (Positives, this.hits, Precision) = (positives, hits, precision);
        Recall = Array.ConvertAll(hits, hit => positives == 0 ? double.NaN : (double)hit / positives);
    }

    /// <summary>How many there are to be found.</summary>
    public int Positives { get; }

    /// <summary>After each rank: right ones among those so far.</summary>
    public IReadOnlyList<double> Precision { get; }

    /// <summary>After each rank: found ones of all; NaN where there is nothing to find.</summary>
    public IReadOnlyList<double> Recall { get; }

    /// <summary>A ranking by scores.</summary>
    /// <param name="scores">One for each answer; of equal ones the earlier ranks first.</param>
    /// <param name="right">Whether each answer is right.</param>
    /// <param name="positives">How many there are to be found, those without an answer included.</param>
    /// <exception cref="ArgumentException">Lengths differ, a score is not finite, or more answers are right than there are to be found.</exception>
    public static AveragePrecision Of(ReadOnlySpan<float> scores, ReadOnlySpan<bool> right, int positives)
    {
        if (scores.Length != right.Length)
        {
            throw new ArgumentException($"{scores.Length} scores need as many verdicts, not {right.Length}.", nameof(right));
        }

        Ranking.Check(scores, nameof(scores));
        var order = Ranking.Descending(scores);
        var hits = new int[order.Length];
        var precision = new double[order.Length];
        var found = 0;
        for (var i = 0; i < order.Length; i++)
        {
            found += right[order[i]] ? 1 : 0;
            hits[i] = found;
            precision[i] = (double)found / (i + 1);
        }

        return found <= positives
            ? new AveragePrecision(positives, hits, precision)
            : throw new ArgumentException($"{found} answers are right, but there are only {positives} to be found.", nameof(positives));
    }

    /// <summary>0 to 1; NaN where there is nothing to find.</summary>
    public double Value(AveragePrecisionRule rule)
    {
        if (Positives == 0)
        {
            return double.NaN;
        }

        // From each rank on, the highest precision
        var highest = new double[hits.Length];
        for (var i = hits.Length - 1; i >= 0; i--)
        {
            highest[i] = Math.Max(Precision[i], i + 1 < hits.Length ? highest[i + 1] : 0);
        }

        return rule switch
        {
            AveragePrecisionRule.Voc2007 => Mean(highest, 10),
            AveragePrecisionRule.Coco => Mean(highest, 100),
            AveragePrecisionRule.Voc2010 => Area(highest),
            _ => throw new ArgumentOutOfRangeException(nameof(rule), rule, "there is no such rule."),
        };
    }

    // Recalls are compared as whole numbers: 3 of 10 found is a recall of 0.3, which no double is.
    private double Mean(double[] highest, int parts)
    {
        var sum = 0.0;
        for (int part = 0, i = 0; part <= parts; part++)
        {
            while (i < hits.Length && (long)hits[i] * parts < (long)part * Positives)
            {
                i++;
            }

            sum += i < hits.Length ? highest[i] : 0;
        }

        return sum / (parts + 1);
    }

    private double Area(double[] highest)
    {
        var sum = 0.0;
        for (var i = 0; i < hits.Length; i++)
        {
            sum += (hits[i] - (i == 0 ? 0 : hits[i - 1])) * highest[i];
        }

        return sum / Positives;
    }
}
