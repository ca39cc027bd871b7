// Statements that declare a tensor by its shape, with options behind it: inputs, targets and free parameters.
using System.Collections.Immutable;
using ModelCompiler.Grammar;
using ModelCompiler.Graph;
using ModelCompiler.Operators;

namespace ModelCompiler.Evaluation;

internal sealed partial class NetworkEvaluation
{
    private const int LargestRank = 8;

    private static readonly Signature InputOptions = new("input", [], false,
    [
        new ArgumentSpec("objects", ArgumentKind.Dims, "size of what the input shows, in its elements: advice compares it with the receptive field", "not stated", 1),
    ], "");

    private static readonly Signature ParameterOptions = new("parameter", [], false,
    [
        new ArgumentSpec("init", ArgumentKind.Initializer, "how the numbers start", "zeros"),
        new ArgumentSpec("trainable", ArgumentKind.Boolean, "whether training changes them", "true"),
    ], "");

    private Value EvaluateInput(NameSyntax name, ExpressionSyntax shape, bool isTarget, ImmutableArray<ArgumentSyntax> options, Scope scope)
    {
        var isClass = false;
        var written = shape is ParenthesizedExpression parenthesized ? parenthesized.Inner : shape;
        Shape? sizes;
        if (isTarget && written is ClassSyntax)
        {
            (isClass, sizes) = (true, Shape.Scalar);
        }
        else if (isTarget && written is ListExpression { Items.Length: > 1 } list && list.Items[0] is ClassSyntax)
        {
            isClass = true;
            sizes = EvaluateShape(written, new ListValue(ImmutableArray.CreateRange(list.Items.Skip(1).Select(item => Evaluate(item, scope)))), scope);
        }
        else
        {
            sizes = EvaluateShape(written, Evaluate(written, scope), scope);
        }

        var bound = EvaluateOptions(InputOptions, options, name, scope);
        if (sizes is null || bound is null)
        {
            return ErrorValue.Instance;
        }

        var objects = ImmutableArray<int>.Empty;
        if (bound.Values.TryGetValue("objects", out var stated))
        {
            objects = PerAxis(ArgumentKinds.Sizes(stated.Value)!.Value, sizes.Rank - 1);
            if (objects.IsEmpty)
            {
                reporter.Error("CNN2008", stated.Place, sizes.Rank < 2
                    ? $"'objects' are measured along spatial axes, and '{name.Text}' ({sizes}) has none"
                    : $"'objects' has {ArgumentKinds.Sizes(stated.Value)!.Value.Length} sizes ({stated.Value.Text}), and '{name.Text}' ({sizes}) has {sizes.Rank - 1} spatial {(sizes.Rank == 2 ? "axis" : "axes")}", scope.Frame);
                return ErrorValue.Instance;
            }
        }

        var place = scope.Place(name);
        builder.Origin = new Origin(place, "");
        var node = builder.Add(Primitives.Input, new InputAttributes(name.Text, sizes, isTarget, isClass, objects));
        return new TensorValue(node, place, name.Text, place);
    }

    /// <summary>One size counts for every axis; empty where the numbers do not agree.</summary>
    private static ImmutableArray<int> PerAxis(ImmutableArray<int> sizes, int axes) =>
        sizes.Length == 1 ? ImmutableArray.CreateRange(Enumerable.Repeat(sizes[0], axes))
        : sizes.Length == axes ? sizes
        : ImmutableArray<int>.Empty;

    private Shape? EvaluateShape(ExpressionSyntax written, Value value, Scope scope)
    {
        if (value is ErrorValue or ListValue { HasError: true })
        {
            return null;
        }

        var problem = ArgumentKinds.Sizes(value) is not { } sizes ? $"a shape is written 3x224x224 or [rows, features], and this is {value.Describe()}"
            : sizes.Any(size => size < 1) ? $"every size of a shape is at least 1, and this is {value.Text}"
            : sizes.Length > LargestRank ? $"a shape has at most {LargestRank} axes, and this has {sizes.Length}"
            : sizes.Aggregate(1.0, (product, size) => product * size) > int.MaxValue ? $"a value holds at most {int.MaxValue} numbers, and {value.Text} is more"
            : null;
        if (problem is not null)
        {
            Error("CNN2033", written, scope, problem);
            return null;
        }

        return new Shape(ArgumentKinds.Sizes(value)!.Value);
    }

    private Value EvaluateParameter(FreeParameterSyntax parameter, Scope scope)
    {
        var shape = EvaluateShape(parameter.Shape, Evaluate(parameter.Shape, scope), scope);
        var bound = EvaluateOptions(ParameterOptions, parameter.Options, parameter.Name, scope);
        if (shape is null || bound is null)
        {
            return ErrorValue.Instance;
        }

        var fans = new Initializer(InitializerKind.Constant, 0, Math.Max(1, (int)(shape.Count / shape[0])), shape[0]);
        var initializer = bound.Values.TryGetValue("init", out var init)
            ? fans with { Kind = ((InitializerValue)init.Value).Initializer.Kind, Value = ((InitializerValue)init.Value).Initializer.Value }
            : fans;
        var trainable = !bound.Values.TryGetValue("trainable", out var written) || ((BooleanValue)written.Value).Truth;
        var place = scope.Place(parameter.Name);
        var node = Parameter(scope.Naming.Scope, parameter.Name.Text, shape, initializer, trainable, place);
        return new TensorValue(node, place, parameter.Name.Text, place);
    }

    /// <summary>The options behind a shape, checked; null where one is wrong (reported).</summary>
    private OperatorArguments? EvaluateOptions(Signature signature, ImmutableArray<ArgumentSyntax> options, NameSyntax name, Scope scope)
    {
        var arguments = options.Select(option =>
        {
            var spec = signature.Arguments.FirstOrDefault(candidate => candidate.Name == option.Name?.Text);
            return new Argument(option.Name, spec is null ? Evaluate(option.Value, scope) : EvaluateFor(spec, option.Value, scope), scope.Place(option.Value));
        });
        return binder.Bind(signature, ImmutableArray.CreateRange(arguments), scope.Place(name), 0, scope.Frame);
    }
}
