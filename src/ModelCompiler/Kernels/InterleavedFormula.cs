// What is computed of the sums of a convolution with sixteen samples side by side before they are stored: an activation, or the mask of its gradient.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Graph;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

/// <param name="Formula">Of the sum, input 0, and of elements of <paramref name="Extras"/> at its place, inputs 1 and on; null for the sum itself.</param>
/// <param name="Extras">Interleaved, of the result's shape: operands e0, e1, …</param>
public sealed record InterleavedFormula(Expression? Formula, ImmutableArray<Layout> Extras)
{
    internal IEnumerable<Operand> Operands => Extras.Select((layout, k) => new Operand(Name(k), Offset: layout.Origin));

    /// <summary>Of a helper that gets a tile, behind its other parameters.</summary>
    internal string Parameters => string.Concat(Extras.Select((_, k) => $", float* {Name(k)}"));

    private static string Name(int extra) => $"e{Literals.Int(extra)}";

    /// <summary>The pointers of a tile that begins at a row, a channel and <paramref name="column"/> floats into the row.</summary>
    internal string Arguments(KernelWriter writer, string row, string channel, int column = 0) => string.Concat(Extras.Select((layout, k) =>
        $", {Name(k)} + {channel} * {writer.N(Name(k) + "Channel", layout.LaneStride)} + {row} * {writer.N(Name(k) + "Row", layout.RowStride)}{Literals.Plus(column * Layout.Lanes)}"));

    /// <summary>Declares where the extras of a tile's first channel are.</summary>
    internal void Begin(KernelWriter writer)
    {
        for (var k = 0; k < Extras.Length; k++)
        {
            writer.Line($"float* at{Literals.Int(k)} = {Name(k)} + column * 16 + part;");
        }
    }

    /// <summary>Goes on to the next channel.</summary>
    internal void Next(KernelWriter writer)
    {
        for (var k = 0; k < Extras.Length; k++)
        {
            writer.Line($"at{Literals.Int(k)} += {writer.N(Name(k) + "Channel", Extras[k].LaneStride)};");
        }
    }

    internal string Of(KernelWriter writer, Isa isa, string sum, int column) => Formula is null
        ? sum : new FormulaEmitter(isa, Formula).ApplyOne(writer, i => i == 0 ? sum : isa.Load($"at{Literals.Int(i - 1)} + {Literals.Int(column * 16)}"), "_" + sum);
}
