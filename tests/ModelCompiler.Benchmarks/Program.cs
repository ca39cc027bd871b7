// Timings of generated code and of the compiler itself, by BenchmarkDotNet:
//   dotnet run -c Release --project tests/ModelCompiler.Benchmarks -- --filter '*'
//   dotnet run -c Release --project tests/ModelCompiler.Benchmarks -- build [network of the zoo …]     (what a build waits for, in a minute)
// Pin the process to a core (taskset -c 0) for figures that repeat. Nothing here asserts a time.
using BenchmarkDotNet.Running;

if (args is ["build", .. var networks])
{
    ModelCompiler.Benchmarks.BuildReport.Print(networks.Length > 0 ? networks : ["resnet18", "mobilenet_v2", "densenet201"]);
    return;
}

BenchmarkSwitcher.FromAssembly(typeof(ModelCompiler.Benchmarks.CompilerBenchmarks).Assembly).Run(args);
