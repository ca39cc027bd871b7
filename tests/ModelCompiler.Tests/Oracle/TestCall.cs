// Operators without the language: arguments come from a dictionary, parameters are made on the spot.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using ModelCompiler.Operators;

namespace ModelCompiler.Tests.Oracle;

/// <param name="arguments">int, double, bool, string (words), int[] (dims), double[], double[][] or Initializer.</param>
internal sealed class TestCall(TestNetwork network, string layer, ImmutableArray<Node> inputs, Dictionary<string, object> arguments) : OperatorCall
{
    public override ImmutableArray<Node> Inputs => inputs;

    public override GraphBuilder Builder => network.Builder;

    public override bool Has(string argument) => arguments.ContainsKey(argument);

    public override int Integer(string argument, int fallback = 0) => Get(argument, fallback);

    public override double Number(string argument, double fallback = 0) =>
        arguments.TryGetValue(argument, out var value) ? Convert.ToDouble(value, System.Globalization.CultureInfo.InvariantCulture) : fallback;

    public override bool Boolean(string argument, bool fallback = false) => Get(argument, fallback);

    public override string Word(string argument, string fallback = "") => Get(argument, fallback);

    public override ImmutableArray<int> Dims(string argument, int axes, int fallback = 0) =>
        arguments.TryGetValue(argument, out var value) && value is int[] dims
            ? [.. dims]
            : [.. Enumerable.Repeat(value is int number ? number : fallback, axes)];

    public override string? PaddingWord(string argument) => arguments.TryGetValue(argument, out var value) ? value as string : null;

    public override ImmutableArray<int> ShapeOf(string argument) => [.. (int[])arguments[argument]];

    public override ImmutableArray<double> Numbers(string argument) => [.. (double[])arguments[argument]];

    public override ImmutableArray<ImmutableArray<double>> Table(string argument) =>
        ((double[][])arguments[argument]).Select(row => row.ToImmutableArray()).ToImmutableArray();

    public override Initializer Initializer(string argument, Initializer fallback) => Get(argument, fallback);

    public override Node Parameter(string name, Shape shape, Initializer initializer, bool trainable = true) =>
        Builder.Add(Primitives.Parameter, new ParameterAttributes($"{layer}.{name}", shape, initializer, trainable));

    public override int NextStream() => network.NextStream();

    public override void Advise(string code, string? argument, string message) => network.Advice.Add($"{code} {argument}: {message}");

    private T Get<T>(string argument, T fallback) => arguments.TryGetValue(argument, out var value) ? (T)value : fallback;
}
