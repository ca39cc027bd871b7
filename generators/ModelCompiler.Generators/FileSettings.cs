// What a project says about its `.cnn` files beside their text: build properties for all of them, options of an .editorconfig
// or .globalconfig for some. A value that cannot be is reported and not guessed.
using System.Globalization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using ModelCompiler.Grammar;

namespace ModelCompiler.Generators;

/// <summary>Budgets in bytes; null where none is stated.</summary>
/// <param name="Strict">Whether algorithms that round more than direct convolution are refused.</param>
internal sealed record FileSettings(long? MemoryBudget, long? TrainingMemoryBudget, bool Strict, EquatableArray<DiagnosticValue> Diagnostics)
{
    private const double Mebibyte = 1 << 20;

    public static FileSettings Read(AnalyzerConfigOptionsProvider provider, AdditionalText file)
    {
        var problems = new List<DiagnosticValue>();
        var memory = Bytes("CnnMemoryBudget", "cnn_memory_budget");
        var training = Bytes("CnnTrainingMemoryBudget", "cnn_training_memory_budget");
        var strict = IsStrict("CnnPrecision", "cnn_precision");
        return new FileSettings(memory, training, strict, problems.ToEquatableArray());

        // What is said of a file goes before what is said of all.
        (string Name, string Text) Find(string property, string option) =>
            provider.GetOptions(file).TryGetValue(option, out var own) || provider.GlobalOptions.TryGetValue(option, out own) ? (option, own)
                : provider.GlobalOptions.TryGetValue("build_property." + property, out var all) ? (property, all) : (property, "");

        void Problem(string message) => problems.Add(new DiagnosticValue(HostDiagnostics.SettingNotUnderstood, Severity.Error, null, message, default));

        bool IsStrict(string property, string option)
        {
            var (name, text) = Find(property, option);
            if (text.Trim() is not ("" or "fast" or "strict"))
            {
                Problem($"'{name}' is '{text}'; it is 'fast', or 'strict' to do without Winograd's algorithm, which rounds more");
            }

            return text.Trim() == "strict";
        }

        long? Bytes(string property, string option)
        {
            var (name, text) = Find(property, option);
            if (text.Trim().Length == 0)
            {
                return null;
            }

            if (double.TryParse(text, NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var mebibytes)
                && mebibytes > 0 && mebibytes < 1L << 40)
            {
                return (long)(mebibytes * Mebibyte);
            }

            Problem($"'{name}' is '{text}'; it is a positive number of MiB, such as 64 or 0.5");
            return null;
        }
    }
}
