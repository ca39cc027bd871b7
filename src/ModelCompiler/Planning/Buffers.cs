// Where values live. While steps are drafted a buffer is only a size and a lifetime; when all are known, each gets
// its offset. Values whose lives do not overlap share memory, those with a halo only with their like, because
// the halo's zeros are written once.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using ModelCompiler.Kernels;

namespace ModelCompiler.Planning;

/// <summary>A piece of memory before it has an address.</summary>
/// <param name="grouped">Whether it holds sixteen samples rather than one; such a buffer is batched.</param>
internal sealed class BufferDraft(int size, bool batched, string haloTag, bool grouped = false)
{
    public int Size { get; set; } = size;

    public bool Batched { get; } = batched;

    public bool Grouped { get; } = grouped;

    /// <summary>Layout tag for buffers with a halo, else empty: only equal ones share memory.</summary>
    public string HaloTag { get; } = haloTag;

    public Address? Address { get; set; }

    public int FirstStep { get; set; } = int.MaxValue;

    public int LastStep { get; set; } = -1;

    /// <summary>The buffer whose memory this one takes over.</summary>
    public BufferDraft? Instead { get; set; }

    /// <summary>The buffer that this one is a part of, and where it begins there.</summary>
    public (BufferDraft Whole, int Offset)? Inside { get; set; }

    /// <summary>Floats from one turn's part of it to the next one's, where steps that take turns use it for nothing else: there is memory for one part
    /// only. Else 0.</summary>
    public int TurnStride { get; set; }

    /// <summary>The buffer that gets an address for this one.</summary>
    public BufferDraft Root => Instead?.Root ?? this;
}

/// <summary>A stored value: memory and how the value lies in it.</summary>
internal sealed record StoredValue(BufferDraft Buffer, Layout Layout);

/// <param name="IsAgain">Whether it computes what an earlier step has computed: late, for the memory's sake.</param>
/// <param name="WithoutKeptFilters">As in <see cref="Step"/>.</param>
internal sealed record StepDraft(
    string Name, string Description, Kernel Kernel, ImmutableArray<BufferDraft> Operands, Origin Origin, bool Prepare, bool IsAgain, Kernel? WithoutKeptFilters = null)
{
    /// <summary>Whether it runs for each sixteen samples.</summary>
    public bool ByGroups => Kernel.Scope == KernelScope.Sample && Operands.Any(o => o.Grouped);

    /// <summary>Floats of an operand for what the kernel is called for: one sample, or sixteen.</summary>
    public int SizeOf(BufferDraft operand) => operand.Grouped && !ByGroups ? operand.Size / Layout.Lanes : operand.Size;
}

