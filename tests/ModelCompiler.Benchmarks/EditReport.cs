// What an edit costs: a project of several networks in a warm generator, one file changed, and what is compiled again.
using System.Diagnostics;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using ModelCompiler.Generators;
using ModelCompiler.Generators.Tests;
using static ModelCompiler.Generators.NetworkGenerator;

namespace ModelCompiler.Benchmarks;

internal static class EditReport
{
    private static readonly string[] Networks = ["densenet121", "densenet201", "mobilenet_v2", "resnet18", "resnet50"];

    public static void Print()
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "zoo");
        var paths = Networks.Select(name => name + ".cnn").Concat(Directory.GetFiles(Path.Combine(folder, "common")).Select(path => "common/" + Path.GetFileName(path))).ToList();
        var host = new GeneratorHost();
        paths.ForEach(path => host.With(path, File.ReadAllText(Path.Combine(folder, path))));
        var failed = host.Run().Diagnostics.FirstOrDefault(d => d.Severity == DiagnosticSeverity.Error);
        if (failed is not null)
        {
            throw new InvalidOperationException(failed.ToString());
        }

        Console.WriteLine($"A project of {string.Join(", ", Networks)}; an edit, and the networks that are compiled again:");
        Console.WriteLine();
        Console.WriteLine("| edited | compiled again | generator ms |");
        Console.WriteLine("| --- | --- | --: |");
        foreach (var path in new[] { "mobilenet_v2.cnn", "densenet201.cnn", "common/resnet.cnn", "common/densenet.cnn" })
        {
            Print(path, host, repetition => host.With(path, File.ReadAllText(Path.Combine(folder, path)) + new string('\n', repetition + 1)));
        }

        Print("a C# file", host, repetition => host.Compilation = host.Compilation.AddSyntaxTrees(CSharpSyntaxTree.ParseText($"class Another{repetition};")));
    }

    private static void Print(string name, GeneratorHost host, Action<int> edit)
    {
        var (times, again) = (new List<double>(), new HashSet<string>());
        for (var repetition = 0; repetition < 7; repetition++)
        {
            edit(repetition);
            var start = Stopwatch.GetTimestamp();
            var result = host.Run();
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            again.UnionWith(result.TrackedSteps[Steps.Compiled].SelectMany(run => run.Outputs).Where(output => output.Reason != IncrementalStepRunReason.Cached)
                .SelectMany(output => ((CompiledFile)output.Value).Networks.Items).Select(network => network.Name));
        }

        Console.WriteLine(FormattableString.Invariant($"| {name} | {(again.Count == 0 ? "none" : string.Join(", ", again.Order()))} | {times.Order().ElementAt(times.Count / 2):F0} |"));
    }
}
