// Recurrent layers over rows x features: the rows are steps in time. Unrolled by composition, with one set of weights for
// all steps; what does not depend on the state before is one matrix product over all rows.
using System.Collections.Immutable;
using ModelCompiler.Graph;
using static ModelCompiler.Operators.Formulas;
using static ModelCompiler.Operators.Messages;

namespace ModelCompiler.Operators;

internal static class RecurrentOperators
{
    private const string Names = "with PyTorch's weights: weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0, …_reverse. Takes rows x features; gives all rows' states.";

    private static readonly ArgumentSpec[] Shared =
    [
        Argument.Integer("features", "length of the state"),
        Argument.Integer("layers", "layers on top of each other", "1", 1, 64),
        Argument.Boolean("bidirectional", "a second pass from the last row to the first; its states stand behind those of the first", "false"),
        Argument.Bias,
    ];

    public static readonly ImmutableArray<Operator> All =
    [
        Of("rnn", $"Simple recurrent layer, h = tanh(W x + b + V h + c), {Names}", "Elman, Finding structure in time, 1990", 1, Simple,
            Argument.Word("activation", "what follows the sum", "tanh", "tanh", "relu")),
        Of("lstm", $"Long short-term memory, gates in the order input, forget, cell, output, {Names}", "Hochreiter and Schmidhuber, Long short-term memory, 1997", 4, Lstm),
        Of("gru", $"Gated recurrent unit, gates in the order reset, update, new, {Names}", "Cho et al., Learning phrase representations using RNN encoder-decoder, 2014", 3, Gru),
    ];

    /// <summary>One direction of one layer.</summary>
    /// <param name="Input">For each row the part of the gates that comes from the input: vectors.</param>
    /// <param name="Recurrent">The part that comes from a state.</param>
    private sealed record Cell(OperatorCall Call, int Features, ImmutableArray<Node> Input, Func<Node, Node> Recurrent, Node? RecurrentBias)
    {
        public GraphBuilder Builder => Call.Builder;

        /// <summary>Gate <paramref name="index"/> of a vector of gates.</summary>
        public Node Gate(Node gates, int index) => Builder.Slice(gates, 0, index * Features, Features);
    }

    private static Operator Of(string name, string summary, string paper, int gates, Func<Cell, IEnumerable<int>, IEnumerable<Node>> steps, params ArgumentSpec[] arguments) =>
        Definition.Unary(name, summary, paper, (call, x) => Build(call, x, name, gates, steps), [.. Shared, .. arguments]);

    private static Node Build(OperatorCall call, Node x, string name, int gates, Func<Cell, IEnumerable<int>, IEnumerable<Node>> steps)
    {
        if (x.Shape.Rank != 2)
        {
            throw new OperatorException("CNN3001", null, $"'{name}' works on rows x features, a row for each step, not on {Describe(x)}; use '-> transpose' on channels x length, 'tokens' on maps, or 'reshape'");
        }

        for (var layer = 0; layer < call.Integer("layers", 1); layer++)
        {
            var forward = Direction(call, x, gates, $"_l{Text(layer)}", reverse: false, steps);
            x = call.Boolean("bidirectional") ? call.Builder.Concat(1, [forward, Direction(call, x, gates, $"_l{Text(layer)}_reverse", reverse: true, steps)]) : forward;
        }

        return x;
    }

