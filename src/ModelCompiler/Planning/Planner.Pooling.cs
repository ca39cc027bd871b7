// Max pools. In inference, where nobody else reads their operand, the convolution before them computes them too, while what they read is near: a value that is pooled is
// often the largest of a network, and would be written to memory and read again. In training they leave their winners, so that it ends with the forward pass.
using ModelCompiler.Graph;
using ModelCompiler.Kernels;
using ModelCompiler.Operators;

namespace ModelCompiler.Planning;

public sealed partial class Planner
{
    /// <summary>Pools that a convolution has computed.</summary>
    private readonly HashSet<Node> pooled = new();

    /// <summary>Pools that a convolution could have computed and did not, with the place of its choice.</summary>
    private readonly Dictionary<Node, int> choicesBeforePools = new();

    private void PlanMaxPool(Node node)
    {
        // With its winners, perhaps.
        if (values.ContainsKey(node))
        {
            return;
        }

        var before = steps.Count;
        AddBlockwise(node, "max_pool", (x, y) => new MaxPoolKernel(node.As<MaxPoolAttributes>().Window, x[0], y), [node.Inputs[0]]);
        if (choicesBeforePools.TryGetValue(node, out var choice))
        {
            choices[choice] = choices[choice] with { Steps = [.. choices[choice].Steps, .. steps.Skip(before).Select(s => s.Name)] };
        }
    }

    /// <summary>The winners and, where it is needed too, the maximum. Nothing if no gradient asks who won, as behind an input.</summary>
    private void PlanMaxPoolWinners(Node node)
    {
        var all = Readers[node];
        var pool = all.FirstOrDefault(reader => reader.Primitive == Primitives.MaxPool);
        if (pool is not null && all.Count == 1)
        {
            return;
        }

        var kind = BlocksOf(node.Inputs[0]);
        var (x, winners) = (Get(node.Inputs[0], kind), StoreBlocks(node, kind));
        var maxima = pool is null ? winners with { Buffer = new BufferDraft(winners.Buffer.Size, batched: true, winners.Buffer.HaloTag, grouped: winners.Buffer.Grouped) } : StoreBlocks(pool, kind);
        var kernel = new MaxPoolWinnersKernel(node.As<MaxPoolAttributes>().Window, x.Layout.AsBlocks, maxima.Layout.AsBlocks, winners.Layout.AsBlocks);
        Add(node, "max_pool", kernel, x.Buffer, maxima.Buffer, winners.Buffer);
    }

    /// <summary>Memory for a pool's result, which the convolution before it makes. The convolution's own is never used.</summary>
    private StoredValue StorePooled(Node pool, LayoutKind kind = LayoutKind.Blocked)
    {
        pooled.Add(pool);
        return Store(pool, kind);
    }

    /// <summary>The max pool that is all that reads a value; null where something else does.</summary>
    private Node? PoolOf(Node node) =>
        !training && Readers[node] is { Count: 1 } all && all[0] is { Attributes: MaxPoolAttributes } pool && graph.Outputs.All(o => o.Node != node) ? pool : null;

    /// <summary>The same, of windows of 2x2 that do not overlap; a last row or column that fills none is left out.</summary>
    private Node? HalvingPoolOf(Node node)
    {
        if (PoolOf(node) is not { Attributes: MaxPoolAttributes { Window: var window }, Shape: { Rank: 3 } shape } pool)
        {
            return null;
        }

        var (_, rows, columns) = Axis3.Of(window);
        static bool IsHalf(Axis3 axis, int input, int output) => axis is { Kernel: 2, Stride: 2, PadBegin: 0, Dilation: 1 } && output == input / 2;
        return IsHalf(rows, node.Shape[1], shape[1]) && IsHalf(columns, node.Shape[2], shape[2]) ? pool : null;
    }

    /// <summary>A direct convolution whose rows go into the maxima of a pool; null where it does not compute row after row.</summary>
    /// <param name="plain">Of what the convolution would store.</param>
    private ConvolutionKernel? WithPool(ConvolutionKernel convolution, Layout plain, Node pool)
    {
        var geometry = convolution.Geometry;
        if (!convolution.TakesPool || pool.Shape.Rank != 3 || geometry.Plane != (1, plain.Height, plain.Width))
        {
            return null;
        }

        var rows = new RowPool(pool.As<MaxPoolAttributes>().Window, new Layout(LayoutKind.Blocked, pool.Shape, halos.Of(pool)), plain.Height, plain.Width);
        return rows.IsPossible ? convolution.Into(rows) : null;
    }
}
