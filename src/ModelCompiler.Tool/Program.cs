// The compiler on the command line. Every command reads files, asks the compiler or a compiled network, and
// prints; what can go wrong on the way ends as one line on the error stream, never as a stack trace.
using System.CommandLine;
using System.Globalization;
using ModelCompiler.Runtime;
using ModelCompiler.Tool.Commands;

namespace ModelCompiler.Tool;

public static class Program
{
    /// <summary>Everything was done.</summary>
    public const int Success = 0;

    /// <summary>A <c>.cnn</c> file has errors.</summary>
    public const int Diagnostics = 1;

    /// <summary>The command line, or a file it names, is not usable.</summary>
    public const int Usage = 2;

    public static int Main(string[] args)
    {
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        return Run(args, Console.Out, Console.Error);
    }

    /// <summary>One invocation, with the streams it writes to.</summary>
    public static int Run(string[] args, TextWriter output, TextWriter errors)
    {
        var session = new Session(output, errors);
        var root = new RootCommand("Compiles convolutional networks written in .cnn files; checks, describes, runs and measures them.");
        Command[] commands =
        [
            CheckCommand.Create(session), SummaryCommand.Create(session), EmitCommand.Create(session), InitCommand.Create(session),
            RunCommand.Create(session), GradCommand.Create(session), BenchCommand.Create(session), ExplainCommand.Create(session),
            TuneCommand.Create(session), FormatCommand.Create(session), LspCommand.Create(session),
        ];
        foreach (var command in commands)
        {
            root.Add(command);
        }

        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            errors.WriteLine($"cnnc: {OneLine(string.Join(' ', parsed.Errors.Select(error => error.Message)))} (see 'cnnc --help')");
            return Usage;
        }

        try
        {
            return parsed.Invoke(new InvocationConfiguration { Output = output, Error = errors, EnableDefaultExceptionHandler = false });
        }
        catch (DiagnosticsException)
        {
            return Diagnostics; // they have been printed
        }
        catch (Exception problem) when (problem is ToolException or IOException or UnauthorizedAccessException or WeightsException
            or TrainingException or OutOfMemoryException)
        {
            errors.WriteLine($"cnnc: {OneLine(problem.Message)}");
            return Usage;
        }
    }

    private static string OneLine(string message) =>
        string.Join(" ", message.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0));
}
