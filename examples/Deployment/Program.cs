// A trained network as an application starts it: weights from a file, one picture, one answer. publish.sh publishes it in each way
// that .NET has and compares answers, which are printed as bits, and times.
using System.Diagnostics;
using System.Globalization;
using System.Runtime.Intrinsics;
using Deployment;

if (args is not ([_] or [_, "--repeat"]))
{
    Console.Error.WriteLine("usage: Deployment WEIGHTS.safetensors [--repeat]    (the file is made when there is none)");
    return 2;
}

var weights = args[0];
using var network = new LeNet5(batch: 1, threads: 1);
if (File.Exists(weights))
{
    network.Parameters.Load(weights);
}
else
{
    network.Parameters.Save(weights);
}

for (var i = 0; i < network.Image.Length; i++)
{
    network.Image[i] = (i * 37 % 256 / 255f) - 0.5f;
}

network.Forward();
var answer = string.Join(' ', network.Probabilities.ToArray().Select(p => BitConverter.SingleToUInt32Bits(p).ToString("x8", CultureInfo.InvariantCulture)));
Console.WriteLine(answer);

// Whoever starts the process can say when, in microseconds since 1970; the system's own note of it is coarser.
var started = Environment.GetEnvironmentVariable("STARTED") is { } text
    ? DateTime.UnixEpoch.AddMicroseconds(long.Parse(text, CultureInfo.InvariantCulture)) : Process.GetCurrentProcess().StartTime.ToUniversalTime();
var first = DateTime.UtcNow - started;
var bits = Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : 128;
Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"first answer after {first.TotalMilliseconds:F0} ms, vectors of {bits} bits"));
if (args.Length == 2)
{
    var best = TimeSpan.MaxValue;
    for (var i = 0; i < 2000; i++)
    {
        var start = Stopwatch.GetTimestamp();
        network.Forward();
        var time = Stopwatch.GetElapsedTime(start);
        best = time < best ? time : best;
    }

    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{best.TotalMicroseconds:F1} µs for an answer"));
}

return 0;
