// What can be asked of a value with a dot: `x.channels`, `x.shape`, `list.count`.
using System.Globalization;
using ModelCompiler.Graph;

namespace ModelCompiler.Evaluation;

internal static class Members
{
    public static readonly string[] OfTensors = ["channels", "length", "height", "width", "depth", "shape", "rank"];

    public static Value? Find(Value target, string name) => (target, name) switch
    {
        (ListValue list, "count") => new IntegerValue(list.Items.Length),
        (DimsValue dims, "count") => new IntegerValue(dims.Sizes.Length),
        (TensorValue tensor, "rank") => new IntegerValue(tensor.Shape.Rank),
        (TensorValue tensor, "shape") => new DimsValue(tensor.Shape.Dimensions),
        (TensorValue tensor, _) when Axis(tensor.Shape.Rank, name) is { } axis => new IntegerValue(tensor.Shape[axis]),
        _ => null,
    };

    public static string Problem(Value target, string name)
    {
        if (target is TensorValue tensor && OfTensors.Contains(name))
        {
            return $"{tensor.Describe()} has no {name}: it has {tensor.Shape.Rank.ToString(CultureInfo.InvariantCulture)} {(tensor.Shape.Rank == 1 ? "axis" : "axes")}{Named(tensor.Shape)}";
        }

        if (target is TensorValue && Vocabulary.Operator(name) is not null)
        {
            return $"a tensor flows into '{name}' by an arrow: 'x -> {name}'";
        }

        var known = target switch
        {
            TensorValue => OfTensors,
            ListValue or DimsValue => ["count"],
            _ => [],
        };
        return known.Length == 0
            ? $"{target.Describe()} has no members"
            : $"{target.Describe()} has no member '{name}'{(Suggestions.DidYouMean(name, known) is { Length: > 0 } suggestion ? suggestion : "; it has " + string.Join(", ", known))}";
    }

    private static string Named(Shape shape)
    {
        var names = OfTensors.Take(5).Select(name => (Name: name, Axis: Axis(shape.Rank, name))).Where(pair => pair.Axis is not null)
            .OrderBy(pair => pair.Axis).Select(pair => pair.Name);
        var list = string.Join(", ", names);
        return list.Length == 0 ? "" : $" ({list})";
    }

    private static int? Axis(int rank, string name) => (rank, name) switch
    {
        (>= 1, "channels") => 0,
        (2, "length") => 1,
        (3, "height") => 1,
        (3, "width") => 2,
        (4, "depth") => 1,
        (4, "height") => 2,
        (4, "width") => 3,
        _ => null,
    };
}
