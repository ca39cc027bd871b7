// What every network object checks and promises.
namespace ModelCompiler.Runtime.Tests;

public unsafe class NetworkTests
{
    [Fact]
    public void BuffersHaveTheBatchInFrontAndAreAligned()
    {
        using var network = new LogisticInference(batch: 5);
        Assert.Equal(30, network.Inputs[0].Data.Length);
        Assert.Equal(6, network.Inputs[0].Sample(4).Length);
        network.Inputs[0].Data[24] = 7;
        Assert.Equal(7, network.Inputs[0].Sample(4)[0]);
        Assert.Equal(0, (long)network.Parameters.Pointer % 64);
        Assert.True(network.Inputs[0].Data.IndexOfAnyExcept(0f, 7f) < 0);
        fixed (float* data = network.Outputs[0].Data)
        {
            Assert.Equal(0, (long)data % 64);
        }
    }

    [Fact]
    public void TensorsRefuseTheWrongViewAndSample()
    {
        using var network = new LogisticTraining(batch: 2);
        Assert.Contains("Classes", Assert.Throws<InvalidOperationException>(() => network.Targets[0].Data.Length).Message);
        Assert.Contains("Data", Assert.Throws<InvalidOperationException>(() => network.Inputs[0].Classes.Length).Message);
        Assert.Contains("batch of 2", Assert.Throws<ArgumentOutOfRangeException>(() => network.Inputs[0].Sample(2).Length).Message);
    }

    [Theory]
    [InlineData(0, 1, "batch")]
    [InlineData(-3, 1, "batch")]
    [InlineData(1, -1, "threads")]
    [InlineData(1, 100_000, "threads")]
    public void ConstructionRefusesNonsense(int batch, int threads, string parameter)
    {
        Assert.Equal(parameter, Assert.Throws<ArgumentOutOfRangeException>(() => new LogisticInference(batch, threads)).ParamName);
    }

    [Fact]
    public void ABatchBeyondMemoryIsAClearError()
    {
        var exception = Assert.Throws<OutOfMemoryException>(() => new LogisticInference(batch: int.MaxValue));
        Assert.Contains("smaller batch", exception.Message);
        Assert.Contains("Logistic", exception.Message);
    }

    [Fact]
    public void ParametersOfAnotherNetworkAreRefused()
    {
        using var feeder = new GradientFeeder(3, new Sgd());
        var exception = Assert.Throws<ArgumentException>(() => new LogisticInference(parameters: feeder.Parameters));
        Assert.Contains("'Feeder'", exception.Message);
        Assert.Contains("'Logistic'", exception.Message);
    }

    [Fact]
    public void ZeroThreadsTakesOnePerProcessor()
    {
        using var network = new LogisticInference(threads: 0);
        Assert.Equal(Environment.ProcessorCount, network.Threads);
    }

    [Fact]
    public void ADisposedNetworkFailsClearlyAndItsSpansStayValid()
    {
        var network = new LogisticTraining();
        var image = network.Inputs[0].Data;
        network.Dispose();
        network.Dispose();
        image.Fill(1);
        Assert.Throws<ObjectDisposedException>(() => network.Step());
        var inference = new LogisticInference();
        inference.Dispose();
        Assert.Throws<ObjectDisposedException>(inference.Forward);
    }

    [Fact]
    public void ADisposedParameterSetFailsClearly()
    {
        var set = new ParameterSet(Logistic.Info);
        using var network = new LogisticInference(parameters: set);
        set.Dispose();
        Assert.Contains("Logistic", Assert.Throws<ObjectDisposedException>(network.Forward).Message);
    }

    [Fact]
    public void InferencePreparesOnlyAfterChanges()
    {
        using var training = new LogisticTraining();
        using var inference = new LogisticInference(parameters: training.Parameters);
        inference.Forward();
        inference.Forward();
        Assert.Equal(1, inference.Prepared);
        training.Step();
        inference.Forward();
        inference.Forward();
        Assert.Equal(2, inference.Prepared);
        training.Parameters["fc.bias"].Set([1, 2, 3]);
        inference.Forward();
        Assert.Equal(3, inference.Prepared);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(3)]
    [InlineData(int.MaxValue)]
    public void AClassOutOfRangeIsRefusedBeforeAnythingIsWritten(int wrong)
    {
        using var network = new LogisticTraining();
        network.Targets[0].Classes[2] = wrong;
        var before = network.Parameters.Storage.ToArray();
        var message = Assert.Throws<InvalidOperationException>(() => network.Step()).Message;
        Assert.Equal($"target 'label': class {wrong} at sample 2 is outside 0 … 2.", message);
        Assert.Equal(before, network.Parameters.Storage.ToArray());
        Assert.Equal(0, network.StepNumber);
    }

