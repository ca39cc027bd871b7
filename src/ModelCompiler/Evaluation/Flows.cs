// `->`, the whole language in one sign: applies a stage to a tensor, composes stages, fans out to lists, joins them.
using System.Collections.Immutable;
using ModelCompiler.Grammar;
using ModelCompiler.Graph;
using ModelCompiler.Operators;

namespace ModelCompiler.Evaluation;

/// <summary>Under which names, behind which text position and in which chain of uses a stage is applied.</summary>
internal readonly record struct Application(Naming Naming, ImmutableArray<int> Key, Frame? Frame);

internal sealed partial class NetworkEvaluation
{
    /// <summary>The label of a stage that takes no name of its own: what is in it belongs to the scope around.</summary>
    private const string Unnamed = "_";

    private Value EvaluateFlow(FlowExpression flow, Scope scope)
    {
        var value = Evaluate(flow.First, scope);
        ExpressionSyntax from = flow.First;
        foreach (var written in flow.Stages)
        {
            // A stage is looked at even when its input is in error, so that its own mistakes are reported in the same build.
            var stage = EvaluateStage(written, scope);
            var source = value;
            value = stage is null || value is ErrorValue ? ErrorValue.Instance : Flow(value, stage, from, scope);
            inspector?.See(scope.Place(written), value, source);
            from = written;
        }

        return value;
    }

    private Value Flow(Value value, StageValue stage, ExpressionSyntax from, Scope scope)
    {
        switch (value)
        {
            case StageValue first:
                var members = first.Members.Length + stage.Members.Length;
                Budget.CheckItems(members, scope.Place(from));
                budget.Spend(members, scope.Place(from));
                return SequenceStage.Of([first, stage]);
            case ListValue { HasError: true }:
                return ErrorValue.Instance;
            case ListValue list when AsFanOut(list) is { } fan && list.Items.Length > 0:
                return SequenceStage.Of([fan, stage]);
            case TensorValue:
            case ListValue { Items.Length: > 0 } when ArgumentBinder.CarriesTensor(value):
                return Apply(stage, value, new Application(scope.Naming, scope.Prefix, scope.Frame));
            default:
                return Error("CNN2009", from, scope, $"only tensors and stages flow through '->', and this is {value.Describe()}");
        }
    }

    /// <summary>What stands behind an arrow; null when it is no stage (reported).</summary>
    private StageValue? EvaluateStage(ExpressionSyntax written, Scope scope)
    {
        var value = written switch
        {
            CallExpression call => EvaluateCall(call, scope, label: null, inFlow: true),
            LabelExpression label => EvaluateLabel(label, scope, inFlow: true),
            _ => Evaluate(written, scope),
        };
        switch (value)
        {
            case StageValue stage:
                return stage;
            case ErrorValue or ListValue { HasError: true }:
                return null;
            case ListValue list when AsFanOut(list) is { } fan:
                return fan;
            default:
                var hint = value is TensorValue && written is CallExpression ? "; it has all its inputs already" : "";
                Error("CNN2021", written, scope, $"a stage belongs behind '->', and this is {value.Describe()}{hint}{Hidden(written, scope)}");
                return null;
        }
    }

    private static FanOutStage? AsFanOut(ListValue list)
    {
        var branches = ImmutableArray.CreateBuilder<StageValue>(list.Items.Length);
        foreach (var item in list.Items)
        {
            var branch = item is ListValue inner ? AsFanOut(inner) : item as StageValue;
            if (branch is null)
            {
                return null;
            }

            branches.Add(branch);
        }

        return new FanOutStage(branches.MoveToImmutable());
    }

