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

    private Value EvaluateRange(RangeExpression range, Scope scope)
    {
        var from = Evaluate(range.From, scope);
        var to = Evaluate(range.To, scope);
        if (from is ErrorValue || to is ErrorValue)
        {
            return ErrorValue.Instance;
        }

        if (from is not IntegerValue first || to is not IntegerValue last)
        {
            var (wrong, value) = from is IntegerValue ? (range.To, to) : (range.From, from);
            return Error("CNN2009", wrong, scope, $"a range counts from integer to integer, and this is {value.Describe()}");
        }

        var count = first.Number >= last.Number ? 0 : unchecked((ulong)last.Number - (ulong)first.Number);
        Budget.CheckItems((long)Math.Min(count, long.MaxValue), scope.Place(range));
        budget.Spend((long)count, scope.Place(range));
        var items = ImmutableArray.CreateBuilder<Value>();
        for (var i = first.Number; i < last.Number; i++)
        {
            items.Add(new IntegerValue(i));
        }

        return new ListValue(items.ToImmutable());
    }

    private Value EvaluateComprehension(ComprehensionExpression comprehension, Scope scope)
    {
        var source = Evaluate(comprehension.Source, scope);
        var items = source switch
        {
            ListValue list => list.Items,
            DimsValue dims => ImmutableArray.CreateRange<Value>(dims.Sizes.Select(size => new IntegerValue(size))),
            _ => default,
        };
        if (items.IsDefault)
        {
            return source is ErrorValue ? source : Error("CNN2009", comprehension.Source, scope,
                $"'for' goes through a list or a range such as 0..3, and this is {source.Describe()}");
        }

        var results = ImmutableArray.CreateBuilder<Value>(items.Length);
        for (var i = 0; i < items.Length; i++)
        {
            ImmutableArray<int> key = [comprehension.Span.Start, i];
            var inner = new Scope(scope, scope.File, scope.Naming) { Prefix = scope.Prefix.AddRange(key) };
            if (!BindParts(comprehension.Names, items[i], comprehension.Source, scope, inner))
            {
                return ErrorValue.Instance;
            }

            var result = Evaluate(comprehension.Item, inner);
            results.Add(result is StageValue stage ? new PlacedStage(key, null, stage) : result);
        }

        return NewList(results.ToImmutable(), comprehension, scope);
    }

    private static ListValue NewList(ImmutableArray<Value> items, SyntaxNode node, Scope scope)
    {
        var list = new ListValue(items);
        Budget.CheckItems(list.Size, scope.Place(node));
        return list;
    }

    private bool BindParts(ImmutableArray<NameSyntax> names, Value item, ExpressionSyntax source, Scope scope, Scope inner)
    {
        var parts = names.Length == 1 ? [item] : Parts(item, names.Length, source, scope);
        for (var i = 0; i < names.Length && !parts.IsDefault; i++)
        {
            inner.Names[names[i].Text] = Binding.Of(names[i].Text, scope.Place(names[i]), parts[i]);
        }

        return !parts.IsDefault;
    }

    /// <summary>The parts of a list that is destructured; default when it does not have that many (reported).</summary>
    private ImmutableArray<Value> Parts(Value value, int count, SyntaxNode place, Scope scope)
    {
        var parts = value switch
        {
            ListValue list => list.Items,
            DimsValue dims => ImmutableArray.CreateRange<Value>(dims.Sizes.Select(size => new IntegerValue(size))),
            _ => default,
        };
        if (parts.IsDefault)
        {
            if (value is not ErrorValue)
            {
                Error("CNN2014", place, scope, $"a list is split over {ArgumentBinder.Count(count, "name")}, and this is {value.Describe()}");
            }

            return default;
        }

        if (parts.Length != count)
        {
            Error("CNN2014", place, scope, $"{value.Describe()} is split over {ArgumentBinder.Count(parts.Length, "name")}, not {count.ToString(CultureInfo.InvariantCulture)}");
            return default;
        }

        return parts;
    }

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

    private Value EvaluateIndex(IndexExpression index, Scope scope)
    {
        var target = Evaluate(index.Target, scope);
        var position = Evaluate(index.Index, scope);
        if (target is ErrorValue || position is ErrorValue)
        {
            return ErrorValue.Instance;
        }

        var size = target switch
        {
            ListValue list => list.Items.Length,
            DimsValue dims => dims.Sizes.Length,
            TensorValue { Shape.Rank: > 0 } tensor => tensor.Shape[0],
            _ => -1,
        };
        if (size < 0)
        {
            return Error("CNN2009", index.Target, scope, $"only lists, dims and tensors have an index, and this is {target.Describe()}");
        }

        if (index.Index is RangeExpression && position is ListValue range)
        {
            return Slice(index, target, range, size, scope);
        }

        if (position is not IntegerValue integer)
        {
            return Error("CNN2009", index.Index, scope, $"an index must be an integer, and is {position.Describe()}");
        }

        if (integer.Number < 0 || integer.Number >= size)
        {
            return OutOfRange(index.Index, target, size, scope, position.Text);
        }

        var i = (int)integer.Number;
        return target switch
        {
            ListValue list => list.Items[i] is StageValue stage ? new PlacedStage([index.Span.Start, i], null, stage) : list.Items[i],
            DimsValue dims => new IntegerValue(dims.Sizes[i]),
            TensorValue tensor => Made(scope, index, tensor, builder =>
                builder.Reshape(builder.Slice(tensor.Node, 0, i, 1), new Shape(tensor.Shape.Dimensions.RemoveAt(0)))),
            _ => throw new InvalidOperationException("index of " + target.Describe()),
        };
    }

    private Value Slice(IndexExpression index, Value target, ListValue range, int size, Scope scope)
    {
        if (range.Items.IsEmpty)
        {
            return Error("CNN2017", index.Index, scope, "the range is empty; a range counts up and excludes its end");
        }

        var (first, last) = (((IntegerValue)range.Items[0]).Number, ((IntegerValue)range.Items[range.Items.Length - 1]).Number);
        if (first < 0 || last >= size)
        {
            return OutOfRange(index.Index, target, size, scope, (first < 0 ? first : last).ToString(CultureInfo.InvariantCulture));
        }

        return target switch
        {
            ListValue list => new ListValue(ImmutableArray.CreateRange(list.Items.Skip((int)first).Take(range.Items.Length))),
            DimsValue dims => new DimsValue(ImmutableArray.CreateRange(dims.Sizes.Skip((int)first).Take(range.Items.Length))),
            TensorValue tensor => Made(scope, index, tensor, builder => builder.Slice(tensor.Node, 0, (int)first, range.Items.Length)),
            _ => throw new InvalidOperationException("slice of " + target.Describe()),
        };
    }

    private ErrorValue OutOfRange(ExpressionSyntax index, Value target, int size, Scope scope, string position) =>
        Error("CNN2017", index, scope, size == 0
            ? $"index {position} of {target.Describe()}"
            : $"index {position} is out of range: {target.Describe()} has indices 0 to {(size - 1).ToString(CultureInfo.InvariantCulture)}");

    /// <summary>Adds nodes that belong to no layer.</summary>
    private TensorValue Made(Scope scope, SyntaxNode node, TensorValue from, Func<GraphBuilder, Node> make)
    {
        var place = scope.Place(node);
        builder.Origin = new Origin(place, scope.Naming.Scope.Token);
        return new TensorValue(make(builder), place, from.Name, from.Source);
    }

    private Operator? FindOperator(string name) => Vocabulary.Operator(name);
}
