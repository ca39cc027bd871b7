// Infix operators: on numbers, on tensors element by element with broadcasting, and `stage * n`.
using System.Collections.Immutable;
using ModelCompiler.Grammar;
using ModelCompiler.Graph;
using ModelCompiler.Operators;

namespace ModelCompiler.Evaluation;

internal sealed partial class NetworkEvaluation
{
    private Value EvaluateUnary(UnaryExpression unary, Scope scope)
    {
        var operand = Evaluate(unary.Operand, scope);
        switch (unary.Operator, operand)
        {
            case (_, ErrorValue):
                return operand;
            case (UnaryOperator.Not, BooleanValue boolean):
                return new BooleanValue(!boolean.Truth);
            case (UnaryOperator.Negate, IntegerValue { Number: > long.MinValue } integer):
                return new IntegerValue(-integer.Number);
            case (UnaryOperator.Negate, FloatValue number):
                return new FloatValue(-number.Number);
            case (UnaryOperator.Negate, TensorValue tensor):
                return Layer(scope, unary, new TextSpan(unary.Span.Start, 1), "neg", [tensor], nodes => builder.Pointwise(-(Expression)new InputFormula(0), nodes[0]));
            default:
                var wanted = unary.Operator == UnaryOperator.Not ? "'not' wants true or false" : "'-' wants a number or a tensor";
                return Error("CNN2009", unary.Operand, scope, $"{wanted}, and this is {operand.Describe()}");
        }
    }

    private Value EvaluateBinary(BinaryExpression binary, Scope scope)
    {
        if (binary.Operator is BinaryOperator.And or BinaryOperator.Or)
        {
            return EvaluateLogic(binary, scope);
        }

        var left = Evaluate(binary.Left, scope);
        var right = Evaluate(binary.Right, scope);
        if (left is ErrorValue || right is ErrorValue)
        {
            return ErrorValue.Instance;
        }

        if (left is IntegerValue or FloatValue && right is IntegerValue or FloatValue)
        {
            var (value, problem) = NumberArithmetic.Calculate(binary.Operator, left, right);
            return value ?? reporter.Error("CNN2025", scope.Place(binary.OperatorSpan), problem + Deep(scope.Frame), scope.Frame);
        }

        if (left is StageValue or ListValue && binary.Operator == BinaryOperator.Multiply && right is IntegerValue times)
        {
            return Repeat(binary, left, times.Number, scope);
        }

        if (left is TensorValue or IntegerValue or FloatValue && right is TensorValue or IntegerValue or FloatValue)
        {
            return TensorArithmetic(binary, left, right, scope);
        }

        return binary.Operator is BinaryOperator.Equal or BinaryOperator.NotEqual && SameKind(left, right)
            ? new BooleanValue((left.Text == right.Text) == (binary.Operator == BinaryOperator.Equal))
            : reporter.Error("CNN2009", scope.Place(binary.OperatorSpan),
                $"'{NumberArithmetic.Sign(binary.Operator)}' does not work between {left.Describe()} and {right.Describe()}{StageHint(left, right, binary.Operator)}", scope.Frame);
    }

    private Value EvaluateLogic(BinaryExpression binary, Scope scope)
    {
        var decided = binary.Operator == BinaryOperator.Or;
        foreach (var operand in new[] { binary.Left, binary.Right })
        {
            switch (Evaluate(operand, scope))
            {
                case BooleanValue boolean when boolean.Truth == decided:
                    return boolean;
                case BooleanValue:
                    break;
                case ErrorValue error:
                    return error;
                case var value:
                    return Error("CNN2011", operand, scope, $"'{NumberArithmetic.Sign(binary.Operator)}' wants true or false, and this is {value.Describe()}");
            }
        }

        return new BooleanValue(!decided);
    }

    private Value Repeat(BinaryExpression binary, Value left, long times, Scope scope)
    {
        var stage = left as StageValue ?? (left is ListValue list && list.Items.Length > 0 ? AsFanOut(list) : null);
        if (stage is null)
        {
            return Error("CNN2009", binary.Left, scope, $"only a stage can be repeated, and this is {left.Describe()}");
        }

        if (times < 0)
        {
            return Error("CNN2006", binary.Right, scope, $"a stage cannot be repeated {new IntegerValue(times).Text} times; 0 is the least, and is identity");
        }

        var members = Math.Max(1, stage.Members.Length);
        Budget.CheckItems(Math.Min(times, int.MaxValue) * members, scope.Place(binary.Right));
        budget.Spend(times * members, scope.Place(binary.Right));
        return SequenceStage.Of(Enumerable.Range(0, (int)times).Select(i => new PlacedStage([binary.Span.Start, i], null, stage)));
    }

