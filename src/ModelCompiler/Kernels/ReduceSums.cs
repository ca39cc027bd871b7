// Partial results of a reduction: their declaration, and the loops that add terms up in short chains.
using System.Collections.Immutable;
using ModelCompiler.Emission;

namespace ModelCompiler.Kernels;

/// <summary>Vectors that are reduced side by side: <paramref name="Piece"/> of the run, from <paramref name="Start"/> on.</summary>
internal sealed record ReduceLane(RunPiece Piece, string Start)
{
    public string Add(string pointer) => Start is "" or "0" ? pointer : $"{pointer} + {Start}";
}

/// <summary>How many terms are added up along an axis. A few are written out; more are a loop, very many a loop of short chains.</summary>
/// <param name="Length">Of the axis as text, in elements.</param>
/// <param name="HasRest">Whether terms may be left when several are added at a time.</param>
internal sealed record ReduceTerms(int Count, string Length, bool IsChunked, bool HasRest)
{
    /// <summary>Terms that one accumulator sums before it hands over.</summary>
    public const int Chain = 64;

    /// <summary>Terms that are added side by side at most.</summary>
    public const int MostUnrolled = 4;

    public string Structure => Count <= MostUnrolled ? Length : $"{IsChunked},{HasRest}";

    /// <summary>One by one along an axis; <paramref name="name"/> stands for the length of one that is a loop everywhere.</summary>
    public static ReduceTerms Of(int count, string name) =>
        new(count, count <= MostUnrolled ? Literals.Int(count) : name, count > Chain, count % MostUnrolled != 0);
}

/// <summary>Names of locals come in tables: a row for each formula, a column for each lane.</summary>
internal sealed class ReduceSums(int formulas, bool isMax, SourceWriter writer)
{
    /// <summary>The column of one lane.</summary>
    public static string[,] Pick(string[,] sums, int lane)
    {
        var one = new string[sums.GetLength(0), 1];
        for (var f = 0; f < one.GetLength(0); f++)
        {
            one[f, 0] = sums[f, lane];
        }

        return one;
    }

    /// <summary>Adds the terms at 0, step, 2 step, … to the sums: several accumulators, and short chains of additions.</summary>
    /// <param name="numbers">Of the lanes, for names.</param>
    /// <param name="evaluate">Writes the code for the term at an index; the second argument ends the names of its locals.</param>
    public void EmitChunks(
        ImmutableArray<ReduceLane> lanes, string[,] sums, int[] numbers, ReduceTerms terms, int step, int unroll, Func<string, string, string[,]> evaluate)
    {
        if (terms.Count <= unroll)
        {
            for (var t = 0; t < terms.Count; t++)
            {
                Accumulate(sums, evaluate($"{t * step}", $"_{t}"), lanes);
            }

            return;
        }

        var tag = string.Concat(numbers);
        var length = terms.Length;
        var chunk = ReduceTerms.Chain * unroll * step;
        var isChunked = terms.IsChunked;
        var lost = isChunked && !isMax ? Declare($"lost{tag}_", lanes) : null;
        if (isChunked)
        {
            writer.Open($"for (var start{tag} = 0; start{tag} < {length}; start{tag} += {chunk})");
            writer.Line($"var stop{tag} = Math.Min(start{tag} + {chunk}, {length});");
        }

        var accumulators = Enumerable.Range(0, unroll).Select(u => Declare($"part{tag}u{u}_", lanes)).ToArray();
        var start = isChunked ? $"start{tag}" : "0";
        var stop = isChunked ? $"stop{tag}" : $"{length}";
        var index = $"i{tag}";
        writer.Line($"var {index} = {start};").Open($"for (; {index} + {unroll * step} <= {stop}; {index} += {unroll * step})");
        for (var u = 0; u < unroll; u++)
        {
            Accumulate(accumulators[u], evaluate(u == 0 ? index : $"{index} + {u * step}", $"_{u}"), lanes);
        }

        writer.Close();
        if (unroll > 1 && (isChunked || terms.HasRest))
        {
            writer.Open($"for (; {index} < {stop}; {index} += {step})");
            Accumulate(accumulators[0], evaluate(index, "_0"), lanes);
            writer.Close();
        }

        for (var distance = 1; distance < unroll; distance *= 2)
        {
            for (var u = 0; u + distance < unroll; u += 2 * distance)
            {
                Accumulate(accumulators[u], accumulators[u + distance], lanes);
            }
        }

        if (lost is null)
        {
            Accumulate(sums, accumulators[0], lanes);
        }
        else
        {
            Compensate(sums, accumulators[0], lost, tag);
        }

        if (isChunked)
        {
            writer.Close();
        }
    }

    // Kahan's sum: what an addition rounds off is taken from the next. There may be many chunks.
    private void Compensate(string[,] sums, string[,] terms, string[,] lost, string tag)
    {
        for (var f = 0; f < sums.GetLength(0); f++)
        {
            for (var p = 0; p < sums.GetLength(1); p++)
            {
                var (sum, rest, exact, next) = (sums[f, p], lost[f, p], $"exact{tag}_{f}_{p}", $"next{tag}_{f}_{p}");
                writer.Line($"var {exact} = {terms[f, p]} - {rest};").Line($"var {next} = {sum} + {exact};")
                    .Line($"{rest} = {next} - {sum} - {exact};").Line($"{sum} = {next};");
            }
        }
    }

    /// <summary>Writes locals that hold nothing yet: zeros, or minus infinity.</summary>
    public string[,] Declare(string name, ImmutableArray<ReduceLane> lanes)
    {
        var names = new string[formulas, lanes.Length];
        for (var f = 0; f < formulas; f++)
        {
            for (var p = 0; p < lanes.Length; p++)
            {
                names[f, p] = $"{name}{f}_{p}";
                var start = isMax ? lanes[p].Piece.Isa.Broadcast("float.NegativeInfinity") : $"{lanes[p].Piece.Isa.Type}.Zero";
                writer.Line($"var {names[f, p]} = {start};");
            }
        }

        return names;
    }

    public void Accumulate(string[,] sums, string[,] terms, ImmutableArray<ReduceLane> lanes)
    {
        for (var f = 0; f < sums.GetLength(0); f++)
        {
            for (var p = 0; p < lanes.Length; p++)
            {
                var (sum, term) = (sums[f, p], terms[f, p]);
                writer.Line(isMax ? $"{sum} = {lanes[p].Piece.Isa.Static}.Max({sum}, {term});" : $"{sum} += {term};");
            }
        }
    }
}
