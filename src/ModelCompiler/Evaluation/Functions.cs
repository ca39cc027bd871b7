// Functions on numbers and lists, which the compiler calculates itself. Some share their name with an operator on
// tensors (`max`, `mean`): the arguments decide.
using System.Collections.Immutable;
using System.Globalization;

namespace ModelCompiler.Evaluation;

internal static class Functions
{
    private static readonly Dictionary<string, (int Least, int Most, string Usage)> Known = new(StringComparer.Ordinal)
    {
        ["sum"] = (1, int.MaxValue, "sum(list)"),
        ["min"] = (1, int.MaxValue, "min(list) or min(a, b)"),
        ["max"] = (1, int.MaxValue, "max(list) or max(a, b)"),
        ["count"] = (1, 1, "count(list)"),
        ["floor_div"] = (2, 2, "floor_div(a, b)"),
        ["ceil_div"] = (2, 2, "ceil_div(a, b)"),
        ["round"] = (1, 1, "round(x)"),
        ["floor"] = (1, 1, "floor(x)"),
        ["ceil"] = (1, 1, "ceil(x)"),
        ["sqrt"] = (1, 1, "sqrt(x)"),
        ["abs"] = (1, 1, "abs(x)"),
        ["log2"] = (1, 1, "log2(x)"),
        ["exp"] = (1, 1, "exp(x)"),
        ["log"] = (1, 1, "log(x)"),
        ["chain"] = (1, 1, "chain(list of stages)"),
        ["checkpoint"] = (1, 1, "checkpoint(stage)"),
        ["enumerate"] = (1, 1, "enumerate(list)"),
        ["zip"] = (2, int.MaxValue, "zip(list, list)"),
        ["reverse"] = (1, 1, "reverse(list)"),
    };

    public static IEnumerable<string> Names => Known.Keys;

    /// <summary>How a call of the function reads: <c>floor_div(a, b)</c>.</summary>
    public static string UsageOf(string name) => Known[name].Usage;

    /// <summary>The result, or what is wrong with the arguments.</summary>
    public static (Value? Value, string? Problem) Call(string name, ImmutableArray<Value> arguments)
    {
        var (least, most, usage) = Known[name];
        if (arguments.Length < least || arguments.Length > most)
        {
            return (null, $"'{name}' is called as {usage}, not with {ArgumentBinder.Count(arguments.Length, "argument")}");
        }

        return name switch
        {
            "chain" => Chain(arguments[0]),
            "checkpoint" => arguments[0] is StageValue stage
                ? (new CheckpointStage(stage), null)
                : (null, $"'checkpoint' takes a stage, and this is {arguments[0].Describe()}"),
            "count" => arguments[0] switch
            {
                ListValue list => (new IntegerValue(list.Items.Length), null),
                DimsValue dims => (new IntegerValue(dims.Sizes.Length), null),
                var other => (null, $"'count' counts a list, and this is {other.Describe()}"),
            },
            "enumerate" or "zip" or "reverse" => OfLists(name, usage, arguments),
            "sum" or "min" or "max" => OfMany(name, usage, arguments),
            _ => OfNumbers(name, usage, arguments),
        };
    }

    private static (Value?, string?) Chain(Value argument) => argument switch
    {
        ListValue list when list.Items.All(item => item is StageValue) => (SequenceStage.Of(list.Items.Cast<StageValue>()), null),
        _ => (null, $"'chain' composes a list of stages, and this is {argument.Describe()}"),
    };

    private static (Value?, string?) OfLists(string name, string usage, ImmutableArray<Value> arguments)
    {
        if (arguments.FirstOrDefault(argument => argument is not ListValue) is { } wrong)
        {
            return (null, $"'{name}' is called as {usage}, and this is {wrong.Describe()}");
        }

        var lists = arguments.Cast<ListValue>().Select(list => list.Items).ToList();
        if (lists.Select(list => list.Length).Distinct().Count() > 1)
        {
            return (null, $"'{name}' goes through lists of one length, and these have {string.Join(" and ", lists.Select(list => list.Length.ToString(CultureInfo.InvariantCulture)))}");
        }

        return (new ListValue(name switch
        {
            "reverse" => ImmutableArray.CreateRange(lists[0].Reverse()),
            "enumerate" => ImmutableArray.CreateRange<Value>(lists[0].Select((item, i) => new ListValue([new IntegerValue(i), item]))),
            _ => ImmutableArray.CreateRange<Value>(lists[0].Select((_, i) => new ListValue(ImmutableArray.CreateRange(lists.Select(list => list[i]))))),
        }), null);
    }

