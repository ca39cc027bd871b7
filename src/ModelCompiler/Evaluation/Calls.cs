// Calls: of operators, blocks, functions and initializers, and of names that stand for one of them.
using System.Collections.Immutable;
using ModelCompiler.Grammar;
using ModelCompiler.Operators;

namespace ModelCompiler.Evaluation;

/// <summary>A label or name as written.</summary>
internal sealed record Label(string Name, SourceSpan Place);

internal sealed partial class NetworkEvaluation
{
    /// <param name="inFlow">True right behind an arrow, where tensors among the arguments join the one that flows.</param>
    private Value EvaluateCall(CallExpression call, Scope scope, Label? label, bool inFlow)
    {
        if (call.Callee is NameExpression name && scope.Find(name.Name) is null)
        {
            return CallWord(call, name, scope, label, inFlow);
        }

        var callee = Evaluate(call.Callee, scope);
        switch (callee)
        {
            case ErrorValue:
                EvaluateArguments(call, scope, null);
                return callee;
            case BlockStage { Arguments: null } block:
                return CallBlock(call, block, scope);
            case OperatorStage { Arguments: null } stage:
                return CallOperator(call, stage.Operator, scope, label, inFlow, EvaluateArguments(call, scope, stage.Signature));
            case StageValue stage:
                return CallStage(call, stage, scope);
            default:
                return Error("CNN2010", call.Callee, scope, $"only operators, blocks and functions can be called, and this is {callee.Describe()}{Hidden(call.Callee, scope)}");
        }
    }

    private Value CallWord(CallExpression call, NameExpression name, Scope scope, Label? label, bool inFlow)
    {
        var @operator = FindOperator(name.Name);
        var arguments = EvaluateArguments(call, scope, @operator?.Signature);
        var ofTensors = arguments.Any(argument => ArgumentBinder.CarriesTensor(argument.Value));
        if (Vocabulary.IsFunction(name.Name) && !ofTensors && (@operator is null || FunctionIsMeant(arguments)))
        {
            return CallFunction(call, name, arguments, scope);
        }

        if (@operator is not null)
        {
            return CallOperator(call, @operator, scope, label, inFlow, arguments);
        }

        if (Initializers.Contains(name.Name))
        {
            return MakeInitializer(name.Name, arguments, scope.Place(call), scope);
        }

        return Vocabulary.IsFunction(name.Name) ? CallFunction(call, name, arguments, scope) : UnknownName(name.Name, scope.Place(name), scope);
    }

    private static bool FunctionIsMeant(ImmutableArray<Argument> arguments) =>
        !arguments.IsEmpty && arguments.All(argument => argument.Name is null)
        && arguments.All(argument => argument.Value is ErrorValue or IntegerValue or FloatValue or DimsValue or ListValue);

    private Value CallFunction(CallExpression call, NameExpression name, ImmutableArray<Argument> arguments, Scope scope)
    {
        if (arguments.Any(argument => argument.Value is ErrorValue or ListValue { HasError: true }))
        {
            return ErrorValue.Instance;
        }

        if (arguments.FirstOrDefault(argument => argument.Name is not null) is { } named)
        {
            return reporter.Error("CNN2002", scope.Place(named.Name!), $"'{name.Name}' is a function and has no named arguments", scope.Frame);
        }

        budget.Spend(arguments.Sum(argument => argument.Value is ListValue list ? list.Items.Length : 1), scope.Place(call));
        var (value, problem) = Functions.Call(name.Name, ImmutableArray.CreateRange(arguments.Select(argument => argument.Value)));
        if (problem is not null)
        {
            return Error("CNN2019", arguments.Length == 1 ? call.Arguments[0] : call, scope, problem);
        }

        switch (value)
        {
            case StageValue stage:
                return new PlacedStage([call.Span.Start], null, stage);
            case ListValue list:
                Budget.CheckItems(list.Size, scope.Place(call));
                return list;
            default:
                return value!;
        }
    }

    private Value MakeInitializer(string name, ImmutableArray<Argument> arguments, SourceSpan place, Scope scope)
    {
        if (arguments.Any(argument => argument.Value is ErrorValue))
        {
            return ErrorValue.Instance;
        }

        var (value, problem) = Initializers.Make(name, ImmutableArray.CreateRange(arguments.Select(argument => argument.Value)));
        return value ?? (Value)reporter.Error("CNN2019", place, problem!, scope.Frame);
    }

    private Value CallBlock(CallExpression call, BlockStage block, Scope scope)
    {
        var arguments = EvaluateArguments(call, scope, null);
        var bound = binder.Bind("block", block.Block.Name.Text, block.Block.Parameters, arguments, scope.Frame);
        if (bound is null)
        {
            return ErrorValue.Instance;
        }

        var stage = new BlockStage(block.Block, block.Home, scope.Place(call.Callee), bound);
        return MissingArgument(stage, scope.Frame) ? ErrorValue.Instance : stage;
    }

