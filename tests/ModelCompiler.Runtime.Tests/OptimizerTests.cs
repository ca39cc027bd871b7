// Update rules against torch.optim's own numbers (Goldens/optimizers.py), and the options around them.
using System.Text.Json;

namespace ModelCompiler.Runtime.Tests;

public class OptimizerTests
{
    private static readonly Golden Expected = JsonSerializer.Deserialize<Golden>(
        File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Goldens", "optimizers.json")), JsonSerializerOptions.Web)!;

    [Theory]
    [InlineData("sgd")]
    [InlineData("sgd_decay")]
    [InlineData("sgd_momentum")]
    [InlineData("sgd_nesterov")]
    [InlineData("adam")]
    [InlineData("adam_decay")]
    [InlineData("adamw")]
    [InlineData("adam_clip")]
    [InlineData("sgd_clip")]
    [InlineData("lamb")]
    [InlineData("sgd_clip_value")]
    [InlineData("adamw_clip_both")]
    [InlineData("adamw_groups")]
    public void AgreesWithPyTorch(string name)
    {
        Optimizer optimizer = name switch
        {
            "sgd" => new Sgd(0.1f),
            "sgd_decay" => new Sgd(0.1f, weightDecay: 0.01f),
            "sgd_momentum" => new Sgd(0.05f, momentum: 0.9f, weightDecay: 0.001f),
            "sgd_nesterov" => new Sgd(0.05f, momentum: 0.9f, weightDecay: 0.001f, nesterov: true),
            "adam" => new Adam(0.01f),
            "adam_decay" => new Adam(0.01f, 0.8f, 0.95f, 1e-6f, 0.07f),
            "adamw" => new AdamW(0.01f, weightDecay: 0.1f),
            "lamb" => new Lamb(0.1f, weightDecay: 0.1f),
            "adam_clip" => new Adam(0.01f) { ClipNorm = 0.5f },
            "sgd_clip_value" => new Sgd(0.5f, momentum: 0.5f) { ClipValue = 0.2f },
            "adamw_clip_both" => new AdamW(0.01f, weightDecay: 0.1f) { ClipValue = 0.2f, ClipNorm = 0.5f },
            "adamw_groups" => new AdamW(0.01f, weightDecay: 0.1f) { Rules = [new("*", LearningRate: 0.1f), ParameterRule.NoDecayForVectors] },
            _ => new Sgd(0.5f, momentum: 0.5f) { ClipNorm = 0.5f },
        };
        using var network = new GradientFeeder(Expected.Start.Length, optimizer, threads: 3);
        network.Parameters["p0"].Set(Expected.Start);
        for (var step = 0; step < Expected.Gradients.Length; step++)
        {
            network.Feed = gradients => Expected.Gradients[step].CopyTo(gradients.Storage);
            network.Step();
            var actual = network.Parameters["p0"].ToArray();
            for (var i = 0; i < actual.Length; i++)
            {
                Assert.Equal(Expected.After[name][step][i], actual[i], 2e-6f);
            }
        }
    }

    [Theory]
    [InlineData("ema")]
    [InlineData("swa")]
    public void AveragesAgreeWithPyTorch(string name)
    {
        using var network = new GradientFeeder(Expected.Start.Length, new Sgd(0.1f));
        network.Parameters["p0"].Set(Expected.Start);
        var average = name == "ema" ? new WeightAverage(network.Parameters, 0.75f) : WeightAverage.Equal(network.Parameters, start: 3);
        for (var step = 0; step < Expected.Gradients.Length; step++)
        {
            network.Feed = gradients => Expected.Gradients[step].CopyTo(gradients.Storage);
            network.Step();
            average.Update();
            var actual = average.Parameters["p0"].ToArray();
            for (var i = 0; i < actual.Length; i++)
            {
                Assert.Equal(Expected.Averages[name][step][i], actual[i], 1e-6f);
            }
        }
    }

    [Fact]
    public void SchedulesAgreeWithPyTorch()
    {
        AssertSchedule("steps", Schedule.Steps(6, 0.3), 20);
        AssertSchedule("cosine", Schedule.Cosine(0.05), 20);
        AssertSchedule("onecycle", Schedule.OneCycle(), 21);

        // LinearLR(start_factor=1/4, total_iters=3) reaches 1 at step 3, as four steps of warm-up do.
        AssertSchedule("warmup", Schedule.Cosine().WithWarmUp(4), 20);
    }

    [Fact]
    public void WarmUpRisesToTheScheduleItPrecedes()
    {
        var schedule = Schedule.Steps(10, 0.5).WithWarmUp(4);
        Assert.Equal([0.25, 0.5, 0.75, 1, 1], Enumerable.Range(0, 5).Select(step => schedule.Factor(step, 20)));
        Assert.Equal(0.5, schedule.Factor(10, 20));
        Assert.Equal(1, Schedule.Constant.Factor(123, 456));
        Assert.All(Enumerable.Range(0, 3), step => Assert.InRange(Schedule.OneCycle().Factor(step, 3), 0, 1));
    }

    [Fact]
    public void ManyFloatsInManyBlocksDoNotDependOnThreads()
    {
        float[] Train(int threads, Optimizer optimizer)
        {
            using var network = new GradientFeeder([10_001, 3, 20_000], optimizer, threads);
            for (var step = 0; step < 3; step++)
            {
                var random = new RandomGenerator((ulong)step);
                network.Feed = gradients =>
                {
                    foreach (ref var value in gradients.Storage)
                    {
                        value = (float)random.NextNormal();
                    }
                };
                network.Step();
            }

            return network.Parameters.Storage.ToArray();
        }

        foreach (var threads in new[] { 2, 3, 8 })
        {
            Assert.Equal(Train(1, new AdamW { ClipNorm = 0.1f }), Train(threads, new AdamW { ClipNorm = 0.1f }));
            Assert.Equal(Train(1, new Lamb { ClipNorm = 1 }), Train(threads, new Lamb { ClipNorm = 1 }));
            Assert.Equal(Train(1, new Sgd(1, 0.9f) { ClipNorm = 3 }), Train(threads, new Sgd(1, 0.9f) { ClipNorm = 3 }));
        }
    }

    [Fact]
    public void RulesChangeRateAndDecayAndFreeze()
    {
        var optimizer = new Sgd(1, weightDecay: 0.5f)
        {
            Rules =
            [
                new ParameterRule("p*", LearningRate: 0.5f),
                new ParameterRule("p1", WeightDecay: 0),
                new ParameterRule("p2", Frozen: true),
            ],
        };
        using var network = new GradientFeeder([3, 20, 5], optimizer);
        foreach (var parameter in network.Parameters.All)
        {
            parameter.Set(Enumerable.Repeat(2f, parameter.Count).ToArray());
        }

        network.Feed = gradients => gradients.Storage.Fill(1);
        network.Step();

        // p0: 2 - 0.5 * (1 + 0.5 * 2); p1: 2 - 0.5 * 1, its rate from the rule before; p2 stays.
        Assert.All(network.Parameters["p0"].ToArray(), value => Assert.Equal(1, value));
        Assert.All(network.Parameters["p1"].ToArray(), value => Assert.Equal(1.5f, value));
        Assert.All(network.Parameters["p2"].ToArray(), value => Assert.Equal(2, value));
    }

    [Fact]
    public void FrozenGradientsDoNotCountForClipping()
    {
        var optimizer = new Sgd(1) { ClipNorm = 1, Rules = [new ParameterRule("p1", Frozen: true)] };
        using var network = new GradientFeeder([1, 1], optimizer);
        network.Feed = gradients => (gradients.Storage[0], gradients.Storage[16]) = (4, 1000);
        network.Step();
        Assert.Equal(4, optimizer.GradientNorm);
        Assert.Equal(-1, network.Parameters["p0"].ToArray()[0], 1e-5f);
    }

    [Fact]
    public void NonsenseIsRefused()
    {
        Assert.Contains("*.bais", Assert.Throws<ArgumentException>(() => new GradientFeeder(3, new Sgd { Rules = [new ParameterRule("*.bais")] })).Message);
        var used = new Adam();
        using var first = new GradientFeeder(3, used);
        Assert.Contains("own optimizer", Assert.Throws<InvalidOperationException>(() => new GradientFeeder(3, used)).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => new Sgd(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Sgd(float.NaN));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Sgd(momentum: 1));
        Assert.Throws<ArgumentException>(() => new Sgd(nesterov: true));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Adam(beta1: 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Adam(beta2: -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Adam(epsilon: 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new AdamW(weightDecay: -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Schedule.OneCycle(rise: 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Schedule.Steps(0, 1));
    }

    private static void AssertSchedule(string name, Schedule schedule, long total)
    {
        for (var step = 0; step < Expected.Schedules[name].Length; step++)
        {
            Assert.Equal(Expected.Schedules[name][step], schedule.Factor(step, total), 1e-9);
        }
    }

    private sealed record Golden(
        float[] Start, float[][] Gradients, Dictionary<string, float[][]> After, Dictionary<string, float[][]> Averages, Dictionary<string, double[]> Schedules);
}
