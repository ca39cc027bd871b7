// The frame of every kernel method, and the vectors that cover a run of elements exactly.
using ModelCompiler.Emission;

namespace ModelCompiler.Kernels;

/// <summary>Part of a run: <paramref name="Count"/> elements from <paramref name="Start"/>, in vectors of <paramref name="Isa"/>. Where
/// Count is less than a vector, elements go one by one.</summary>
internal sealed record RunPiece(Isa Isa, int Start, int Count)
{
    public bool IsPartial => Count < Isa.Width;

    /// <summary>A loop of full vectors, then narrower vectors, then up to three elements. Nothing is touched twice, so a
    /// kernel may work in place.</summary>
    public static IEnumerable<RunPiece> Cover(Isa isa, int count)
    {
        var start = 0;
        foreach (var piece in Isa.All.Where(i => i.Width <= isa.Width))
        {
            var full = (count - start) / piece.Width * piece.Width;
            if (full > 0)
            {
                yield return new RunPiece(piece, start, full);
                start += full;
            }
        }

        if (start < count)
        {
            yield return new RunPiece(Isa.Vector128, start, count - start);
        }
    }

    /// <summary>Vector at <paramref name="address"/>, missing elements 0.</summary>
    public string Load(string address) => !IsPartial
        ? Isa.Load(address)
        : $"Vector128.Create({string.Join(", ", Enumerable.Range(0, 4).Select(i => i < Count ? Element(address, i) : "0f"))})";

    public void Store(SourceWriter writer, string address, string value, string name)
    {
        if (!IsPartial)
        {
            writer.Line(Isa.Store(address, value));
            return;
        }

        writer.Line($"var {name} = {value};");
        for (var i = 0; i < Count; i++)
        {
            writer.Line($"{Element(address, i)} = {name}[{i}];");
        }
    }

    private static string Element(string address, int index) => index == 0 ? $"*({address})" : $"*({address} + {index})";
}

internal static class KernelMethod
{
    /// <summary>Comment, attribute, signature and opening brace.</summary>
    public static SourceWriter OpenMethod(this SourceWriter writer, Kernel kernel)
    {
        foreach (var line in kernel.Comment.Split('\n'))
        {
            writer.Line($"// {line}");
        }

        return writer.Line(Kernel.Attribute).Open($"internal static void {kernel.Name}({kernel.Parameters})");
    }

    /// <summary>Moves a pointer to the first element.</summary>
    public static void Skip(this SourceWriter writer, string pointer, int floats)
    {
        if (floats != 0)
        {
            writer.Line($"{pointer} += {floats};");
        }
    }

    public static SourceWriter OpenUnits(this SourceWriter writer) => writer.Open("for (var unit = begin; unit < end; unit++)");
}
