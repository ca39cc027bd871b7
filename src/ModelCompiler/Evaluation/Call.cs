// The evaluator's side of the contract with operators: answers what an operator may ask while it builds.
using System.Collections.Immutable;
using System.Globalization;
using ModelCompiler.Graph;
using ModelCompiler.Operators;

namespace ModelCompiler.Evaluation;

internal sealed class Call(
    Signature signature, OperatorArguments arguments, ImmutableArray<Node> inputs, GraphBuilder builder, IParameterSource parameters,
    Action<string, string?, string> advise) : OperatorCall
{
    private readonly List<Node> own = new();

    /// <summary>The parameters that this call made or found, in order.</summary>
    public IReadOnlyList<Node> Parameters => own;

    public override ImmutableArray<Node> Inputs => inputs;

    public override GraphBuilder Builder => builder;

    public override bool Has(string argument) => arguments.Values.ContainsKey(argument);

    public override int Integer(string argument, int fallback = 0) =>
        Value(argument) is IntegerValue integer ? (int)integer.Number : fallback;

    public override double Number(string argument, double fallback = 0) =>
        Value(argument) is { } value ? ArgumentKinds.Number(value) ?? fallback : fallback;

    public override bool Boolean(string argument, bool fallback = false) => Value(argument) is BooleanValue boolean ? boolean.Truth : fallback;

    public override string Word(string argument, string fallback = "") => Value(argument) is WordValue word ? word.Word : fallback;

    public override ImmutableArray<int> Dims(string argument, int axes, int fallback = 0)
    {
        if (Value(argument) is not { } value || ArgumentKinds.Sizes(value) is not { } sizes)
        {
            return ImmutableArray.CreateRange(Enumerable.Repeat(fallback, axes));
        }

        if (value is IntegerValue)
        {
            return ImmutableArray.CreateRange(Enumerable.Repeat(sizes[0], axes));
        }

        if (sizes.Length != axes)
        {
            throw new OperatorException("CNN2008", argument,
                $"'{argument}' of '{signature.Name}' has {ArgumentBinder.Count(sizes.Length, "size")} ({value.Text}), and its input {inputs[0].Shape} has {(axes == 1 ? "1 spatial axis" : axes.ToString(CultureInfo.InvariantCulture) + " spatial axes")}; write {Example(sizes, axes)}");
        }

        return sizes;
    }

    public override string? PaddingWord(string argument) => Value(argument) is WordValue word ? word.Word : null;

    public override ImmutableArray<int> ShapeOf(string argument) => Value(argument) is { } value && ArgumentKinds.Sizes(value) is { } sizes ? sizes : [];

    public override ImmutableArray<double> Numbers(string argument) => Value(argument) is { } value ? Flat(value) : [];

    public override ImmutableArray<ImmutableArray<double>> Table(string argument) =>
        Value(argument) is ListValue list ? ImmutableArray.CreateRange(list.Items.Select(Flat)) : [];

    public override Initializer Initializer(string argument, Initializer fallback) =>
        Value(argument) is InitializerValue { Initializer: var written }
            ? new Initializer(written.Kind, written.Value, fallback.FanIn, fallback.FanOut)
            : fallback;

    public override Node Parameter(string name, Shape shape, Initializer initializer, bool trainable = true)
    {
        var node = parameters.Parameter(name, shape, initializer, trainable);
        own.Add(node);
        return node;
    }

    public override int NextStream() => parameters.NextStream();

    public override void Advise(string code, string? argument, string message) => advise(code, argument, message);

    private static ImmutableArray<double> Flat(Value value) => value switch
    {
        ListValue list => ImmutableArray.CreateRange(list.Items.SelectMany(item => Flat(item))),
        DimsValue dims => ImmutableArray.CreateRange(dims.Sizes.Select(size => (double)size)),
        BooleanValue boolean => [boolean.Truth ? 1 : 0],
        _ => ArgumentKinds.Number(value) is { } number ? [number] : [],
    };

    private static string Example(ImmutableArray<int> sizes, int axes)
    {
        var size = sizes[0].ToString(CultureInfo.InvariantCulture);
        return axes == 1 ? size : string.Join("x", Enumerable.Repeat(size, axes));
    }

    private Value? Value(string argument) => arguments.Values.TryGetValue(argument, out var found) ? found.Value : null;
}

/// <summary>Makes the parameters of one layer, or finds them where the layer is shared.</summary>
internal interface IParameterSource
{
    Node Parameter(string name, Shape shape, Initializer initializer, bool trainable);

    int NextStream();
}
