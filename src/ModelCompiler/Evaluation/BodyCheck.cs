// The check of names inside one block or network.
using System.Collections.Immutable;
using ModelCompiler.Grammar;

namespace ModelCompiler.Evaluation;

internal sealed class BodyCheck(
    NameCheck check, NameCheck.Level around, string kind, NameSyntax name, ImmutableArray<ParameterSyntax> parameters, ImmutableArray<StatementSyntax> body, TextSpan span)
{
    private readonly NameCheck.Level level = new(around) { InBlock = kind == "block", IsBody = true };

    public BodyCheck(NameCheck check, NameCheck.Level around, BlockSyntax block)
        : this(check, around, "block", block.Name, block.Parameters, block.Body, block.Span)
    {
    }

    public BodyCheck(NameCheck check, NameCheck.Level around, NetworkSyntax network)
        : this(check, around, "network", network.Name, network.Parameters, network.Body, network.Span)
    {
    }

    private bool IsBlock => kind == "block";

    public void Run()
    {
        check.Open(span, level);
        foreach (var parameter in parameters)
        {
            check.Declare(level, parameter.Name);
        }

        foreach (var bound in body.SelectMany(Names))
        {
            check.Declare(level, bound);
            if (Vocabulary.Operator(bound.Text) is not null)
            {
                check.Advise("CNN4009", Severity.Info, bound.Span, $"'{bound.Text}' is also an operator, which this name hides inside '{name.Text}'");
            }
        }

        foreach (var parameter in parameters.Where(parameter => parameter.Default is not null))
        {
            check.Visit(parameter.Default!, level, NameCheck.Role.Value);
        }

        foreach (var statement in body)
        {
            Visit(statement);
        }

        CheckEnds();
        CheckUnused();
    }

    private static IEnumerable<NameSyntax> Names(StatementSyntax statement) => statement switch
    {
        InputSyntax input => [input.Name],
        TargetSyntax target => [target.Name],
        FreeParameterSyntax parameter => [parameter.Name],
        SharedSyntax shared => [shared.Name],
        LocalBlockSyntax local => [local.Block.Name],
        BindingSyntax binding => binding.Names,
        OutputSyntax { Name: { } output } => [output],
        _ => [],
    };

    private void Visit(StatementSyntax statement)
    {
        if (IsBlock && statement is InputSyntax or TargetSyntax or OutputSyntax or LossSyntax)
        {
            var instead = statement is OutputSyntax ? "; a block's result is 'out'" : statement is InputSyntax ? "; a block's input is 'in'" : "";
            check.Error("CNN2028", NameCheck.FirstWord(statement), $"'{NameCheck.Word(statement)}' stands in networks, and '{name.Text}' is a block{instead}");
            return;
        }

        if (!IsBlock && statement is OutSyntax)
        {
            check.Error("CNN2028", NameCheck.FirstWord(statement), $"'out' is the result of a block, and '{name.Text}' is a network; use 'output'");
            return;
        }

        if (statement is LocalBlockSyntax { Block: var block })
        {
            new BodyCheck(check, level, block).Run();
        }

        foreach (var expression in Expressions(statement))
        {
            check.Visit(expression, level, NameCheck.Role.Value);
        }
    }

    private static IEnumerable<ExpressionSyntax> Expressions(StatementSyntax statement) => statement switch
    {
        InputSyntax input => [input.Shape, .. input.Options.Select(option => option.Value)],
        TargetSyntax { Shape: ClassSyntax } => [],
        TargetSyntax { Shape: ListExpression list } => list.Items.Where((item, i) => i > 0 || item is not ClassSyntax),
        TargetSyntax target => [target.Shape],
        FreeParameterSyntax parameter => [parameter.Shape, .. parameter.Options.Select(option => option.Value).Where(value => value is not NameExpression)],
        SharedSyntax shared => [shared.Value],
        BindingSyntax binding => [binding.Value],
        OutputSyntax output => [output.Value],
        OutSyntax result => result.Values,
        LossSyntax loss => [loss.Value],
        _ => [],
    };

    private void CheckEnds()
    {
        var results = body.OfType<OutSyntax>().ToList();
        var outputs = body.OfType<OutputSyntax>().ToList();
        var losses = body.OfType<LossSyntax>().ToList();
        if (IsBlock && results.Count == 0 && outputs.Count == 0)
        {
            check.Error("CNN2029", name.Span, $"block '{name.Text}' has no result; end it with 'out', as in 'out in -> relu'");
        }

        foreach (var extra in results.Skip(1).Where(_ => IsBlock))
        {
            check.Error("CNN2029", NameCheck.FirstWord(extra), $"block '{name.Text}' has one result already (line {check.Place(results[0].Span).Line}); several values are written 'out a, b'");
        }

        if (!IsBlock && !body.OfType<InputSyntax>().Any())
        {
            check.Error("CNN2030", name.Span, $"network '{name.Text}' has no input; add one, as in 'input image: 3x224x224'");
        }
        else if (!IsBlock && outputs.Count == 0 && results.Count == 0)
        {
            check.Error("CNN2030", name.Span, $"network '{name.Text}' has no output; add one, as in 'output probabilities = logits -> softmax'");
        }

        foreach (var extra in losses.Skip(1).Where(_ => !IsBlock))
        {
            check.Error("CNN2030", NameCheck.FirstWord(extra), $"network '{name.Text}' has a loss already (line {check.Place(losses[0].Span).Line}); add them up in one: 'loss a + 0.5 * b'");
        }

        foreach (var pair in outputs.Select(output => (Output: output, Name: output.Name is null ? (output.Value as NameExpression)?.Name : null))
            .Where(pair => pair.Name is not null).GroupBy(pair => pair.Name).SelectMany(group => group.Skip(1)))
        {
            check.Error("CNN2027", pair.Output.Value.Span, $"'{pair.Name}' is an output already");
        }
    }

    private void CheckUnused()
    {
        if (IsBlock && !level.UsesInput)
        {
            check.Advise("CNN4004", Severity.Warning, name.Span, $"block '{name.Text}' never uses its input 'in'");
        }

        foreach (var parameter in parameters)
        {
            Unused(parameter.Name, $"argument '{parameter.Name.Text}' of {kind} '{name.Text}' is never used");
        }

        foreach (var statement in body)
        {
            switch (statement)
            {
                case InputSyntax input:
                    Unused(input.Name, $"input '{input.Name.Text}' is never used");
                    break;
                case TargetSyntax target:
                    Unused(target.Name, $"target '{target.Name.Text}' is never used; a 'loss' compares it with an output");
                    break;
                case BindingSyntax binding when !binding.Names.Any(bound => level.Used.Contains(bound.Text)):
                    Unused(binding.Names[0], $"'{binding.Names[0].Text}' is never used, and what it stands for is not part of {(IsBlock ? "the block" : "the network")}");
                    break;
                case FreeParameterSyntax or SharedSyntax or LocalBlockSyntax:
                    var own = Names(statement).First();
                    Unused(own, $"'{own.Text}' is never used");
                    break;
            }
        }
    }

    private void Unused(NameSyntax bound, string message)
    {
        if (!level.Used.Contains(bound.Text) && !bound.Text.StartsWith("_", StringComparison.Ordinal))
        {
            check.Advise("CNN4004", Severity.Warning, bound.Span, message);
        }
    }
}
