// Our side of compare.py: one network, run as an application would run it, and one line of JSON about it.
//   infer NAME WEIGHTS INPUT OUTPUT THREADS SECONDS   inference, batch 1
//   train NAME WEIGHTS INPUT TARGET BATCH THREADS SECONDS STEPS RESULT   SGD with momentum; weights after STEPS steps to RESULT
// INPUT, OUTPUT: raw float32; TARGET: raw int32 class numbers. The environment variable STARTED holds the time at which the process was
// started, in microseconds since 1970.
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using ModelCompiler.Runtime;

namespace ModelCompiler.Peers;

internal static class Program
{
    private const int FewestRuns = 8;

    /// <summary>In milliseconds. Shorter calls are timed several at once.</summary>
    private const double ShortestTime = 0.05;

    private static int Main(string[] args)
    {
        if (args is not ["infer", _, _, _, _, _, _] and not ["train", _, _, _, _, _, _, _, _, _])
        {
            Console.Error.WriteLine("usage: infer NAME WEIGHTS INPUT OUTPUT THREADS SECONDS | train NAME WEIGHTS INPUT TARGET BATCH THREADS SECONDS STEPS RESULT");
            return 2;
        }

        var result = args[0] == "infer"
            ? Infer(args[1], args[2], args[3], args[4], Number(args[5]), Number(args[6]))
            : Train(args[1], args[2], args[3], args[4], Number(args[5]), Number(args[6]), Number(args[7]), Number(args[8]), args[9]);
        result["peak_mb"] = PeakMegabytes();
        Console.WriteLine($"{{{string.Join(", ", result.Select(pair => $"\"{pair.Key}\": {Json(pair.Value)}"))}}}");
        return 0;
    }

    private static int Number(string text) => int.Parse(text, new NumberFormatInfo());

    /// <summary>A number, or a list of them.</summary>
    private static string Json(object value) =>
        value is float[] list ? $"[{string.Join(", ", list.Select(number => Json(number)))}]" : ((IFormattable)value).ToString(null, CultureInfo.InvariantCulture);

    private static Dictionary<string, object> Infer(string name, string weights, string input, string output, int threads, int seconds)
    {
        var clock = Stopwatch.StartNew();
        using var network = Zoo.Inference(name, threads);
        network.Parameters.Load(weights, strict: false);
        Read<float>(input).CopyTo(network.Inputs[0].Data);
        network.Forward();
        var result = new Dictionary<string, object>
        {
            ["create_and_first_ms"] = clock.Elapsed.TotalMilliseconds,
            ["start_to_first_ms"] = SinceStart(),
        };
        File.WriteAllBytes(output, MemoryMarshal.AsBytes<float>(network.Outputs[0].Data).ToArray());
        Measure(result, seconds, network.Forward);
        return result;
    }

    private static Dictionary<string, object> Train(
        string name, string weights, string input, string target, int batch, int threads, int seconds, int steps, string saved)
    {
        using var network = Zoo.Training(name, batch, threads, new Sgd(1e-3f, momentum: 0.9f), seed: 1);
        network.Parameters.Load(weights, strict: false);
        Read<float>(input).CopyTo(network.Inputs[0].Data);
        Read<int>(target).CopyTo(network.Targets[0].Classes);
        var losses = new float[steps];
        for (var i = 0; i < steps; i++)
        {
            losses[i] = network.Step();
        }

        network.Parameters.Save(saved);
        var result = new Dictionary<string, object> { ["losses"] = losses };
        Measure(result, seconds, () => network.Step());
        return result;
    }

    private static void Measure(Dictionary<string, object> result, int seconds, Action call)
    {
        if (seconds == 0)
        {
            return;
        }

        var warm = Stopwatch.StartNew();
        var calls = 0;
        for (; calls < 3 || warm.Elapsed.TotalSeconds < Math.Min(0.7, seconds); calls++)
        {
            call();
        }

        var atOnce = (int)Math.Clamp(ShortestTime * calls / warm.Elapsed.TotalMilliseconds, 1, 1000);
        var times = new List<double>(1 << 18);
        var total = Stopwatch.StartNew();
        while (times.Count < FewestRuns || (total.Elapsed.TotalSeconds < seconds && times.Count < times.Capacity))
        {
            var start = Stopwatch.GetTimestamp();
            for (var i = 0; i < atOnce; i++)
            {
                call();
            }

            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds / atOnce);
        }

        times.Sort();
        result["median_ms"] = times[times.Count / 2];
        result["min_ms"] = times[0];
        result["runs"] = times.Count * atOnce;
    }

    private static ReadOnlySpan<T> Read<T>(string path)
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(File.ReadAllBytes(path));

    private static double SinceStart() =>
        Environment.GetEnvironmentVariable("STARTED") is { } text
            ? ((DateTime.UtcNow - DateTime.UnixEpoch).TotalMicroseconds - double.Parse(text, CultureInfo.InvariantCulture)) / 1000
            : double.NaN;

    /// <summary>Of the whole process, as the system counts it.</summary>
    private static double PeakMegabytes() =>
        File.ReadLines("/proc/self/status").Where(line => line.StartsWith("VmHWM:", StringComparison.Ordinal))
            .Select(line => double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024).First();
}
