// Fills a network's inputs and targets. Every sample has random numbers of its own, by seed, epoch and sample, so a
// batch is a function of its place in the run: it does not matter who makes it, when, and on how many threads.
namespace ModelCompiler.Runtime;

internal sealed class BatchSource : IDisposable
{
    private readonly TrainingNetwork network;
    private readonly Dataset data;
    private readonly Augmentation? augmentation;
    private readonly double mixup;
    private readonly ulong seed;
    private readonly bool shuffle;
    private readonly long samplesPerEpoch;
    private readonly int[] order;
    private readonly RandomGenerator random = new(0);
    private readonly Prefetcher? ahead;

    // What the prefetcher makes; targets are class numbers or their probabilities.
    private readonly float[] inputs = [];
    private readonly int[] classes = [];
    private readonly float[] probabilities = [];
    private int epoch = -1;
    private long start;

    /// <param name="samplesPerEpoch">Where the next epoch begins; may exceed the number of samples, whose order then begins again.</param>
    public BatchSource(TrainingNetwork network, Dataset data, Trainer trainer, long samplesPerEpoch)
    {
        this.network = network;
        this.data = data;
        this.samplesPerEpoch = samplesPerEpoch;
        augmentation = trainer.Augmentation;
        mixup = trainer.Mixup;
        seed = trainer.ShuffleSeed;
        shuffle = trainer.Shuffle;
        order = new int[data.Count];
        augmentation?.Check(data.Shape);
        if (augmentation is not null || mixup > 0)
        {
            inputs = new float[network.Batch * data.SampleCount];
            var target = network.Targets[0];
            (classes, probabilities) = target.Info.Kind == TensorKind.Class
                ? (new int[network.Batch * target.SampleCount], probabilities)
                : (classes, new float[network.Batch * target.SampleCount]);
            ahead = new Prefetcher(Make);
        }
    }

    /// <summary>The batch that begins at position <paramref name="start"/> of an epoch's order, wrapping at its end.</summary>
    public unsafe void Fill(int epoch, long start)
    {
        if (ahead is null)
        {
            Begin(epoch, start);
            network.Source = this;
            network.Run(&CopySamples, network.Batch);
            return;
        }

        ahead.Wait(epoch, start);
        inputs.CopyTo(network.Inputs[0].Data);
        if (classes.Length > 0)
        {
            classes.CopyTo(network.Targets[0].Classes);
        }
        else
        {
            probabilities.CopyTo(network.Targets[0].Data);
        }

        var next = start + network.Batch;
        ahead.Begin(next < samplesPerEpoch ? epoch : epoch + 1, next < samplesPerEpoch ? next : 0);
    }

    public void Dispose() => ahead?.Dispose();

    private static void CopySamples(CompiledNetwork network, int begin, int end)
    {
        var self = ((TrainingNetwork)network).Source!;
        var target = network.Targets[0];
        for (var i = begin; i < end; i++)
        {
            var sample = self.SampleAt(i);
            self.data.Input(sample).CopyTo(network.Inputs[0].Sample(i));
            if (target.Info.Kind == TensorKind.Class)
            {
                self.data.Labels(sample).CopyTo(target.SampleClasses(i));
            }
            else
            {
                WriteProbabilities(self.data.Labels(sample), target.Sample(i));
            }
        }
    }

    /// <summary>1 at the class of each position, 0 elsewhere; the classes are the first axis.</summary>
    private static void WriteProbabilities(ReadOnlySpan<int> labels, Span<float> target)
    {
        target.Clear();
        for (var position = 0; position < labels.Length; position++)
        {
            target[(labels[position] * labels.Length) + position] = 1;
        }
    }

    private int SampleAt(int i) => order[(int)((start + i) % order.Length)];

    /// <summary>An epoch's order depends on the seed and its number only, so a resumed run needs no generator's state.</summary>
    private void Begin(int epoch, long start)
    {
        this.start = start;
        if (this.epoch == epoch)
        {
            return;
        }

        this.epoch = epoch;
        for (var i = 0; i < order.Length; i++)
        {
            order[i] = i;
        }

        if (shuffle)
        {
            random.Reseed(seed, (ulong)epoch);
            random.Shuffle<int>(order);
        }
    }

    /// <summary>On the prefetcher's thread.</summary>
    private void Make(int epoch, long start)
    {
        Begin(epoch, start);
        var (size, labels) = (data.SampleCount, data.LabelCount);
        for (var i = 0; i < network.Batch; i++)
        {
            var sample = SampleAt(i);
            var input = inputs.AsSpan(i * size, size);
            data.Input(sample).CopyTo(input);
            if (classes.Length > 0)
            {
                data.Labels(sample).CopyTo(classes.AsSpan(i * labels, labels));
            }
            else
            {
                WriteProbabilities(data.Labels(sample), probabilities.AsSpan(i * labels * data.Classes, labels * data.Classes));
            }

            // A family of streams of its own, apart from those of the shuffling.
            random.Reseed(~seed, (ulong)(((long)epoch * data.Count) + sample));
            augmentation?.Apply(input, data.Shape, random);
        }

        if (mixup > 0)
        {
            random.Reseed(RandomBits.Mix(seed), (ulong)(((long)epoch * samplesPerEpoch) + start));
            var share = (float)random.NextBeta(mixup, mixup);
            Mix(inputs, size, share);
            Mix(probabilities, labels * data.Classes, share);
        }
    }

    /// <summary>Mixes the first sample with the last, the second with the last but one, …: their order is random anyway.</summary>
    private void Mix(Span<float> values, int size, float share)
    {
        for (var (i, j) = (0, network.Batch - 1); i < j; i++, j--)
        {
            var first = values.Slice(i * size, size);
            var second = values.Slice(j * size, size);
            for (var k = 0; k < size; k++)
            {
                (first[k], second[k]) = ((share * first[k]) + ((1 - share) * second[k]), (share * second[k]) + ((1 - share) * first[k]));
            }
        }
    }
}
