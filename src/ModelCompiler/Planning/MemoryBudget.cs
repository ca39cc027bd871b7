// Addresses inside emitted code are 32-bit numbers of floats. A network that one sample of does not fit into them is
// reported where its largest value is made; sizes are computed in checked arithmetic, so none slips through. A project may
// state a smaller budget of its own, which is advice.
using System.Collections.Immutable;
using System.Globalization;
using ModelCompiler.Grammar;
using ModelCompiler.Graph;

namespace ModelCompiler.Planning;

internal static class MemoryBudget
{
    /// <summary>What to report when planning <paramref name="network"/> overflowed.</summary>
    public static Diagnostic Exceeded(NetworkGraph network)
    {
        var largest = network.Nodes.Where(n => n.Origin.Place is not null).OrderByDescending(n => n.Shape.Count).FirstOrDefault();
        var value = largest is null ? "" : $"; its largest value is {largest.Shape}, made here";
        var most = int.MaxValue.ToString("N0", CultureInfo.InvariantCulture);
        return new Diagnostic(
            "CNN5015", Severity.Error, largest?.Origin.Place ?? network.Place,
            $"'{network.Name}' needs room for more than {most} numbers (8 GiB) for a single sample{value}; use smaller sizes");
    }

    /// <summary>Warns when one sample's activations, as planned, take more than <paramref name="budget"/> bytes.</summary>
    /// <param name="plan">Null when the network has no such product.</param>
    public static void Check(NetworkGraph network, Plan? plan, long? budget, Action<Diagnostic>? advise)
    {
        var bytes = ((plan?.SampleFloats ?? 0) + ((plan?.GroupFloats ?? 0) / Layout.Lanes)) * (long)sizeof(float);
        if (plan is null || budget is null || bytes <= budget)
        {
            return;
        }

        var (use, remedy) = plan.Training
            ? ("in training, which keeps them for the gradient", "fewer channels or smaller maps in the first layers help most")
            : ("in inference", "a stride or pooling in earlier layers, or fewer channels there, help most");
        var largest = network.Nodes.Where(n => n.Batched && n.Origin.Place is not null && n.Origin.Path.Length > 0).OrderByDescending(n => n.Shape.Count).FirstOrDefault();
        var notes = largest?.Origin.Place is { } made
            ? ImmutableArray.Create(new DiagnosticNote(made, $"the largest, {largest.Shape} ({Size(largest.Shape.Count * sizeof(float))}), is made here"))
            : ImmutableArray<DiagnosticNote>.Empty;
        var where = largest is null ? "" : $"; the largest is {largest.Shape} ({Size(largest.Shape.Count * sizeof(float))}, line {largest.Origin.Place!.Value.Line})";
        advise?.Invoke(new Diagnostic(
            "CNN4011", Severity.Warning, network.Place,
            $"the activations of one sample of '{network.Name}' take {Size(bytes)} {use}, and the budget is {Size(budget.Value)}{where}; {remedy}", notes));
    }

    private static string Size(long bytes) => bytes < 1 << 20
        ? FormattableString.Invariant($"{bytes / 1024.0:0.#} KiB")
        : FormattableString.Invariant($"{bytes / (1024.0 * 1024):0.#} MiB");
}
