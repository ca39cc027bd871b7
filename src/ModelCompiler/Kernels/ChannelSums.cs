// Sums of every channel that a kernel takes of what it has just stored, while that is in the first-level cache: batch norm's mean and
// deviations of a convolution's outputs, and the sums of its gradient. Values of a whole sample would be fetched again from the third one.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Graph;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <summary>Operands t0, t1, … behind those that the kernel reads, and s0, s1, … behind its result: for each row of the result, and part of a
/// row, the sums over that part, as <see cref="Parts"/> lays them out. What is summed together depends on shapes only.</summary>
/// <param name="Formulas">Input 0 is the result, input i + 1 the operand t{i}. None at all: the mean, and the squared deviations from it.</param>
/// <param name="Extras">Layouts of t0, t1, …: Blocked of the result's shape, or one number for each channel.</param>
/// <param name="Rows">Of the result.</param>
/// <param name="PartsOfRow">How many sums there are for each.</param>
public sealed record ChannelSums(ImmutableArray<Expression> Formulas, ImmutableArray<Layout> Extras, int Channels, int Rows, int PartsOfRow)
{
    /// <summary>Sums in flight: additions take four cycles.</summary>
    private const int MostChains = 8;

    private int Chains => Results > 2 ? 2 : IsMoments ? MostChains : MostChains / Results;

    private bool IsMoments => Formulas.IsEmpty;

    private FormulaProgram Program => field ??= new(Formulas);

    /// <summary>Of each result.</summary>
    public Layout Parts => new(LayoutKind.Blocked, Shape.Of(Channels, Rows, PartsOfRow));

    public int Results => IsMoments ? 2 : Formulas.Length;

    /// <summary>Everything that decides the code.</summary>
    internal string Structure => IsMoments ? "moments" : $"sums {Program.Text} of {string.Concat(Extras.Select(e => IsVector(e) ? 'v' : 'p'))}";

    public string Readable => IsMoments ? "mean and deviations of channels" : "sums of " + Program.Readable;

    internal IEnumerable<Operand> Inputs => Extras.Select((e, i) => new Operand($"t{i}", Offset: e.Origin));

    internal IEnumerable<Operand> Outputs => Enumerable.Range(0, Results).Select(i => new Operand($"s{i}"));

    internal IEnumerable<KernelNumber> Numbers =>
    [
        new("sumRows", Rows), new("rowSums", PartsOfRow),
        .. Extras.SelectMany((e, i) => IsVector(e) ? [] : new KernelNumber[] { new($"t{i}Block", e.BlockStride), new($"t{i}Row", e.RowStride) }),
    ];

    /// <summary>Two values are of one channel each, whatever their planes are.</summary>
    internal static bool IsVector(Layout layout) => layout.Shape.Count == layout.Channels;

    /// <summary>Floats from one block of a value to the next; 0 for numbers of channels.</summary>
    internal static int Step(Layout layout) => IsVector(layout) ? 0 : layout.BlockStride;

    public bool Equals(ChannelSums? other) => other is not null && (Channels, Rows, PartsOfRow) == (other.Channels, other.Rows, other.PartsOfRow)
        && Formulas.SequenceEqual(other.Formulas) && Extras.SequenceEqual(other.Extras);

    public override int GetHashCode() => (Channels, Rows, PartsOfRow, Formulas.Length, Extras.Length).GetHashCode();

    /// <summary>The statement that sums a part of a row of one block.</summary>
    /// <param name="result">Pointer to the first element, as text.</param>
    /// <param name="column">Of that element.</param>
    /// <param name="count">Elements of each channel.</param>
    internal string Call(KernelWriter writer, Isa isa, string result, string block, string row, string part, string column, string count)
    {
        var place = $"(({block}) * sumRows + {row}) * rowSums + {part}";
        var extras = Extras.Select((e, i) => $"t{i} + ({block}) * " + (IsVector(e) ? $"{Layout.Lanes}" : $"t{i}Block + ({row}) * t{i}Row + ({column}) * {Layout.Lanes}"));
        var name = writer.Share(KernelName.Of("ChannelSums", Structure), w => Emit(w, isa));
        return $"{name}({string.Join(", ", [result, .. extras, .. Enumerable.Range(0, Results).Select(i => $"s{i} + ({place}) * {Layout.Lanes}"), count])});";
    }

