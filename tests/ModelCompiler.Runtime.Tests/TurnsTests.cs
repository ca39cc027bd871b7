// Steps that are put off run together, sample by sample: each sample goes through all of them on one thread, whose scratch memory
// keeps what one step leaves for the next.
namespace ModelCompiler.Runtime.Tests;

public class TurnsTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 8)]
    [InlineData(5, 1)]
    [InlineData(5, 2)]
    [InlineData(5, 3)]
    [InlineData(2, 8)]
    public void EverySampleGoesThroughAllStepsOnOneThread(int batch, int threads)
    {
        using var network = new TurnTaker(batch, threads);
        for (var run = 0; run < 200; run++)
        {
            network.Turn();
            Assert.Equal(Enumerable.Range(0, batch).Select(sample => 111f), network.Results());
        }
    }

    [Fact]
    public void AClockSeesEachStepOnce()
    {
        using var network = new TurnTaker(3, 1);
        network.Turn();
        network.Clock = new StepClock(16);
        network.Clock.Restart();
        network.Turn();
        Assert.Equal(12, network.Clock.Count);
    }

    /// <summary>Sixteen samples are a group, also where the last are fewer; alone and in turns.</summary>
    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(16, 3, 1)]
    [InlineData(17, 1, 2)]
    [InlineData(100, 8, 7)]
    public void EveryGroupIsServedOnce(int batch, int threads, int groups)
    {
        using var network = new GroupCounter(batch, threads);
        for (var run = 1; run <= 100; run++)
        {
            network.Count();
            Assert.Equal(Enumerable.Range(0, groups).Select(_ => (float)(6 * run)), network.Results(groups));
        }
    }

    private sealed unsafe class GroupCounter(int batch, int threads) : CompiledNetwork(Logistic.Info with { GroupBytes = 64 }, null, batch, threads)
    {
        public void Count()
        {
            Steps.Groups(&Add, 3, [Place.Groups]).Defer(&Add, 2, [Place.Groups]).Groups(&Add, 1, [Place.Groups + 15]);
            Steps.Batch(&Gather, 1, [Place.Groups, Place.Groups + 15]);
        }

        public float[] Results(int groups) => [.. Enumerable.Range(0, groups).Select(group => Groups[group * GroupFloats])];

        /// <summary>Units of one group may run on several threads at once, so that each of them is added as a whole.</summary>
        private static void Add(in StepMemory m, int begin, int end)
        {
            float seen;
            do
            {
                seen = Volatile.Read(ref *m[0]);
            }
            while (Interlocked.CompareExchange(ref *m[0], seen + (end - begin), seen) != seen);
        }

        private static void Gather(in StepMemory m, int begin, int end)
        {
            for (var group = 0; group * 16 < m.Batch; group++)
            {
                m[0][group * m.Stride(0)] += m[1][group * m.Stride(1)];
                m[1][group * m.Stride(1)] = 0;
            }
        }
    }

    /// <summary>Steps add to what they find in the thread's scratch memory, which the first one clears.</summary>
    private sealed unsafe class TurnTaker(int batch, int threads) : CompiledNetwork(Logistic.Info with { ScratchBytes = 64 }, null, batch, threads)
    {
        public void Turn()
        {
            Steps.Defer(&Clear, 1, [Place.Scratch]);
            for (var i = 0; i < 10; i++)
            {
                Steps.Defer(&AddOne, 2 + (i % 2), [Place.Scratch]);
            }

            Steps.Samples(&Store, 1, [Place.Samples, Place.Scratch]);
        }

        public float[] Results() => [.. Enumerable.Range(0, Batch).Select(sample => Samples[sample * SampleFloats])];

        private static void Clear(in StepMemory m, int begin, int end) => *m[0] = 86;

        private static void AddOne(in StepMemory m, int begin, int end) => *m[0] += end - begin;

        private static void Store(in StepMemory m, int begin, int end) => *m[0] = *m[1];
    }
}