    private bool MissingArgument(BlockStage stage, Frame? frame)
    {
        var missing = stage.Block.Parameters
            .FirstOrDefault(parameter => parameter.Default is null && stage.Arguments?.ContainsKey(parameter.Name.Text) != true);
        if (missing is not null)
        {
            var usage = string.Join(", ", stage.Block.Parameters.Select(parameter => parameter.Name.Text));
            reporter.Error("CNN2003", stage.Place, $"block '{stage.Block.Name.Text}' needs '{missing.Name.Text}': {stage.Block.Name.Text}({usage})", frame,
                new DiagnosticNote(new SourceSpan(stage.Home.File, missing.Span), $"'{missing.Name.Text}' has no default"));
        }

        return missing is not null;
    }

    private Value CallOperator(
        CallExpression call, Operator @operator, Scope scope, Label? label, bool inFlow, ImmutableArray<Argument> arguments)
    {
        var place = scope.Place(call.Callee);
        var signature = @operator.Signature;
        if (binder.Bind(signature, arguments, place, inFlow ? 1 : 0, scope.Frame) is not { } bound)
        {
            return ErrorValue.Instance;
        }

        var stage = new OperatorStage(@operator, place, bound);
        if (inFlow || bound.Inputs.IsEmpty || !HasAllInputs(signature, bound))
        {
            return stage;
        }

        var context = new Application(scope.Naming, scope.Prefix, scope.Frame);
        var path = label is null ? Automatic(stage, place, context) : Labelled(label.Name, label.Place, stage, context);
        return ApplyOperator(stage, null, path, scope.Frame);
    }

    private static bool HasAllInputs(Signature signature, OperatorArguments bound) => signature.Variadic
        ? bound.Inputs.Length > 1 || bound.Inputs[0].Value is ListValue
        : bound.Inputs.Length >= signature.Inputs.Length;

    /// <summary>A stage called with its input: <c>head(x)</c> is <c>x -> head</c>.</summary>
    private Value CallStage(CallExpression call, StageValue stage, Scope scope)
    {
        var arguments = EvaluateArguments(call, scope, null);
        if (arguments.Any(argument => argument.Value is ErrorValue))
        {
            return ErrorValue.Instance;
        }

        return arguments.Length == 1 && arguments[0].Name is null && ArgumentBinder.CarriesTensor(arguments[0].Value)
            ? Apply(stage, arguments[0].Value, new Application(scope.Naming, scope.Prefix, scope.Frame))
            : Error("CNN2010", call.Callee, scope, $"{stage.Describe()} has its arguments already; only a tensor can flow into it");
    }

    private ImmutableArray<Argument> EvaluateArguments(CallExpression call, Scope scope, Signature? signature)
    {
        var arguments = ImmutableArray.CreateBuilder<Argument>(call.Arguments.Length);
        for (var i = 0; i < call.Arguments.Length; i++)
        {
            var argument = call.Arguments[i];
            var spec = argument.Name is null ? Positional(signature, arguments) : signature?.Arguments.FirstOrDefault(candidate => candidate.Name == argument.Name.Text);
            var isWord = argument.Name is not null || (argument.Value is NameExpression word && spec is not null && ArgumentKinds.Words(spec).Contains(word.Name) && scope.Find(word.Name) is null);
            var value = spec is not null && isWord ? EvaluateFor(spec, argument.Value, scope) : Evaluate(argument.Value, scope);
            arguments.Add(new Argument(argument.Name, value, scope.Place(argument.Value)));
        }

        return arguments.MoveToImmutable();
    }

    /// <summary>The argument that the next value stands for, behind the tensors that the operator works on.</summary>
    private static ArgumentSpec? Positional(Signature? signature, IReadOnlyCollection<Argument> before)
    {
        var place = before.Count(argument => argument.Name is null && !ArgumentBinder.CarriesTensor(argument.Value));
        return signature is not null && place < signature.Arguments.Length ? signature.Arguments[place] : null;
    }

    /// <summary>A word that the argument knows is meant, whatever else has that name.</summary>
    private Value EvaluateFor(ArgumentSpec spec, ExpressionSyntax expression, Scope scope)
    {
        switch (spec.Kind, expression)
        {
            case (ArgumentKind.Word or ArgumentKind.Padding, NameExpression word):
                if (ArgumentKinds.Words(spec).Contains(word.Name))
                {
                    return new WordValue(word.Name);
                }

                return scope.Find(word.Name) is not null ? Evaluate(word, scope) : Error("CNN2020", word, scope, ArgumentKinds.UnknownWord(spec, word.Name));
            case (ArgumentKind.Initializer, NameExpression word) when Initializers.Contains(word.Name):
                return MakeInitializer(word.Name, [], scope.Place(word), scope);
            case (ArgumentKind.Initializer, CallExpression { Callee: NameExpression word } call) when Initializers.Contains(word.Name):
                return MakeInitializer(word.Name, EvaluateArguments(call, scope, null), scope.Place(call), scope);
            default:
                return Evaluate(expression, scope);
        }
    }

    /// <summary>Says so when a binding stands in front of an operator of the same name.</summary>
    private static string Hidden(ExpressionSyntax expression, Scope scope) =>
        expression is NameExpression name && scope.Find(name.Name) is { } binding && Vocabulary.Operator(name.Name) is not null
            ? $"; the binding in line {binding.Place.Line} hides the operator '{name.Name}': give it another name"
            : "";
}
