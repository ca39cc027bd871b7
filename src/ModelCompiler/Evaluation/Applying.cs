// What happens when an input arrives: operators build their nodes, blocks are evaluated.
using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using ModelCompiler.Grammar;
using ModelCompiler.Graph;
using ModelCompiler.Operators;

namespace ModelCompiler.Evaluation;

internal sealed partial class NetworkEvaluation
{
    /// <param name="flowing">What flows in; null when all inputs are arguments.</param>
    private Value ApplyOperator(OperatorStage stage, Value? flowing, PathScope path, Frame? frame)
    {
        current = stage.Place;
        var signature = stage.Signature;
        if ((stage.Arguments ?? binder.Bind(signature, [], stage.Place, 1, frame)) is not { } arguments)
        {
            return ErrorValue.Instance;
        }

        if (signature.Name == "identity" && flowing is ListValue)
        {
            return flowing;
        }

        if (Gather(stage, arguments, flowing, frame) is not { } inputs)
        {
            return ErrorValue.Instance;
        }

        budget.Enter(stage.Place);
        builder.Origin = new Origin(stage.Place, path.Token, checkpoint);
        var source = new ParameterSource(this, path, stage.Place);
        var call = new Call(signature, arguments, ImmutableArray.CreateRange(inputs.Select(input => input.Tensor.Node)), builder, source,
            (code, argument, message) => reporter.Add(code, Grammar.DiagnosticCatalog.Find(code)?.Severity ?? Severity.Info,
                PlaceOf(argument, stage, arguments, inputs), Readable(message, inputs), frame));
        ImmutableArray<Node> results;
        try
        {
            results = stage.Operator.Build(call);
        }
        catch (OperatorException problem)
        {
            budget.Leave();
            return reporter.Error(problem.Code, PlaceOf(problem.Argument, stage, arguments, inputs), Readable(problem.Message, inputs), frame);
        }

        budget.Leave();
        Budget.CheckNodes(builder.Nodes.Count, stage.Place);
        layers.Add(new LayerRecord(path, signature.Name, arguments.Text, call.Inputs, results, ImmutableArray.CreateRange(call.Parameters.Distinct()), stage.Place));
        var values = ImmutableArray.CreateRange<Value>(results.Select(node => new TensorValue(node, stage.Place, signature.Name, stage.Place)));
        var value = values.Length == 1 ? values[0] : new ListValue(values);
        inspector?.See(stage.Place, value, flowing);
        return value;
    }

    /// <summary>The tensors that go in; null when there are too few or too many (reported).</summary>
    private List<(TensorValue Tensor, SourceSpan Place)>? Gather(OperatorStage stage, OperatorArguments arguments, Value? flowing, Frame? frame)
    {
        var signature = stage.Signature;
        var inputs = new List<(TensorValue, SourceSpan)>();
        var flat = flowing is null or TensorValue;
        if (flowing is TensorValue single)
        {
            inputs.Add((single, stage.Place));
        }
        else if (flowing is ListValue list && (signature.Variadic || signature.Inputs.Length == list.Items.Length + arguments.Inputs.Length))
        {
            flat = list.Items.All(item => item is TensorValue);
            inputs.AddRange(list.Items.OfType<TensorValue>().Select(tensor => (tensor, tensor.Place)));
        }
        else if (flowing is ListValue several)
        {
            reporter.Error("CNN2023", stage.Place,
                $"'{signature.Name}' takes {Inputs(signature)}, and {several.Describe()} flows in; join it first ('-> concat', '-> add'), or apply the stage to each: '[x -> {signature.Name}{(signature.Arguments.Any(spec => spec.Default is null) ? "(…)" : "")} for x of list]'", frame);
            return null;
        }

        foreach (var argument in arguments.Inputs)
        {
            var items = argument.Value is ListValue more ? more.Items : [argument.Value];
            flat &= items.All(item => item is TensorValue or ErrorValue);
            if (items.Any(item => item is ErrorValue))
            {
                return null;
            }

            inputs.AddRange(items.OfType<TensorValue>().Select(tensor => (tensor, argument.Value is ListValue ? tensor.Place : argument.Place)));
        }

        if (!flat)
        {
            reporter.Error("CNN2023", stage.Place, $"'{signature.Name}' takes tensors, and its list holds something else; join inner lists first", frame);
            return null;
        }

        if (signature.Variadic && flowing is TensorValue alone && inputs.Count == 1)
        {
            reporter.Error("CNN2023", stage.Place,
                $"'{signature.Name}' joins several tensors, and only {alone.Describe()} flows in; fan out to a list before it, or name the other: '-> {signature.Name}(other)'", frame);
            return null;
        }

        if (!signature.Variadic && inputs.Count != signature.Inputs.Length)
        {
            reporter.Error("CNN2023", stage.Place,
                $"'{signature.Name}' takes {Inputs(signature)}, and gets {ArgumentBinder.Count(inputs.Count, "tensor")}: {signature.Name}({string.Join(", ", signature.Inputs)})", frame);
            return null;
        }

        return inputs;
    }

