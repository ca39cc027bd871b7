// Evaluates expressions: one method for each form of the grammar.
using System.Collections.Immutable;
using System.Globalization;
using ModelCompiler.Grammar;
using ModelCompiler.Graph;
using ModelCompiler.Operators;

namespace ModelCompiler.Evaluation;

internal sealed partial class NetworkEvaluation
{
    private Value Evaluate(ExpressionSyntax expression, Scope scope)
    {
        budget.Enter(scope.Place(expression));
        current = scope.Place(expression);
        Value value = expression switch
        {
            IntegerExpression integer => new IntegerValue(integer.Value),
            FloatExpression number => new FloatValue(number.Value),
            BooleanExpression boolean => new BooleanValue(boolean.Value),
            StringExpression text => new StringValue(text.Value),
            DimsExpression dims => new DimsValue(dims.Values),
            NameExpression name => EvaluateName(name, scope),
            InExpression => EvaluateIn(expression, scope),
            ListExpression list => NewList(ImmutableArray.CreateRange(list.Items.Select(item => Evaluate(item, scope))), list, scope),
            ComprehensionExpression comprehension => EvaluateComprehension(comprehension, scope),
            RangeExpression range => EvaluateRange(range, scope),
            CallExpression call => EvaluateCall(call, scope, label: null, inFlow: false),
            MemberExpression member => EvaluateMember(member, scope),
            IndexExpression index => EvaluateIndex(index, scope),
            UnaryExpression unary => EvaluateUnary(unary, scope),
            BinaryExpression binary => EvaluateBinary(binary, scope),
            FlowExpression flow => EvaluateFlow(flow, scope),
            LabelExpression label => EvaluateLabel(label, scope, inFlow: false),
            ParenthesizedExpression parenthesized => Evaluate(parenthesized.Inner, scope),
            IfExpression condition => EvaluateIf(condition, scope),
            ClassSyntax => Error("CNN2018", expression, scope, "'class' stands only at the start of the shape of a target: 'target label: class', 'target mask: [class, 128, 128]'"),
            _ => throw new InvalidOperationException("no meaning for " + expression.GetType().Name),
        };
        budget.Leave();
        inspector?.See(scope.Place(expression), value);
        return value;
    }

    private ErrorValue Error(string code, SyntaxNode node, Scope scope, string message, params DiagnosticNote[] notes) =>
        reporter.Error(code, scope.Place(node), message, scope.Frame, notes);

    private Value EvaluateName(NameExpression name, Scope scope)
    {
        var place = scope.Place(name);
        if (scope.Find(name.Name) is { } binding)
        {
            if (binding.Busy)
            {
                return reporter.Error("CNN2013", place, $"'{name.Name}' is defined by itself", scope.Frame,
                    new DiagnosticNote(binding.Place, $"'{name.Name}' is bound here"));
            }

            return binding.Force() switch
            {
                TensorValue tensor => new TensorValue(tensor.Node, place, name.Name, binding.Place),
                BlockStage { Arguments: null } block => new BlockStage(block.Block, block.Home, place, null),
                OperatorStage { Arguments: null } stage => new OperatorStage(stage.Operator, place, null),
                SharedStage shared => shared,
                StageValue stage => new PlacedStage([name.Span.Start], new Label(name.Name, place), stage),
                var value => value,
            };
        }

        if (FindOperator(name.Name) is { } found)
        {
            return new OperatorStage(found, place, null);
        }

        if (Initializers.Contains(name.Name))
        {
            return MakeInitializer(name.Name, [], place, scope);
        }

        return Vocabulary.Words.Contains(name.Name) ? new WordValue(name.Name) : UnknownName(name.Name, place, scope);
    }

    private Value UnknownName(string name, SourceSpan place, Scope scope)
    {
        // The check of names has reported it when its file was read.
        if (Vocabulary.IsFunction(name))
        {
            return reporter.Error("CNN2010", place, $"'{name}' is a function and needs its arguments: {name}(…)", scope.Frame);
        }

        return networks.IsNetwork(scope.File, name)
            ? reporter.Error("CNN2010", place, $"'{name}' is a network, and only blocks are stages; make what is common a block", scope.Frame)
            : ErrorValue.Instance;
    }

    private Value EvaluateIn(ExpressionSyntax expression, Scope scope) => scope.Input switch
    {
        null => Error("CNN2012", expression, scope, "'in' is the input of a block, and this is outside of blocks; use the name of an input"),
        TensorValue tensor => new TensorValue(tensor.Node, scope.Place(expression), tensor.Name, tensor.Source),
        var input => input,
    };

    private Value EvaluateIf(IfExpression condition, Scope scope) => Evaluate(condition.Condition, scope) switch
    {
        BooleanValue { Truth: true } => Evaluate(condition.Then, scope),
        BooleanValue => Evaluate(condition.Else, scope),
        ErrorValue error => error,
        var value => Error("CNN2011", condition.Condition, scope, $"the condition must be true or false, and is {value.Describe()}"),
    };

    private Value EvaluateLabel(LabelExpression label, Scope scope, bool inFlow)
    {
        var name = label.Label.Text;
        if (label.Number is not null)
        {
            var number = Evaluate(label.Number, scope);
            if (number is not IntegerValue integer)
            {
                return number is ErrorValue ? number : Error("CNN2009", label.Number, scope, $"the number of a label must be an integer, and is {number.Describe()}");
            }

            name += integer.Number.ToString(CultureInfo.InvariantCulture);
        }

        var written = new Label(name, scope.Place(label.Label));
        var value = label.Value switch
        {
            CallExpression call => EvaluateCall(call, scope, written, inFlow),
            _ => Evaluate(label.Value, scope),
        };
        switch (value)
        {
            case ErrorValue:
                return value;
            case StageValue stage:
                var row = label.Value is ParenthesizedExpression && stage.Core is not SequenceStage;
                return new LabelledStage(name, written.Place, row ? SequenceStage.Of([stage]) : stage);
            case ListValue list when AsFanOut(list) is { } fan:
                return new LabelledStage(name, written.Place, fan);
            case TensorValue or ListValue when label.Value is CallExpression && ArgumentBinder.CarriesTensor(value):
                return value;
            default:
                return Error("CNN2015", label.Label, scope,
                    $"a label names a stage, and this is {value.Describe()}; put it behind the arrow: 'x -> {name}: conv(64, 3x3)'");
        }
    }

    private Value EvaluateMember(MemberExpression member, Scope scope)
    {
        var target = Evaluate(member.Target, scope);
        if (target is ErrorValue)
        {
            return target;
        }

        var name = member.Member.Text;
        return Members.Find(target, name) is { } value
            ? value
            : Error("CNN2016", member.Member, scope, Members.Problem(target, name));
    }

    private Operator? FindOperator(string name) => Vocabulary.Operator(name);
}
