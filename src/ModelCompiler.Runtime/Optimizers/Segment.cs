// Parameter rules cut the flat buffer into ranges with equal settings.
namespace ModelCompiler.Runtime;

/// <summary>Floats [Begin, End) of the parameter storage, padding between parameters included.</summary>
internal readonly record struct Segment(int Begin, int End, float LearningRate, float WeightDecay)
{
    /// <summary>The ranges an optimizer updates, ascending; frozen parameters are in none.</summary>
    /// <param name="merge">Whether neighbours with equal settings become one range.</param>
    /// <exception cref="ArgumentException">A rule matches no trainable parameter.</exception>
    public static Segment[] Of(NetworkInfo info, IReadOnlyList<ParameterRule> rules, bool merge)
    {
        var trainable = info.Parameters.Where(p => p.Trainable).OrderBy(p => p.Offset).ToArray();
        foreach (var rule in rules)
        {
            if (!rule.VectorsOnly && !trainable.Any(rule.Matches))
            {
                throw new ArgumentException(
                    $"the rule '{rule.Pattern}' matches no trainable parameter of '{info.Name}': {string.Join(", ", trainable.Take(20).Select(p => p.Name))}{(trainable.Length > 20 ? ", …" : "")}.", nameof(rules));
            }
        }

        var segments = new List<Segment>();
        for (var i = 0; i < trainable.Length; i++)
        {
            var (rate, decay, frozen) = (1f, 1f, false);
            foreach (var rule in rules.Where(rule => rule.Matches(trainable[i])))
            {
                (rate, decay, frozen) = (rule.LearningRate ?? rate, rule.WeightDecay ?? decay, rule.Frozen ?? frozen);
            }

            var begin = trainable[i].Offset;
            var end = i + 1 < trainable.Length ? trainable[i + 1].Offset : info.TrainableFloats;
            if (frozen)
            {
                continue;
            }

            if (merge && segments.Count > 0 && segments[^1] is var last && last.End == begin && last.LearningRate == rate && last.WeightDecay == decay)
            {
                segments[^1] = last with { End = end };
            }
            else
            {
                segments.Add(new Segment(begin, end, rate, decay));
            }
        }

        return segments.ToArray();
    }
}
