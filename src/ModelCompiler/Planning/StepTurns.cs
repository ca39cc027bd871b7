// Steps that one sample goes through together take turns, at blocks of channels or at parts of the plane: what a step writes in its turn is
// still in the second-level cache when the next one reads it, where a whole value of large planes would not be.
using ModelCompiler.Kernels;

namespace ModelCompiler.Planning;

internal static class StepTurns
{
    /// <summary>A place has room for so many blocks of 16 floats between turns.</summary>
    private const int MostBlocks = ushort.MaxValue;

    /// <summary>Floats that the second-level cache, of 1 or 2 MiB, would not keep beside all else until they are read.</summary>
    private const int LeastToCut = 1 << 17;
    private const int LeastToGroup = 1 << 18;

    /// <summary>Replaces kernels whose order of work does not suit the step before or behind them by those that compute the same in an order that does.</summary>
    /// <param name="together">As for <see cref="Of"/>.</param>
    public static void Arrange(List<StepDraft> steps, IReadOnlyList<bool> together)
    {
        for (var i = 0; i + 1 < steps.Count; i++)
        {
            var (step, next) = (steps[i], steps[i + 1]);
            if (together[i] && step.Operands[step.Kernel.ReadOperands] == next.Operands[0] && InTurnsWith(step.Kernel, next.Kernel) is { } kernel)
            {
                steps[i] = step with { Kernel = kernel };
            }
        }
    }

    /// <summary>For each step, at how many parts it and the next one take turns; 0 where the next one waits until it is done.</summary>
    /// <param name="together">For each step, whether a sample goes through it and the next one before the next sample begins.</param>
    public static int[] Of(IReadOnlyList<StepDraft> steps, IReadOnlyList<bool> together)
    {
        var turns = new int[steps.Count];
        for (var first = 0; first < steps.Count;)
        {
            var (next, count) = (first + 1, steps[first].Kernel.Turns);

            // Steps that have joined may take any divisor of their turns.
            while (next < steps.Count && together[next - 1] && Math.Min(count, steps[next].Kernel.Turns) > 0
                && Rounding.CommonDivisor(count, steps[next].Kernel.Turns) is > 1 and var shared && MayJoin(steps, first, next, shared))
            {
                (next, count) = (next + 1, shared);
            }

            for (var step = first; step < next - 1; step++)
            {
                turns[step] = count;
            }

            first = next;
        }

        return turns;
    }

    /// <summary>The steps from the first to the last one of those that take turns, for each step.</summary>
    public static (int First, int Last)[] Ranges(int[] turns)
    {
        var ranges = new (int First, int Last)[turns.Length];
        for (var first = 0; first < turns.Length;)
        {
            var last = first;
            while (turns[last] > 0)
            {
                last++;
            }

            for (var i = first; i <= last; i++)
            {
                ranges[i] = (first, last);
            }

            first = last + 1;
        }

        return ranges;
    }

    /// <summary>Finds what steps leave for one another within a turn, and nobody else: its parts may lie in the same place, which so stays in the cache.</summary>
    /// <param name="turns">As <see cref="Of"/> returns them.</param>
    /// <param name="ranges">As <see cref="Ranges"/> returns them.</param>
    public static void Overlay(IReadOnlyList<StepDraft> steps, int[] turns, (int First, int Last)[] ranges)
    {
        for (var first = 0; first < steps.Count; first = ranges[first].Last + 1)
        {
            if (turns[first] == 0)
            {
                continue;
            }

            var last = ranges[first].Last;
            var uses = Enumerable.Range(first, last + 1 - first)
                .SelectMany(i => steps[i].Operands.Select((o, k) => (Buffer: o.Root, Stride: Stride(steps[i], k, turns[first])))).ToLookup(use => use.Buffer, use => use.Stride);
            foreach (var use in uses)
            {
                var (buffer, stride) = (use.Key, use.First());
                if (buffer is { Batched: true, Grouped: false, Address: null, Inside: null } && buffer.FirstStep == first && buffer.LastStep == last && use.Skip(1).Any()
                    && stride > 0 && stride % Layout.Lanes == 0 && stride / Layout.Lanes <= MostBlocks && use.All(s => s == stride))
                {
                    buffer.TurnStride = stride;
                    buffer.Size -= (turns[first] - 1) * stride;
                }
            }
        }
    }

    /// <summary>The kernel that makes what <paramref name="reader"/> reads first, in that one's order; null where it is as it should be.</summary>
    private static Kernel? InTurnsWith(Kernel kernel, Kernel reader) => (kernel, reader) switch
    {
        // A convolution of a pixel reads all blocks of a part of the plane.
        (PointwiseKernel formula, ConvolutionKernel { Turns: > 1 } convolution) when formula.Output.Size >= LeastToCut => formula.In(convolution.Turns),

        // A depthwise one reads block after block, and so does its weight gradient.
        (ConvolutionKernel wide, DepthwiseKernel { Input: var input }) => GroupByGroup(wide, reader, input),
        (ConvolutionKernel wide, DepthwiseWeightGradientKernel { Input: var input }) => GroupByGroup(wide, reader, input),
        _ => null,
    };

    private static Kernel? GroupByGroup(ConvolutionKernel wide, Kernel depthwise, Layout input) => wide is { Sums: null, Pool: null } && input.Size >= LeastToGroup
        && wide with { GroupByGroup = true } is { Turns: > 1 } grouped && depthwise.Turns % grouped.Turns == 0 ? grouped : null;

    // A turn of one step may use what a turn of another writes only where it is the same turn.
    private static bool MayJoin(IReadOnlyList<StepDraft> steps, int first, int next, int turns)
    {
        var step = steps[next];
        if (!new[] { steps[first], step }.All(s => s.Kernel.Units % s.Kernel.Turns == 0))
        {
            return false;
        }

        for (var i = first; i < next; i++)
        {
            var before = steps[i];
            for (var k = 0; k < before.Operands.Length; k++)
            {
                for (var l = 0; l < step.Operands.Length; l++)
                {
                    var isWritten = k >= before.Kernel.ReadOperands || l >= step.Kernel.ReadOperands;
                    if (isWritten && IsSame(before.Operands[k], step.Operands[l])
                        && (Stride(before, k, turns) == 0 || Stride(before, k, turns) != Stride(step, l, turns)))
                    {
                        return false;
                    }
                }
            }
        }

        return true;
    }

    /// <summary>Floats from one turn's part of an operand to the next one's, where a turn is one of <paramref name="turns"/>; 0 where each may use all of it.</summary>
    private static int Stride(StepDraft step, int operand, int turns) => step.Kernel.TurnStride(operand) * (step.Kernel.Turns / turns);

    /// <summary>Whether two values lie in the same memory while steps are drafted.</summary>
    private static bool IsSame(BufferDraft a, BufferDraft b) => a.Address is { } address ? b.Address == address && address.Region != Region.Scratch : a.Root == b.Root;
}
