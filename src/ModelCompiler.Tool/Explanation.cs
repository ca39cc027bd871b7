// The steps of a plan against the machine's limits, as data; `cnnc explain` prints it, and its JSON form is stable:
// properties may be added, none will change.
using ModelCompiler.Planning;

namespace ModelCompiler.Tool;

/// <summary>Times in milliseconds for a whole batch.</summary>
/// <param name="PeakGflops">Of one core.</param>
/// <param name="BandwidthGBps">Of one core, over as many bytes as a run touches.</param>
internal sealed record Explanation(
    string Network, bool Train, int Batch, int Threads, double PeakGflops, double BandwidthGBps, StepExplanation[] Steps)
{
    /// <param name="times">Measured milliseconds of each step; null where nothing was measured.</param>
    public static Explanation Of(Plan plan, int batch, int threads, MachineLimits limits, double[]? times) => new(
        plan.Graph.Name, plan.Training, batch, threads, Math.Round(limits.Gflops, 1), Math.Round(limits.GigabytesPerSecond, 1),
        plan.Steps.Select((step, index) => Explain(OnThisMachine(step), batch, threads, limits, times?[index])).ToArray());

    /// <summary>With the kernel that runs here, and the weights that it reads.</summary>
    private static Step OnThisMachine(Step step) => !Runtime.Machine.KeepsFilters && step.WithoutKeptFilters is Kernels.WinogradKernel late
        ? step with { Kernel = late, Floats = step.Floats - late.Packing().PackedSize + late.Ordering.Geometry.PackedSize } : step;

    private static StepExplanation Explain(Step step, int batch, int threads, MachineLimits limits, double? time)
    {
        var samples = step.Kernel.Scope == Kernels.KernelScope.Once ? 1 : step.ByGroups ? Runtime.NetworkInfo.GroupCount(batch) : batch;
        var (operations, bytes) = (2.0 * step.Kernel.Macs * samples, (double)step.Floats * sizeof(float) * samples);
        var predicted = Math.Max(operations / (limits.Gflops * 1e6 * threads), bytes / (limits.GigabytesPerSecond * 1e6));
        return new StepExplanation(
            step.Origin.Path, step.Name, step.Kernel.Choice, step.Kernel.Layouts, step.Kernel.Fusion, step.Kernel.Macs * samples, (long)bytes,
            predicted, time, time is > 0 ? 100 * predicted / time : null);
    }

    public string Table()
    {
        var measured = Steps.Any(step => step.MeasuredMs is not null);
        string[] head = ["layer", "kernel", "layout", "fused", "MACs", "bytes", "predicted µs", .. measured ? ["measured µs", "of limit"] : Array.Empty<string>()];
        string[] Cells(string layer, string kernel, string layout, string fused, long macs, long bytes, double predicted, double? time) =>
        [
            layer, kernel, layout, fused, $"{macs:N0}", $"{bytes:N0}", $"{predicted * 1000:F1}",
            .. measured ? [$"{time * 1000:F1}", time > 0 ? $"{100 * predicted / time:F0} %" : ""] : Array.Empty<string>(),
        ];
        var rows = Steps.Select(s => Cells(s.Layer.Length > 0 ? s.Layer : s.Step, s.Kernel, s.Layout, s.Fused, s.Macs, s.Bytes, s.PredictedMs, s.MeasuredMs)).Prepend(head)
            .Append(Cells("total", "", "", "", Steps.Sum(s => s.Macs), Steps.Sum(s => s.Bytes), Steps.Sum(s => s.PredictedMs), measured ? Steps.Sum(s => s.MeasuredMs) : null)).ToList();
        var widths = Enumerable.Range(0, head.Length).Select(column => rows.Max(row => row[column].Length)).ToArray();
        var lines = rows.Select(row => string.Join("  ", row.Select((cell, column) => column >= 4 ? cell.PadLeft(widths[column]) : cell.PadRight(widths[column]))).TrimEnd());
        return FormattableString.Invariant($"{Network}, {(Train ? "training" : "inference")}, batch {Batch}, {Threads} thread{(Threads == 1 ? "" : "s")}; ")
            + FormattableString.Invariant($"a core does {PeakGflops:F0} GFLOP/s and reads {BandwidthGBps:F0} GB/s{Environment.NewLine}{string.Join(Environment.NewLine, lines)}");
    }
}

/// <param name="Layer">Path of the layer, for instance <c>layer1.0.conv1</c>.</param>
/// <param name="Step">Name of the step in the emitted code.</param>
/// <param name="Macs">Multiply-adds as the algorithm does them; Winograd's and Strassen's do fewer than the layer has.</param>
/// <param name="Bytes">Read and written when every operand passes by once.</param>
/// <param name="PredictedMs">The larger of operations against peak and bytes against bandwidth.</param>
/// <param name="MeasuredMs">Median; null where nothing was measured.</param>
/// <param name="PercentOfLimit">Predicted of measured time.</param>
internal sealed record StepExplanation(
    string Layer, string Step, string Kernel, string Layout, string Fused, long Macs, long Bytes, double PredictedMs, double? MeasuredMs, double? PercentOfLimit);