    private Value TensorArithmetic(BinaryExpression binary, Value left, Value right, Scope scope)
    {
        if (binary.Operator == BinaryOperator.MatrixProduct)
        {
            return MatrixProduct(binary, left, right, scope);
        }

        BinaryFunction? function = binary.Operator switch
        {
            BinaryOperator.Add => BinaryFunction.Add,
            BinaryOperator.Subtract => BinaryFunction.Subtract,
            BinaryOperator.Multiply => BinaryFunction.Multiply,
            BinaryOperator.Divide => BinaryFunction.Divide,
            BinaryOperator.Power => BinaryFunction.Power,
            _ => null,
        };
        if (function is not { } chosen)
        {
            return reporter.Error("CNN2009", scope.Place(binary.OperatorSpan),
                $"'{NumberArithmetic.Sign(binary.Operator)}' does not work between {left.Describe()} and {right.Describe()}; values of tensors are not known while the network is built", scope.Frame);
        }

        var name = chosen switch
        {
            BinaryFunction.Add => "add",
            BinaryFunction.Subtract => "sub",
            BinaryFunction.Multiply => "mul",
            BinaryFunction.Divide => "div",
            _ => "pow",
        };
        if (left is TensorValue a && right is TensorValue b)
        {
            if (Broadcast.Problem(a.Shape, b.Shape) is { } problem)
            {
                var verb = chosen switch { BinaryFunction.Add => "add", BinaryFunction.Subtract => "subtract", BinaryFunction.Multiply => "multiply", BinaryFunction.Divide => "divide", _ => "raise" };
                return reporter.Error("CNN3004", scope.Place(binary.OperatorSpan),
                    $"cannot {verb} {a.Shape} and {b.Shape}: {problem}{Declared(a, b) ?? Declared(b, a) ?? Broadcast.Suggestion(a.Shape, b.Shape, Source(binary.Left, scope), Source(binary.Right, scope))}", scope.Frame, Cause(a), Cause(b));
            }

            return Layer(scope, binary, binary.OperatorSpan, name, [a, b], nodes =>
            {
                var (x, y) = Broadcast.Align(builder, nodes[0], nodes[1]);
                return builder.Pointwise(new BinaryFormula(chosen, new InputFormula(0), new InputFormula(1)), x, y);
            });
        }

        Expression formula = left is TensorValue
            ? new BinaryFormula(chosen, new InputFormula(0), ArgumentKinds.Number(right)!.Value)
            : new BinaryFormula(chosen, ArgumentKinds.Number(left)!.Value, new InputFormula(0));
        var tensor = left as TensorValue ?? (TensorValue)right;
        return Layer(scope, binary, binary.OperatorSpan, name, [tensor], nodes => builder.Pointwise(formula, nodes[0]));
    }

    private Value MatrixProduct(BinaryExpression binary, Value left, Value right, Scope scope)
    {
        var place = scope.Place(binary.OperatorSpan);
        if (left is not TensorValue a || right is not TensorValue b)
        {
            return reporter.Error("CNN2009", place, $"'@' multiplies two tensors, not {left.Describe()} and {right.Describe()}", scope.Frame);
        }

        var @operator = FindOperator("matmul")!;
        ImmutableArray<Argument> inputs = [new Argument(null, a, scope.Place(binary.Left)), new Argument(null, b, scope.Place(binary.Right))];
        var stage = new OperatorStage(@operator, place, new OperatorArguments(inputs, ImmutableDictionary<string, Argument>.Empty, ""));
        return ApplyOperator(stage, null, Automatic(stage, place, new Application(scope.Naming, scope.Prefix, scope.Frame)), scope.Frame);
    }

    private Value Layer(Scope scope, SyntaxNode node, TextSpan word, string name, ImmutableArray<TensorValue> inputs, Func<ImmutableArray<Node>, Node> make)
    {
        var place = scope.Place(word);
        var path = scope.Naming.Automatic(name, scope.Prefix.Add(word.Start), place);
        builder.Origin = new Origin(place, path.Token, checkpoint);
        var nodes = ImmutableArray.CreateRange(inputs.Select(input => input.Node));
        var result = make(nodes);
        Budget.CheckNodes(builder.Nodes.Count, scope.Place(node));
        layers.Add(new LayerRecord(path, name, "", nodes, [result], [], place));
        return new TensorValue(result, place, name, place);
    }

    /// <summary>Numbers that grow from use to use overflow before the depth of the uses is reported.</summary>
    private static string Deep(Frame? frame) => frame is { Depth: > 20 }
        ? FormattableString.Invariant($"; blocks are used {frame.Depth} deep inside one another here: does the recursion end?")
        : "";

    private static bool SameKind(Value left, Value right) => (left, right) switch
    {
        (BooleanValue, BooleanValue) or (StringValue, StringValue) or (WordValue, WordValue) or (DimsValue, DimsValue) => true,
        _ => false,
    };

    private static string StageHint(Value left, Value right, BinaryOperator @operator)
    {
        var stage = left as StageValue ?? right as StageValue;
        return stage is null
            ? left is ListValue { CarriesTensor: true } || right is ListValue { CarriesTensor: true } ? "; join the list first, as in 'list -> add'" : ""
            : left is TensorValue || right is TensorValue ? $"; a stage needs its input first: 'x -> {stage.Text}'"
            : left is IntegerValue times && @operator == BinaryOperator.Multiply ? $"; to repeat a stage write it first: '{stage.Text} * {times.Text}'"
            : right is FloatValue && @operator == BinaryOperator.Multiply ? "; a stage is repeated a whole number of times"
            : left is StageValue && right is StageValue ? "; stages follow one another with '->', and their results are added as in 'x -> [a, b] -> add'"
            : "";
    }

    /// <summary>A free parameter has the shape that its author gives it.</summary>
    private static string? Declared(TensorValue parameter, TensorValue other) =>
        parameter.Node.Attributes is ParameterAttributes ? $"; declare '{parameter.Name}' with the shape {(other.Shape.Rank > 1 ? $"[{string.Join(", ", other.Shape.Dimensions)}]" : other.Shape)}" : null;

    private static DiagnosticNote Cause(TensorValue tensor) => new(tensor.Source, $"{tensor.Shape} comes from '{tensor.Name}'");

    private static string? Source(ExpressionSyntax expression, Scope scope) =>
        expression is NameExpression or InExpression or IndexExpression ? scope.File.Text.Substring(expression.Span.Start, expression.Span.Length) : null;
}
