// Weights that are read or drawn when they are packed give the bits of weights that were in memory before.
namespace ModelCompiler.Training.Tests;

public class PreparationTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void WhereWeightsComeFromChangesNothing(int threads)
    {
        var file = Path.Combine(Directory.CreateTempSubdirectory().FullName, "w.safetensors");
        using var drawn = new Packed(2, threads);
        drawn.Parameters.Initialize(5);
        var fromSeed = Answer(drawn);
        using var memory = new Packed(2, threads);
        memory.Parameters.Initialize(5);
        Assert.True(memory.Parameters.Storage.Length > 800_000);
        Assert.Equal(Answer(memory), fromSeed);
        memory.Parameters.Save(file);
        using var read = new Packed(2, threads);
        read.Parameters.Load(file);
        Assert.Equal(Answer(read), fromSeed);

        // What inference has packed can still be read, saved and changed.
        Assert.Equal(memory.Parameters["fc1.weight"].ToArray(), read.Parameters["fc1.weight"].ToArray());
        read.Parameters["fc2.bias"].Set([1f, 2f, 3f]);
        Assert.NotEqual(Answer(read), fromSeed);
        read.Parameters["fc2.bias"].Set(memory.Parameters["fc2.bias"].ToArray());
        Assert.Equal(Answer(read), fromSeed);
        read.Parameters.Save(file);
        using var again = new Packed(2, threads);
        again.Parameters.Load(file);
        Assert.Equal(Answer(again), fromSeed);
        Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);
    }

    [Fact]
    public void SeveralObjectsPackFromOneSetAtOnce()
    {
        using var first = new Packed(1, 1);
        var expected = Answer(first);
        var answers = new uint[8][];
        using var shared = new ParameterSet(Packed.Info);
        shared.Initialize(0);
        Parallel.For(0, answers.Length, i =>
        {
            using var network = new Packed(1, 1, shared);
            answers[i] = Answer(network);
            if (i == 3)
            {
                _ = shared.Storage.Length;
            }
        });
        Assert.All(answers, answer => Assert.Equal(expected, answer));
    }

    private static uint[] Answer(Packed network)
    {
        for (var i = 0; i < network.Image.Length; i++)
        {
            network.Image[i] = (i * 37 % 101 / 50f) - 1;
        }

        network.Forward();
        return Data.Bits(network.Scores);
    }
}
