// Concatenation along channels without copying: what is joined is written to its place in the whole by the kernels that
// compute it. Blocks of 16 channels lie one behind another, so a value whose channels begin at a block is a part of the
// whole's memory as it is; one that ends inside a block must be the last, for kernels write whole blocks.
using ModelCompiler.Graph;
using ModelCompiler.Operators;

namespace ModelCompiler.Planning;

/// <summary>For each value that lies in a concatenation: which one, and from which channel on. A concatenation may lie in another:
/// a dense block is one buffer.</summary>
internal sealed class ConcatPlaces
{
    private readonly Dictionary<Node, (Node Whole, int Channel)> places = new();

    /// <param name="halos">Get what parts and wholes need together: they have one halo.</param>
    public ConcatPlaces(IEnumerable<Node> nodes, HaloNeeds halos)
    {
        foreach (var whole in nodes.Where(n => n.Primitive == Primitives.Concat && n.Batched && n.As<ConcatAttributes>().Axis == 0 && HasPlane(n.Shape)))
        {
            var channel = 0;
            for (var i = 0; i < whole.Inputs.Length; channel += whole.Inputs[i].Shape[0], i++)
            {
                var part = whole.Inputs[i];
                if (channel % Layout.Lanes == 0 && (part.Shape[0] % Layout.Lanes == 0 || i == whole.Inputs.Length - 1) && part.Batched && !places.ContainsKey(part))
                {
                    places.Add(part, (whole, channel));
                }
            }
        }

        for (var changed = true; changed;)
        {
            changed = false;
            foreach (var place in places)
            {
                if (halos.Of(place.Key) != halos.Of(place.Value.Whole))
                {
                    halos.Unite(place.Key, place.Value.Whole);
                    changed = true;
                }
            }
        }
    }

    /// <summary>Where a value lies; null for one with memory of its own.</summary>
    public (Node Whole, int Channel)? Of(Node part) => places.TryGetValue(part, out var place) ? place : null;

    public bool HasParts(Node whole) => places.Values.Any(place => place.Whole == whole);

    private static bool HasPlane(Shape shape) => shape.Rank is > 1 and < 5 && shape.Count > shape[0];
}
