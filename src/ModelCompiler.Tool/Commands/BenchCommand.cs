// cnnc bench: how fast a network runs or learns on this machine.
using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using ModelCompiler.Runtime;

namespace ModelCompiler.Tool.Commands;

internal static class BenchCommand
{
    /// <summary>Backward computes two convolutions for each one of forward.</summary>
    private const int TrainingFactor = 3;
    private const int LeastTimes = 5;

    /// <summary>In milliseconds.</summary>
    private const double ShortestTime = 0.02;

    private static readonly JsonSerializerOptions JsonForm = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase, WriteIndented = true };

    public static Command Create(Session session)
    {
        var (file, network, threads, strict, json) = (Arguments.File(), Arguments.Network(), Arguments.Threads(), Arguments.Strict(), Arguments.Json());
        var batch = Arguments.Number("--batch", "Samples per call.", 1, 1, 1 << 20);
        var seconds = Arguments.Number("--seconds", "How long to measure.", 3, 1, 3600);
        var train = new Option<bool>("--train") { Description = "Measure training steps instead of forward passes." };
        var weights = Arguments.Weights(required: false);
        var command = new Command("bench", "Measures a network with random inputs.") { file, network, batch, threads, train, seconds, weights, strict, json };
        command.SetAction(parsed =>
        {
            var clock = Stopwatch.StartNew();
            using var assembly = NetworkAssembly.Compile(session, parsed.GetRequiredValue(file), parsed.GetValue(network), strict: parsed.GetValue(strict));
            var compiled = clock.Elapsed.TotalMilliseconds;

            clock.Restart();
            using CompiledNetwork compiledNetwork = parsed.GetValue(train)
                ? assembly.CreateTraining(parsed.GetValue(batch), parsed.GetValue(threads))
                : assembly.CreateInference(parsed.GetValue(batch), parsed.GetValue(threads));
            if (parsed.GetValue(weights) is { } path)
            {
                compiledNetwork.Parameters.Load(path);
            }

            Fill(compiledNetwork);
            Action call = compiledNetwork is TrainingNetwork training ? () => training.Step() : ((InferenceNetwork)compiledNetwork).Forward;
            call();
            var first = clock.Elapsed.TotalMilliseconds;

            var result = Measure(compiledNetwork, call, TimeSpan.FromSeconds(parsed.GetValue(seconds))) with { CompileMs = compiled, FirstResultMs = first };
            session.Output.WriteLine(parsed.GetValue(json) ? JsonSerializer.Serialize(result, JsonForm) : Text(result));
            return Program.Success;
        });
        return command;
    }

    private static BenchResult Measure(CompiledNetwork network, Action call, TimeSpan duration)
    {
        WarmUp.Run(call);

        // Calls too short for the clock are timed several at once. How long one takes shows only now.
        var calls = 0;
        var trial = Stopwatch.StartNew();
        for (; calls == 0 || trial.Elapsed < duration / 10; calls++)
        {
            call();
        }

        var atOnce = (int)Math.Clamp(ShortestTime * calls / trial.Elapsed.TotalMilliseconds, 1, 1000);
        var times = new List<double>(1 << 20);
        var total = Stopwatch.StartNew();
        var bytes = Allocated();
        while (times.Count < LeastTimes || (total.Elapsed < duration && times.Count < times.Capacity))
        {
            var start = Stopwatch.GetTimestamp();
            for (var i = 0; i < atOnce; i++)
            {
                call();
            }

            times.Add((Stopwatch.GetTimestamp() - start) * 1000.0 / Stopwatch.Frequency / atOnce);
        }

        bytes = Allocated() - bytes;
        times.Sort();

        // One thread's own count where one thread does the work: others of the process may be busy with something else.
        long Allocated() => network.Threads == 1 ? GC.GetAllocatedBytesForCurrentThread() : GC.GetTotalAllocatedBytes(precise: true);

        var median = times[times.Count / 2];
        var training = network is TrainingNetwork;
        var operations = 2.0 * network.Info.Macs * network.Batch * (training ? TrainingFactor : 1);
        return new BenchResult(
            network.Info.Name, training, network.Batch, network.Threads, times.Count * atOnce, median, times[0], operations / (median * 1e6),
            1000 * network.Batch / median, 0, 0, bytes / ((long)times.Count * atOnce));
    }

    /// <summary>Random inputs and targets, the same in every run.</summary>
    internal static void Fill(CompiledNetwork network)
    {
        var random = new Random(1);
        foreach (var tensor in network.Inputs.Concat(network.Targets))
        {
            if (tensor.Info.Kind == TensorKind.Class)
            {
                foreach (ref var value in tensor.Classes)
                {
                    value = random.Next(tensor.Info.Classes);
                }
            }
            else
            {
                foreach (ref var value in tensor.Data)
                {
                    value = (2 * random.NextSingle()) - 1;
                }
            }
        }
    }

    private static string Text(BenchResult r) =>
        $"""
        {r.Network}, {(r.Train ? "training" : "inference")}, batch {r.Batch}, {r.Threads} threads
        median            {r.MedianMs:F3} ms (fastest {r.MinimumMs:F3}, {r.Calls} calls)
        speed             {r.Gflops:F1} GFLOP/s, {r.SamplesPerSecond:F0} samples/s
        first result      {r.FirstResultMs:F0} ms, after {r.CompileMs:F0} ms of compiling
        allocated         {r.AllocatedBytes} bytes per call
        """;
}

/// <summary>The JSON form is stable: properties may be added, none will change.</summary>
/// <param name="FirstResultMs">From the class to its first result: construction, packing of weights, just-in-time compilation.</param>
/// <param name="Gflops">Two operations for each multiply-add; a training step counts as three forward passes.</param>
internal sealed record BenchResult(
    string Network, bool Train, int Batch, int Threads, int Calls, double MedianMs, double MinimumMs, double Gflops,
    double SamplesPerSecond, double CompileMs, double FirstResultMs, long AllocatedBytes);
