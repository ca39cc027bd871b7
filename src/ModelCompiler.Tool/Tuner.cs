// Finds the fastest kernel of each layer by running the whole network several times, each time with another kernel in every layer
// that has a choice: what a kernel finds in the caches is then what it finds in use. The time of a kernel is the fastest of its
// runs, for what disturbs can only slow it down.
using System.Diagnostics;
using ModelCompiler.Graph;
using ModelCompiler.Planning;
using ModelCompiler.Runtime;

namespace ModelCompiler.Tool;

/// <param name="Seconds">For each variant of the network.</param>
internal sealed record TuningTask(NetworkGraph Graph, bool Train, int Batch, int Threads, TimeSpan Seconds, bool Strict);

/// <param name="Entries">One for each layer that is faster otherwise; none when the whole was not.</param>
/// <param name="Layers">Layers that have a choice.</param>
/// <param name="OwnMs">Time of a run with the compiler's own choices.</param>
/// <param name="TunedMs">With <paramref name="Entries"/>; the same where there is none.</param>
internal sealed record TuningOutcome(IReadOnlyList<TuningEntry> Entries, int Layers, int Variants, double OwnMs, double TunedMs);

internal sealed class Tuner(TuningTask task)
{
    /// <summary>What differs by less is noise.</summary>
    private const double LeastGain = 1.03;
    private const int Rounds = 7;

    /// <summary>Times in milliseconds by layer and choice. Layers of one name and the same shapes share a choice, and their times add up.</summary>
    private readonly Dictionary<(string Layer, string Step, string Shapes), Dictionary<KernelChoice, double>> times = new();

    public TuningOutcome Run()
    {
        var points = Plan(null).Choices.GroupBy(p => (p.Layer, p.Step, p.Shapes)).ToDictionary(same => same.Key, same => (same.First().Own, same.First().Options));
        var variants = points.Count == 0 ? 0 : points.Values.Max(p => p.Options.Length);
        for (var i = 0; i < variants; i++)
        {
            Measure(points.ToDictionary(p => p.Key, p => p.Value.Options[Math.Min(i, p.Value.Options.Length - 1)]));
        }

        var entries = new List<TuningEntry>();
        foreach (var (key, (own, _)) in points)
        {
            var (best, time) = times[key].OrderBy(t => t.Value).ThenBy(t => t.Key.ToString(), StringComparer.Ordinal).First();
            if (best != own && time * LeastGain < times[key][own])
            {
                entries.Add(new TuningEntry(task.Graph.Name, task.Train, key.Layer, key.Step, key.Shapes, best, FormattableString.Invariant($"{time:F4} ms; {own} {times[key][own]:F4} ms")));
            }
        }

        using var plain = new Variant(task, null);
        using var tuned = entries.Count == 0 ? null : new Variant(task, new Tuning(entries));
        var (ownMs, tunedMs) = (double.MaxValue, double.MaxValue);
        for (var round = 0; round < Rounds; round++)
        {
            ownMs = Math.Min(ownMs, plain.Fastest(task.Seconds / Rounds));
            tunedMs = Math.Min(tunedMs, tuned?.Fastest(task.Seconds / Rounds) ?? ownMs);
        }

        return tunedMs < ownMs ? new TuningOutcome(entries, points.Count, variants, ownMs, tunedMs) : new TuningOutcome([], points.Count, variants, ownMs, ownMs);
    }

    private Plan Plan(Tuning? tuning) => Variant.Plan(task, tuning);

    private void Measure(Dictionary<(string Layer, string Step, string Shapes), KernelChoice> choices)
    {
        var tuning = new Tuning(choices.Select(c => new TuningEntry(task.Graph.Name, task.Train, c.Key.Layer, c.Key.Step, c.Key.Shapes, c.Value)));
        using var variant = new Variant(task, tuning);
        var places = variant.Steps.Select((step, index) => (step.Name, index)).ToDictionary(step => step.Name, step => step.index);
        var ofSteps = StepTimes.Measure(variant.Network, variant.Steps.Length, task.Seconds, quantile: 0);
        var ofChoices = variant.Choices.GroupBy(p => (p.Layer, p.Step, p.Shapes)).ToDictionary(same => same.Key, same => same.Sum(p => p.Steps.Sum(name => ofSteps[places[name]])));
        foreach (var (key, time) in ofChoices)
        {
            var known = times.TryGetValue(key, out var before) ? before : times[key] = new();
            known[choices[key]] = Math.Min(time, known.GetValueOrDefault(choices[key], double.MaxValue));
        }
    }

    /// <summary>The network with some choices, compiled and ready to run.</summary>
    private sealed class Variant : IDisposable
    {
        private readonly NetworkAssembly assembly;
        private readonly Plan plan;

        public Variant(TuningTask task, Tuning? tuning)
        {
            plan = Plan(task, tuning);
            var inference = task.Train ? Planner.ForInference(task.Graph, !task.Strict) : plan;
            assembly = NetworkAssembly.Of(task.Graph, inference, task.Train ? plan : null);
            Network = task.Train ? assembly.CreateTraining(task.Batch, task.Threads) : assembly.CreateInference(task.Batch, task.Threads);
            Commands.BenchCommand.Fill(Network);
        }

        public CompiledNetwork Network { get; }

        public System.Collections.Immutable.ImmutableArray<Step> Steps => plan.Steps;

        public System.Collections.Immutable.ImmutableArray<ChoicePoint> Choices => plan.Choices;

        public static Plan Plan(TuningTask task, Tuning? tuning) => task.Train
            ? Planner.ForTraining(task.Graph, inputGradients: false, !task.Strict, tuning?.For(task.Graph.Name, training: true))
            : Planner.ForInference(task.Graph, !task.Strict, tuning?.For(task.Graph.Name, training: false));

        /// <summary>Milliseconds of the fastest run.</summary>
        public double Fastest(TimeSpan duration)
        {
            var run = StepTimes.Run(Network);
            WarmUp.Run(run);
            var (best, total) = (double.MaxValue, Stopwatch.StartNew());
            do
            {
                var start = Stopwatch.GetTimestamp();
                run();
                best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }
            while (total.Elapsed < duration);
            return best;
        }

        public void Dispose()
        {
            Network.Dispose();
            assembly.Dispose();
        }
    }
}
