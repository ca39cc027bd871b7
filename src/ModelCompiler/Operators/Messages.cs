// The words in which every family reports shapes: what a tensor is, where it came from, what its axes are called.
using System.Collections.Immutable;
using System.Globalization;
using ModelCompiler.Graph;

namespace ModelCompiler.Operators;

internal static class Messages
{
    private static readonly string[] Numbers = ["no", "one", "two", "three", "four", "five"];

    /// <summary>The shape and where it came from: <c>512x5x5 (from 'c5', line 11)</c>.</summary>
    public static string Describe(Node node)
    {
        var name = node.Attributes switch
        {
            InputAttributes input => input.Name,
            ParameterAttributes parameter => Written(parameter.Name),
            _ => node.Origin.Path,
        };
        var line = node.Origin.Place is { } place ? string.Format(CultureInfo.InvariantCulture, "line {0}", place.Line) : "";
        return (name, line) switch
        {
            ("", "") => node.Shape.ToString(),
            ("", _) => $"{node.Shape} (from {line})",
            (_, "") => $"{node.Shape} (from '{name}')",
            _ => $"{node.Shape} (from '{name}', {line})",
        };
    }

    /// <summary>While a network is evaluated a parameter's name begins with a mark of its scope, <c>#12.token</c>.</summary>
    private static string Written(string name) => name[0] is '.' or '#' ? name.Substring(name.IndexOf('.') + 1) : name;

    public static string Dims(IEnumerable<int> dimensions) => string.Join("x", dimensions.Select(Text));

    public static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    public static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>An axis as the language names it: channels, height, width, …</summary>
    public static string AxisName(int axis, int rank) => (axis, rank) switch
    {
        (0, 1) => "the number of features",
        (0, <= 4) => "the number of channels",
        (1, 2) => "length",
        (_, 3) => axis == 1 ? "height" : "width",
        (_, 4) => axis switch { 1 => "depth", 2 => "height", _ => "width" },
        _ => "axis " + Text(axis),
    };

    public static string Axes(int count) => count == 1 ? "one axis" : (count < Numbers.Length ? Numbers[count] : Text(count)) + " axes";

    /// <summary>Axis argument with negative numbers counted from the last.</summary>
    public static int Axis(OperatorCall call, string argument, int fallback, int rank, string operatorName)
    {
        var written = call.Integer(argument, fallback);
        var axis = written < 0 ? written + rank : written;
        return axis >= 0 && axis < rank
            ? axis
            : throw new OperatorException("CNN3010", argument, rank == 0
                ? $"'{operatorName}' needs an axis, but a scalar has none"
                : $"axis {Text(written)} does not exist: {Describe(call.Inputs[0])} has {Axes(rank)}, 0 to {Text(rank - 1)}");
    }

    public static ImmutableArray<int> Repeat(int value, int count) => ImmutableArray.CreateRange(Enumerable.Repeat(value, count));
}
