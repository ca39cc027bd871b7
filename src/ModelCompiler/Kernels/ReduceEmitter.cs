// The code of a reduction: for every result (or column of results) the loops over what is reduced, each with
// partial results of its own. Innermost loops keep several accumulators and stop now and then to hand over.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Operators;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

internal sealed class ReduceEmitter(ReduceKernel kernel, Isa isa, SourceWriter writer)
{
    /// <summary>Terms that one accumulator sums before it hands over.</summary>
    private const int Chain = 64;

    private readonly ReducePlan plan = new(kernel);
    private readonly int inputs = kernel.Inputs.Length;
    private readonly bool isMax = kernel.Kind == ReduceKind.Max;

    /// <summary>Vectors that are reduced side by side: <paramref name="Piece"/> of the run, from <paramref name="Start"/> on.</summary>
    private sealed record Lane(RunPiece Piece, string Start)
    {
        public string Add(string pointer) => Start is "" or "0" ? pointer : $"{pointer} + {Start}";
    }

    public void Emit()
    {
        if (new FormulaEmitter(isa, kernel.Formulas).UsesRandom)
        {
            throw new InvalidOperationException("A reduction has no random numbers.");
        }

        writer.OpenMethod(kernel);
        for (var k = 0; k < inputs; k++)
        {
            writer.Skip($"x{k}", kernel.Inputs[k].Origin);
        }

        for (var f = 0; f < kernel.Formulas.Length; f++)
        {
            writer.Skip($"y{f}", kernel.Output.Origin);
        }

        var last = $"end * {plan.TasksPerUnit}";
        writer.Open($"for (var task = begin * {plan.TasksPerUnit}; task < Math.Min({last}, {plan.Tasks}); task++)");
        if (plan.Parts[0].IsAcross)
        {
            EmitAcross();
        }
        else
        {
            EmitColumns();
        }

        writer.Close().Close();
    }

    // Vectors along what is reduced: their elements are added up in the end.
    private void EmitAcross()
    {
        var output = EmitKept(plan.Parts[0], "task", false);
        for (var f = 0; f < kernel.Formulas.Length; f++)
        {
            writer.Line($"var total{f} = {(isMax ? "float.NegativeInfinity" : "0f")};");
        }

        foreach (var part in plan.Parts)
        {
            writer.Open("");
            var pointers = EmitKept(part, "task", true);
            var lanes = RunPiece.Cover(isa, part.Nest.Inner.Size).Select(p => new Lane(p, "")).ToImmutableArray();
            Prepare(lanes, part.Nest.Inner, pointers);
            var sums = EmitLevel(part, lanes, pointers, kernel.Scope == KernelScope.Batch ? -1 : 0);
            for (var f = 0; f < kernel.Formulas.Length; f++)
            {
                for (var p = 0; p < lanes.Length; p++)
                {
                    var total = $"total{f}";
                    writer.Line($"{total} = {(isMax ? $"MathF.Max({total}, {Across(lanes[p].Piece, sums[f, p])})" : $"{total} + {Across(lanes[p].Piece, sums[f, p])}")};");
                }
            }

            writer.Close();
        }

        for (var f = 0; f < kernel.Formulas.Length; f++)
        {
            writer.Line($"y{f}[{output[inputs]}] = total{f}{(kernel.Kind == ReduceKind.Mean ? $" / {Count}" : "")};");
        }
    }

    private string Across(RunPiece piece, string vector)
    {
        if (!piece.IsPartial)
        {
            return isMax ? $"VectorMath.MaxAcross({vector})" : $"{piece.Isa.Static}.Sum({vector})";
        }

        var elements = Enumerable.Range(0, piece.Count).Select(i => $"{vector}[{i}]");
        return isMax ? elements.Aggregate((a, b) => $"MathF.Max({a}, {b})") : $"({string.Join(" + ", elements)})";
    }

    // Vectors along what is kept: a cache line of results at a time.
    private void EmitColumns()
    {
        var part = plan.Parts[0];
        var run = part.Nest.Inner.Size;
        var full = run / ReducePlan.Column;
        var columns = full + (run % ReducePlan.Column > 0 ? 1 : 0);
        if (columns == 1)
        {
            EmitColumn(part, "task", "0", run);
            return;
        }

        writer.Line($"var column = task % {columns} * {ReducePlan.Column};");
        if (full < columns)
        {
            writer.Open($"if (column < {full * ReducePlan.Column})");
            EmitColumn(part, $"task / {columns}", "column", ReducePlan.Column);
            writer.Close().Open("else");
            EmitColumn(part, $"task / {columns}", "column", run - (full * ReducePlan.Column));
            writer.Close();
        }
        else
        {
            EmitColumn(part, $"task / {columns}", "column", ReducePlan.Column);
        }
    }

