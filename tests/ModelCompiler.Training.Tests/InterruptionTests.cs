// A run that is killed, over and over and at the worst moments, ends with the bits of one that nobody touched.
using System.Diagnostics;
using ModelCompiler.Runtime.Tests;

namespace ModelCompiler.Training.Tests;

public sealed class InterruptionTests : IDisposable
{
    private const int RandomKills = 6;
    private const int KillsWhileWriting = 3;

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void AKilledRunEndsWithTheSameBits()
    {
        Run.Train(folder["whole"], folder["whole-best"], threads: 1, every: 0);

        var random = new RandomGenerator(11);
        for (var kill = 0; kill < RandomKills; kill++)
        {
            using var process = Start(every: 5);
            WaitUntil(process, NewestChanges());
            Thread.Sleep(random.Next(40) * kill);
            Kill(process);
        }

        var unfinished = 0;
        for (var attempt = 0; attempt < 60 && unfinished < KillsWhileWriting; attempt++)
        {
            using var process = Start(every: 1);
            WaitUntil(process, NewestChanges());
            WaitUntil(process, () => Writing().Length > 0);
            Kill(process);
            unfinished += Writing().Length > 0 ? 1 : 0;
        }

        Assert.Equal(KillsWhileWriting, unfinished);
        using (var process = Start(every: 50))
        {
            process.WaitForExit();
            Assert.Equal(0, process.ExitCode);
        }

        // The last two checkpoints hold weights, optimizer, averages and counters; nothing else may remain.
        foreach (var file in Directory.GetFiles(folder["whole"]).Where(file => file.EndsWith($"{Run.Epochs * Run.StepsPerEpoch:D12}.safetensors")))
        {
            Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(Path.Combine(folder["killed"], Path.GetFileName(file))));
        }

        Assert.Equal(2, Directory.GetFiles(folder["killed"]).Length);
        Assert.Equal(File.ReadAllBytes(folder["whole-best"]), File.ReadAllBytes(folder["killed-best"]));
    }

    private Process Start(int every) => Process.Start(
        "dotnet", [typeof(Program).Assembly.Location, folder["killed"], folder["killed-best"], folder["ended"], "2", $"{every}"])!;

    /// <summary>SIGKILL: the process gets no say in it.</summary>
    private void Kill(Process process)
    {
        process.Kill();
        process.WaitForExit();
        Assert.False(File.Exists(folder["ended"]), "the run ended before it was killed");
    }

    private static void WaitUntil(Process process, Func<bool> condition)
    {
        var spin = default(SpinWait);
        while (!condition())
        {
            spin.SpinOnce();
            Assert.False(process.HasExited, "the run does not get ahead");
        }
    }

    private Func<bool> NewestChanges()
    {
        var before = Newest();
        return () => Newest() != before;
    }

    private string? Newest() => Files("*.safetensors").Max();

    private string[] Writing() => Files("*.tmp");

    private string[] Files(string pattern) => Directory.Exists(folder["killed"]) ? Directory.GetFiles(folder["killed"], pattern) : [];
}
