// Run as a process of its own by tests that switch instruction sets off, for whether vectors are accelerated is
// decided once per process, and by tests that let the JIT write down what it does.
using System.Diagnostics;
using System.Reflection;
using System.Runtime.Intrinsics;
using ModelCompiler.Tests.Emission;
using ModelCompiler.Tests.Kernels;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace ModelCompiler.Tests;

internal static class Program
{
    /// <summary>The first argument of a run that compiles an assembly.</summary>
    public const string Prepare = "prepare";

    /// <summary>Runs this program as a process of its own.</summary>
    /// <returns>The exit code, and what was written to standard output.</returns>
    public static (int ExitCode, string Output) RunAgain(IEnumerable<string> arguments, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo("dotnet", ["exec", typeof(Program).Assembly.Location, .. arguments]) { RedirectStandardOutput = true };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output);
    }

    /// <param name="arguments"><see cref="Prepare"/> and assemblies whose methods are to be compiled; or <see cref="EmittedFiltersTests.Argument"/> and whether filters are
    /// kept; or the widest vectors that should be accelerated: 128, 256 or 512 bits.</param>
    /// <returns>0 when everything marked <see cref="OnEveryHardwareAttribute"/> passes, 1 when not, 2 when the hardware is another.</returns>
    public static int Main(string[] arguments)
    {
        if (arguments is [Prepare, .. var assemblies])
        {
            JitOutcomeTests.Prepare(assemblies);
            return 0;
        }

        if (arguments is [EmittedFiltersTests.Argument, var keeps])
        {
            return EmittedFiltersTests.Run(bool.Parse(keeps));
        }

        var widest = Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : 128;
        if (arguments is not [var expected] || expected != $"{widest}")
        {
            Console.WriteLine($"The widest accelerated vectors have {widest} bits.");
            return 2;
        }

        foreach (var method in typeof(Program).Assembly.GetTypes().SelectMany(t => t.GetMethods()).Where(m => m.GetCustomAttribute<OnEveryHardwareAttribute>() is not null))
        {
            try
            {
                var type = method.DeclaringType!;
                object[] needs = type.GetConstructors().Single().GetParameters() is [] ? [] : [new Silence()];
                foreach (var row in method.GetCustomAttributes<DataAttribute>().SelectMany(data => data.GetData(method)).DefaultIfEmpty([]))
                {
                    method.Invoke(Activator.CreateInstance(type, needs), row);
                }
            }
            catch (TargetInvocationException e)
            {
                Console.WriteLine($"{method.DeclaringType!.Name}.{method.Name}: {e.InnerException!.Message}");
                return 1;
            }
        }

        return 0;
    }

    private sealed class Silence : ITestOutputHelper
    {
        public void WriteLine(string message)
        {
        }

        public void WriteLine(string format, params object[] args)
        {
        }
    }
}
