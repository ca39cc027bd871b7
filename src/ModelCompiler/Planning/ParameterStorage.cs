// Where each parameter lies in the flat storage. Decided from the network as evaluated, so that inference and
// training agree whatever either of them uses: trainable ones first, then running statistics.
using System.Collections.Immutable;
using ModelCompiler.Graph;

namespace ModelCompiler.Planning;

internal static class ParameterStorage
{
    /// <summary>The nodes of <paramref name="product"/> with the offsets that their names have in <paramref name="network"/>.</summary>
    public static ImmutableArray<ParameterSlot> Slots(NetworkGraph network, NetworkGraph product)
    {
        var offsets = All(network).ToDictionary(s => s.Attributes.Name, s => s.Offset, StringComparer.Ordinal);
        return product.Parameters
            .Select(n => new ParameterSlot(n, n.As<ParameterAttributes>(), offsets[n.As<ParameterAttributes>().Name])).ToImmutableArray();
    }

    public static ImmutableArray<ParameterSlot> All(NetworkGraph network)
    {
        var offset = 0;
        var slots = ImmutableArray.CreateBuilder<ParameterSlot>();
        foreach (var node in network.Parameters.OrderByDescending(n => n.As<ParameterAttributes>().Trainable))
        {
            slots.Add(new ParameterSlot(node, node.As<ParameterAttributes>(), offset));
            offset = checked(offset + Round(node.Shape.Count));
        }

        return slots.ToImmutable();
    }

    public static (int Storage, int Trainable) Sizes(NetworkGraph network)
    {
        var all = All(network);
        int End(IEnumerable<ParameterSlot> slots) => slots.Select(s => s.Offset + Round(s.Node.Shape.Count)).DefaultIfEmpty(0).Max();
        return (End(all), End(all.Where(s => s.Attributes.Trainable)));
    }

    private static int Round(long count) => checked((int)((count + 15) / 16 * 16));
}
