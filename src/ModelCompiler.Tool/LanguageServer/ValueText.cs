// A value for a person: its shape, and what the way to it costs.
using System.Collections.Immutable;
using System.Globalization;
using ModelCompiler.Advice;
using ModelCompiler.Evaluation;
using ModelCompiler.Graph;

namespace ModelCompiler.Tool.LanguageServer;

internal static class ValueText
{
    /// <summary><c>64x56x56</c>, or <c>[64x56x56, 128x28x28]</c> for several.</summary>
    public static string Shapes(InspectedValue value) =>
        value.Nodes.Length == 1 ? value.Nodes[0].Shape.ToString() : $"[{string.Join(", ", value.Shapes)}]";

    /// <summary>Markdown: the value, and for tensors a table of what the stage and the whole way cost.</summary>
    public static string Describe(InspectedValue value)
    {
        var name = value.Description.StartsWith("a ", StringComparison.Ordinal) ? value.Description[2..] : value.Description;
        if (value.Nodes.IsEmpty)
        {
            return name;
        }

        var whole = Ancestors(value.Nodes, []);
        var title = value.Nodes.Length == 1 ? $"**{name}**" : $"**{name}**: {Shapes(value)}";
        var rows = new List<string>();
        if (value.Sources.IsEmpty)
        {
            rows.Add("| | from the inputs |");
            rows.Add("|---|---:|");
            rows.Add($"| parameters | {Number(Parameters(whole))} |");
            rows.Add($"| multiply-adds | {Number(Macs(whole))} |");
        }
        else
        {
            var stage = Ancestors(value.Nodes, value.Sources);
            rows.Add("| | this stage | from the inputs |");
            rows.Add("|---|---:|---:|");
            rows.Add($"| parameters | {Number(Parameters(stage))} | {Number(Parameters(whole))} |");
            rows.Add($"| multiply-adds | {Number(Macs(stage))} | {Number(Macs(whole))} |");
        }

        var fields = ReceptiveField.Of(whole);
        var field = value.Nodes.Length == 1 && fields.TryGetValue(value.Nodes[0], out var found)
            ? $"\n\nSees {Sizes(found.Size)} of the input{(found.Jump.Any(jump => jump > 1) ? $", in steps of {Sizes(found.Jump)}" : "")}."
            : "";
        return $"{title}\n\n{string.Join("\n", rows)}{field}";
    }

    /// <summary>What the nodes are made of, back to the inputs or to the nodes given; in the order in which it is made.</summary>
    private static List<Node> Ancestors(ImmutableArray<Node> nodes, ImmutableArray<Node> end)
    {
        var found = new HashSet<Node>();
        var open = new Stack<Node>(nodes);
        while (open.TryPop(out var node))
        {
            if (!end.Contains(node) && found.Add(node))
            {
                foreach (var input in node.Inputs)
                {
                    open.Push(input);
                }
            }
        }

        return [.. found.OrderBy(node => node.Id)];
    }

    private static long Parameters(IEnumerable<Node> nodes) =>
        nodes.Select(node => node.Attributes).OfType<ParameterAttributes>().Where(parameter => parameter.Trainable).Sum(parameter => parameter.Shape.Count);

    private static long Macs(IEnumerable<Node> nodes) => nodes.Sum(node => node.Primitive.Macs(node));

    private static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private static string Sizes(ImmutableArray<int> sizes) => string.Join("x", sizes.Select(size => size.ToString(CultureInfo.InvariantCulture)));
}
