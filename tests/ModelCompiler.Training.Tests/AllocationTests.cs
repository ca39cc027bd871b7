// Steps allocate nothing: not in the network, not in the loop around it, on no thread.
namespace ModelCompiler.Training.Tests;

[CollectionDefinition(nameof(AllocationTests), DisableParallelization = true)]
[Collection(nameof(AllocationTests))]
public class AllocationTests
{
    private const int Epochs = 4;
    private const int StepsPerEpoch = 40;

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void TheTrainersStepsAllocateNothing(int threads)
    {
        using var training = new Kept.Training(4, threads, optimizer: new Lamb { ClipNorm = 1, ClipValue = 1 });
        var (mine, all) = (new List<long>(1000), new List<long>(1000));
        var (lastMine, lastAll) = (0L, 0L);
        var trainer = new Trainer(training)
        {
            Augmentation = Augmentation.Of(Augmentation.Flip(), Augmentation.Crop(1), Augmentation.Cutout(2), Augmentation.ColorJitter(0.1f, 0.1f, 0.1f)),
            BatchesPerStep = 2,
            Schedule = Schedule.OneCycle().WithWarmUp(5),
            Average = new WeightAverage(training.Parameters),
            OnStep = progress =>
            {
                // The first step of an epoch begins with the result of the one before.
                var (nowMine, nowAll) = (GC.GetAllocatedBytesForCurrentThread(), GC.GetTotalAllocatedBytes(precise: true));
                if (progress.Step > 1)
                {
                    mine.Add(nowMine - lastMine);
                    all.Add(nowAll - lastAll);
                }

                (lastMine, lastAll) = (GC.GetAllocatedBytesForCurrentThread(), GC.GetTotalAllocatedBytes(precise: true));
            },
        };
        trainer.Fit(Data.Images(2 * 4 * StepsPerEpoch, 1), Epochs);

        // The runtime may allocate once for itself, on any thread: tables that grow, code that is compiled again. A step would do so in every epoch.
        const int measured = StepsPerEpoch - 1;
        Assert.Equal(Epochs * measured, mine.Count);
        Assert.All(Enumerable.Range(0, measured), step => Assert.Equal(0, Enumerable.Range(0, Epochs).Min(epoch => mine[(epoch * measured) + step])));

        // The test host allocates now and then on threads of its own; workers and the data thread would do so at every step.
        Assert.True(all.Count(bytes => bytes == 0) > all.Count / 10, $"only {all.Count(bytes => bytes == 0)} of {all.Count} steps allocated nothing on any thread");
    }
}
