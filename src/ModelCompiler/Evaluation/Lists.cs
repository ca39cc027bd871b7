// Lists: ranges, comprehensions, destructuring, elements and slices (of lists, dims, and tensors along their first axis).
using System.Collections.Immutable;
using System.Globalization;
using ModelCompiler.Grammar;
using ModelCompiler.Graph;
using ModelCompiler.Operators;

namespace ModelCompiler.Evaluation;

internal sealed partial class NetworkEvaluation
{
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
        builder.Origin = new Origin(place, scope.Naming.Scope.Token, checkpoint);
        return new TensorValue(make(builder), place, from.Name, from.Source);
    }
}
