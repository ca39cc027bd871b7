// Statements bind names. Nothing is evaluated here: each name remembers how to get its value.
using System.Collections.Immutable;
using ModelCompiler.Grammar;
using ModelCompiler.Graph;
using ModelCompiler.Operators;

namespace ModelCompiler.Evaluation;

internal sealed partial class NetworkEvaluation
{
    private const int LargestRank = 8;

    /// <summary>The names of a file: its own, and those of the files it uses.</summary>
    private Scope FileScope(SourceFile file)
    {
        if (!fileScopes.TryGetValue(file, out var scope))
        {
            scope = new Scope(null, file, root);
            fileScopes.Add(file, scope);
            var unit = networks.Unit(file);
            foreach (var used in unit.Uses)
            {
                foreach (var (name, binding) in OwnNames(used.Source))
                {
                    scope.Names[name] = binding;
                }
            }

            foreach (var (name, binding) in OwnNames(file))
            {
                scope.Names[name] = binding;
            }
        }

        return scope;
    }

    private IEnumerable<(string Name, Binding Binding)> OwnNames(SourceFile file)
    {
        if (!ownNames.TryGetValue(file, out var names))
        {
            names = new List<(string, Binding)>();
            ownNames.Add(file, names);
            foreach (var declaration in networks.Unit(file).Syntax.Declarations)
            {
                if (declaration is BlockSyntax block)
                {
                    var place = new SourceSpan(file, block.Name.Span);
                    names.Add((block.Name.Text, new Binding(block.Name.Text, place, () => new BlockStage(block, FileScope(file), place, null))));
                }
            }

            // Values of a file see all its names, so they are bound in a scope that looks names up when it is asked.
            var statements = networks.Unit(file).Syntax.Declarations.OfType<TopLevelSyntax>().Select(top => top.Statement);
            names.AddRange(Bindings(statements, () => FileScope(file), file));
        }

        return names;
    }

    private readonly Dictionary<SourceFile, List<(string, Binding)>> ownNames = new();

    private void Declare(ImmutableArray<StatementSyntax> statements, Scope scope)
    {
        foreach (var (name, binding) in Bindings(statements, () => scope, scope.File))
        {
            if (!scope.Names.ContainsKey(name))
            {
                scope.Names.Add(name, binding);
            }
        }
    }

    private void DeclareParameters(ImmutableArray<ParameterSyntax> parameters, ImmutableDictionary<string, Argument>? arguments, Scope body)
    {
        foreach (var parameter in parameters)
        {
            var name = parameter.Name.Text;
            var place = body.Place(parameter.Name);
            if (!body.Names.ContainsKey(name))
            {
                body.Names.Add(name, arguments is not null && arguments.TryGetValue(name, out var argument)
                    ? Binding.Of(name, place, argument.Value)
                    : new Binding(name, place, () => parameter.Default is null ? ErrorValue.Instance : Evaluate(parameter.Default, body)));
            }
        }
    }

    private IEnumerable<(string, Binding)> Bindings(IEnumerable<StatementSyntax> statements, Func<Scope> scope, SourceFile file)
    {
        foreach (var statement in statements)
        {
            switch (statement)
            {
                case InputSyntax input:
                    yield return One(input.Name, () => EvaluateInput(input.Name, input.Shape, isTarget: false, scope()));
                    break;
                case TargetSyntax target:
                    yield return One(target.Name, () => EvaluateInput(target.Name, target.Shape, isTarget: true, scope()));
                    break;
                case FreeParameterSyntax parameter:
                    yield return One(parameter.Name, () => EvaluateParameter(parameter, scope()));
                    break;
                case SharedSyntax shared:
                    yield return One(shared.Name, () => EvaluateShared(shared, scope()));
                    break;
                case OutputSyntax { Name: { } outputName } output:
                    yield return One(outputName, () => EvaluateTensors(output.Value, scope(), "an output"));
                    break;
                case LocalBlockSyntax { Block: var block }:
                    yield return One(block.Name, () => new BlockStage(block, scope(), new SourceSpan(file, block.Name.Span), null));
                    break;
                case BindingSyntax { Names.Length: 1 } binding:
                    yield return One(binding.Names[0], () => Evaluate(binding.Value, scope()));
                    break;
                case BindingSyntax binding:
                    var whole = new Binding("", new SourceSpan(file, binding.Span), () => Split(binding, scope()));
                    for (var i = 0; i < binding.Names.Length; i++)
                    {
                        var index = i;
                        var name = binding.Names[i];
                        yield return (name.Text, new Binding(name.Text, new SourceSpan(file, name.Span), () => whole.Force() is ListValue parts ? parts.Items[index] : ErrorValue.Instance) { Whole = whole });
                    }

                    break;
            }
        }

        (string, Binding) One(NameSyntax name, Func<Value> evaluate) =>
            (name.Text, new Binding(name.Text, new SourceSpan(file, name.Span), evaluate));
    }

    private Value Split(BindingSyntax binding, Scope scope)
    {
        var parts = Parts(Evaluate(binding.Value, scope), binding.Names.Length, binding.Names[0], scope);
        return parts.IsDefault ? ErrorValue.Instance : new ListValue(parts);
    }

    private Value EvaluateInput(NameSyntax name, ExpressionSyntax shape, bool isTarget, Scope scope)
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

        if (sizes is null)
        {
            return ErrorValue.Instance;
        }

        var place = scope.Place(name);
        builder.Origin = new Origin(place, "");
        var node = builder.Add(Primitives.Input, new InputAttributes(name.Text, sizes, isTarget, isClass));
        return new TensorValue(node, place, name.Text, place);
    }

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

    private static readonly ImmutableArray<ArgumentSpec> ParameterOptions =
    [
        new ArgumentSpec("init", ArgumentKind.Initializer, "how the numbers start", "zeros"),
        new ArgumentSpec("trainable", ArgumentKind.Boolean, "whether training changes them", "true"),
    ];

    private Value EvaluateParameter(FreeParameterSyntax parameter, Scope scope)
    {
        var shape = EvaluateShape(parameter.Shape, Evaluate(parameter.Shape, scope), scope);
        var signature = new Signature("parameter", [], false, ParameterOptions, "");
        var options = parameter.Options.Select(option =>
        {
            var spec = ParameterOptions.FirstOrDefault(candidate => candidate.Name == option.Name?.Text);
            return new Argument(option.Name, spec is null ? Evaluate(option.Value, scope) : EvaluateFor(spec, option.Value, scope), scope.Place(option.Value));
        });
        var bound = binder.Bind(signature, ImmutableArray.CreateRange(options), scope.Place(parameter.Name), 0, scope.Frame);
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

    private Value EvaluateShared(SharedSyntax shared, Scope scope)
    {
        var value = Evaluate(shared.Value, scope);
        var stage = value as StageValue ?? (value is ListValue list ? AsFanOut(list) : null);
        if (stage is null)
        {
            return value is ErrorValue or ListValue { HasError: true } ? ErrorValue.Instance
                : Error("CNN2015", shared.Value, scope, $"'shared' names a stage, and this is {value.Describe()}; every use of a tensor is the same tensor anyway");
        }

        var place = scope.Place(shared.Name);
        var path = Labelled(shared.Name.Text, place, stage, new Application(scope.Naming, scope.Prefix, scope.Frame));
        return new SharedStage(shared.Name.Text, place, path, stage);
    }
}
