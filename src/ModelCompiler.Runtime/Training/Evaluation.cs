// A network's answers on a dataset, compared with the truth.
namespace ModelCompiler.Runtime;

/// <summary>What came out of running a classifier over a dataset.</summary>
public sealed class Evaluation
{
    private readonly long[] byRank;

    private Evaluation(int classes, int[] predictions)
    {
        Confusion = new ConfusionMatrix(classes);
        Predictions = predictions;
        byRank = new long[classes];
    }

    public ConfusionMatrix Confusion { get; }

    /// <summary>The class with the highest score for each label of the dataset, in its order.</summary>
    public IReadOnlyList<int> Predictions { get; }

    public double Accuracy => Confusion.Accuracy;

    /// <summary>Runs the network over all samples; a last batch that is not full counts its real samples only.</summary>
    /// <param name="output">Index of the output with scores: [classes], or [classes, positions…] as the labels' shape.</param>
    /// <exception cref="DatasetException">Data and network do not fit.</exception>
    public static Evaluation Of(InferenceNetwork network, Dataset data, int output = 0)
    {
        Check(network.Info, data, output);
        var positions = data.LabelCount;
        var predictions = new int[data.Count * positions];
        var result = new Evaluation(data.Classes, predictions);
        for (var start = 0; start < data.Count; start += network.Batch)
        {
            var count = Math.Min(network.Batch, data.Count - start);
            for (var i = 0; i < count; i++)
            {
                data.Input(start + i).CopyTo(network.Inputs[0].Sample(i));
            }

            network.Forward();
            for (var i = 0; i < count; i++)
            {
                result.Add(network.Outputs[output].Sample(i), data.Labels(start + i), predictions.AsSpan((start + i) * positions, positions));
            }
        }

        return result;
    }

    /// <summary>The part of labels that are among the <paramref name="k"/> highest scores.</summary>
    public double TopK(int k) => (double)byRank.Take(k).Sum() / Confusion.Total;

    private static void Check(NetworkInfo network, Dataset data, int output)
    {
        data.CheckInput(network);
        if ((uint)output >= (uint)network.Outputs.Length)
        {
            throw new ArgumentOutOfRangeException(nameof(output), output, $"'{network.Name}' has {network.Outputs.Length} outputs.");
        }

        var scores = network.Outputs[output];
        if (scores.Shape.Length == 0 || scores.Shape[0] != data.Classes || !scores.Shape.Skip(1).SequenceEqual(data.LabelShape))
        {
            throw new DatasetException(
                $"output '{scores.Name}' of '{network.Name}' is {Shapes.Text(scores.Shape)}; for {data.Classes} classes and labels of {Shapes.Text(data.LabelShape)} it must be {Shapes.Text([data.Classes, .. data.LabelShape])}.");
        }
    }

    private void Add(ReadOnlySpan<float> scores, ReadOnlySpan<int> labels, Span<int> predictions)
    {
        var positions = labels.Length;
        for (var position = 0; position < positions; position++)
        {
            var truth = labels[position];
            var best = 0;
            var rank = 0;
            for (var c = 0; c < Confusion.Classes; c++)
            {
                var score = scores[(c * positions) + position];
                if (score > scores[(best * positions) + position])
                {
                    best = c;
                }

                // Of equal scores the lower class ranks first, as in the choice of the best.
                var truthScore = scores[(truth * positions) + position];
                if (score > truthScore || (score == truthScore && c < truth))
                {
                    rank++;
                }
            }

            predictions[position] = best;
            Confusion.Add(truth, best);
            byRank[rank]++;
        }
    }
}
