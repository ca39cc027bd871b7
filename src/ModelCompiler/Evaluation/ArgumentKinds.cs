// Which values each kind of argument accepts, and how a message says what it wants.
using System.Collections.Immutable;
using System.Globalization;
using ModelCompiler.Operators;

namespace ModelCompiler.Evaluation;

internal static class ArgumentKinds
{
    public static readonly ImmutableArray<string> PaddingWords = ["same", "full"];

    public static bool Fits(ArgumentSpec spec, Value value) => spec.Kind switch
    {
        ArgumentKind.Integer => value is IntegerValue { Number: >= int.MinValue and <= int.MaxValue },
        ArgumentKind.Number => value is IntegerValue or FloatValue,
        ArgumentKind.Boolean => value is BooleanValue,
        ArgumentKind.Dims => Sizes(value) is not null,
        ArgumentKind.Padding => Sizes(value) is not null || (value is WordValue word && PaddingWords.Contains(word.Word)),
        ArgumentKind.Word => value is WordValue word && Words(spec).Contains(word.Word),
        ArgumentKind.Initializer => value is InitializerValue,
        ArgumentKind.List => value is ListValue list && list.Items.All(IsNumeric),
        ArgumentKind.Shape => Sizes(value) is not null,
        ArgumentKind.Stage => value is StageValue,
        _ => false,
    };

    public static string Expected(ArgumentSpec spec) => spec.Kind switch
    {
        ArgumentKind.Integer => "an integer",
        ArgumentKind.Number => "a number",
        ArgumentKind.Boolean => "true or false",
        ArgumentKind.Dims => "an integer or dims such as 3x3",
        ArgumentKind.Padding => "an integer, dims such as 1x1, 'same' or 'full'",
        ArgumentKind.Word => "one of " + string.Join(", ", Words(spec).Select(word => $"'{word}'")),
        ArgumentKind.Initializer => "an initializer such as 'zeros' or 'normal(0.02)'",
        ArgumentKind.List => "a list of numbers",
        ArgumentKind.Shape => "dims such as 64x7x7",
        _ => "a stage",
    };

    /// <summary>The allowed range as a message says it, when the value is outside.</summary>
    public static string? OutOfRange(ArgumentSpec spec, Value value)
    {
        var numbers = value switch
        {
            FloatValue number => [number.Number],
            _ when spec.Kind is ArgumentKind.Integer or ArgumentKind.Number && value is IntegerValue integer => [integer.Number],
            _ when spec.Kind is ArgumentKind.Dims or ArgumentKind.Padding && Sizes(value) is { } sizes => sizes.Select(size => (double)size).ToArray(),
            _ => Array.Empty<double>(),
        };
        if (numbers.All(number => number >= spec.Minimum && number <= spec.Maximum))
        {
            return null;
        }

        var minimum = spec.Minimum.ToString("R", CultureInfo.InvariantCulture);
        var maximum = spec.Maximum.ToString("R", CultureInfo.InvariantCulture);
        return double.IsPositiveInfinity(spec.Maximum) ? "at least " + minimum
            : double.IsNegativeInfinity(spec.Minimum) ? "at most " + maximum
            : $"between {minimum} and {maximum}";
    }

    /// <summary>Integers as dims: a dims value, one integer, or a list of integers.</summary>
    public static ImmutableArray<int>? Sizes(Value value) => value switch
    {
        DimsValue dims => dims.Sizes,
        IntegerValue { Number: >= int.MinValue and <= int.MaxValue } integer => [(int)integer.Number],
        ListValue list when list.Items.Length > 0 && list.Items.All(item => item is IntegerValue { Number: >= int.MinValue and <= int.MaxValue }) =>
            ImmutableArray.CreateRange(list.Items.Select(item => (int)((IntegerValue)item).Number)),
        _ => null,
    };

    public static double? Number(Value value) => value switch
    {
        IntegerValue integer => integer.Number,
        FloatValue number => number.Number,
        _ => null,
    };

    /// <summary>The bare words that the argument takes.</summary>
    public static ImmutableArray<string> Words(ArgumentSpec spec) => spec.Kind switch
    {
        ArgumentKind.Padding => PaddingWords,
        ArgumentKind.Initializer => [.. Initializers.Names.OrderBy(name => name, StringComparer.Ordinal)],
        _ => spec.Words.IsDefault ? [] : spec.Words,
    };

    public static string UnknownWord(ArgumentSpec spec, string word) =>
        $"'{spec.Name}' does not know the word '{word}'{(spec.Kind == ArgumentKind.Padding && word is "valid" or "none" ? "; no padding is 0, and what there is without 'pad'" : Suggestions.DidYouMean(word, Words(spec)) is { Length: > 0 } suggestion ? suggestion : "; it knows " + string.Join(", ", Words(spec)))}";

    /// <summary>What to write for a value of the wrong kind, where that is plain; empty otherwise.</summary>
    public static string Instead(ArgumentSpec spec, Value value) => value switch
    {
        StringValue text when Words(spec).Contains(text.Content) => $"; write it without quotes: {text.Content}",
        StringValue text when !Words(spec).IsEmpty => Suggestions.DidYouMean(text.Content, Words(spec)),
        StageValue stage when Words(spec).Contains(stage.Text) => $"; name the argument, so that the word is not the stage: '{spec.Name}: {stage.Text}'",
        IntegerValue or FloatValue when spec.Kind == ArgumentKind.Initializer => $"; did you mean 'constant({value.Text})'?",
        _ => "",
    };

    private static bool IsNumeric(Value value) =>
        value is IntegerValue or FloatValue or BooleanValue or DimsValue || (value is ListValue list && list.Items.All(IsNumeric));
}
