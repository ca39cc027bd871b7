// cnnc tune: measures the kernels that a network could have on this machine, and writes down those that are faster than the compiler's own.
using System.CommandLine;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using ModelCompiler.Planning;

namespace ModelCompiler.Tool.Commands;

internal static class TuneCommand
{
    public static Command Create(Session session)
    {
        var (file, network, strict) = (Arguments.File(), Arguments.Network(), Arguments.Strict());
        var batch = Arguments.Number("--batch", "Samples per run.", 1, 1, 1 << 20);
        var threads = Arguments.Number("--threads", "Threads to use.", 1, 1, 256);
        var seconds = Arguments.Number("--seconds", "How long to measure each variant of the network; there are about eight.", 2, 1, 3600);
        var train = new Option<bool>("--train") { Description = "Tune training steps instead of forward passes." };
        var command = new Command("tune", "Measures the alternatives to each layer's kernel on this machine and writes the faster ones to FILE.tune, which the compiler reads.")
        {
            file, network, batch, threads, train, seconds, strict,
        };
        command.SetAction(parsed =>
        {
            var path = parsed.GetRequiredValue(file);
            var graph = CnnFiles.Evaluate(session, path, parsed.GetValue(network));
            var task = new TuningTask(
                graph, parsed.GetValue(train), parsed.GetValue(batch), parsed.GetValue(threads), TimeSpan.FromSeconds(parsed.GetValue(seconds)), parsed.GetValue(strict));
            if (task.Train && graph.Loss is null)
            {
                throw new ToolException($"network '{graph.Name}' has no loss, so it cannot be trained");
            }

            var outcome = new Tuner(task).Run();

            // What was measured of other networks, or of the other product, stays.
            var kept = CnnFiles.Tuning(path)?.Entries.Where(e => e.Network != graph.Name || e.Training != task.Train) ?? [];
            var target = path + Tuning.Extension;
            File.WriteAllText(target, new Tuning([.. kept, .. outcome.Entries]).Write(Remarks(path, task)));
            foreach (var entry in outcome.Entries)
            {
                session.Output.WriteLine($"{entry.Layer} {entry.Step}: {entry.Choice} ({entry.Note})");
            }

            session.Output.WriteLine(FormattableString.Invariant(
                $"{graph.Name}, {(task.Train ? "training" : "inference")}: {outcome.Layers} layers with a choice, {outcome.Variants} variants measured; {outcome.OwnMs:F3} ms before, {outcome.TunedMs:F3} ms with {outcome.Entries.Count} other kernels"));
            session.Output.WriteLine(target);
            return Program.Success;
        });
        return command;
    }

    private static string[] Remarks(string path, TuningTask task)
    {
        var (name, bits) = (Path.GetFileName(path), Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : 128);
        return
        [
            $"Kernels that were faster than the compiler's own choices: written by 'cnnc tune {name}', last on {RuntimeInformation.ProcessArchitecture}",
            FormattableString.Invariant($"with vectors of {bits} bits, batch {task.Batch}, {task.Threads} thread{(task.Threads == 1 ? "" : "s")}. The compiler reads this file where it lies beside {name}. Lines may be deleted;"),
            "without the file the compiler chooses by itself.",
        ];
    }
}
