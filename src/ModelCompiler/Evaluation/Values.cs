// What an expression of the language can be while the compiler evaluates it. Values are immutable; only tensors
// leave the evaluator, as nodes of the graph.
using System.Collections.Immutable;
using System.Globalization;
using ModelCompiler.Grammar;
using ModelCompiler.Graph;

namespace ModelCompiler.Evaluation;

internal abstract class Value
{
    /// <summary>As a message speaks of it, with its article: <c>the integer 3</c>, <c>a tensor 64x5x5</c>.</summary>
    public abstract string Describe();

    /// <summary>As an author would write it: <c>3</c>, <c>3x3</c>, <c>[1, 2]</c>.</summary>
    public virtual string Text => Describe();
}

/// <summary>The value of something that was reported already: whoever meets it stays silent, so that one mistake gives one report.</summary>
internal sealed class ErrorValue : Value
{
    public static readonly ErrorValue Instance = new();

    public override string Describe() => "something that was reported already";
}

internal sealed class IntegerValue(long number) : Value
{
    public long Number { get; } = number;

    public override string Text => Number.ToString(CultureInfo.InvariantCulture);

    public override string Describe() => "the integer " + Text;
}

internal sealed class FloatValue(double number) : Value
{
    public double Number { get; } = number;

    public override string Text
    {
        get
        {
            var text = Number.ToString("R", CultureInfo.InvariantCulture);
            return text.IndexOfAny(['.', 'E']) < 0 ? text + ".0" : text;
        }
    }

    public override string Describe() => "the number " + Text;
}

internal sealed class BooleanValue(bool truth) : Value
{
    public bool Truth { get; } = truth;

    public override string Text => Truth ? "true" : "false";

    public override string Describe() => "the boolean " + Text;
}

internal sealed class StringValue(string content) : Value
{
    public string Content { get; } = content;

    public override string Text => "\"" + Content + "\"";

    public override string Describe() => "the string " + Text;
}

/// <summary>A bare word that an operator understands: <c>same</c>, <c>reflect</c>.</summary>
internal sealed class WordValue(string word) : Value
{
    public string Word { get; } = word;

    public override string Text => Word;

    public override string Describe() => $"the word '{Word}'";
}

internal sealed class InitializerValue(Initializer initializer, string text) : Value
{
    public Initializer Initializer { get; } = initializer;

    public override string Text => text;

    public override string Describe() => $"the initializer '{text}'";
}

internal sealed class DimsValue(ImmutableArray<int> sizes) : Value
{
    public ImmutableArray<int> Sizes { get; } = sizes;

    public override string Text => string.Join("x", Sizes.Select(size => size.ToString(CultureInfo.InvariantCulture)));

    public override string Describe() => "the dims " + Text;
}

/// <summary>A value of the graph, and how messages point at it.</summary>
/// <param name="place">The word or name that stands for it where it is used.</param>
/// <param name="name">The binding it was last read from, or the operator that made it.</param>
/// <param name="source">Where that binding or operator stands.</param>
internal sealed class TensorValue(Node node, SourceSpan place, string name, SourceSpan source) : Value
{
    public Node Node { get; } = node;

    public Shape Shape => Node.Shape;

    public SourceSpan Place { get; } = place;

    public string Name { get; } = name;

    public SourceSpan Source { get; } = source;

    public override string Describe() => Shape.Rank == 0 ? "a scalar tensor" : "a tensor " + Shape;
}

internal sealed class ListValue(ImmutableArray<Value> items) : Value
{
    public ImmutableArray<Value> Items { get; } = items;

    /// <summary>Values in it, also those of the lists in it. Lists can share lists, so this grows much faster than the text.</summary>
    public long Size { get; } = items.Sum(item => item is ListValue list ? Math.Min(list.Size, int.MaxValue) : 1);

    /// <summary>Whether it holds a tensor, at any depth.</summary>
    public bool CarriesTensor { get; } = items.Any(item => item is TensorValue or ListValue { CarriesTensor: true });

    public bool HasError => Items.Any(item => item is ErrorValue);

    public override string Text => Items.Length <= 8 ? $"[{string.Join(", ", Items.Select(item => item.Text))}]" : Describe();

    public override string Describe() => Items.Length switch
    {
        0 => "an empty list",
        _ => $"a list of {Items.Length.ToString(CultureInfo.InvariantCulture)} {ItemName()}",
    };

    private string ItemName()
    {
        var name = Items.All(item => item is TensorValue) ? "tensor"
            : Items.All(item => item is StageValue) ? "stage"
            : Items.All(item => item is IntegerValue or FloatValue) ? "number"
            : Items.All(item => item is ListValue) ? "list"
            : "item";
        return Items.Length == 1 ? name : name + "s";
    }
}
