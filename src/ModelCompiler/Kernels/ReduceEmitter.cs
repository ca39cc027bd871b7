// The code of a reduction: for every result (or column of results) the loops over what is reduced, each with
// partial results of its own. Innermost loops keep several accumulators and stop now and then to hand over.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Operators;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

internal sealed class ReduceEmitter(ReduceKernel kernel, Isa isa, KernelWriter writer)
{
    private readonly ReducePlan plan = kernel.Plan;
    private readonly int inputs = kernel.Inputs.Length;
    private readonly bool isMax = kernel.Kind == ReduceKind.Max;
    private readonly ReduceSums sums = new(kernel.Formulas.Length, kernel.Kind == ReduceKind.Max, writer);

    public void Emit()
    {
        if (kernel.Program.Streams.Count > 0)
        {
            throw new InvalidOperationException("A reduction has no random numbers.");
        }

        writer.OpenMethod();
        writer.Open("for (var task = begin * tasksPerUnit; task < Math.Min(end * tasksPerUnit, tasks); task++)");
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
            var lanes = RunPiece.Cover(isa, part.Run).Select(p => new ReduceLane(p, "")).ToImmutableArray();
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
        if (!part.Run.IsNamed)
        {
            EmitColumn(part, "task", "0", part.Run.Count);
            return;
        }

        var rest = part.Run.Count % ReducePlan.Column;
        writer.Line($"var column = task % lines * {ReducePlan.Column};");
        if (rest > 0)
        {
            writer.Open($"if (column < {part.Run.At(part.Run.Count - rest)})");
            EmitColumn(part, "task / lines", "column", ReducePlan.Column);
            writer.Close().Open("else");
            EmitColumn(part, "task / lines", "column", rest);
            writer.Close();
        }
        else
        {
            EmitColumn(part, "task / lines", "column", ReducePlan.Column);
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
                lanes.Add(new ReduceLane(new RunPiece(piece.Isa, piece.Run, start, count), column == "0" ? $"{start}" : start == 0 ? column : $"{column} + {start}"));
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

    private string Name(int operand) => operand == inputs ? "y" : $"x{operand}";

    private string Count => kernel.Scope == KernelScope.Batch ? "((float)batch * terms)" : "(float)terms";

    // Where the kept axes put the inputs' pointers and the output's offset.
    private ImmutableArray<string> EmitKept(ReducePart part, string task, bool forInputs)
    {
        var terms = part.Offsets.Select((o, k) => new List<string>(o == 0 ? [] : [part.Offset(Name(k))])).ToList();
        for (var i = 0; i < part.Kept.Length; i++)
        {
            var axis = part.Kept[i];
            var index = LoopNest.Quotient(task, part.Kept.Skip(i + 1).Select(a => part.Nest.Named(a.Count)));
            index = i == 0 ? index : $"{index} % {part.Nest.Named(axis.Count)}";
            for (var k = 0; k <= inputs; k++)
            {
                if (axis.Strides[k] != 0)
                {
                    terms[k].Add($"({index}) * {part.Nest.Named(axis.Stride(Name(k)))}");
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
            new FormulaEmitter(width, kernel.Program, $"w{width.Suffix}").Prepare(writer);
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
        var index = level < 0 ? "sample" : axes[level].Name;
        writer.Open($"for (var {index} = 0; {index} < {(level < 0 ? "batch" : part.Nest.Named(axes[level].Count))}; {index}++)");
        var next = pointers.ToBuilder();
        for (var k = 0; k < inputs; k++)
        {
            if (level < 0 || axes[level].Strides[k] != 0)
            {
                next[k] = $"from{k}_{index}";
                writer.Line($"var {next[k]} = {pointers[k]} + {index} * {(level < 0 ? $"x{k}Stride" : part.Nest.Named(axes[level].Stride(Name(k))))};");
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
        sums.EmitChunks(lanes, partial, [.. lanes.Select((_, p) => p)], part.Steps!, 1, Math.Max(1, ReduceTerms.MostUnrolled / lanes.Length), (index, suffix) =>
        {
            var moved = pointers.Select((p, k) => k >= inputs || axis.Strides[k] == 0 || index == "0" ? p : $"{p} + ({index}) * {part.Nest.Named(axis.Stride(Name(k)))}");
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
            var count = piece.IsLoop ? piece.Count / piece.Isa.Width : 1;
            var terms = new ReduceTerms(count, piece.To, part.IsChunked, part.Run.IsNamed || count % ReduceTerms.MostUnrolled != 0);
            sums.EmitChunks(only, ReduceSums.Pick(partial, lane), [lane], terms, piece.Isa.Width, ReduceTerms.MostUnrolled, (index, suffix) =>
                Evaluate(part, only, pointers, piece.Start == 0 ? index : index == "0" ? piece.From : $"{piece.From} + {index}", $"_{lane}{suffix}"));
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
            var emitter = new FormulaEmitter(piece.Isa, kernel.Program, $"w{piece.Isa.Suffix}");
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
