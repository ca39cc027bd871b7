// cnnc explain: what the compiler made of every layer, how long it should take, and how long it takes.
using System.CommandLine;
using System.Text.Json;
using ModelCompiler.Planning;
using ModelCompiler.Runtime;

namespace ModelCompiler.Tool.Commands;

internal static class ExplainCommand
{
    private static readonly TimeSpan LimitsTime = TimeSpan.FromMilliseconds(300);
    private static readonly JsonSerializerOptions JsonForm = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase, WriteIndented = true };

    public static Command Create(Session session)
    {
        var (file, network, strict, json) = (Arguments.File(), Arguments.Network(), Arguments.Strict(), Arguments.Json());
        var batch = Arguments.Number("--batch", "Samples per run.", 1, 1, 1 << 20);
        var threads = Arguments.Number("--threads", "Threads to use.", 1, 1, 256);
        var seconds = Arguments.Number("--seconds", "How long to measure.", 3, 1, 3600);
        var train = new Option<bool>("--train") { Description = "Explain a training step instead of a forward pass." };
        var measure = new Option<bool>("--measure") { Description = "Run the network and take the time of every step." };
        var command = new Command("explain", "Lists the steps of a network: kernel, tile, layout, what is fused, predicted and measured time.")
        {
            file, network, batch, threads, train, measure, seconds, strict, json,
        };
        command.SetAction(parsed =>
        {
            var (path, wanted, isTraining) = (parsed.GetRequiredValue(file), parsed.GetValue(network), parsed.GetValue(train));
            var graph = CnnFiles.Evaluate(session, path, wanted);
            if (isTraining && graph.Loss is null)
            {
                throw new ToolException($"network '{graph.Name}' has no loss, so it cannot be trained");
            }

            var tuning = CnnFiles.Tuning(path)?.For(graph.Name, isTraining);
            var plan = isTraining
                ? Planner.ForTraining(graph, inputGradients: false, !parsed.GetValue(strict), tuning) : Planner.ForInference(graph, !parsed.GetValue(strict), tuning);
            var (samples, workers) = (parsed.GetValue(batch), parsed.GetValue(threads));
            var limits = MachineLimits.Measure((((long)plan.SampleFloats * samples) + plan.CommonFloats) * sizeof(float), LimitsTime);
            double[]? times = null;
            if (parsed.GetValue(measure))
            {
                using var assembly = NetworkAssembly.Compile(session, path, wanted, strict: parsed.GetValue(strict));
                using CompiledNetwork compiled = isTraining ? assembly.CreateTraining(samples, workers) : assembly.CreateInference(samples, workers);
                BenchCommand.Fill(compiled);
                times = StepTimes.Measure(compiled, plan.Steps.Length, TimeSpan.FromSeconds(parsed.GetValue(seconds)), quantile: 0.5);
            }

            var explanation = Explanation.Of(plan, samples, workers, limits, times);
            session.Output.WriteLine(parsed.GetValue(json) ? JsonSerializer.Serialize(explanation, JsonForm) : explanation.Table());
            return Program.Success;
        });
        return command;
    }
}
