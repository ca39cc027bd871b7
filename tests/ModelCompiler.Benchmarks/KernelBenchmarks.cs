// Single layers as they are emitted, against what one core of this machine does at most: a column tells the percentage.
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using ModelCompiler.Runtime;
using ModelCompiler.Tool;

namespace ModelCompiler.Benchmarks;

[Config(typeof(Config))]
public class KernelBenchmarks
{
    private static readonly Dictionary<string, Func<InferenceNetwork>> Layers = new()
    {
        [nameof(Conv3x3C64S56)] = () => new Conv3x3C64S56(threads: 1),
        [nameof(Conv3x3C256S14)] = () => new Conv3x3C256S14(threads: 1),
        [nameof(Conv3x3Stride2C128S28)] = () => new Conv3x3Stride2C128S28(threads: 1),
        [nameof(Conv1x1C256S28)] = () => new Conv1x1C256S28(threads: 1),
        [nameof(Conv7x7C3S224)] = () => new Conv7x7C3S224(threads: 1),
        [nameof(DepthwiseC96S56)] = () => new DepthwiseC96S56(threads: 1),
        [nameof(Dense2048)] = () => new Dense2048(threads: 1),
    };

    private InferenceNetwork network = null!;

    public static IEnumerable<string> Names => Layers.Keys;

    [ParamsSource(nameof(Names))]
    public string Layer { get; set; } = "";

    [GlobalSetup]
    public void Make()
    {
        network = Layers[Layer]();
        var random = new Random(1);
        foreach (ref var value in network.Inputs[0].Data)
        {
            value = random.NextSingle() - 0.5f;
        }
    }

    [GlobalCleanup]
    public void Release() => network.Dispose();

    [Benchmark]
    public void Forward() => network.Forward();

    /// <summary>In this process: the peak is measured by the core and in the minutes in which the layers are.</summary>
    private sealed class Config : ManualConfig
    {
        public Config() => AddJob(Job.Default.WithToolchain(InProcessEmitToolchain.Instance)).AddColumn(new PercentOfPeak());
    }

    /// <summary>Multiply-adds that the layer has, as direct convolution would do them, in its median time, of those that a core does in registers.
    /// Winograd's algorithm may pass 100 %.</summary>
    private sealed class PercentOfPeak : IColumn
    {
        private static readonly Lazy<double> Gflops = new(() => MachineLimits.Measure(bytes: 1 << 20, TimeSpan.FromSeconds(1)).Gflops);

        public string Id => nameof(PercentOfPeak);

        public string ColumnName => "% of peak";

        public string Legend => FormattableString.Invariant($"multiply-adds of the layer against one core's measured peak of {Gflops.Value:F0} GFLOP/s");

        public bool AlwaysShow => true;

        public ColumnCategory Category => ColumnCategory.Custom;

        public int PriorityInCategory => 0;

        public bool IsNumeric => true;

        public UnitType UnitType => UnitType.Dimensionless;

        public string GetValue(Summary summary, BenchmarkCase benchmarkCase)
        {
            if (summary[benchmarkCase]?.ResultStatistics is not { } times)
            {
                return "?";
            }

            using var network = Layers[(string)benchmarkCase.Parameters[nameof(Layer)]]();
            return FormattableString.Invariant($"{100 * 2.0 * network.Info.Macs / times.Median / Gflops.Value:F1}");
        }

        public string GetValue(Summary summary, BenchmarkCase benchmarkCase, SummaryStyle style) => GetValue(summary, benchmarkCase);

        public bool IsDefault(Summary summary, BenchmarkCase benchmarkCase) => false;

        public bool IsAvailable(Summary summary) => true;
    }
}
