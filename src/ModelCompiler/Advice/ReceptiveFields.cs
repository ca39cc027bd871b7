// How many elements of the input, along each spatial axis, one element of a value depends on.
using ModelCompiler.Graph;

namespace ModelCompiler.Advice;

internal static class ReceptiveFields
{
    /// <summary>The values with windows that depend on the input, in the order of the graph, with their receptive fields.</summary>
    public static IEnumerable<(Node Node, double[] Field)> From(Node input, IEnumerable<Node> nodes)
    {
        var axes = input.Shape.Rank - 1;
        var known = new Dictionary<Node, (double[] Field, double[] Jump)> { [input] = (Ones(axes), Ones(axes)) };
        foreach (var node in nodes)
        {
            var sources = node.Inputs.Where(source => known.ContainsKey(source)).ToList();
            if (sources.Count == 0 || node.Shape.Rank != axes + 1)
            {
                continue;
            }

            var window = node.Primitive.Window(node) is { } shape && !IsGlobal(shape, node) ? shape : null;
            var (field, jump) = (new double[axes], new double[axes]);
            for (var axis = 0; axis < axes; axis++)
            {
                foreach (var source in sources)
                {
                    var (sourceField, sourceJump) = known[source];
                    var growth = (double)node.Shape[axis + 1] / source.Shape[axis + 1];
                    var step = window is not null && window.Rank == axes ? window.Stride[axis] : growth > 1 ? 1 / growth : 1;
                    var reach = window is not null && window.Rank == axes ? (window.Extent(axis) - 1) * sourceJump[axis] : 0;
                    field[axis] = Math.Max(field[axis], sourceField[axis] + reach);
                    jump[axis] = Math.Max(jump[axis], sourceJump[axis] * step);
                }
            }

            known.Add(node, (field, jump));
            if (window is not null)
            {
                yield return (node, field);
            }
        }
    }

    /// <summary>Global pooling sees everything on purpose.</summary>
    private static bool IsGlobal(Window window, Node node) =>
        node.Shape.Spatial.All(size => size == 1) && window.Kernel.SequenceEqual(node.Inputs[0].Shape.Spatial);

    private static double[] Ones(int count) => Enumerable.Repeat(1.0, count).ToArray();
}
