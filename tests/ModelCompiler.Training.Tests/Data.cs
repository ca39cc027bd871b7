// Data and runs that several tests share.
namespace ModelCompiler.Training.Tests;

internal static class Data
{
    /// <summary>Pictures whose class shows in their mean, as far as noise lets it.</summary>
    public static Dataset Images(int count, ulong seed, int classes = 5)
    {
        var random = new RandomGenerator(seed);
        var labels = Enumerable.Range(0, count).Select(_ => random.Next(classes)).ToArray();
        var inputs = labels.SelectMany(label => Enumerable.Range(0, 3 * 9 * 6).Select(_ => (float)((label - 2) * 0.3 + random.NextNormal()))).ToArray();
        return new Dataset([3, 9, 6], inputs, labels, classes);
    }

    /// <summary>Fills inputs and targets of a network.</summary>
    public static void Fill(TrainingNetwork network, ulong seed)
    {
        var random = new RandomGenerator(seed);
        foreach (ref var value in network.Inputs[0].Data)
        {
            value = (float)random.NextNormal();
        }

        foreach (ref var label in network.Targets[0].Classes)
        {
            label = random.Next(network.Targets[0].Info.Classes);
        }
    }

    public static uint[] Bits(ReadOnlySpan<float> values)
    {
        var bits = new uint[values.Length];
        for (var i = 0; i < bits.Length; i++)
        {
            bits[i] = BitConverter.SingleToUInt32Bits(values[i]);
        }

        return bits;
    }
}