    private void EmitColumn(ReducePart part, string task, string column, int width)
    {
        var pointers = EmitKept(part, task, true);
        var lanes = ImmutableArray.CreateBuilder<Lane>();
        foreach (var piece in RunPiece.Cover(isa, width))
        {
            for (var start = piece.Start; start < piece.Start + piece.Count; start += piece.Isa.Width)
            {
                var count = Math.Min(piece.Isa.Width, piece.Count);
                lanes.Add(new Lane(new RunPiece(piece.Isa, start, count), column == "0" ? $"{start}" : start == 0 ? column : $"{column} + {start}"));
            }
        }

        var all = lanes.ToImmutable();
        Prepare(all, part.Nest.Inner, pointers);
        var sums = EmitLevel(part, all, pointers, kernel.Scope == KernelScope.Batch ? -1 : 0);
        for (var f = 0; f < kernel.Formulas.Length; f++)
        {
            for (var p = 0; p < all.Length; p++)
            {
                var value = kernel.Kind == ReduceKind.Mean ? $"{sums[f, p]} / {all[p].Piece.Isa.Broadcast(Count)}" : sums[f, p];
                all[p].Piece.Store(writer, all[p].Add($"y{f} + {pointers[inputs]}"), value, $"result{f}_{p}");
            }
        }
    }

    private string Count => kernel.Scope == KernelScope.Batch ? $"((float)batch * {kernel.Terms}f)" : $"{kernel.Terms}f";

    // Where the kept axes put the inputs' pointers and the output's offset.
    private ImmutableArray<string> EmitKept(ReducePart part, string task, bool forInputs)
    {
        var below = part.Kept.Aggregate(1L, (count, axis) => count * axis.Size);
        var terms = part.Offsets.Select(o => new List<string>(o == 0 ? [] : [$"{o}"])).ToList();
        for (var i = 0; i < part.Kept.Length; i++)
        {
            below /= part.Kept[i].Size;
            var index = part.Kept.Length == 1 ? task : $"{(below == 1 ? task : $"{task} / {below}")} % {part.Kept[i].Size}";
            for (var k = 0; k <= inputs; k++)
            {
                if (part.Kept[i].Strides[k] is var stride and not 0)
                {
                    terms[k].Add(stride == 1 ? $"({index})" : $"({index}) * {stride}");
                }
            }
        }

        var names = terms.Select(t => t.Count == 0 ? "0" : string.Join(" + ", t)).ToArray();
        for (var k = 0; forInputs && k < inputs; k++)
        {
            writer.Line($"var from{k} = x{k}{(names[k] == "0" ? "" : " + " + names[k])};");
            names[k] = $"from{k}";
        }

        return [.. names];
    }

    private void Prepare(ImmutableArray<Lane> lanes, LoopAxis inner, ImmutableArray<string> pointers)
    {
        foreach (var width in lanes.Select(l => l.Piece.Isa).Distinct())
        {
            new FormulaEmitter(width, kernel.Formulas, $"w{width.Suffix}").Prepare(writer);
        }
    }

    // Level -1 is the batch, then the reduced axes; what remains is one vector per lane, or the run along the vectors.
    private string[,] EmitLevel(ReducePart part, ImmutableArray<Lane> lanes, ImmutableArray<string> pointers, int level)
    {
        var axes = part.Reduced;
        if (level >= 0 && level == axes.Length)
        {
            return part.IsAcross ? EmitRun(part, lanes, pointers) : Evaluate(part, lanes, pointers, "", "");
        }

        if (level >= 0 && level == axes.Length - 1 && !part.IsAcross)
        {
            return EmitSteps(part, lanes, pointers, axes[level]);
        }

        var sums = Declare($"s{level + 1}", lanes);
        var index = level < 0 ? "n" : $"r{level}";
        writer.Open($"for (var {index} = 0; {index} < {(level < 0 ? "batch" : $"{axes[level].Size}")}; {index}++)");
        var next = pointers.ToBuilder();
        for (var k = 0; k < inputs; k++)
        {
            if (level < 0 || axes[level].Strides[k] != 0)
            {
                next[k] = $"from{k}_{index}";
                writer.Line($"var {next[k]} = {pointers[k]} + {index} * {(level < 0 ? $"x{k}Stride" : $"{axes[level].Strides[k]}")};");
            }
        }

        var inner = EmitLevel(part, lanes, next.ToImmutable(), level + 1);
        Accumulate(sums, inner, lanes);
        writer.Close();
        return sums;
    }

