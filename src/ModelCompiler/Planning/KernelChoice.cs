// Where the planner can compute a layer in several ways: which ways there are, and how a file names them. The first way
// is what the planner's estimates choose; the others are what a measurement may prefer.
using System.Collections.Immutable;
using System.Globalization;
using ModelCompiler.Graph;
using ModelCompiler.Kernels;

namespace ModelCompiler.Planning;

/// <summary>One way to compute a layer: <c>direct</c>, <c>direct 1x14x2</c>, <c>direct 1x14x2 blocked</c>, <c>winograd F(4x4)</c>, <c>strassen</c>.</summary>
/// <param name="Winograd">2 or 4 for Winograd's algorithm with tiles of that many outputs, 0 for direct convolution.</param>
/// <param name="Tile">Of direct convolution with 512-bit vectors; all zero leaves it to the planner.</param>
/// <param name="Blocked">Whether an image of few channels, which is read as it comes, is first put into blocks of 16.</param>
/// <param name="Strassen">Whether a product of matrices is computed by Strassen's algorithm.</param>
public readonly record struct KernelChoice(int Winograd, Tile Tile = default, bool Blocked = false, bool Strassen = false)
{
    private const string BlockedWord = "blocked";
    private const string StrassenWord = "strassen";

    public override string ToString() => Winograd > 0
        ? FormattableString.Invariant($"winograd F({Winograd}x{Winograd})")
        : Strassen ? StrassenWord
        : "direct" + (Tile == default ? "" : $" {Tile}") + (Blocked ? " " + BlockedWord : "");

    /// <summary>The choice that <paramref name="words"/> name; null when they name none.</summary>
    public static KernelChoice? Parse(IReadOnlyList<string> words)
    {
        if (words.Count == 2 && words[0] == "winograd")
        {
            return words[1] switch { "F(2x2)" => new KernelChoice(2), "F(4x4)" => new KernelChoice(4), _ => null };
        }

        if (words.Count == 1 && words[0] == StrassenWord)
        {
            return new KernelChoice(0, Strassen: true);
        }

        var blocked = words.Count > 1 && words[words.Count - 1] == BlockedWord;
        var left = words.Count - (blocked ? 1 : 0);
        if (left is 0 or > 2 || words[0] != "direct")
        {
            return null;
        }

        return left == 1 ? new KernelChoice(0, default, blocked) : ParseTile(words[1]) is { } tile ? new KernelChoice(0, tile, blocked) : null;
    }

    private static Tile? ParseTile(string text)
    {
        var sizes = text.Split('x').Select(part => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var size) && size < 1000 ? size : 0).ToArray();
        return sizes.Length == 3 && sizes.All(size => size > 0) ? new Tile(sizes[0], sizes[1], sizes[2]) : null;
    }
}

/// <summary>A step that can be computed in several ways.</summary>
/// <param name="Layer">Its path: <c>layer1.0.conv1</c>.</param>
/// <param name="Step">What it does for the layer: <c>convolution</c>, <c>dense</c>, <c>data_gradient</c>, <c>weight_gradient</c>.</param>
/// <param name="Shapes">Of what it reads and makes: <c>64x56x56*64x64x3x3->64x56x56</c>. It tells whether a measurement still speaks of this layer.</param>
/// <param name="Geometry">Of direct convolution; null where it has no tiles to choose from.</param>
/// <param name="Own">What the planner's estimate chose.</param>
/// <param name="MayWinograd">Whether Winograd's algorithm can compute it, and is allowed to.</param>
/// <param name="MayStrassen">Whether Strassen's algorithm can, and may.</param>
/// <param name="MayBlock">Whether <see cref="KernelChoice.Blocked"/> is possible.</param>
/// <param name="Steps">Names of the steps that the layer became, conversions for it included.</param>
public sealed record ChoicePoint(
    string Layer, string Step, string Shapes, ConvolutionGeometry? Geometry, KernelChoice Own, bool MayWinograd, bool MayStrassen, bool MayBlock, ImmutableArray<string> Steps)
{
    private const int MostTiles = 4;

    /// <summary>All ways worth a measurement, the planner's own first.</summary>
    public ImmutableArray<KernelChoice> Options =>
    [
        .. new[] { Own, new KernelChoice(0), new KernelChoice(2), new KernelChoice(4), new KernelChoice(0, Strassen: true), new KernelChoice(0, Blocked: true) }
            .Concat(Tiles().Select(tile => new KernelChoice(0, tile))).Where(IsPossible).Distinct(),
    ];

    /// <summary>Whether the layer can be computed so.</summary>
    public bool IsPossible(KernelChoice choice) => choice.Winograd > 0
        ? MayWinograd && choice is { Winograd: 2 or 4, Blocked: false } && choice.Tile == default
        : choice.Strassen ? MayStrassen && choice is { Blocked: false } && choice.Tile == default
        : (!choice.Blocked || MayBlock) && (choice.Tile == default || (Geometry is { } geometry && ConvolutionSchedule.IsPossible(geometry, choice.Tile)));

    /// <summary>Tiles beside the planner's own: the best of fewer blocks or of one row, and for each number of blocks the widest that cuts rows evenly;
    /// those that fill most registers first.</summary>
    private IEnumerable<Tile> Tiles()
    {
        if (Geometry is not { } geometry)
        {
            return [];
        }

        Tile Best(int rows, int blocks) => Kernels.Tile.Choose(geometry, samples: false, Isa.Avx512, rows, blocks);
        var most = ConvolutionSchedule.MostBlocks(geometry);
        Tile Even(int blocks)
        {
            var columns = geometry.Plane.Columns;
            var widest = Enumerable.Range(1, Math.Min(columns, Kernels.Tile.MostColumns)).Last(c => c == 1 || new Tile(1, c, blocks).Fits(Isa.Avx512));
            return new Tile(1, Rounding.Ceiling(columns, Rounding.Ceiling(columns, widest)), blocks);
        }

        var own = Best(int.MaxValue, most);
        return Enumerable.Range(1, Math.Min(most, geometry.OutputBlocks)).SelectMany(blocks => new[] { Best(int.MaxValue, blocks), Best(1, blocks), Even(blocks) })
            .Distinct().Where(tile => tile != own).OrderByDescending(tile => tile.Pixels * tile.Blocks).ThenBy(tile => tile.Blocks).ThenBy(tile => tile.Rows).Take(MostTiles);
    }
}
