// The matrix products of a Winograd convolution: at every point transformed inputs times transformed filters, by the
// micro-kernel of direct convolution, while the filters needed next come nearer or are made.
using System.Collections.Immutable;
using ModelCompiler.Emission;
using ModelCompiler.Planning;

namespace ModelCompiler.Kernels;

internal sealed partial class WinogradEmitter
{
    /// <param name="more">Arguments that not all products have, each behind a comma.</param>
    private void EmitProductCalls(KernelWriter writer, string inputs, string weights, string channels, string more)
    {
        var sizes = GroupSizes.ToList();
        for (var i = 0; i < sizes.Count; i++)
        {
            var size = sizes[i];
            var call = $"{writer.Share(ProductsName(size), w => EmitProducts(w, size))}({inputs}, {weights}, products, {(kernel.HasDepth ? "tiles * yDepths" : "tiles")}, productColumns, inputColumns, inputPoint, productPoint, {channels}, {(size == groupBlocks ? "groupPoint" : "restPoint")}{(HasTaps ? ", depthTaps, tiles * 16" : "")}{more});";
            foreach (var micro in Tiles(size).Select(t => Micro(t, size)))
            {
                writer.Share(micro.Name, micro.Emit);
            }

            writer.Line((sizes.Count == 1 ? "" : i == 0 ? $"if (blocks == {N(size)}) " : "else ") + call);
        }
    }

    private string ProductsName(int blocks) => KernelName.Of($"Winograd{N(outputs)}Products{N(blocks)}", Tiles(blocks).Select(t => Micro(t, blocks).Name).Append(IsOrdered ? "ordered" : "").Append(IsPacked ? "" : "made"));

    /// <summary>The register tiles that a group's blocks are cut into.</summary>
    private IEnumerable<Tile> Tiles(int blocks)
    {
        var full = kernel.TileOf(isa);
        for (var b = 0; b < blocks; b += full.Blocks)
        {
            yield return full with { Blocks = Math.Min(full.Blocks, blocks - b) };
        }
    }

    private ConvolutionMicroEmitter Micro(Tile tile, int blocks) =>
        new(new ConvolutionKernel(kernel.Product(kernel.Chunk), false, null, ImmutableArray<FusedOperand>.Empty, Samples: false), isa, tile, blocks)
        {
            AsksAhead = isa != Isa.Vector128, Adds = HasParts, PrefetchesNextBlock = isa != Isa.Vector128 && kernel.Input.Channels >= Layout.Lanes, PrefetchesOutput = isa != Isa.Vector128,
        };

    /// <summary>At every point: transformed inputs times transformed weights, for one group of output blocks.</summary>
    private void EmitProducts(SourceWriter writer, int blocks)
    {
        writer.Open(Kernel.Helper(ProductsName(blocks), "float* u, float* w, float* products, int tiles, int productColumns, int inputColumns, int inputPoint, int productPoint, int inputBlocks, int tail, int pointWeights"
            + (HasTaps ? ", int depthTaps, int depthTapStep" : "") + (IsOrdered ? ", float* ordered, float* made, int madePoint, int madeChannels, int madeBlocks" : "") + (!HasParts ? "" : IsPacked ? ", int partBlocks" : ", int add")));
        writer.Line("long inputBlock = inputColumns * 16, outputBlock = productColumns * 16;");
        var columns = kernel.TileOf(isa).Columns;
        if (IsOrdered)
        {
            writer.Line("// After each call of the micro-kernel some of the next filters are transformed, so that the stores of those pass while products are made, and those behind them come nearer.");
            writer.Line($"int allCalls = (tiles + {N(columns - 1)}) / {N(columns)} * {N(transform.Points)}, vectors = madeChannels * madeBlocks{(HasTaps ? " * depthTaps" : "")}, atOnce = (vectors + allCalls - 1) / allCalls, vector = 0;");
            if (isa != Isa.Vector128)
            {
                writer.Line("float* ahead = ordered + vectors * 144L;");
            }
        }
        else if (isa != Isa.Vector128)
        {
            writer.Line("// While a point is computed the weights of the next one, which lie behind its own, come nearer.");
            writer.Line($"int calls = (tiles + {N(columns - 1)}) / {N(columns)}, aheadFloats = ({(HasParts && IsPacked ? $"partBlocks * {N(16 * blocks)}" : "pointWeights / 16")} + calls - 1) / calls * 16;");
        }

        if (HasParts && IsPacked)
        {
            // A part of the inputs at a time: what a point needs of inputs and weights then stays in the second-level cache.
            writer.Line("float* allInputs = u, allWeights = w, allProducts = products;").Line("int allBlocks = inputBlocks, lastTail = tail, all = inputBlocks + (tail > 0 ? 1 : 0);");
            writer.Open("for (int add = 0; add < all; add += partBlocks)");
            writer.Line("inputBlocks = Math.Min(partBlocks, allBlocks - add);").Line("tail = add + partBlocks >= all ? lastTail : 0;");
            writer.Line("u = allInputs + add * inputBlock;").Line($"w = allWeights + add * {N(256L * blocks)}L;").Line("products = allProducts;");
        }

        writer.Open($"for (int point = 0; point < {N(transform.Points)}; point++)");
        if (IsOrdered)
        {
            writer.Open($"for (int column = 0; column < tiles; column += {N(columns)})");
        }

        var b = 0;
        foreach (var tile in Tiles(blocks))
        {
            var micro = Micro(tile, blocks);

            string[] ahead = !micro.AsksAhead ? [] : b > 0 ? ["w", "0", "1"] : IsOrdered ? ["ahead", "0", $"({N((9 * blocks) - 1)} + allCalls) / allCalls"] : ["w + pointWeights", "aheadFloats", $"({N(blocks - 1)} + calls) / calls"];
            string[] arguments =
            [
                "u", b == 0 ? "w" : $"w + {N(b * Layout.Lanes)}", b == 0 ? "products" : $"products + {N(b)} * outputBlock",
                .. ahead, .. IsOrdered ? new[] { "column", $"Math.Min(column + {N(columns)}, tiles)" } : ["0", "tiles"], "productColumns", .. micro.Numbers.Select(n => n.Name),
            ];
            writer.Line($"{micro.Name}({string.Join(", ", arguments)});");
            b += tile.Blocks;
        }

        if (IsOrdered)
        {
            writer.Open("if (vector < vectors)");
            writer.Line($"{Filters.Name}(ordered, made, madePoint, madeChannels, madeBlocks, {(HasTaps ? "depthTaps" : "1")}, vector, Math.Min(vector + atOnce, vectors));");
            writer.Line("vector += atOnce;");
            if (isa != Isa.Vector128)
            {
                writer.Line("ahead += atOnce * 144L;");
            }

            writer.Close().Close();
        }

        writer.Line("u += inputPoint;").Line("w += pointWeights;").Line("products += productPoint;");
        if (HasParts && IsPacked)
        {
            writer.Close();
        }

        writer.Close().Close().Line();
    }
}
