// Words that choose elements: by given places, by places computed or taken in, by rank. Places are numbers like all
// others; they carry no gradient.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using static ModelCompiler.Operators.Messages;

namespace ModelCompiler.Operators;

internal static class SelectionOperators
{
    private static readonly ArgumentSpec AlongAxis = Argument.Axis("axis", "axis along which places count", "0");

    public static readonly ImmutableArray<Operator> All =
    [
        new Definition(
            new Signature(
                "topk",
                ["input"],
                false,
                [Argument.Integer("k", "how many, at most the size of the axis"), AlongAxis],
                "The k largest elements along an axis, the largest first, and their places: a list of two. Of equals the first comes first."),
            TopK),
        Definition.Unary(
            "argmax",
            "Where along an axis the largest element is, the first of equals.",
            ArgMax,
            AlongAxis,
            Argument.Boolean("keep", "keep the axis with size 1", "true")),
        Definition.Of(
            "gather",
            ["input", "places"],
            "The elements at given places along an axis; the places have the input's shape but along that axis.",
            "",
            Gather,
            AlongAxis),
        Definition.Unary(
            "index_select",
            "The given slices of an axis, in the given order, also several times.",
            IndexSelect,
            new ArgumentSpec("places", ArgumentKind.List, "numbers along the axis, from 0"),
            AlongAxis),
        Definition.Of(
            "max_unpool",
            ["values", "places"],
            "Puts values back where a max pooling found them ('maxpool(…, places: true)'), zeros elsewhere; what meets is added.",
            "Zeiler and Fergus, Visualizing and understanding convolutional networks, 2014",
            Unpool,
            Argument.Dims("size", "size of the result, for every spatial axis or one number each: what the pooling had")),
        Definition.Unary("detach", "The input itself, but no gradient passes.", (call, x) => call.Builder.Detach(x)),
    ];

    private static Node TopPlaces(OperatorCall call, Node x, int axis, int count) =>
        call.Builder.Add(Primitives.TopPlaces, new TopPlacesAttributes(axis, count), x);

    private static ImmutableArray<Node> TopK(OperatorCall call)
    {
        var x = call.Inputs[0];
        var axis = Axis(call, "axis", 0, x.Shape.Rank, "topk");
        var count = call.Integer("k");
        if (count > x.Shape[axis])
        {
            throw new OperatorException("CNN3009", "k", $"'topk' takes {Text(count)} elements of {AxisName(axis, x.Shape.Rank)}, which is {Text(x.Shape[axis])} in {Describe(x)}; take at most {Text(x.Shape[axis])}");
        }

        var places = TopPlaces(call, x, axis, count);
        return [call.Builder.Add(Primitives.Gather, new GatherAttributes(axis), x, places), places];
    }

    private static Node ArgMax(OperatorCall call, Node x)
    {
        var axis = Axis(call, "axis", 0, x.Shape.Rank, "argmax");
        var places = TopPlaces(call, x, axis, 1);
        return call.Boolean("keep", true) ? places : call.Builder.Reshape(places, new Shape(x.Shape.Dimensions.RemoveAt(axis)));
    }

    private static Node Gather(OperatorCall call)
    {
        var (x, places) = (call.Inputs[0], call.Inputs[1]);
        var axis = Axis(call, "axis", 0, x.Shape.Rank, "gather");
        if (places.Shape.Rank != x.Shape.Rank || !places.Shape.With(axis, x.Shape[axis]).Equals(x.Shape))
        {
            throw new OperatorException(
                "CNN3014", "input:1", $"'gather' takes places of the input's shape, of any size along {AxisName(axis, x.Shape.Rank)} only: {Describe(places)} does not fit {Describe(x)}");
        }

        return call.Builder.Add(Primitives.Gather, new GatherAttributes(axis), x, call.Builder.Detach(places, new ValueLimits(x.Shape[axis], 0, 0)));
    }

    private static Node IndexSelect(OperatorCall call, Node x)
    {
        var axis = Axis(call, "axis", 0, x.Shape.Rank, "index_select");
        var (places, size) = (call.Numbers("places"), x.Shape[axis]);
        var problem = places.IsEmpty ? "name at least one"
            : places.Any(place => place < 0 || place >= size || place != Math.Floor(place)) ? $"are whole numbers from 0 to {Text(size - 1)}, as {AxisName(axis, x.Shape.Rank)} of {Describe(x)} is {Text(size)}"
            : null;
        return problem is null
            ? call.Builder.Concat(axis, [.. call.Builder.Slices(x, axis, places.Select(place => (int)place))])
            : throw new OperatorException("CNN3009", "places", $"the places of 'index_select' {problem}");
    }

    private static Node Unpool(OperatorCall call)
    {
        var (values, places) = (call.Inputs[0], call.Inputs[1]);
        var size = call.Dims("size", WindowArguments.Spatial(values, "max_unpool").Length);
        if (!values.Shape.Equals(places.Shape))
        {
            throw new OperatorException(
                "CNN3014", "input:1", $"'max_unpool' takes a place for each value: {Describe(values)} and {Describe(places)} differ; take both from one 'maxpool(…, places: true)', or bring the values to {places.Shape}");
        }

        var builder = call.Builder;
        var (channels, plane) = (values.Shape.Channels, size.Aggregate(1, (product, length) => checked(product * length)));
        var flat = Shape.Of(channels, checked((int)(values.Shape.Count / channels)));
        var known = builder.Detach(places, new ValueLimits(plane, 0, 0));
        var spread = builder.Add(Primitives.Scatter, new ScatterAttributes(1, plane), builder.Reshape(values, flat), builder.Reshape(known, flat));
        return builder.Reshape(spread, Shape.Of(channels, size));
    }
}