    private static (Value?, string?) OfMany(string name, string usage, ImmutableArray<Value> arguments)
    {
        var values = arguments.Length > 1 ? arguments : arguments[0] switch
        {
            ListValue list => list.Items,
            DimsValue dims => ImmutableArray.CreateRange<Value>(dims.Sizes.Select(size => new IntegerValue(size))),
            _ => arguments,
        };
        if (values.FirstOrDefault(value => ArgumentKinds.Number(value) is null) is { } wrong)
        {
            return (null, $"'{name}' takes numbers ({usage}), and this is {wrong.Describe()}");
        }

        if (values.IsEmpty)
        {
            return name == "sum" ? (new IntegerValue(0), null) : (null, $"an empty list has no {name}");
        }

        var result = values[0];
        foreach (var value in values.Skip(1))
        {
            var (left, right) = (ArgumentKinds.Number(result)!.Value, ArgumentKinds.Number(value)!.Value);
            if (name != "sum")
            {
                result = (name == "min" ? right < left : right > left) ? value : result;
            }
            else if (NumberArithmetic.Calculate(Grammar.BinaryOperator.Add, result, value) is (Value sum, _))
            {
                result = sum;
            }
            else
            {
                return (null, "the sum is too large");
            }
        }

        return (result, null);
    }

    private static (Value?, string?) OfNumbers(string name, string usage, ImmutableArray<Value> arguments)
    {
        if (arguments.FirstOrDefault(value => ArgumentKinds.Number(value) is null) is { } wrong)
        {
            return (null, $"'{name}' takes numbers ({usage}), and this is {wrong.Describe()}");
        }

        var x = ArgumentKinds.Number(arguments[0])!.Value;
        switch (name)
        {
            case "floor_div" or "ceil_div":
                return Divide(name, arguments[0], arguments[1]);
            case "round" or "floor" or "ceil":
                var whole = name == "round" ? Math.Round(x, MidpointRounding.AwayFromZero) : name == "floor" ? Math.Floor(x) : Math.Ceiling(x);
                return Math.Abs(whole) < 9e18 ? (new IntegerValue((long)whole), null) : (null, $"{arguments[0].Text} is too large for an integer");
            case "abs" when arguments[0] is IntegerValue integer:
                return integer.Number == long.MinValue ? (null, "the number is too large") : (new IntegerValue(Math.Abs(integer.Number)), null);
            case "sqrt" when x < 0:
                return (null, $"{arguments[0].Text} has no square root");
            case "log" or "log2" when x <= 0:
                return (null, $"{arguments[0].Text} has no logarithm");
        }

        var result = name switch
        {
            "sqrt" => Math.Sqrt(x),
            "abs" => Math.Abs(x),
            "log2" => Math.Log(x) / Math.Log(2),
            "log" => Math.Log(x),
            _ => Math.Exp(x),
        };

        // Roots and logarithms of powers are meant as whole numbers: 2 ^ log2(8), sqrt(64) channels.
        var nearest = Math.Round(result);
        return name is "sqrt" or "log2" && arguments[0] is IntegerValue && Math.Abs(nearest - result) < 1e-12 * Math.Max(1, Math.Abs(result))
            ? (new IntegerValue((long)nearest), null)
            : double.IsInfinity(result) ? (null, $"the result of {name}({arguments[0].Text}) is too large") : (new FloatValue(result), null);
    }

    private static (Value?, string?) Divide(string name, Value a, Value b)
    {
        if (a is not IntegerValue { Number: var x } || b is not IntegerValue { Number: var y })
        {
            return (null, $"'{name}' divides integers, and this is {(a is IntegerValue ? b : a).Describe()}");
        }

        if (y == 0 || (x == long.MinValue && y == -1))
        {
            return (null, $"{x.ToString(CultureInfo.InvariantCulture)} cannot be divided by {y.ToString(CultureInfo.InvariantCulture)}");
        }

        var quotient = x / y;
        var exact = x % y == 0;
        var negative = (x < 0) != (y < 0);
        return (new IntegerValue(exact ? quotient : name == "floor_div" ? quotient - (negative ? 1 : 0) : quotient + (negative ? 0 : 1)), null);
    }
}
