// A network can only tell what it sees: where the author states how large the objects of an input are, some output has to
// see at least that much of it.
using ModelCompiler.Grammar;
using ModelCompiler.Graph;

namespace ModelCompiler.Advice;

internal static class ObjectScale
{
    public static void Check(LayerGraph layers, Hint hint)
    {
        var graph = layers.Graph;
        var fields = ReceptiveField.Of(graph);
        foreach (var input in graph.Inputs.Select(input => input.Node.As<InputAttributes>()).Where(input => !input.Objects.IsDefaultOrEmpty))
        {
            // Of a pyramid's levels the coarsest is meant for the largest objects.
            var widest = graph.Outputs.Where(output => fields.TryGetValue(output.Node, out var field) && field.Size.Length == input.Objects.Length)
                .OrderByDescending(output => fields[output.Node].Size.Min()).FirstOrDefault();
            if (widest is null)
            {
                continue;
            }

            var seen = fields[widest.Node];
            var axis = Enumerable.Range(0, input.Objects.Length).OrderBy(i => seen.Size[i] - input.Objects[i]).First();
            if (seen.Size[axis] >= input.Objects[axis] || seen.Jump[axis] == 0)
            {
                continue;
            }

            var declared = graph.Inputs.First(candidate => candidate.Name == input.Name).Node.Origin.Place;
            var steps = (input.Objects[axis] - seen.Size[axis] + (2 * seen.Jump[axis]) - 1) / (2 * seen.Jump[axis]);
            var more = steps == 1 ? "one more 3x3 convolution" : $"{steps} more 3x3 convolutions";
            hint("CNN4010", widest.Node.Origin.Place ?? graph.Place,
                $"an element of '{widest.Name}' sees {Text(seen.Size)} of '{input.Name}', and its objects measure {Text(input.Objects)}; {more} before it, a dilation, or an earlier stride or pooling would let it see one whole",
                declared is { } place ? [new DiagnosticNote(place, "the size of the objects is stated here")] : []);
        }
    }

    private static string Text(IEnumerable<int> sizes) => string.Join("x", sizes);
}
