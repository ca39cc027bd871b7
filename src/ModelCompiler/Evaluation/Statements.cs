// Statements bind names. Nothing is evaluated here: each name remembers how to get its value.
using System.Collections.Immutable;
using ModelCompiler.Grammar;
using ModelCompiler.Graph;
using ModelCompiler.Operators;

namespace ModelCompiler.Evaluation;

internal sealed partial class NetworkEvaluation
{
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
                    yield return One(input.Name, () => EvaluateInput(input.Name, input.Shape, isTarget: false, input.Options, scope()));
                    break;
                case TargetSyntax target:
                    yield return One(target.Name, () => EvaluateInput(target.Name, target.Shape, isTarget: true, [], scope()));
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