    [Theory]
    [InlineData(float.NaN, "NaN")]
    [InlineData(float.PositiveInfinity, "infinite")]
    public void ADivergedLossStopsBeforeTheUpdate(float loss, string word)
    {
        using var network = new GradientFeeder(3, new Sgd(0.5f)) { FedLoss = loss, Feed = g => g.Storage.Fill(1) };
        var exception = Assert.Throws<TrainingException>(() => network.Step());
        Assert.Contains($"became {word} at step 0", exception.Message);
        Assert.Equal([0, 0, 0], network.Parameters["p0"].ToArray());
        Assert.Equal(0, network.Optimizer.Updates);
    }

    [Fact]
    public void ADivergedLossNamesItsCause()
    {
        using var network = new LogisticTraining(batch: 3);
        network.Inputs[0].Sample(2)[1] = float.NaN;
        Assert.EndsWith("NaN at step 0: 'image' holds NaN in sample 2.", Assert.Throws<TrainingException>(() => network.Step()).Message);
        network.Inputs[0].Data.Clear();
        network.Parameters["fc.bias"].Set([0, float.NegativeInfinity, float.NaN]);
        Assert.Contains("parameter 'fc.bias' holds infinity", Assert.Throws<TrainingException>(() => network.Step()).Message);
        network.Parameters["fc.bias"].Set([0, 0, 3e38f]);
        network.Parameters["fc.weight"].Set(Enumerable.Repeat(-3e38f, 18).ToArray());
        network.Inputs[0].Data.Fill(3);
        Assert.Contains("a value inside overflowed", Assert.Throws<TrainingException>(() => network.Step()).Message);
    }

    [Fact]
    public void GradientsAgreeWithFiniteDifferences()
    {
        using var network = new LogisticTraining(batch: 3);
        var data = Logistic.Data(3, 5);
        for (var i = 0; i < 3; i++)
        {
            data.Input(i).CopyTo(network.Inputs[0].Sample(i));
            network.Targets[0].Classes[i] = data.Labels(i)[0];
        }

        network.ComputeGradients();
        Assert.Equal(0, network.StepNumber);
        Assert.Equal(3, network.Parameters["seen"].ToArray()[0]);
        var gradients = network.Gradients.All.ToDictionary(g => g.Name, g => g.ToArray());
        foreach (var (name, analytic) in gradients)
        {
            var parameter = network.Parameters[name];
            var values = parameter.ToArray();
            for (var i = 0; i < values.Length; i++)
            {
                const float h = 1e-2f;
                var moved = (float[])values.Clone();
                moved[i] = values[i] + h;
                parameter.Set(moved);
                network.ComputeGradients();
                var above = network.Loss;
                moved[i] = values[i] - h;
                parameter.Set(moved);
                network.ComputeGradients();
                Assert.Equal((above - network.Loss) / (2 * h), analytic[i], 3e-4);
            }

            parameter.Set(values);
        }
    }

    [Fact]
    public void NamesThatDoNotExistAreNamed()
    {
        using var network = new LogisticTraining();
        Assert.Contains("fc.weight", Assert.Throws<KeyNotFoundException>(() => network.Parameters["fc.wieght"]).Message);
        Assert.Contains("'seen'", Assert.Throws<KeyNotFoundException>(() => network.Gradients["seen"]).Message);
        Assert.False(network.Parameters.TryGet("nothing", out _));
        Assert.Contains("3x6", Assert.Throws<ArgumentException>(() => network.Parameters["fc.weight"].Set(new float[3])).Message);
        Assert.Throws<ArgumentException>(() => network.Parameters["fc.weight"].CopyTo(new float[17]));
    }
}