    /// <summary>Applies a stage within a scope of names: sequences and lists without a label spread into it.</summary>
    private Value Apply(StageValue stage, Value input, Application at)
    {
        switch (stage)
        {
            case SequenceStage sequence:
                return InARow(sequence.Members, input, at);
            case FanOutStage fan when at.Naming.Numbered:
                return ApplyNamed(fan, input, at.Naming.Automatic(fan.BaseName, at.Key, current), at.Key, at.Frame);
            case FanOutStage fan:
                return Collect(fan.Branches.Select(branch => Apply(branch, input, at)));
            case PlacedStage placed:
                return Apply(placed.Inner, input, at with { Key = at.Key.AddRange(placed.Key), Frame = Used(placed, at.Frame) });
            case LabelledStage { Label: Unnamed } labelled:
                return ApplyNamed(labelled.Inner, input, at.Naming.Scope, at.Key, at.Frame);
            case LabelledStage labelled:
                return ApplyNamed(labelled.Inner, input, Labelled(labelled.Label, labelled.Place, labelled.Inner, at), at.Key, at.Frame);
            case CheckpointStage inner:
                return InCheckpoint(() => Apply(inner.Inner, input, at));
            case SharedStage shared:
                return ApplyShared(shared, input, at.Frame);
            case OperatorStage @operator:
                return ApplyOperator(@operator, input, Automatic(stage, @operator.Place, at), at.Frame);
            case BlockStage block:
                return ApplyBlock(block, input, Automatic(stage, block.Place, at), at.Frame);
            default:
                throw new InvalidOperationException("apply " + stage.GetType().Name);
        }
    }

    /// <summary>Applies a stage that has its name already: members of sequences and lists are numbered below it.</summary>
    private Value ApplyNamed(StageValue stage, Value input, PathScope path, ImmutableArray<int> key, Frame? frame)
    {
        switch (stage)
        {
            case OperatorStage @operator:
                return ApplyOperator(@operator, input, path, frame);
            case BlockStage block:
                return ApplyBlock(block, input, path, frame);
            case PlacedStage placed:
                return ApplyNamed(placed.Inner, input, path, key.AddRange(placed.Key), Used(placed, frame));
            case CheckpointStage inner:
                return InCheckpoint(() => ApplyNamed(inner.Inner, input, path, key, frame));
            case SharedStage shared:
                return ApplyShared(shared, input, frame);
        }

        var inside = new Application(root.Inside(path, numbered: true), key, frame);
        return stage switch
        {
            SequenceStage sequence => InARow(sequence.Members, input, inside),
            FanOutStage fan => Collect(fan.Branches.Select(branch => branch.Core is SequenceStage or FanOutStage
                ? ApplyNamed(branch, input, inside.Naming.Automatic(branch.BaseName, key, current), key, frame)
                : Apply(branch, input, inside))),
            _ => Apply(stage, input, inside with { Naming = root.Inside(path, numbered: false) }),
        };
    }

    private Value InARow(ImmutableArray<StageValue> members, Value input, Application at)
    {
        budget.Spend(members.Length, current);
        foreach (var member in members)
        {
            if (input is ErrorValue or ListValue { HasError: true })
            {
                return ErrorValue.Instance;
            }

            input = Apply(member, input, at);
        }

        return input;
    }

    private Value ApplyShared(SharedStage shared, Value input, Frame? frame)
    {
        if (!busyShared.Add(shared))
        {
            throw new InvalidOperationException("a shared stage inside itself");
        }

        var outer = pass;
        pass = ++passes;
        var value = ApplyNamed(shared.Inner, input, shared.Path, [], frame);
        pass = outer;
        busyShared.Remove(shared);
        return value;
    }

    /// <summary>Of nested ones the outermost counts: what is inside is computed again as a whole.</summary>
    private Value InCheckpoint(Func<Value> apply)
    {
        if (checkpoint > 0)
        {
            return apply();
        }

        checkpoint = ++checkpoints;
        var value = apply();
        checkpoint = 0;
        return value;
    }

    private static ListValue Collect(IEnumerable<Value> values) => new(ImmutableArray.CreateRange(values));

    private static Frame? Used(PlacedStage placed, Frame? frame) => placed.Use is { } use ? new Frame(frame, $"'{use.Name}'", use.Place) : frame;

    private static PathScope Automatic(StageValue stage, SourceSpan place, Application at) =>
        at.Naming.Automatic(stage.BaseName, at.Key.Add(place.Span.Start), place);

    private PathScope Labelled(string label, SourceSpan place, StageValue stage, Application at)
    {
        var path = at.Naming.Labelled(label, stage.BaseName, at.Key.Add(place.Span.Start), place, out var clash);
        if (clash is not null)
        {
            reporter.Error("CNN2022", place, clash.Place.Equals(place)
                ? $"the label '{label}' is used for several layers of one scope, whose weights would share a name; number it: '{label}{{i}}: …', or put the label in front of the whole"
                : $"the label '{label}' is taken by another layer of the same scope (line {clash.Place.Line}); give each its own, or make them one layer with 'shared'",
                at.Frame, new DiagnosticNote(clash.Place, $"'{label}' is used first here"));
        }

        return path;
    }
}
