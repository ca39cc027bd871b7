// What can be said on the command line, and where the digits are.
using System.CommandLine;

namespace Mnist;

internal sealed record Options(int Epochs, int Batch, int Threads, ulong Seed, int? Limit, string? Load, string Out, string Data)
{
    /// <summary>Calls <paramref name="run"/> with the options, or explains them.</summary>
    /// <returns>The process's exit code.</returns>
    public static int Parse(string[] arguments, Func<Options, int> run)
    {
        var epochs = Number("--epochs", 5, 0, 1000, "Passes over the training digits; 0 only evaluates.");
        var batch = Number("--batch", 64, 1, 60_000, "Digits in one training step.");
        var threads = Number("--threads", 0, 0, 256, "Threads; 0 takes one per processor. Results do not depend on it.");
        var seed = new Option<ulong>("--seed") { Description = "Of the initial weights and the shuffling.", DefaultValueFactory = _ => 1 };
        var limit = new Option<int?>("--limit") { Description = "Trains on the first N digits only." };
        var load = new Option<string?>("--load") { Description = "Starts from the weights in this safetensors file." };
        var output = new Option<string>("--out") { Description = "Where the weights are saved.", DefaultValueFactory = _ => "LeNet5.safetensors" };
        var data = new Option<string>("--data")
        {
            Description = "Folder with the four idx files.",
            DefaultValueFactory = _ => Path.Combine(AppContext.BaseDirectory, "mnist"),
        };
        limit.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int?>() is < 1)
            {
                result.AddError("--limit must be 1 or more.");
            }
        });
        var root = new RootCommand("Learns to read the handwritten digits of MNIST with LeNet-5.")
        {
            epochs, batch, threads, seed, limit, load, output, data,
        };
        root.SetAction(parsed => run(new Options(
            parsed.GetValue(epochs), parsed.GetValue(batch), parsed.GetValue(threads), parsed.GetValue(seed),
            parsed.GetValue(limit), parsed.GetValue(load), parsed.GetValue(output)!, parsed.GetValue(data)!)));
        return root.Parse(arguments).Invoke();
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
