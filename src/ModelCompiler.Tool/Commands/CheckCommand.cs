// cnnc check: all there is to say about files, as a build would print it.
using System.CommandLine;
using ModelCompiler.Evaluation;
using ModelCompiler.Grammar;

namespace ModelCompiler.Tool.Commands;

internal static class CheckCommand
{
    public static Command Create(Session session)
    {
        var files = new Argument<string[]>("FILE") { Description = "The .cnn files.", Arity = ArgumentArity.OneOrMore };
        var command = new Command("check", "Reports the diagnostics of files in MSBuild's form; exit code 1 when there is an error.") { files };
        command.SetAction(parsed => Check(session, parsed.GetRequiredValue(files)));
        return command;
    }

    private static int Check(Session session, string[] paths)
    {
        // A mistake in a shared file is found by every file that imports it.
        var diagnostics = paths.Select(CnnFiles.Read).ToList().SelectMany(file => Evaluator.Evaluate(file, CnnFiles.Import).Diagnostics)
            .DistinctBy(diagnostic => diagnostic.ToString()).ToList();
        foreach (var diagnostic in diagnostics)
        {
            session.Output.WriteLine(diagnostic);
        }

        return diagnostics.Any(d => d.Severity == Severity.Error) ? Program.Diagnostics : Program.Success;
    }
}
