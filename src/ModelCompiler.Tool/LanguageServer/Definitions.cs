// What a name stands for, in the words of the file that defines it.
using System.Text.RegularExpressions;
using ModelCompiler.Grammar;

namespace ModelCompiler.Tool.LanguageServer;

/// <param name="Owner">The declaration, statement or parameter that defines the name.</param>
/// <param name="Name">The name where it is defined.</param>
internal sealed partial record DefinedName(SyntaxNode Owner, SourceSpan Name)
{
    private const int LongestText = 160;

    public static DefinedName? Find(Workspace workspace, SourceSpan name)
    {
        var path = SyntaxPath.At(workspace.Compilations.Parse(name.File), name.Span.Start);
        var owner = path.FindLast(node => SyntaxWalk.Children(node).Any(child => child is NameSyntax && child.Span == name.Span));
        return owner is null ? null : new DefinedName(owner, name);
    }

    public string Text => Name.File.Text.Substring(Name.Span.Start, Name.Span.Length);

    /// <summary>The head of a block or network, or the text of a statement, in one line.</summary>
    public string Description => Owner switch
    {
        BlockSyntax block => Head(block.Parameters.IsEmpty ? block.Name.Span.End : block.Parameters[^1].Span.End),
        NetworkSyntax network => Head(network.Parameters.IsEmpty ? network.Name.Span.End : network.Parameters[^1].Span.End),
        ComprehensionExpression comprehension => $"{Text} of {OneLine(comprehension.Source.Span)}",
        _ => OneLine(Owner.Span),
    };

    /// <summary>What kind of name it is, for a person.</summary>
    public string Kind => Owner switch
    {
        BlockSyntax => "block",
        NetworkSyntax or DerivedNetworkSyntax => "network",
        ParameterSyntax => "argument",
        InputSyntax => "input",
        TargetSyntax => "target",
        FreeParameterSyntax => "trainable tensor",
        SharedSyntax => "shared layer",
        OutputSyntax => "output",
        ComprehensionExpression => "item",
        _ => "binding",
    };

    /// <summary>The comment directly above a declaration or statement, without its slashes.</summary>
    public string? Comment
    {
        get
        {
            var file = Name.File;
            var start = file.Locate(Owner.Span.Start);
            var first = file.LineStart(start.Line);
            var lines = new List<string>();
            if (Owner is ParameterSyntax || !string.IsNullOrWhiteSpace(file.Text[first..Owner.Span.Start]))
            {
                return null;
            }

            for (var line = start.Line - 1; line >= 0; line--)
            {
                var text = file.Text[file.LineStart(line)..file.LineStart(line + 1)].Trim();
                if (!text.StartsWith("//", StringComparison.Ordinal))
                {
                    break;
                }

                lines.Insert(0, text[2..].Trim());
            }

            return lines.Count == 0 ? null : string.Join("\n", lines);
        }
    }

    private string Head(int from)
    {
        var brace = Name.File.Text.IndexOf('{', from);
        return OneLine(TextSpan.FromBounds(Owner.Span.Start, brace < 0 ? from : brace));
    }

    private string OneLine(TextSpan span)
    {
        var text = Blanks().Replace(Name.File.Text.Substring(span.Start, span.Length), " ").Trim();
        return text.Length <= LongestText ? text : text[..LongestText] + " …";
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();
}

/// <summary>The nodes at a character, from the file down to the innermost.</summary>
internal static class SyntaxPath
{
    public static List<SyntaxNode> At(FileSyntax file, int offset)
    {
        var path = new List<SyntaxNode>();
        for (SyntaxNode? node = file; node is not null;)
        {
            path.Add(node);

            // Where two nodes meet, a name or value wins over what it touches.
            node = SyntaxWalk.Children(node).Where(child => child.Span.Start <= offset && offset <= child.Span.End)
                .OrderByDescending(child => offset < child.Span.End).FirstOrDefault();
        }

        return path;
    }

    /// <summary>Every node under a root, in the order of the text.</summary>
    public static IEnumerable<SyntaxNode> All(SyntaxNode root)
    {
        var open = new Stack<SyntaxNode>([root]);
        while (open.TryPop(out var node))
        {
            yield return node;
            foreach (var child in SyntaxWalk.Children(node).Reverse())
            {
                open.Push(child);
            }
        }
    }
}
