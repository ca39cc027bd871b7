// Fills a network's inputs and targets. The network's own threads do it, each sample with random numbers of its own,
// so augmentation is as parallel as training and does not depend on the number of threads.
namespace ModelCompiler.Runtime;

internal sealed class BatchSource
{
    private readonly TrainingNetwork network;
    private readonly Dataset data;
    private readonly Augmentation? augmentation;
    private readonly ulong seed;
    private readonly int[] order;
    private readonly RandomGenerator[] generators;
    private int epoch;
    private long start;

    public BatchSource(TrainingNetwork network, Dataset data, Augmentation? augmentation, ulong seed)
    {
        this.network = network;
        this.data = data;
        this.augmentation = augmentation;
        this.seed = seed;
        order = new int[data.Count];
        generators = augmentation is null ? [] : Enumerable.Range(0, network.Batch).Select(_ => new RandomGenerator(0)).ToArray();
        augmentation?.Check(data.Shape);
    }

    /// <summary>Depends on the seed and the epoch only, so a resumed run needs no generator's state.</summary>
    public void BeginEpoch(int epoch, bool shuffle)
    {
        this.epoch = epoch;
        for (var i = 0; i < order.Length; i++)
        {
            order[i] = i;
        }

        if (shuffle)
        {
            new RandomGenerator(seed, (ulong)epoch).Shuffle<int>(order);
        }
    }

    /// <summary>The batch that begins at position <paramref name="start"/> of the epoch's order, wrapping at its end.</summary>
    public unsafe void Fill(long start)
    {
        this.start = start;
        network.Source = this;
        network.Run(&FillSamples, network.Batch);
    }

    private static void FillSamples(CompiledNetwork network, int begin, int end)
    {
        var self = ((TrainingNetwork)network).Source!;
        for (var i = begin; i < end; i++)
        {
            var sample = self.order[(int)((self.start + i) % self.order.Length)];
            var input = network.Inputs[0].Sample(i);
            self.data.Input(sample).CopyTo(input);
            self.data.Labels(sample).CopyTo(network.Targets[0].SampleClasses(i));
            if (self.augmentation is not null)
            {
                // A family of streams of its own, apart from those of the shuffling.
                self.generators[i].Reseed(~self.seed, (ulong)(((long)self.epoch * self.data.Count) + sample));
                self.augmentation.Apply(input, self.data.Shape, self.generators[i]);
            }
        }
    }
}