/// <summary>What values need, and in what turns.</summary>
/// <param name="Sample">Floats for each sample.</param>
/// <param name="Group">Floats for each sixteen samples.</param>
/// <param name="Common">Floats for all.</param>
/// <param name="Scratch">Floats for each thread.</param>
/// <param name="Preparation">Floats that only the preparation needs.</param>
/// <param name="Turns">As <see cref="StepTurns.Of"/> returns them.</param>
internal sealed record MemoryPlan(int Sample, int Group, int Common, int Scratch, int Preparation, int[] Turns)
{
    /// <summary>Gives every buffer without an address one.</summary>
    /// <param name="steps">Those of the preparation first.</param>
    /// <param name="together">For each step, whether samples take turns at it and the next one.</param>
    /// <param name="scratch">Floats for each thread that kernels need.</param>
    public static MemoryPlan Assign(IReadOnlyList<StepDraft> steps, IReadOnlyList<bool> together, int scratch)
    {
        var buffers = new List<BufferDraft>();
        var seen = new HashSet<BufferDraft>();
        for (var step = 0; step < steps.Count; step++)
        {
            // A buffer lives as long as any part of it.
            foreach (var operand in steps[step].Operands)
            {
                for (var buffer = operand; buffer is not null; buffer = buffer.Inside?.Whole)
                {
                    buffer.FirstStep = Math.Min(buffer.FirstStep, step);
                    buffer.LastStep = Math.Max(buffer.LastStep, step);
                    if (buffer.Address is null && seen.Add(buffer))
                    {
                        buffers.Add(buffer);
                    }
                }
            }
        }

        // While one sample goes through steps that run together, nobody else does on the same thread: what lives no longer than that
        // is the thread's, stays in its caches, and is never written to memory.
        var lastOf = new int[steps.Count];
        for (var step = steps.Count - 1; step >= 0; step--)
        {
            lastOf[step] = together[step] ? lastOf[step + 1] : step;
        }

        bool IsShort(BufferDraft buffer) => buffer.LastStep <= lastOf[buffer.FirstStep] && buffer.FirstStep < lastOf[buffer.FirstStep];
        for (var step = 0; step < steps.Count; step++)
        {
            ReplaceInput(steps[step], step, IsShort);
        }

        // While steps take turns all that any of them uses is in use.
        var turns = StepTurns.Of(steps, together);
        var ranges = StepTurns.Ranges(turns);
        foreach (var buffer in buffers)
        {
            (buffer.FirstStep, buffer.LastStep) = (ranges[buffer.FirstStep].First, ranges[buffer.LastStep].Last);
        }

        // What belongs to no sample is small or lives for ever (packed weights): no sharing. But what packed weights are made of ends
        // with the preparation.
        var prepared = steps.Count(s => s.Prepare);
        var preparation = Pack(Region.Preparation, buffers.Where(b => !b.Batched && b.LastStep < prepared).ToList(), 0);
        var common = 0;
        foreach (var buffer in buffers.Where(b => !b.Batched && b.Address is null))
        {
            buffer.Address = new Address(Region.Common, common);
            common = checked(common + Round(buffer.Size));
        }

        StepTurns.Overlay(steps, turns, ranges);
        var (sample, group, thread) = (0, 0, Round(scratch));
        foreach (var pool in buffers.Where(b => b.Batched && b.Instead is null && b.Inside is null)
            .GroupBy(b => b.HaloTag.Length > 0 && b.TurnStride > 0 ? b.HaloTag + " in turns" : b.HaloTag).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            var isShort = pool.ToLookup(IsShort);
            thread = Pack(Region.Scratch, isShort[true].ToList(), thread);
            sample = Pack(Region.Samples, isShort[false].Where(b => !b.Grouped).ToList(), sample);
            group = Pack(Region.Groups, isShort[false].Where(b => b.Grouped).ToList(), group);
        }

        foreach (var buffer in buffers.Where(b => b.Instead is not null))
        {
            buffer.Address = buffer.Root.Address;
        }

        foreach (var buffer in buffers.Where(b => b.Inside is not null))
        {
            buffer.Address = Place(buffer);
        }

        // A stride of a power of two would put all samples into the same cache sets.
        sample = Round(sample);
        return new MemoryPlan(sample == 0 ? 16 : sample % 1024 == 0 ? sample + 16 : sample, group > 0 && group % 1024 == 0 ? group + 16 : group, common == 0 ? 16 : common, thread, preparation, turns);
    }

    private static Address Place(BufferDraft buffer)
    {
        if (buffer.Inside is not { } inside)
        {
            return buffer.Address!.Value;
        }

        var whole = Place(inside.Whole);
        return whole with { Offset = checked(whole.Offset + inside.Offset) };
    }

    /// <summary>A formula's result takes the place of an operand that nobody needs any more: memory that is only written would be
    /// fetched first. A result that stays in the caches does not: an operand that does not would be written to memory once more.</summary>
    private static void ReplaceInput(StepDraft step, int index, Func<BufferDraft, bool> isShort)
    {
        if (step.Kernel is not PointwiseKernel { Scope: KernelScope.Sample } kernel)
        {
            return;
        }

        var result = step.Operands[step.Operands.Length - 1];
        if (result.Address is not null || !result.Batched || result.FirstStep != index || result.Inside is not null)
        {
            return;
        }

        for (var k = 0; k < kernel.Inputs.Length; k++)
        {
            var input = step.Operands[k];
            if (input.Batched && input.Address is null && input.Inside is null && input.Root.LastStep == index && input.Size == result.Size && input.HaloTag == result.HaloTag
                && kernel.Inputs[k].Equals(kernel.Output) && step.Operands.Count(o => o.Root == input.Root) == 1 && (!isShort(result) || isShort(input.Root)))
            {
                result.Instead = input;
                input.Root.LastStep = result.LastStep;
                return;
            }
        }
    }

    private static int Pack(Region region, List<BufferDraft> pool, int start)
    {
        // Largest first, each at the lowest place that is free for its whole life.
        var placed = new List<(int Begin, int End, int FirstStep, int LastStep)>();
        var end = start;
        foreach (var buffer in pool.OrderByDescending(b => b.Size).ThenBy(b => b.FirstStep))
        {
            var size = Round(buffer.Size);
            var offset = start;
            foreach (var other in placed)
            {
                if (other.FirstStep <= buffer.LastStep && buffer.FirstStep <= other.LastStep)
                {
                    if (offset + size <= other.Begin)
                    {
                        break;
                    }

                    offset = Math.Max(offset, other.End);
                }
            }

            buffer.Address = new Address(region, offset, buffer.TurnStride / Layout.Lanes);
            var stop = checked(offset + size);
            var index = placed.FindIndex(o => o.Begin > offset);
            placed.Insert(index < 0 ? placed.Count : index, (offset, stop, buffer.FirstStep, buffer.LastStep));
            end = Math.Max(end, stop);
        }

        return end;
    }

    private static int Round(int floats) => checked((floats + 15) / 16 * 16);
}
