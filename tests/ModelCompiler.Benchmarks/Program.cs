// Timings of generated code and of the compiler itself, by BenchmarkDotNet:
//   dotnet run -c Release --project tests/ModelCompiler.Benchmarks -- --filter '*'
//   dotnet run -c Release --project tests/ModelCompiler.Benchmarks -- --filter '*Kernel*'               (single layers, with their percentage of the machine's peak)
//   dotnet run -c Release --project tests/ModelCompiler.Benchmarks -- build [network of the zoo …]     (what a build and an edit wait for, in minutes)
// Pin the process to a core (taskset -c 0) for figures that repeat. Nothing here asserts a time.
using BenchmarkDotNet.Running;

if (args is ["build", .. var networks])
{
    ModelCompiler.Benchmarks.BuildReport.Print(networks.Length > 0 ? networks : ["resnet18", "mobilenet_v2", "densenet201"]);
    ModelCompiler.Benchmarks.EditReport.Print();
    return;
}

BenchmarkSwitcher.FromAssembly(typeof(ModelCompiler.Benchmarks.CompilerBenchmarks).Assembly).Run(args);
