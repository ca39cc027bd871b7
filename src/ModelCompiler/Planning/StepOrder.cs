// The order of a training product's steps. Most of its time goes into fetching values that an earlier step has just written,
// for all samples of a batch do not fit the caches, but one does. So steps that work on each sample alone are put next to one
// another where dependencies allow it, and run together sample by sample; those that see the whole batch come before or behind.
using ModelCompiler.Kernels;

namespace ModelCompiler.Planning;

internal static class StepOrder
{
    /// <summary>How far ahead of the first step that is still to come a step may move: keeps lifetimes, and so memory, near those
    /// of the graph's own order.</summary>
    private const int Window = 24;

    /// <summary>Floats of weights that may pass through the second-level cache again for every sample.</summary>
    private const int MostWeights = 1 << 18;

    /// <summary>Steps of the same effect as <paramref name="steps"/>, with those of Sample scope side by side.</summary>
    public static List<StepDraft> Gather(IReadOnlyList<StepDraft> steps)
    {
        var (followers, waits) = Dependencies(steps);
        var ordered = new List<StepDraft>(steps.Count);
        var ready = new SortedSet<int>(Enumerable.Range(0, steps.Count).Where(i => waits[i] == 0));
        var done = new bool[steps.Count];
        var first = 0;
        while (ready.Count > 0)
        {
            // A chain goes on as long as it can. Whatever else is ready comes before the next one begins: what packs weights or joins sums
            // would break it.
            var inChain = ordered.Count > 0 && ordered[ordered.Count - 1].Kernel.Scope == KernelScope.Sample;
            var pick = -1;
            foreach (var step in ready)
            {
                if (step >= first + Window)
                {
                    break;
                }

                if ((steps[step].Kernel.Scope == KernelScope.Sample) == inChain && (!steps[step].IsAgain || followers[step].Any(f => waits[f] == 1)))
                {
                    pick = step;
                    break;
                }
            }

            pick = pick < 0 ? ready.Min : pick;
            ready.Remove(pick);
            done[pick] = true;
            ordered.Add(steps[pick]);
            while (first < steps.Count && done[first])
            {
                first++;
            }

            foreach (var follower in followers[pick])
            {
                if (--waits[follower] == 0)
                {
                    ready.Add(follower);
                }
            }
        }

        return ordered;
    }

    /// <summary>For each step, whether it runs together with the next one.</summary>
    public static bool[] Together(IReadOnlyList<StepDraft> steps)
    {
        var together = new bool[steps.Count];
        var (weights, most) = (0L, 0L);
        for (var i = 0; i < steps.Count; i++)
        {
            var step = steps[i];
            if (step.Kernel.Scope != KernelScope.Sample)
            {
                continue;
            }

            // The largest weights of a group pass by once for each sample in any order.
            var shared = step.Operands.Where(o => !o.Batched).Sum(o => (long)o.Size);
            if (i > 0 && steps[i - 1].Kernel.Scope == KernelScope.Sample && steps[i - 1].ByGroups == step.ByGroups && weights + shared - Math.Max(most, shared) <= MostWeights)
            {
                together[i - 1] = true;
                (weights, most) = (weights + shared, Math.Max(most, shared));
            }
            else
            {
                (weights, most) = (shared, shared);
            }
        }

        return together;
    }

    /// <summary>A step follows whoever wrote what it uses, and whoever used what it writes.</summary>
    private static (List<int>[] Followers, int[] Waits) Dependencies(IReadOnlyList<StepDraft> steps)
    {
        var followers = new List<int>[steps.Count];
        var waits = new int[steps.Count];
        var places = new Places();
        var writers = new List<int>();
        var readers = new List<List<int>>();
        var before = new HashSet<int>();
        for (var i = 0; i < steps.Count; i++)
        {
            followers[i] = [];
            before.Clear();
            var step = steps[i];
            var read = step.Kernel.ReadOperands;
            for (var k = 0; k < step.Operands.Length; k++)
            {
                var place = places.Of(step.Operands[k]);
                if (place < 0)
                {
                    continue;
                }

                if (place == writers.Count)
                {
                    writers.Add(-1);
                    readers.Add([]);
                }

                var users = readers[place];
                if (writers[place] >= 0)
                {
                    before.Add(writers[place]);
                }

                if (k < read)
                {
                    users.Add(i);
                }
                else
                {
                    before.UnionWith(users);
                    users.Clear();
                    writers[place] = i;
                }
            }

            before.Remove(i);
            waits[i] = before.Count;
            foreach (var other in before)
            {
                followers[other].Add(i);
            }
        }

        return (followers, waits);
    }

    /// <summary>Memory by numbers in the order of appearance.</summary>
    private sealed class Places
    {
        private readonly Dictionary<BufferDraft, int> drafts = new();
        private readonly Dictionary<Address, int> addresses = new();

        /// <summary>-1 for a thread's scratch memory, which nobody finds again.</summary>
        public int Of(BufferDraft buffer)
        {
            var next = drafts.Count + addresses.Count;
            if (buffer.Address is not { } address)
            {
                return Number(drafts, buffer, next);
            }

            return address.Region == Region.Scratch ? -1 : Number(addresses, address, next);
        }

        private static int Number<T>(Dictionary<T, int> numbers, T key, int next)
            where T : notnull
        {
            if (!numbers.TryGetValue(key, out var number))
            {
                numbers.Add(key, number = next);
            }

            return number;
        }
    }
}
