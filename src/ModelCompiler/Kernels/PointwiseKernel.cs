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
    private FormulaProgram Program => field ??= new([Formula]);

    private LoopNest Nest => field ??= MakeNest();

    public override string Name => field ??= KernelName.Of(
        "Pointwise", Program.Text, IsRun ? $"run {string.Join(".", Nest.Inner.Strides)}" : $"{Nest.Structure} units {UnitAxes}{(IsByChannel ? " by channel" : "")}");

    public override string Comment
    {
        get
        {
            var broadcast = Enumerable.Range(0, Inputs.Length).Where(k => Nest.Axes.Any(a => a.Size > 1 && a.Strides[k] == 0)).Select(k => $"x{k}").ToList();
            return $"y = {Program.Readable}" + (broadcast.Count == 0 ? "" : $", {string.Join(" and ", broadcast)} broadcast");
        }
    }

    public override KernelScope Scope => WorkScope;

    public override int ReadOperands => Inputs.Length;

    public override ImmutableArray<Operand> Operands => [.. Inputs.Select((x, i) => new Operand($"x{i}", Offset: x.Origin)), new Operand("y", Offset: Output.Origin)];

    public override ImmutableArray<ScalarArgument> Scalars => Program.Scalars;

    public override ImmutableArray<KernelNumber> Numbers => field.IsDefault
        ? field = IsRun ? [new("floats", RunLength), new("floatsPerUnit", LoopNest.Chunk(RunLength))] : [.. Nest.Numbers(Names)]
        : field;

    /// <summary>Everything is one run over memory: it may end in the padding that layouts have.</summary>
    private bool IsRun
    {
        get
        {
            var strides = Nest.Inner.Strides;
            var isRun = Nest.Axes.Length == 1 && (Output.IsDense || strides[Inputs.Length] == 0);
            for (var k = 0; isRun && k < Inputs.Length; k++)
            {
                isRun = Inputs[k].IsDense || strides[k] == 0;
            }

            return isRun;
        }
    }

    private int RunLength => (Nest.Inner.Size + Layout.Lanes - 1) / Layout.Lanes * Layout.Lanes;

    private bool IsNumbered => Program.Streams.Count > 0;

    private ImmutableArray<string> Names => [.. Inputs.Select((_, i) => $"x{i}"), "y", .. IsNumbered ? ["number"] : Array.Empty<string>()];

    public override int Units => IsRun
        ? (RunLength + LoopNest.Chunk(RunLength) - 1) / LoopNest.Chunk(RunLength)
        : Nest.UnitCount(UnitAxes);

    /// <summary>Into how many parts planes are cut, all blocks of a part before the next part, as convolutions of a pixel read them.</summary>
    public int Parts { get; private init; } = 1;

    /// <summary>The same in such parts; null where it has no code for that.</summary>
    internal PointwiseKernel? In(int parts) =>
        IsInParts && Nest.Axes[2].Size % parts == 0 ? new PointwiseKernel(Formula, Inputs, Output) { Parts = parts } : null;

    /// <summary>Whether it walks parts of a plane, blocks and places: a formula with numbers of channels, over planes without gaps.</summary>
    private bool IsInParts => Nest.Axes[0].Name == "part";

    private int UnitAxes => IsInParts ? 2 : Nest.UnitAxes();

    public override int Turns => Scope != KernelScope.Sample || IsRun || UnitAxes == 0 ? 0
        : IsInParts ? Parts > 1 ? Parts : Output.Blocks
        : Nest.Axes[0].Name == "block" && Nest.Axes[0].Size == Output.Blocks ? Output.Blocks : 0;

    public override int TurnStride(int operand) => Nest.Axes[IsInParts && Parts == 1 ? 1 : 0].Strides[operand];

    private LoopNest MakeNest()
    {
        var layouts = Inputs.Add(Output);
        var nest = LoopNest.Over(Output.Shape, layouts);
        if (Scope == KernelScope.Sample && !IsNumbered && nest.InParts(Parts) is { } cut && Enumerable.Range(0, Inputs.Length).Any(k => cut.Axes[2].Strides[k] == 0 && cut.Axes[3].Strides[k] != 0))
        {
            return cut;
        }

        return (IsNumbered ? nest.WithNumbers(Output.Shape, layouts.Any(l => l.Kind == LayoutKind.Blocked)) : nest).Merged(layouts.Length);
    }

    public override void Emit(KernelWriter writer, Isa isa)
    {
        writer.OpenMethod();
        if (IsNumbered)
        {
            writer.Line("const int number = 0;");
        }

        if (IsRun)
        {
            // Units are chunks of one run; the last may be shorter.
            writer.Line("int start = begin * floatsPerUnit, stop = Math.Min(end * floatsPerUnit, floats);");
            EmitVectors(writer, isa, Names, "start", "stop");
            writer.Close();
            return;
        }

        writer.OpenUnits();
        if (IsByChannel)
        {
            EmitByChannel(writer, isa);
        }
        else
        {
            Nest.Emit(writer, UnitAxes, "unit", Names, pointers => EmitPieces(writer, isa, pointers));
        }

        writer.Close().Close();
    }

    /// <summary>Blocks of channels over places, with operands that do not change from place to place: numbers of the channels.</summary>
    private bool IsByChannel => Nest.Axes.Length > 1 && Nest.Inner.Name == "lane" && !IsNumbered && UnitAxes < Nest.Axes.Length - 1
        && Enumerable.Range(0, Inputs.Length).Any(IsOfChannel);

    private bool IsOfChannel(int input) => Nest.Axes[Nest.Axes.Length - 2].Strides[input] == 0;

    /// <summary>What belongs to the channels is loaded once for all places.</summary>
    private void EmitByChannel(SourceWriter writer, Isa isa)
    {
        var emitter = new FormulaEmitter(isa, Program);
        void Load(int input, string pointer) =>
            writer.Line($"var v{input} = {(Nest.Inner.Strides[input] == 0 ? isa.Broadcast($"*{pointer}") : isa.Load(isa.Parts == 1 ? pointer : $"{pointer} + lane"))};");
        var used = Enumerable.Range(0, Inputs.Length).Where(emitter.Uses).ToList();
        Nest.Emit(
            writer, UnitAxes, "unit", Names,
            pointers =>
            {
                foreach (var input in used.Where(k => !IsOfChannel(k)))
                {
                    Load(input, pointers[input]);
                }

                var store = isa.Store(isa.Parts == 1 ? pointers[Inputs.Length] : $"{pointers[Inputs.Length]} + lane", emitter.ApplyOne(writer, k => $"v{k}"));
                writer.Line(store + Streaming.Ask(isa, used.Where(k => !IsOfChannel(k)).Append(Inputs.Length).Select(k => pointers[k])));
            },
            pointers =>
            {
                if (isa.Parts > 1)
                {
                    writer.Open($"for (var lane = 0; lane < {Layout.Lanes}; lane += {isa.Width})");
                }

                emitter.Prepare(writer);
                foreach (var input in used.Where(IsOfChannel))
                {
                    Load(input, pointers[input]);
                }
            });
        if (isa.Parts > 1)
        {
            writer.Close();
        }
    }

    private void EmitPieces(SourceWriter writer, Isa isa, ImmutableArray<string> pointers)
    {
        var pieces = RunPiece.Cover(isa, Nest.Run).ToList();
        foreach (var piece in pieces)
        {
            // A scope of its own for each of several pieces: their locals have the same names.
            if (pieces.Count > 1)
            {
                writer.Open("");
            }

            if (piece.IsLoop)
            {
                EmitVectors(writer, piece.Isa, pointers, piece.From, piece.To);
            }
            else
            {
                EmitUniforms(writer, piece.Isa, pointers);
                EmitVector(writer, piece, pointers, piece.Start == 0 ? "" : $" + {piece.From}");
            }

            if (pieces.Count > 1)
            {
                writer.Close();
            }
        }
    }

    private void EmitVectors(SourceWriter writer, Isa isa, ImmutableArray<string> pointers, string from, string to)
    {
        EmitUniforms(writer, isa, pointers);
        writer.Open($"for (var i = {from}; i < {to}; i += {isa.Width})");
        var passing = Enumerable.Range(0, Inputs.Length).Where(new FormulaEmitter(isa, Program).Uses).Append(Inputs.Length).Where(k => Nest.Inner.Strides[k] != 0);
        EmitVector(writer, new RunPiece(isa, Nest.Run, 0, isa.Width), pointers, " + i", Streaming.Ask(isa, passing.Select(k => pointers[k] + " + i")));
        writer.Close();
    }

    // What is the same for the whole run.
    private void EmitUniforms(SourceWriter writer, Isa isa, ImmutableArray<string> pointers)
    {
        var emitter = new FormulaEmitter(isa, Program);
        emitter.Prepare(writer);
        for (var k = 0; k < Inputs.Length; k++)
        {
            if (emitter.Uses(k) && Nest.Inner.Strides[k] == 0)
            {
                writer.Line($"var v{k} = {isa.Broadcast($"*{pointers[k]}")};");
            }
        }
    }

    /// <param name="behind">To stand behind the statement that stores a whole vector.</param>
    private void EmitVector(SourceWriter writer, RunPiece piece, ImmutableArray<string> pointers, string offset, string behind = "")
    {
        var emitter = new FormulaEmitter(piece.Isa, Program);
        for (var k = 0; k < Inputs.Length; k++)
        {
            if (emitter.Uses(k) && Nest.Inner.Strides[k] != 0)
            {
                writer.Line($"var v{k} = {piece.Load(pointers[k] + offset)};");
            }
        }

        if (emitter.UsesRandom)
        {
            writer.Line($"var places = {ElementNumbers.Of(piece.Isa, pointers[Inputs.Length + 1], offset, Nest.Inner.Strides[Inputs.Length + 1])};");
        }

        var result = emitter.ApplyOne(writer, k => $"v{k}", "", "places");
        piece.Store(writer, pointers[Inputs.Length] + offset, result, "result", behind);
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
