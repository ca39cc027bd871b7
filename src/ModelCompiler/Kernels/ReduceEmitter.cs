// The code of a reduction: for every result (or column of results) the loops over what is reduced, each with
// partial results of its own. Innermost loops keep several accumulators and stop now and then to hand over.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Operators;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

internal sealed class ReduceEmitter(ReduceKernel kernel, Isa isa, SourceWriter writer)
{
    private readonly ReducePlan plan = new(kernel);
    private readonly int inputs = kernel.Inputs.Length;
    private readonly bool isMax = kernel.Kind == ReduceKind.Max;
    private readonly ReduceSums sums = new(kernel.Formulas.Length, kernel.Kind == ReduceKind.Max, writer);

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

        writer.Open(plan.TasksPerUnit == 1
            ? "for (var task = begin; task < end; task++)"
            : $"for (var task = begin * {plan.TasksPerUnit}; task < Math.Min(end * {plan.TasksPerUnit}, {plan.Tasks}); task++)");
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
            var lanes = RunPiece.Cover(isa, part.Nest.Inner.Size).Select(p => new ReduceLane(p, "")).ToImmutableArray();
            Prepare(lanes);
            var results = EmitLevel(part, lanes, pointers, kernel.Scope == KernelScope.Batch ? -1 : 0);
            for (var f = 0; f < kernel.Formulas.Length; f++)
            {
                for (var p = 0; p < lanes.Length; p++)
                {
                    var total = $"total{f}";
                    writer.Line($"{total} = {(isMax ? $"MathF.Max({total}, {Across(lanes[p].Piece, results[f, p])})" : $"{total} + {Across(lanes[p].Piece, results[f, p])}")};");
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
        var lanes = ImmutableArray.CreateBuilder<ReduceLane>();
        foreach (var piece in RunPiece.Cover(isa, width))
        {
            for (var start = piece.Start; start < piece.Start + piece.Count; start += piece.Isa.Width)
            {
                var count = Math.Min(piece.Isa.Width, piece.Count);
                lanes.Add(new ReduceLane(new RunPiece(piece.Isa, start, count), column == "0" ? $"{start}" : start == 0 ? column : $"{column} + {start}"));
            }
        }

        var all = lanes.ToImmutable();
        Prepare(all);
        var results = EmitLevel(part, all, pointers, kernel.Scope == KernelScope.Batch ? -1 : 0);
        for (var f = 0; f < kernel.Formulas.Length; f++)
        {
            for (var p = 0; p < all.Length; p++)
            {
                var value = kernel.Kind == ReduceKind.Mean ? $"{results[f, p]} / {all[p].Piece.Isa.Broadcast(Count)}" : results[f, p];
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

    private void Prepare(ImmutableArray<ReduceLane> lanes)
    {
        foreach (var width in lanes.Select(l => l.Piece.Isa).Distinct())
        {
            new FormulaEmitter(width, kernel.Formulas, $"w{width.Suffix}").Prepare(writer);
        }
    }

    // Level -1 is the batch, then the reduced axes; what remains is one vector per lane, or the run along the vectors.
    private string[,] EmitLevel(ReducePart part, ImmutableArray<ReduceLane> lanes, ImmutableArray<string> pointers, int level)
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

        var partial = sums.Declare($"s{level + 1}", lanes);
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
        sums.Accumulate(partial, inner, lanes);
        writer.Close();
        return partial;
    }

    // The innermost reduced axis when vectors run along kept elements.
    private string[,] EmitSteps(ReducePart part, ImmutableArray<ReduceLane> lanes, ImmutableArray<string> pointers, LoopAxis axis)
    {
        var partial = sums.Declare("sum", lanes);
        sums.EmitChunks(lanes, partial, [.. lanes.Select((_, p) => p)], axis.Size, 1, Math.Max(1, 4 / lanes.Length), (index, suffix) =>
        {
            var moved = pointers.Select((p, k) => k < inputs && axis.Strides[k] != 0 ? $"{p} + {(axis.Strides[k] == 1 ? index : $"({index}) * {axis.Strides[k]}")}" : p);
            return Evaluate(part, lanes, [.. moved], "", suffix);
        });
        return partial;
    }

    // The run along vectors that are reduced.
    private string[,] EmitRun(ReducePart part, ImmutableArray<ReduceLane> lanes, ImmutableArray<string> pointers)
    {
        var partial = sums.Declare("sum", lanes);
        for (var p = 0; p < lanes.Length; p++)
        {
            var piece = lanes[p].Piece;
            var lane = p;
            var only = ImmutableArray.Create(lanes[p]);
            sums.EmitChunks(only, ReduceSums.Pick(partial, lane), [lane], piece.IsPartial ? piece.Isa.Width : piece.Count, piece.Isa.Width, 4, (index, suffix) =>
                Evaluate(part, only, pointers, piece.Start == 0 ? index : index == "0" ? $"{piece.Start}" : $"{piece.Start} + {index}", $"_{lane}{suffix}"));
        }

        return partial;
    }

    // The formulas for one vector of every lane; offset is of the vector in the run.
    private string[,] Evaluate(ReducePart part, ImmutableArray<ReduceLane> lanes, ImmutableArray<string> pointers, string offset, string suffix)
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
}
