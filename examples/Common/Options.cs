// What can be said on the command line of an example, and how a program ends that cannot go on.
using System.CommandLine;
using ModelCompiler.Runtime;

namespace Examples;

/// <summary>The options of an example; an object with their defaults describes which there are.</summary>
/// <param name="Load">File with weights to start from.</param>
/// <param name="Data">Folder with data files; null for a program that needs none.</param>
/// <param name="Checkpoints">Folder to continue from, and to keep checkpoints in; null for none.</param>
internal sealed record Options(
    int Epochs, int Batch, string Out, string? Data = null, int Threads = 0, ulong Seed = 1, int? Limit = null, string? Load = null, string? Checkpoints = null)
{
    /// <summary>Calls <paramref name="run"/> with the options, or explains them. Bad input is one line on the error stream.</summary>
    /// <param name="things">What there are many of: <c>digits</c>.</param>
    /// <param name="checkpoints">Whether the program can continue from checkpoints.</param>
    /// <returns>The process's exit code.</returns>
    public static int Run(string[] arguments, string description, string things, Options defaults, Action<Options> run, bool checkpoints = true)
    {
        var epochs = Number("--epochs", defaults.Epochs, 0, 1000, $"Passes over the training {things}; 0 only evaluates.");
        var batch = Number("--batch", defaults.Batch, 1, 60_000, $"{char.ToUpperInvariant(things[0])}{things[1..]} in one training step.");
        var threads = Number("--threads", defaults.Threads, 0, 256, "Threads; 0 takes one per processor. Results do not depend on it.");
        var seed = new Option<ulong>("--seed") { Description = "Of the initial weights and the shuffling.", DefaultValueFactory = _ => defaults.Seed };
        var limit = new Option<int?>("--limit") { Description = $"Trains on the first N {things} only." };
        var load = new Option<string?>("--load") { Description = "Starts from the weights in this safetensors file." };
        var output = new Option<string>("--out") { Description = "Where the weights are saved.", DefaultValueFactory = _ => defaults.Out };
        var data = new Option<string?>("--data") { Description = "Folder with the data files.", DefaultValueFactory = _ => defaults.Data };
        var folder = new Option<string?>("--checkpoints") { Description = "Keeps checkpoints in this folder, and continues from those in it." };
        limit.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int?>() is < 1)
            {
                result.AddError("--limit must be 1 or more.");
            }
        });
        var root = new RootCommand(description) { epochs, batch, threads, seed, limit, load, output };
        if (checkpoints)
        {
            root.Add(folder);
        }

        if (defaults.Data is not null)
        {
            root.Add(data);
        }

        root.SetAction(parsed => Guarded(() => run(new Options(
            parsed.GetValue(epochs), parsed.GetValue(batch), parsed.GetValue(output)!, defaults.Data is null ? null : parsed.GetValue(data),
            parsed.GetValue(threads), parsed.GetValue(seed), parsed.GetValue(limit), parsed.GetValue(load), checkpoints ? parsed.GetValue(folder) : null))));
        return root.Parse(arguments).Invoke();
    }

    private static int Guarded(Action run)
    {
        try
        {
            run();
            return 0;
        }
        catch (Exception exception) when (exception is DatasetException or WeightsException or TrainingException or IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"error: {exception.Message}");
            return 1;
        }
    }

    private static Option<int> Number(string name, int value, int minimum, int maximum, string description)
    {
        var option = new Option<int>(name) { Description = description, DefaultValueFactory = _ => value };
        option.Validators.Add(result =>
        {
            // What is no number at all is reported by the parser itself.
            if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, out var given) && (given < minimum || given > maximum))
            {
                result.AddError($"{name} must lie in {minimum} … {maximum}, not {given}.");
            }
        });
        return option;
    }
}
