// Parameter rules cut the flat buffer into ranges with equal settings.
using System.IO.Enumeration;

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
            if (!trainable.Any(p => Matches(rule, p)))
            {
                throw new ArgumentException(
                    $"the rule '{rule.Pattern}' matches no trainable parameter of '{info.Name}': {string.Join(", ", trainable.Take(20).Select(p => p.Name))}{(trainable.Length > 20 ? ", …" : "")}.", nameof(rules));
            }
        }

        var segments = new List<Segment>();
        for (var i = 0; i < trainable.Length; i++)
        {
            var rule = rules.LastOrDefault(r => Matches(r, trainable[i])) ?? new ParameterRule("*");
            var begin = trainable[i].Offset;
            var end = i + 1 < trainable.Length ? trainable[i + 1].Offset : info.TrainableFloats;
            if (rule.Frozen)
            {
                continue;
            }

            if (merge && segments.Count > 0 && segments[^1] is var last && last.End == begin && last.LearningRate == rule.LearningRate && last.WeightDecay == rule.WeightDecay)
            {
                segments[^1] = last with { End = end };
            }
            else
            {
                segments.Add(new Segment(begin, end, rule.LearningRate, rule.WeightDecay));
            }
        }

        return segments.ToArray();
    }

    private static bool Matches(ParameterRule rule, ParameterInfo parameter) =>
        FileSystemName.MatchesSimpleExpression(rule.Pattern, parameter.Name, ignoreCase: false);
}