    // The innermost reduced axis when vectors run along kept elements.
    private string[,] EmitSteps(ReducePart part, ImmutableArray<Lane> lanes, ImmutableArray<string> pointers, LoopAxis axis)
    {
        var sums = Declare("sum", lanes);
        EmitChunks(lanes, sums, [.. lanes.Select((_, p) => p)], axis.Size, 1, Math.Max(1, 4 / lanes.Length), (index, suffix) =>
        {
            var moved = pointers.Select((p, k) => k < inputs && axis.Strides[k] != 0 ? $"{p} + {(axis.Strides[k] == 1 ? index : $"({index}) * {axis.Strides[k]}")}" : p);
            return Evaluate(part, lanes, [.. moved], "", suffix);
        });
        return sums;
    }

    // The run along vectors that are reduced.
    private string[,] EmitRun(ReducePart part, ImmutableArray<Lane> lanes, ImmutableArray<string> pointers)
    {
        var sums = Declare("sum", lanes);
        for (var p = 0; p < lanes.Length; p++)
        {
            var piece = lanes[p].Piece;
            var lane = p;
            var only = ImmutableArray.Create(lanes[p]);
            EmitChunks(only, Pick(sums, lane), [lane], piece.IsPartial ? piece.Isa.Width : piece.Count, piece.Isa.Width, 4, (index, suffix) =>
                Evaluate(part, only, pointers, piece.Start == 0 ? index : index == "0" ? $"{piece.Start}" : $"{piece.Start} + {index}", $"_{lane}{suffix}"));
        }

        return sums;
    }

    private static string[,] Pick(string[,] sums, int lane)
    {
        var one = new string[sums.GetLength(0), 1];
        for (var f = 0; f < one.GetLength(0); f++)
        {
            one[f, 0] = sums[f, lane];
        }

        return one;
    }

    // Adds terms 0, step, 2 step, … below length to the sums: several accumulators, and short chains of additions.
    private void EmitChunks(
        ImmutableArray<Lane> lanes, string[,] sums, int[] numbers, int length, int step, int unroll, Func<string, string, string[,]> evaluate)
    {
        var terms = length / step;
        if (terms <= unroll)
        {
            for (var t = 0; t < terms; t++)
            {
                Accumulate(sums, evaluate($"{t * step}", $"_{t}"), lanes);
            }

            return;
        }

        var tag = string.Concat(numbers);
        var chunk = Chain * unroll * step;
        var isChunked = length > chunk;
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
        if (unroll > 1 && (isChunked || terms % unroll != 0))
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

    // The formulas for one vector of every lane; offset is of the vector in the run.
    private string[,] Evaluate(ReducePart part, ImmutableArray<Lane> lanes, ImmutableArray<string> pointers, string offset, string suffix)
    {
        var results = new string[kernel.Formulas.Length, lanes.Length];
        for (var p = 0; p < lanes.Length; p++)
        {
            var piece = lanes[p].Piece;
            var emitter = new FormulaEmitter(piece.Isa, kernel.Formulas, $"w{piece.Isa.Suffix}");
            for (var k = 0; k < inputs; k++)
            {
                if (emitter.Uses(k))
                {
                    var isUniform = part.Nest.Inner.Strides[k] == 0;
                    var address = isUniform ? pointers[k] : lanes[p].Add(offset is "" or "0" ? pointers[k] : $"{pointers[k]} + {offset}");
                    writer.Line($"var v{k}_{p}{suffix} = {(isUniform ? piece.Isa.Broadcast($"*({address})") : piece.Load(address))};");
                }
            }

            var lane = p;
            var values = emitter.Apply(writer, k => $"v{k}_{lane}{suffix}", $"_{p}{suffix}");
            for (var f = 0; f < values.Length; f++)
            {
                results[f, p] = values[f];
            }
        }

        return results;
    }

    private string[,] Declare(string name, ImmutableArray<Lane> lanes)
    {
        var names = new string[kernel.Formulas.Length, lanes.Length];
        for (var f = 0; f < kernel.Formulas.Length; f++)
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

    private void Accumulate(string[,] sums, string[,] terms, ImmutableArray<Lane> lanes)
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
