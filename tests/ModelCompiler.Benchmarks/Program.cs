// Timings of generated code and of the compiler itself, by BenchmarkDotNet:
//   dotnet run -c Release --project tests/ModelCompiler.Benchmarks -- --filter '*'
// Pin the process to a core (taskset -c 0) for figures that repeat. Nothing here asserts a time.
using BenchmarkDotNet.Running;

BenchmarkSwitcher.FromAssembly(typeof(ModelCompiler.Benchmarks.CompilerBenchmarks).Assembly).Run(args);
