// `checkpoint(…)` trades time for memory and changes nothing else: not a name, not a bit.
namespace ModelCompiler.Training.Tests;

public class CheckpointedBlockTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void ResidualUnitsLearnTheSame(int threads) => AssertSame(
        (batch, parameters) => new Kept.Training(batch, threads, parameters, new Sgd(0.1f, 0.9f), seed: 3),
        (batch, parameters) => new Again.Training(batch, threads, parameters, new Sgd(0.1f, 0.9f), seed: 3));

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void AttentionWithDropoutLearnsTheSame(int threads) => AssertSame(
        (batch, parameters) => new SequenceKept.Training(batch, threads, parameters, new AdamW(0.01f), seed: 3),
        (batch, parameters) => new SequenceAgain.Training(batch, threads, parameters, new AdamW(0.01f), seed: 3));

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    public void NestedOnesLearnTheSame(int threads) => AssertSame(
        (batch, parameters) => new PyramidKept.Training(batch, threads, parameters, new Adam(0.01f), seed: 3),
        (batch, parameters) => new PyramidAgain.Training(batch, threads, parameters, new Adam(0.01f), seed: 3),
        smaller: false);

    [Fact]
    public void InferenceIsTheSame()
    {
        Assert.Equal((Kept.Info.SampleBytes, Kept.Info.CommonBytes), (Again.Info.SampleBytes, Again.Info.CommonBytes));
        using var kept = new Kept(2, 1);
        using var again = new Again(2, 1);
        foreach (var network in new InferenceNetwork[] { kept, again })
        {
            network.Parameters.Initialize(7);
            network.Inputs[0].Data.Fill(0.5f);
            network.Forward();
        }

        Assert.Equal(Data.Bits(kept.Probabilities), Data.Bits(again.Probabilities));
    }

    /// <summary>Losses, gradients, running statistics and weights over several steps at batch 1 and 5, and less memory. (One checkpoint
    /// around everything saves none: all of it is there when its backward pass begins.)</summary>
    private static void AssertSame(Func<int, ParameterSet?, TrainingNetwork> makeKept, Func<int, ParameterSet?, TrainingNetwork> makeAgain, bool smaller = true)
    {
        foreach (var batch in new[] { 5, 1 })
        {
            using var kept = makeKept(batch, null);
            using var again = makeAgain(batch, null);
            Assert.Equal(kept.Info.Parameters.Select(p => p.Name), again.Info.Parameters.Select(p => p.Name));
            Assert.Equal(kept.Info.Layers.Select(l => l.Path), again.Info.Layers.Select(l => l.Path));
            Assert.True(again.Info.SampleBytes < kept.Info.SampleBytes || !smaller, $"{again.Info.SampleBytes} bytes a sample, {kept.Info.SampleBytes} without checkpoints");
            for (var step = 0; step < 4; step++)
            {
                Data.Fill(kept, (ulong)step);
                Data.Fill(again, (ulong)step);
                Assert.Equal(kept.Step(), again.Step());
                Assert.Equal(Data.Bits(kept.Gradients.Storage), Data.Bits(again.Gradients.Storage));
                Assert.Equal(Data.Bits(kept.Parameters.Storage), Data.Bits(again.Parameters.Storage));
            }
        }
    }
}
