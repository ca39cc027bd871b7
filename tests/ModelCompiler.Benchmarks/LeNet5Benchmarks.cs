// A generated network at work: one forward pass, one training step.
using BenchmarkDotNet.Attributes;
using ModelCompiler.Runtime;

namespace ModelCompiler.Benchmarks;

[MemoryDiagnoser]
public class LeNet5Benchmarks
{
    private LeNet5 network = null!;
    private LeNet5.Training training = null!;

    [Params(1, 2)]
    public int Threads { get; set; }

    [GlobalSetup]
    public void Make()
    {
        network = new LeNet5(batch: 1, threads: Threads);
        training = new LeNet5.Training(batch: 64, threads: Threads, optimizer: new Sgd(1e-3f, momentum: 0.9f));
        var random = new Random(1);
        foreach (ref var pixel in training.Image)
        {
            pixel = random.NextSingle();
        }

        foreach (ref var label in training.Label)
        {
            label = random.Next(10);
        }

        training.Image[..(28 * 28)].CopyTo(network.Image);
    }

    [GlobalCleanup]
    public void Release()
    {
        network.Dispose();
        training.Dispose();
    }

    [Benchmark]
    public void ForwardBatch1() => network.Forward();

    [Benchmark]
    public float StepBatch64() => training.Step();
}
