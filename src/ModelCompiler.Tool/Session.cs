// What all commands share: the streams to write to, the arguments they have in common, and the two ways to give up.
using System.CommandLine;

namespace ModelCompiler.Tool;

/// <param name="Output">Results.</param>
/// <param name="Errors">Diagnostics of commands whose result is something else, and problems.</param>
internal sealed record Session(TextWriter Output, TextWriter Errors);

/// <summary>The command line or a file it names is not usable; the message is one line.</summary>
internal sealed class ToolException(string message) : Exception(message);

/// <summary>The `.cnn` file has errors, and they have been printed.</summary>
internal sealed class DiagnosticsException() : Exception("the file has errors");

/// <summary>Arguments that several commands take, under one name and one description.</summary>
internal static class Arguments
{
    public static Argument<string> File() => new("FILE") { Description = "The .cnn file." };

    public static Option<string?> Network() => new("--network")
    {
        Description = "Which network of the file, where there are several; otherwise the one named as the file.",
        HelpName = "NAME",
    };

    public static Option<string> Weights(bool required) => new("--weights")
    {
        Description = "Weights, a safetensors file.",
        Required = required,
        HelpName = "W.safetensors",
    };

    public static Option<string> Input(string description) => new("--input") { Description = description, Required = true, HelpName = "X.safetensors" };

    public static Option<string> Output(string description, string name) => new("--output", "-o") { Description = description, Required = true, HelpName = name };

    public static Option<int> Threads() => Number("--threads", "Threads to use; 0 takes one per processor.", 0, 0, 1024);

    public static Option<bool> Json() => new("--json") { Description = "Print JSON." };

    public static Option<bool> Strict() => new("--strict") { Description = "Do without Winograd's and Strassen's algorithms, which round more than direct convolution." };

    /// <summary>An integer option within bounds.</summary>
    public static Option<int> Number(string name, string description, int fallback, int minimum, int maximum)
    {
        var option = new Option<int>(name) { Description = description, DefaultValueFactory = _ => fallback, HelpName = "N" };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, out var value) && (value < minimum || value > maximum))
            {
                result.AddError($"{name} ranges from {minimum} to {maximum}, not {value}");
            }
        });
        return option;
    }
}
