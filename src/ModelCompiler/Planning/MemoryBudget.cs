// Addresses inside emitted code are 32-bit numbers of floats. A network that one sample of does not fit into them is
// reported where its largest value is made; sizes are computed in checked arithmetic, so none slips through.
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
}
