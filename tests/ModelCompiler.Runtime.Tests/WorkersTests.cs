// The pool must do every unit exactly once, whatever the timing, and never lose a caller.
namespace ModelCompiler.Runtime.Tests;

public class WorkersTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(8)]
    public void EveryUnitIsDoneOnce(int threads)
    {
        using var probe = new Probe(threads);
        var random = new RandomGenerator((ulong)threads);
        var expected = new int[probe.Counts.Length];
        for (var run = 0; run < 20_000; run++)
        {
            var units = random.Next(40);
            probe.Count(units);
            for (var unit = 0; unit < units; unit++)
            {
                expected[unit]++;
            }
        }

        Assert.Equal(expected, probe.Counts);
    }

    [Fact]
    public void WakesWorkersThatSleep()
    {
        using var probe = new Probe(3);
        for (var run = 1; run <= 100; run++)
        {
            Thread.Sleep(run % 3);
            probe.Count(100);
            Assert.All(probe.Counts[..100], count => Assert.Equal(run, count));
        }
    }

    [Fact]
    public void SeveralCallersShareAPool()
    {
        var callers = Enumerable.Range(0, 6).Select(_ => new Probe(4)).ToArray();
        var threads = Array.ConvertAll(callers, probe => new Thread(() =>
        {
            for (var run = 0; run < 5_000; run++)
            {
                probe.Count(17);
            }
        }));
        Array.ForEach(threads, t => t.Start());
        Assert.All(threads, t => Assert.True(t.Join(TimeSpan.FromMinutes(1)), "a caller hangs"));
        Assert.All(callers, probe => Assert.All(probe.Counts[..17], count => Assert.Equal(5_000, count)));
    }

    [Fact]
    public void WorkInsideWorkDoesNotDeadlock()
    {
        using var probe = new Probe(4);
        for (var run = 0; run < 200; run++)
        {
            probe.CountNested(20);
        }

        Assert.All(probe.Counts[..7], count => Assert.Equal(4_000, count));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void AnExceptionReachesTheCallerAndThePoolSurvives(int threads)
    {
        using var probe = new Probe(threads);
        for (var failing = 0; failing < 50; failing++)
        {
            probe.FailAt = failing;
            var exception = Assert.Throws<InvalidDataException>(() => probe.Count(50));
            Assert.Equal($"unit {failing}", exception.Message);
        }

        probe.FailAt = -1;
        Array.Clear(probe.Counts);
        probe.Count(50);
        Assert.All(probe.Counts[..50], count => Assert.Equal(1, count));
    }
}