    private static string Inputs(Signature signature) => signature.Inputs.Length == 1
        ? "one tensor"
        : $"{ArgumentBinder.Count(signature.Inputs.Length, "tensor")} ({string.Join(", ", signature.Inputs)})";

    private static SourceSpan PlaceOf(string? argument, OperatorStage stage, OperatorArguments arguments, List<(TensorValue Tensor, SourceSpan Place)> inputs)
    {
        if (argument is null)
        {
            return stage.Place;
        }

        if (argument.StartsWith("input:", StringComparison.Ordinal))
        {
            return int.TryParse(argument.Substring(6), NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index < inputs.Count ? inputs[index].Place : stage.Place;
        }

        return arguments.Values.TryGetValue(argument, out var found) ? found.Place : stage.Place;
    }

    /// <summary>Operators name an input by its layer's path, which is not known yet: names it by its binding or operator.</summary>
    private string Readable(string message, IEnumerable<(TensorValue Tensor, SourceSpan Place)> inputs)
    {
        foreach (var (tensor, _) in inputs)
        {
            var origin = tensor.Node.Origin;
            if (origin.Place is { } place && origin.Path.Length > 0)
            {
                message = message.Replace($"(from '{origin.Path}', line {place.Line})", $"(from '{tensor.Name}', line {tensor.Source.Line})");
            }
        }

        return Token.Replace(message, match => paths.TryGetValue(match.Value, out var path) ? path.Name ?? path.BaseName : match.Value);
    }

    private Value ApplyBlock(BlockStage stage, Value input, PathScope path, Frame? frame)
    {
        var name = stage.Block.Name.Text;
        if (MissingArgument(stage, frame))
        {
            return ErrorValue.Instance;
        }

        var inner = new Frame(frame, $"block '{name}'", stage.Place);
        Budget.CheckBlockDepth(inner, name, stage.Place);
        var body = new Scope(stage.Home, stage.Home.File, root.Inside(path, numbered: false)) { Prefix = [], Frame = inner, Input = input };
        budget.Spend(stage.Block.Body.Length + stage.Block.Parameters.Length, stage.Place);
        DeclareParameters(stage.Block.Parameters, stage.Arguments, body);
        Declare(stage.Block.Body, body);
        var result = stage.Block.Body.OfType<OutSyntax>().LastOrDefault();
        if (result is null)
        {
            return ErrorValue.Instance;
        }

        budget.Enter(stage.Place);
        var values = ImmutableArray.CreateRange(result.Values.Select(value => EvaluateTensors(value, body, "the result of a block")));
        budget.Leave();
        var given = values.Length == 1 ? values[0] : values.Any(value => value is ErrorValue) ? ErrorValue.Instance : new ListValue(values);
        inspector?.See(stage.Place, given, input);
        return given;
    }

    /// <summary>Evaluates to a tensor or a list of them; anything else is reported.</summary>
    private Value EvaluateTensors(ExpressionSyntax expression, Scope scope, string what)
    {
        var value = Evaluate(expression, scope);
        return value switch
        {
            ErrorValue or ListValue { HasError: true } => ErrorValue.Instance,
            TensorValue => value,
            ListValue { Items.Length: > 0 } list when list.Items.All(item => item is TensorValue or ListValue) => value,
            StageValue stage when WithTooFewInputs(stage) is { } problem => Error("CNN2023", expression, scope, problem),
            StageValue => Error("CNN2024", expression, scope, $"{what} must be a tensor, and this is {value.Describe()} that waits for its input{Begin(scope)}"),
            _ => Error("CNN2024", expression, scope, $"{what} must be a tensor, and this is {value.Describe()}"),
        };
    }

    /// <summary>An operator that was called with tensors, only not with all of them, is no recipe that lacks its beginning.</summary>
    private static string? WithTooFewInputs(StageValue stage)
    {
        if (stage.Members.FirstOrDefault()?.Core is not OperatorStage { Arguments.Inputs.IsEmpty: false, Signature: var signature, Arguments: var arguments })
        {
            return null;
        }

        return signature.Variadic
            ? $"'{signature.Name}' joins several tensors, and gets one: {signature.Name}(a, b), or {signature.Name}(list)"
            : $"'{signature.Name}' takes {Inputs(signature)}, and gets {ArgumentBinder.Count(arguments.Inputs.Length, "tensor")}: {signature.Name}({string.Join(", ", signature.Inputs)})";
    }

    private static string Begin(Scope scope) => scope.Input is null ? "; begin with an input: 'image -> …'" : "; begin with 'in -> …'";

    private static readonly Regex Token = new(@"#\d+", RegexOptions.CultureInvariant);

    private sealed class ParameterSource(NetworkEvaluation evaluation, PathScope path, SourceSpan place) : IParameterSource
    {
        public Node Parameter(string name, Shape shape, Initializer initializer, bool trainable) =>
            evaluation.Parameter(path, name, shape, initializer, trainable, place);

        public int NextStream() => evaluation.NextStream();
    }
}
