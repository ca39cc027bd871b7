// How much of the input one element of a layer's output can see. Papers give it as (size, jump) per layer; advice
// compares it with the size of objects, the summary lists it.
using System.Collections.Immutable;
using ModelCompiler.Graph;

namespace ModelCompiler.Advice;

/// <summary>One entry per spatial axis of the network's input, in elements of that input. Padding counts as input, so a
/// field may be larger than the input itself.</summary>
/// <param name="Size">Extent that one element sees.</param>
/// <param name="Jump">Distance between the fields of two neighbours; 0 when the axis has one element only.</param>
public sealed record ReceptiveField(ImmutableArray<int> Size, ImmutableArray<int> Jump)
{
    /// <summary>The field of every node that descends from an input with spatial axes. Nodes that mix positions without
    /// a window (flatten, reductions, matrix products) see all that their input sees.</summary>
    /// <remarks>size' = size + (extent - 1) * jump, jump' = jump * stride (Araujo et al., Distill 2019).</remarks>
    public static IReadOnlyDictionary<Node, ReceptiveField> Of(NetworkGraph network) => Of(network.Nodes);

    /// <param name="nodes">Inputs before what is made of them.</param>
    public static IReadOnlyDictionary<Node, ReceptiveField> Of(IEnumerable<Node> nodes)
    {
        var fields = new Dictionary<Node, ReceptiveField>();
        foreach (var node in nodes)
        {
            if (node.Attributes is InputAttributes { IsTarget: false })
            {
                if (node.Shape.Rank > 1)
                {
                    var ones = node.Shape.Spatial.Select(_ => 1).ToImmutableArray();
                    fields.Add(node, new ReceptiveField(ones, ones));
                }
            }
            else if (Join(Sources(node, fields).Select(input => Through(node, input, fields[input])).ToList()) is { } field)
            {
                fields.Add(node, field);
            }
        }

        return fields;
    }

    /// <summary>Inputs that give the node its positions. A gate computed from a whole plane (squeeze-and-excitation) scales the
    /// positions and is left out, as papers do.</summary>
    private static IEnumerable<Node> Sources(Node node, Dictionary<Node, ReceptiveField> fields)
    {
        var known = node.Inputs.Where(fields.ContainsKey).ToList();
        var local = known.Where(input => input.Shape.Rank > 1 && input.Shape.Spatial.Any(size => size > 1)).ToList();
        return local.Count > 0 ? local : known;
    }

    /// <summary>What <paramref name="node"/> sees by way of one of its inputs.</summary>
    private static ReceptiveField Through(Node node, Node input, ReceptiveField field)
    {
        var axes = field.Size.Length;
        if (input.Shape.Rank - 1 != axes)
        {
            return field;
        }

        if (node.Shape.Rank - 1 != axes)
        {
            return field.Widen(axis => (input.Shape.Spatial[axis] - 1, 0, 1));
        }

        var window = node.Primitive.Window(node) is { } own && own.Rank == axes ? own : null;
        return field.Widen(axis =>
        {
            var (from, to) = (input.Shape.Spatial[axis], node.Shape.Spatial[axis]);
            return window is not null ? (window.Extent(axis) - 1, window.Stride[axis], 1)
                : from > 1 && to == 1 ? (from - 1, 0, 1)
                : to > from && from > 1 && to % from == 0 ? (1, 1, to / from) // upsampling: of two neighbours at most
                : (0, 1, 1);
        });
    }

    /// <param name="step">Per axis: input elements seen beside the first, and the factor and divisor of the jump.</param>
    private ReceptiveField Widen(Func<int, (int Beside, int Times, int Over)> step)
    {
        var size = Size.ToBuilder();
        var jump = Jump.ToBuilder();
        for (var axis = 0; axis < size.Count; axis++)
        {
            var (beside, times, over) = step(axis);
            size[axis] = (int)Math.Min(int.MaxValue, size[axis] + ((long)beside * jump[axis]));
            jump[axis] = (int)Math.Min(int.MaxValue, (long)jump[axis] * times / over);
        }

        return new ReceptiveField(size.ToImmutable(), jump.ToImmutable());
    }

    /// <summary>The largest extent over all ways; null when the inputs do not agree on the number of axes.</summary>
    private static ReceptiveField? Join(List<ReceptiveField> ways) =>
        ways.Count == 0 || ways.Any(way => way.Size.Length != ways[0].Size.Length)
            ? null
            : ways.Aggregate((a, b) => new ReceptiveField(Largest(a.Size, b.Size), Largest(a.Jump, b.Jump)));

    private static ImmutableArray<int> Largest(ImmutableArray<int> a, ImmutableArray<int> b) => a.Zip(b, Math.Max).ToImmutableArray();
}