    private void Emit(SourceWriter writer, Isa isa)
    {
        var pointers = new[] { "y" }.Concat(Extras.Select((_, i) => $"t{i}")).Concat(Enumerable.Range(0, Results).Select(i => $"s{i}"));
        writer.Open(Kernel.Helper(KernelName.Of("ChannelSums", Structure), $"{string.Join(", ", pointers.Select(p => $"float* {p}"))}, int count"));
        writer.Open($"for (var lane = 0; lane < {Layout.Lanes}; lane += {isa.Width})");
        if (IsMoments)
        {
            EmitPass(writer, isa, ["sum"], (k, at) => [isa.Load($"y + {at}")]);
            writer.Line($"var mean = sum * {isa.Broadcast("1f / count")};");
            EmitPass(writer, isa, ["square"], (k, at) =>
            {
                writer.Line($"var apart{k} = {isa.Load($"y + {at}")} - mean;");
                return [$"apart{k} * apart{k}"];
            });
            writer.Line(isa.Store("s0 + lane", "mean")).Line(isa.Store("s1 + lane", "square"));
        }
        else
        {
            var emitter = new FormulaEmitter(isa, Program);
            for (var i = 0; i < Extras.Length; i++)
            {
                if (IsVector(Extras[i]) && emitter.Uses(i + 1))
                {
                    writer.Line($"var v{i + 1} = {isa.Load($"t{i} + lane")};");
                }
            }

            var names = Enumerable.Range(0, Results).Select(i => $"sum{i}_").ToArray();
            EmitPass(writer, isa, names, (k, at) =>
            {
                for (var i = 0; i <= Extras.Length; i++)
                {
                    if ((i == 0 || !IsVector(Extras[i - 1])) && emitter.Uses(i))
                    {
                        writer.Line($"var v{i}_{k} = {isa.Load($"{(i == 0 ? "y" : $"t{i - 1}")} + {at}")};");
                    }
                }

                return [.. emitter.Apply(writer, i => i > 0 && IsVector(Extras[i - 1]) ? $"v{i}" : $"v{i}_{k}", $"_{k}")];
            });
            for (var i = 0; i < Results; i++)
            {
                writer.Line(isa.Store($"s{i} + lane", names[i]));
            }
        }

        writer.Close().Close().Line();
    }

    /// <summary>Sums of terms over all elements, in several chains.</summary>
    /// <param name="terms">Writes the code for the element at an offset, and returns its terms; the first argument ends the names of its locals.</param>
    private void EmitPass(SourceWriter writer, Isa isa, string[] names, Func<int, string, string[]> terms)
    {
        foreach (var name in names)
        {
            writer.Line($"{isa.Type} {name} = {isa.Type}.Zero, {string.Join(", ", Enumerable.Range(1, Chains - 1).Select(k => $"{name}c{k} = {name}"))};");
        }

        void Add(int chain, string at)
        {
            var values = terms(chain, at);
            for (var i = 0; i < names.Length; i++)
            {
                writer.Line($"{names[i]}{(chain == 0 ? "" : $"c{chain}")} += {values[i]};");
            }
        }

        writer.Open("").Line("var i = 0;").Open($"for (; i + {Chains} <= count; i += {Chains})");
        for (var chain = 0; chain < Chains; chain++)
        {
            Add(chain, $"{(chain == 0 ? "i" : $"(i + {chain})")} * {Layout.Lanes} + lane");
        }

        writer.Close().Open("for (; i < count; i++)");
        Add(0, $"i * {Layout.Lanes} + lane");
        writer.Close().Close();
        for (var distance = 1; distance < Chains; distance *= 2)
        {
            for (var chain = 0; chain < Chains; chain += 2 * distance)
            {
                foreach (var name in names)
                {
                    writer.Line($"{name}{(chain == 0 ? "" : $"c{chain}")} += {name}c{chain + distance};");
                }
            }
        }
    }
}
