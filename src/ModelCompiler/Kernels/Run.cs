// The vectors that cover a run of elements exactly. Short runs are written out; the length of a longer one is a number,
// so that runs with the same rest behind their full vectors share code.
using System.Collections.Immutable;
using ModelCompiler.Emission;

namespace ModelCompiler.Kernels;

/// <param name="Name">Of the length, where it is a number.</param>
/// <param name="Shortest">The shortest run that has a number: at least two vectors on every instruction set.</param>
internal sealed record Run(int Count, string Name, int Shortest = 32)
{
    public bool IsNamed => Count >= Shortest;

    /// <summary>What the code depends on.</summary>
    public string Structure => IsNamed ? $"{Name}%{Count % 16}" : Literals.Int(Count);

    public ImmutableArray<KernelNumber> Numbers => IsNamed ? [new KernelNumber(Name, Count)] : [];

    /// <summary>An index from the start as text, at most the length; with a number, either 0 or in the rest behind full vectors.</summary>
    public string At(int index) => !IsNamed || index == 0 ? Literals.Int(index) : index == Count ? Name : $"{Name} - {Literals.Int(Count - index)}";
}

/// <summary>Part of a run: <paramref name="Count"/> elements from <paramref name="Start"/>, in vectors of <paramref name="Isa"/>. Where
/// Count is less than a vector, elements go one by one.</summary>
internal sealed record RunPiece(Isa Isa, Run Run, int Start, int Count)
{
    public bool IsPartial => Count < Isa.Width;

    /// <summary>Whether there is more than one vector.</summary>
    public bool IsLoop => Count > Isa.Width;

    public string From => Run.At(Start);

    public string To => Run.At(Start + Count);

    /// <summary>A loop of full vectors, then narrower vectors, then up to three elements. Nothing is touched twice, so a
    /// kernel may work in place.</summary>
    public static IEnumerable<RunPiece> Cover(Isa isa, Run run)
    {
        var start = 0;
        foreach (var piece in Isa.All.Where(i => i.Width <= isa.Width))
        {
            var full = (run.Count - start) / piece.Width * piece.Width;
            if (full > 0)
            {
                yield return new RunPiece(piece, run, start, full);
                start += full;
            }
        }

        if (start < run.Count)
        {
            yield return new RunPiece(Isa.Vector128, run, start, run.Count - start);
        }
    }

    public static IEnumerable<RunPiece> Cover(Isa isa, int count) => Cover(isa, new Run(count, "", int.MaxValue));

    /// <summary><paramref name="index"/> from the run's start as text.</summary>
    public string At(int index) => Run.At(index);

    /// <summary>Vector at <paramref name="address"/>, missing elements 0.</summary>
    public string Load(string address) => !IsPartial
        ? Isa.Load(address)
        : $"Vector128.Create({string.Join(", ", Enumerable.Range(0, 4).Select(i => i < Count ? Element(address, i) : "0f"))})";

    /// <param name="behind">To stand behind the statement that stores a whole vector.</param>
    public void Store(SourceWriter writer, string address, string value, string name, string behind = "")
    {
        if (!IsPartial)
        {
            writer.Line(Isa.Store(address, value) + behind);
            return;
        }

        writer.Line($"var {name} = {value};");
        for (var i = 0; i < Count; i++)
        {
            writer.Line($"{Element(address, i)} = {name}[{i}];");
        }
    }

    /// <summary>One vector of this piece, wherever it is.</summary>
    public RunPiece Vector => IsLoop ? new RunPiece(Isa, Run, 0, Isa.Width) : this;

    private static string Element(string address, int index) => index == 0 ? $"*({address})" : $"*({address} + {index})";
}
