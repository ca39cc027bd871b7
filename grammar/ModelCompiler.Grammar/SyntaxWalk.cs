// Walking a tree without recursion. It is here for the one question that must be answered before anybody may
// recurse: how deep is it?
namespace ModelCompiler.Grammar;

public static class SyntaxWalk
{
    /// <summary>The nodes directly under a node, in the order of the text.</summary>
    public static IEnumerable<SyntaxNode> Children(SyntaxNode node) => node switch
    {
        FileSyntax file => file.Declarations,
        ParameterSyntax parameter => Some(parameter.Name, parameter.Default),
        BlockSyntax block => Some(block.Name).Concat(block.Parameters).Concat(block.Body),
        NetworkSyntax network => Some(network.Name).Concat(network.Parameters).Concat(network.Body),
        Head head => Some(head.Name).Concat(head.Parameters),
        DerivedNetworkSyntax derived => Some(derived.Name, derived.Value),
        TopLevelSyntax top => Some(top.Statement),
        LocalBlockSyntax local => Some(local.Block),
        InputSyntax input => Some(input.Name, input.Shape).Concat(input.Options),
        TargetSyntax target => Some(target.Name, target.Shape),
        FreeParameterSyntax free => Some(free.Name, free.Shape).Concat(free.Options),
        SharedSyntax shared => Some(shared.Name, shared.Value),
        BindingSyntax binding => binding.Names.Concat(Some(binding.Value)),
        OutputSyntax output => Some(output.Name, output.Value),
        OutSyntax result => result.Values,
        LossSyntax loss => Some(loss.Value),
        ListExpression list => list.Items,
        ComprehensionExpression comprehension => Some(comprehension.Item).Concat(comprehension.Names).Concat(Some(comprehension.Source)),
        RangeExpression range => Some(range.From, range.To),
        ArgumentSyntax argument => Some(argument.Name, argument.Value),
        CallExpression call => Some(call.Callee).Concat(call.Arguments),
        MemberExpression member => Some(member.Target, member.Member),
        IndexExpression index => Some(index.Target, index.Index),
        UnaryExpression unary => Some(unary.Operand),
        BinaryExpression binary => Some(binary.Left, binary.Right),
        FlowExpression flow => Some(flow.First).Concat(flow.Stages),
        LabelExpression label => Some(label.Label, label.Number, label.Value),
        ParenthesizedExpression parenthesized => Some(parenthesized.Inner),
        IfExpression choice => Some(choice.Condition, choice.Then, choice.Else),
        _ => Enumerable.Empty<SyntaxNode>(),
    };

    /// <summary>The first node (in the order of the text) that stands more than <paramref name="depth"/> levels under the
    /// root, or null.</summary>
    public static SyntaxNode? Deeper(SyntaxNode root, int depth)
    {
        var pending = new Stack<(SyntaxNode Node, int Level)>();
        pending.Push((root, 0));
        while (pending.Count > 0)
        {
            var (node, level) = pending.Pop();
            if (level > depth)
            {
                return node;
            }

            foreach (var child in Children(node).Reverse())
            {
                pending.Push((child, level + 1));
            }
        }

        return null;
    }

    private static IEnumerable<SyntaxNode> Some(params SyntaxNode?[] nodes) => nodes.Where(node => node is not null)!;
}
