// Examples run as their users run them: as processes.
using System.Diagnostics;

namespace ModelCompiler.Examples.Tests;

internal static class ExampleProcess
{
    /// <summary>Runs an example in a folder; its output is redirected, as in a pipe.</summary>
    public static (int Code, string Output) Run(string name, string folder, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, $"{name}.dll"), .. arguments])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + errors.Result);
    }
}