    private static Node Direction(OperatorCall call, Node x, int gates, string suffix, bool reverse, Func<Cell, IEnumerable<int>, IEnumerable<Node>> steps)
    {
        var (builder, features, rows) = (call.Builder, call.Integer("features"), x.Shape[0]);
        var width = checked(gates * features);

        // PyTorch starts all of them uniform in ±1/sqrt(length of the state).
        Node Parameter(string name, Shape shape) => call.Parameter(name + suffix, shape, new Initializer(InitializerKind.FanInUniform, 1, features, width));
        var inputWeight = Parameter("weight_ih", Shape.Of(width, x.Shape[1]));
        var recurrentWeight = Parameter("weight_hh", Shape.Of(width, features));
        Node? recurrentBias = null;
        Node gatesOfRows;
        if (call.Boolean("bias", true))
        {
            gatesOfRows = builder.Add(Primitives.Dense, null, x, inputWeight, Parameter("bias_ih", Shape.Of(width)));
            recurrentBias = Parameter("bias_hh", Shape.Of(width));
        }
        else
        {
            gatesOfRows = builder.Add(Primitives.Dense, null, x, inputWeight);
        }

        var input = Enumerable.Range(0, rows).Select(row => builder.Reshape(builder.Slice(gatesOfRows, 0, row, 1), Shape.Of(width)));
        if (rows == 1)
        {
            // There is no state before, and yet the weights for it belong to the layer: they meet zeros.
            var zeros = builder.Pointwise(X * 0, builder.Slice(input.Single(), 0, 0, features));
            input = [builder.Pointwise(X + Y, input.Single(), builder.Add(Primitives.Dense, null, zeros, recurrentWeight))];
        }

        var cell = new Cell(call, features, [.. input], state => builder.Add(Primitives.Dense, null, state, recurrentWeight), recurrentBias);
        var order = reverse ? Enumerable.Range(0, rows).Reverse() : Enumerable.Range(0, rows);
        var states = steps(cell, order).Select(state => builder.Reshape(state, Shape.Of(1, features)));
        return builder.Concat(0, [.. reverse ? states.Reverse() : states]);
    }

    /// <summary>The sum of both parts of the gates, and of their bias. There is no state before the first row.</summary>
    private static Node Sum(Cell cell, int row, Node? state)
    {
        var parts = new List<Node> { cell.Input[row] };
        if (state is not null)
        {
            parts.Add(cell.Recurrent(state));
        }

        if (cell.RecurrentBias is not null)
        {
            parts.Add(cell.RecurrentBias);
        }

        return parts.Count == 1 ? parts[0] : cell.Builder.Pointwise(parts.Select((_, i) => Input(i)).Aggregate(Add), [.. parts]);
    }

    private static IEnumerable<Node> Simple(Cell cell, IEnumerable<int> rows)
    {
        Node? state = null;
        var formula = cell.Call.Word("activation", "tanh") == "relu" ? Max(X, 0) : Tanh(X);
        foreach (var row in rows)
        {
            yield return state = cell.Builder.Pointwise(formula, Sum(cell, row, state));
        }
    }

    private static IEnumerable<Node> Lstm(Cell cell, IEnumerable<int> rows)
    {
        Node? state = null;
        Node? memory = null;
        foreach (var row in rows)
        {
            var gates = Sum(cell, row, state);
            var (input, forget, candidate, output) = (cell.Gate(gates, 0), cell.Gate(gates, 1), cell.Gate(gates, 2), cell.Gate(gates, 3));
            memory = memory is null
                ? cell.Builder.Pointwise(Sigmoid(X) * Tanh(Y), input, candidate)
                : cell.Builder.Pointwise((Sigmoid(X) * Tanh(Y)) + (Sigmoid(Input(2)) * Input(3)), input, candidate, forget, memory);
            yield return state = cell.Builder.Pointwise(Sigmoid(X) * Tanh(Y), output, memory);
        }
    }

    private static IEnumerable<Node> Gru(Cell cell, IEnumerable<int> rows)
    {
        Node? state = null;
        var builder = cell.Builder;
        foreach (var row in rows)
        {
            // The reset gate works on the state's part alone, so that cannot be added to the input's before.
            var own = cell.Input[row];
            var past = state is null ? cell.RecurrentBias
                : cell.RecurrentBias is null ? cell.Recurrent(state)
                : builder.Pointwise(X + Y, cell.Recurrent(state), cell.RecurrentBias);
            Node Both(int gate) => past is null ? cell.Gate(own, gate) : builder.Pointwise(X + Y, cell.Gate(own, gate), cell.Gate(past, gate));
            var update = Both(1);
            var candidate = past is null
                ? builder.Pointwise(Tanh(X), cell.Gate(own, 2))
                : builder.Pointwise(Tanh(X + (Sigmoid(Y) * Input(2))), cell.Gate(own, 2), Both(0), cell.Gate(past, 2));
            yield return state = state is null
                ? builder.Pointwise((1 - Sigmoid(X)) * Y, update, candidate)
                : builder.Pointwise(((1 - Sigmoid(X)) * Y) + (Sigmoid(X) * Input(2)), update, candidate, state);
        }
    }
}
