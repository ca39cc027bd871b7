// Kernels, dispatch and updates allocate nothing: a collection in the middle of training would cost more than a step.
namespace ModelCompiler.Runtime.Tests;

[CollectionDefinition(nameof(AllocationTests), DisableParallelization = true)]
[Collection(nameof(AllocationTests))]
public class AllocationTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void DispatchAllocatesNothing(int threads)
    {
        using var probe = new Probe(threads);
        AssertNoBytes(() => probe.Count(100));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void TrainingStepAllocatesNothing(int threads)
    {
        using var adam = new LogisticTraining(threads: threads, optimizer: new Adam { ClipNorm = 1 });
        AssertNoBytes(() => adam.Step());
        using var sgd = new LogisticTraining(threads: threads, optimizer: new Sgd(momentum: 0.9f));
        AssertNoBytes(() => sgd.Step());
    }

    [Fact]
    public void ForwardAllocatesNothing()
    {
        using var network = new LogisticInference(threads: 2);
        AssertNoBytes(network.Forward);
        AssertNoBytes(() =>
        {
            network.Parameters.Touch();
            network.Forward();
        });
    }

    /// <summary>Counts all threads. The test host allocates now and then, so one clean round is the proof: an action that
    /// allocates has none.</summary>
    private static void AssertNoBytes(Action action)
    {
        action();
        var least = long.MaxValue;
        for (var round = 0; round < 200 && least > 0; round++)
        {
            var before = GC.GetTotalAllocatedBytes(precise: true);
            for (var i = 0; i < 20; i++)
            {
                action();
            }

            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
        }

        Assert.Equal(0, least);
    }
}
