// One formula over the elements of its inputs: activations, sums, scalings, and everything fused from them.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Graph;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <summary>Operands x0, x1, …, y. Input shapes have the output's rank with each axis equal or 1, or are scalar.
/// May write in place of an input whose layout equals the output's.</summary>
/// <param name="Formula">Input i stands for the element of <paramref name="Inputs"/>[i].</param>
/// <param name="Inputs">When any operand is Blocked, all are, save those that are dense with a 1x1 plane or hold one element.</param>
/// <param name="WorkScope">Sample or Once; unbatched operands of a Sample kernel are pointers that do not advance.</param>
public sealed record PointwiseKernel(
    Expression Formula, ImmutableArray<Layout> Inputs, Layout Output, KernelScope WorkScope = KernelScope.Sample) : Kernel
{
    private FormulaProgram Program => new([Formula]);

    public override string Name =>
        KernelName.Of("Pointwise", Output.Tag, Program.Text, string.Join(",", Inputs.Select(i => i.Tag)), $"{WorkScope}");

    public override string Comment => $"y[{Output.Tag}] = {Program.Readable} for {string.Join(", ", Inputs.Select((x, i) => $"x{i}[{x.Tag}]"))}";

    public override KernelScope Scope => WorkScope;

    public override ImmutableArray<Operand> Operands => [.. Inputs.Select((_, i) => new Operand($"x{i}")), new Operand("y")];

    public override ImmutableArray<ScalarArgument> Scalars => Program.Scalars;

    /// <summary>Everything is one run over memory: it may end in the padding that layouts have.</summary>
    private static bool IsRun(LoopNest nest, IEnumerable<Layout> layouts) =>
        nest.Axes.Length == 1 && layouts.Where((_, k) => nest.Inner.Strides[k] != 0).All(l => l.IsDense);

    public override int Units
    {
        get
        {
            var nest = Nest(out _);
            return IsRun(nest, Inputs.Add(Output))
                ? (RunLength(nest) + LoopNest.Chunk(RunLength(nest)) - 1) / LoopNest.Chunk(RunLength(nest))
                : nest.UnitCount(nest.UnitAxes());
        }
    }

    private static int RunLength(LoopNest nest) => (nest.Inner.Size + Layout.Lanes - 1) / Layout.Lanes * Layout.Lanes;

    private LoopNest Nest(out bool numbered)
    {
        var layouts = Inputs.Add(Output);
        var nest = LoopNest.Over(Output.Shape, layouts);
        numbered = Program.Streams.Count > 0;
        if (numbered)
        {
            nest = nest.WithNumbers(Output.Shape, layouts.Any(l => l.Kind == LayoutKind.Blocked));
        }

        return nest.Merged(layouts.Length);
    }

    public override void Emit(SourceWriter writer, Isa isa)
    {
        var nest = Nest(out var numbered);
        var names = Operands.Select(o => o.Name).ToImmutableArray();
        writer.OpenMethod(this);
        foreach (var (layout, name) in Inputs.Add(Output).Zip(names, (layout, name) => (layout, name)))
        {
            writer.Skip(name, layout.Origin);
        }

        if (numbered)
        {
            names = names.Add("number");
            writer.Line("const int number = 0;");
        }

        writer.OpenUnits();
        if (IsRun(nest, Inputs.Add(Output)))
        {
            EmitRun(writer, isa, nest, names);
        }
        else
        {
            nest.Emit(writer, nest.UnitAxes(), "unit", names, pointers => EmitPieces(writer, isa, nest.Inner, pointers));
        }

        writer.Close().Close();
    }

    // Chunks of one run; the last may be shorter.
    private void EmitRun(SourceWriter writer, Isa isa, LoopNest nest, ImmutableArray<string> names)
    {
        var length = RunLength(nest);
        var chunk = LoopNest.Chunk(length);
        var from = chunk < length ? $"unit * {chunk}" : "0";
        var to = chunk >= length ? $"{length}" : length % chunk == 0 ? $"start + {chunk}" : $"Math.Min(start + {chunk}, {length})";
        writer.Line($"var start = {from};").Line($"var stop = {to};");
        EmitVectors(writer, new RunPiece(isa, 0, length), nest.Inner, names, "start", "stop");
    }

    private void EmitPieces(SourceWriter writer, Isa isa, LoopAxis inner, ImmutableArray<string> pointers)
    {
        foreach (var piece in RunPiece.Cover(isa, inner.Size))
        {
            // A scope of its own for each piece: their locals have the same names.
            writer.Open("");
            if (piece.Count > piece.Isa.Width)
            {
                EmitVectors(writer, piece, inner, pointers, $"{piece.Start}", $"{piece.Start + piece.Count}");
            }
            else
            {
                EmitUniforms(writer, piece, inner, pointers);
                EmitVector(writer, piece, inner, pointers, piece.Start == 0 ? "" : $" + {piece.Start}");
            }

            writer.Close();
        }
    }

    private void EmitVectors(SourceWriter writer, RunPiece piece, LoopAxis inner, ImmutableArray<string> pointers, string from, string to)
    {
        EmitUniforms(writer, piece, inner, pointers);
        writer.Open($"for (var i = {from}; i < {to}; i += {piece.Isa.Width})");
        EmitVector(writer, piece, inner, pointers, " + i");
        writer.Close();
    }

    // What is the same for the whole run.
    private void EmitUniforms(SourceWriter writer, RunPiece piece, LoopAxis inner, ImmutableArray<string> pointers)
    {
        var emitter = new FormulaEmitter(piece.Isa, Formula);
        emitter.Prepare(writer);
        for (var k = 0; k < Inputs.Length; k++)
        {
            if (emitter.Uses(k) && inner.Strides[k] == 0)
            {
                writer.Line($"var v{k} = {piece.Isa.Broadcast($"*{pointers[k]}")};");
            }
        }
    }

    private void EmitVector(SourceWriter writer, RunPiece piece, LoopAxis inner, ImmutableArray<string> pointers, string offset)
    {
        var emitter = new FormulaEmitter(piece.Isa, Formula);
        for (var k = 0; k < Inputs.Length; k++)
        {
            if (emitter.Uses(k) && inner.Strides[k] != 0)
            {
                writer.Line($"var v{k} = {piece.Load(pointers[k] + offset)};");
            }
        }

        if (emitter.UsesRandom)
        {
            writer.Line($"var elements = {ElementNumbers.Of(piece.Isa, pointers[Inputs.Length + 1], offset, inner.Strides[Inputs.Length + 1])};");
        }

        var result = emitter.ApplyOne(writer, k => $"v{k}", "", "elements");
        piece.Store(writer, pointers[Inputs.Length] + offset, result, "result");
    }
}

internal static class ElementNumbers
{
    /// <summary>The row-major numbers of the elements in a vector, from which random numbers are made.</summary>
    /// <param name="first">Number of the run's first element.</param>
    /// <param name="offset">Of the vector in the run, as text: empty or <c> + i</c>.</param>
    /// <param name="stride">From one element to the next.</param>
    public static string Of(Isa isa, string first, string offset, int stride)
    {
        var start = offset.Length == 0 || stride == 1 ? first + offset : $"{first} + ({offset.Substring(3)}) * {stride}";
        var steps = string.Join(", ", Enumerable.Range(0, isa.Width).Select(i => $"{unchecked((uint)i * (uint)stride)}u"));
        return $"{isa.Static}.Create((uint)({start})) + {isa.Static}.Create({steps})";
    }
}
