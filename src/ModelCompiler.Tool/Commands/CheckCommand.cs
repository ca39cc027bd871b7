// cnnc check: all there is to say about files, as a build would print it.
using System.Collections.Immutable;
using System.CommandLine;
using ModelCompiler.Evaluation;
using ModelCompiler.Grammar;

namespace ModelCompiler.Tool.Commands;

internal static class CheckCommand
{
    private const double Mebibyte = 1 << 20;

    public static Command Create(Session session)
    {
        var files = new Argument<string[]>("FILE") { Description = "The .cnn files.", Arity = ArgumentArity.OneOrMore };
        var memory = Budget("--memory-budget", "MiB for the activations of one sample in inference; CNN4011 warns beyond.");
        var training = Budget("--training-memory-budget", "The same for training.");
        var command = new Command("check", "Reports the diagnostics of files in MSBuild's form; exit code 1 when there is an error.") { files, memory, training };
        command.SetAction(parsed =>
        {
            var options = new CompilerOptions("", "", MemoryBudget: Bytes(parsed.GetValue(memory)), TrainingMemoryBudget: Bytes(parsed.GetValue(training)));
            return Check(session, parsed.GetRequiredValue(files), options);
        });
        return command;
    }

    private static Option<double?> Budget(string name, string description)
    {
        var option = new Option<double?>(name) { Description = description, HelpName = "MIB" };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && result.GetValueOrDefault<double?>() is not (> 0 and < 1L << 40))
            {
                result.AddError($"{name} is a positive number of MiB");
            }
        });
        return option;
    }

    private static long? Bytes(double? mebibytes) => mebibytes is { } number ? (long)(number * Mebibyte) : null;

    private static int Check(Session session, string[] paths, CompilerOptions options)
    {
        // A mistake in a shared file is found by every file that imports it.
        var diagnostics = paths.Select(CnnFiles.Read).ToList().SelectMany(file => Check(file, options))
            .DistinctBy(diagnostic => diagnostic.ToString()).ToList();
        foreach (var diagnostic in diagnostics)
        {
            session.Output.WriteLine(diagnostic);
        }

        return diagnostics.Any(d => d.Severity == Severity.Error) ? Program.Diagnostics : Program.Success;
    }

    /// <summary>Memory, and layers that have a choice of kernels, are known when a network is planned; without a budget or measured
    /// choices there is no need to.</summary>
    private static ImmutableArray<Diagnostic> Check(SourceFile file, CompilerOptions options)
    {
        options = options with { Tuning = CnnFiles.Tuning(file.Path) };
        return options is { MemoryBudget: null, TrainingMemoryBudget: null, Tuning: null }
            ? Evaluator.Evaluate(file, CnnFiles.Import).Diagnostics
            : Compiler.Compile(file, CnnFiles.Import, options).Diagnostics;
    }
}
