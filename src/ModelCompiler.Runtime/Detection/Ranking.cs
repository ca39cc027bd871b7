// Orders of scores. Sorting is where a result can begin to depend on the library that sorts: here equal scores keep
// their order, and a score that is no number is refused before it can be put anywhere.
namespace ModelCompiler.Runtime;

internal static class Ranking
{
    /// <summary>Indices, the highest score first; of equal scores the lower index.</summary>
    public static int[] Descending(ReadOnlySpan<float> scores)
    {
        var order = new int[scores.Length];
        var keys = new float[scores.Length];
        for (var i = 0; i < order.Length; i++)
        {
            order[i] = i;
            keys[i] = scores[i];
        }

        Array.Sort(order, (a, b) => keys[a] != keys[b] ? keys[b].CompareTo(keys[a]) : a.CompareTo(b));
        return order;
    }

    /// <exception cref="ArgumentException">A score is not finite; the message names the first.</exception>
    public static void Check(ReadOnlySpan<float> scores, string parameter)
    {
        for (var i = 0; i < scores.Length; i++)
        {
            if (!float.IsFinite(scores[i]))
            {
                throw new ArgumentException(FormattableString.Invariant($"score {i} is {scores[i]}; scores must be finite."), parameter);
            }
        }
    }
}
