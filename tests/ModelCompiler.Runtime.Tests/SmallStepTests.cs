// A step of few cycles is done by the thread that comes to it: others would take longer to hear of it than it takes.
namespace ModelCompiler.Runtime.Tests;

public class SmallStepTests
{
    [Theory]
    [InlineData(1, 1000, 1)]
    [InlineData(1, (2 * Workers.LeastCycles) - 1, 1)]
    [InlineData(1, 2 * Workers.LeastCycles, 2)]
    [InlineData(1, 3 * Workers.LeastCycles, 3)]
    [InlineData(1, int.MaxValue, 4)]
    [InlineData(5, Workers.LeastCycles, 4)]
    [InlineData(5, Workers.LeastCycles / 5, 1)]
    public void ThereAreAsManyPartsAsTheWorkIsWorth(int batch, int cycles, int parts)
    {
        using var network = new Counter(batch);
        network.Whole(cycles);
        Assert.Equal((parts, 64), network.Counts);
        network.OfSamples(cycles);
        Assert.Equal(64 * batch, network.Counts.Units);
    }

    private sealed unsafe class Counter(int batch) : CompiledNetwork(Logistic.Info with { ScratchBytes = 64, CommonBytes = 64 }, null, batch, threads: 4)
    {
        public (int Calls, int Units) Counts => (((int*)Common)[0], ((int*)Common)[1]);

        public void Whole(int cycles)
        {
            *(long*)Common = 0;
            Steps.Batch(&Count, 64, [Place.Common], cycles);
        }

        public void OfSamples(int cycles)
        {
            *(long*)Common = 0;
            Steps.Samples(&Count, 64, [Place.Common], cycles);
        }

        private static void Count(in StepMemory m, int begin, int end)
        {
            Interlocked.Increment(ref ((int*)m[0])[0]);
            Interlocked.Add(ref ((int*)m[0])[1], end - begin);
        }
    }
}
