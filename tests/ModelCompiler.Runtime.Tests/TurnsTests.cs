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

    /// <summary>Steps that take turns within a sample see one part after another, each where the one before it was.</summary>
    [Theory]
    [InlineData(1, 1)]
    [InlineData(4, 3)]
    public void StepsMayTakeTurnsWithinASample(int batch, int threads)
    {
        using var network = new PartTaker(batch, threads);
        for (var run = 0; run < 100; run++)
        {
            network.Run();

            // Of turn 0: units 0 and 1, then 0; and so on, each digit a part that the other step has just left.
            Assert.Equal(Enumerable.Range(0, batch).Select(sample => 10f + 32 + 54), network.Results());
        }
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

    /// <summary>A step of two units for each of three turns, and one of a single unit; their memory is one part that all turns share.</summary>
    private sealed unsafe class PartTaker(int batch, int threads) : CompiledNetwork(Logistic.Info with { ScratchBytes = 1024 }, null, batch, threads)
    {
        public void Run() => Steps.Defer(&Clear, 1, [Place.Samples])
            .Defer(&Leave, 6, [Place.Scratch + Place.Next + 16], 3)
            .Samples(&Take, 3, [Place.Scratch + Place.Next + 16, Place.Samples]);

        public float[] Results() => [.. Enumerable.Range(0, Batch).Select(sample => Samples[sample * SampleFloats])];

        private static void Clear(in StepMemory m, int begin, int end) => *m[0] = 0;

        private static void Leave(in StepMemory m, int begin, int end)
        {
            // What the turn before has left is where this one writes.
            Assert.Equal(begin + 2, end);
            Assert.True(begin == 0 || m[0][begin / 2 * 16] == begin - 2);
            m[0][begin / 2 * 16] = begin;
            m[0][(begin / 2 * 16) + 1] = end - 1;
        }

        private static void Take(in StepMemory m, int begin, int end)
        {
            Assert.Equal(begin + 1, end);
            *m[1] += m[0][begin * 16] + (10 * m[0][(begin * 16) + 1]);
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
