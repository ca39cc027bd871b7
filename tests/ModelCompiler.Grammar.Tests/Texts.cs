// What the tests share: parsing a text, and writing a tree down so briefly that it can stand in an assertion.
using System.Globalization;
using System.Runtime.CompilerServices;

namespace ModelCompiler.Grammar.Tests;

internal static class Texts
{
    public static ParseResult Parse(string text) => CnnParser.Parse(new SourceFile("test.cnn", text));

    /// <summary>The tree of a text without mistakes.</summary>
    public static FileSyntax Tree(string text)
    {
        var result = Parse(text);
        Assert.Empty(result.Diagnostics);
        return result.File;
    }

    /// <summary>The tree of a value, written as nested prefix forms.</summary>
    public static string Value(string text) => Write(ValueOf(text));

    public static ExpressionSyntax ValueOf(string text)
    {
        var declaration = Assert.Single(Tree("x = " + text).Declarations);
        return Assert.IsType<BindingSyntax>(Assert.IsType<TopLevelSyntax>(declaration).Statement).Value;
    }

    /// <summary>The diagnostics as <c>line,column code</c>.</summary>
    public static string Codes(string text) =>
        string.Join("; ", Parse(text).Diagnostics.Select(d => $"{d.Place.Start.Line + 1},{d.Place.Start.Column + 1} {d.Code}"));

    public static string At(string text, SyntaxNode node) => text.Substring(node.Span.Start, node.Span.Length);

    public static IEnumerable<SyntaxNode> All(SyntaxNode root)
    {
        var pending = new Stack<SyntaxNode>();
        pending.Push(root);
        while (pending.Count > 0)
        {
            var node = pending.Pop();
            yield return node;
            foreach (var child in SyntaxWalk.Children(node).Reverse())
            {
                pending.Push(child);
            }
        }
    }

    public static string Write(SyntaxNode? node) => node switch
    {
        null => "-",
        FileSyntax file => string.Join("\n", file.Declarations.Select(Write)),
        NameSyntax name => name.Text,
        UseSyntax use => $"(use {use.Path})",
        ParameterSyntax parameter => parameter.Default is null ? parameter.Name.Text : $"{parameter.Name.Text}={Write(parameter.Default)}",
        BlockSyntax block => $"(block {block.Name.Text} ({Join(block.Parameters)}) {Join(block.Body)})",
        NetworkSyntax network => $"(network {network.Name.Text} ({Join(network.Parameters)}) {Join(network.Body)})",
        DerivedNetworkSyntax derived => $"(network {derived.Name.Text} = {Write(derived.Value)})",
        TopLevelSyntax top => Write(top.Statement),
        LocalBlockSyntax local => Write(local.Block),
        InputSyntax input => $"(input {input.Name.Text} {Write(input.Shape)}{string.Concat(input.Options.Select(o => " " + Write(o)))})",
        TargetSyntax target => $"(target {target.Name.Text} {Write(target.Shape)})",
        FreeParameterSyntax free => $"(parameter {free.Name.Text} {Write(free.Shape)}{string.Concat(free.Options.Select(o => " " + Write(o)))})",
        SharedSyntax shared => $"(shared {shared.Name.Text} {Write(shared.Value)})",
        BindingSyntax binding => $"(= {Join(binding.Names)} {Write(binding.Value)})",
        OutputSyntax output => $"(output {Write(output.Name)} {Write(output.Value)})",
        OutSyntax result => $"(out {Join(result.Values)})",
        LossSyntax loss => $"(loss {Write(loss.Value)})",
        NameExpression name => name.Name,
        InExpression => "in",
        ClassSyntax => "class",
        IntegerExpression integer => integer.Value.ToString(CultureInfo.InvariantCulture),
        FloatExpression number => number.Value.ToString("R", CultureInfo.InvariantCulture) + "f",
        BooleanExpression boolean => boolean.Value ? "true" : "false",
        StringExpression text => $"\"{text.Value}\"",
        DimsExpression dims => string.Join("x", dims.Values),
        ListExpression list => $"[{Join(list.Items)}]",
        ComprehensionExpression c => $"[{Write(c.Item)} for {Join(c.Names)} of {Write(c.Source)}]",
        RangeExpression range => $"(.. {Write(range.From)} {Write(range.To)})",
        ArgumentSyntax argument => argument.Name is null ? Write(argument.Value) : $"{argument.Name.Text}:{Write(argument.Value)}",
        CallExpression call => $"{Write(call.Callee)}({Join(call.Arguments)})",
        MemberExpression member => $"{Write(member.Target)}.{member.Member.Text}",
        IndexExpression index => $"{Write(index.Target)}[{Write(index.Index)}]",
        UnaryExpression unary => $"({unary.Operator} {Write(unary.Operand)})",
        BinaryExpression binary => $"({binary.Operator} {Write(binary.Left)} {Write(binary.Right)})",
        FlowExpression flow => $"(-> {Write(flow.First)} {Join(flow.Stages)})",
        LabelExpression label => $"<{label.Label.Text}{(label.Number is null ? "" : "{" + Write(label.Number) + "}")}: {Write(label.Value)}>",
        ParenthesizedExpression parenthesized => $"({Write(parenthesized.Inner)})",
        IfExpression choice => $"(if {Write(choice.Condition)} {Write(choice.Then)} {Write(choice.Else)})",
        _ => throw new InvalidOperationException(node.GetType().Name),
    };

    private static string Join(IEnumerable<SyntaxNode> nodes) => string.Join(" ", nodes.Select(Write));

    /// <summary>The folder of the grammar's own files, found from where this source file lies.</summary>
    public static string GrammarFolder([CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "..", "..", "grammar"));

    /// <summary>The fenced code samples of a page, in order.</summary>
    public static IEnumerable<(int Line, string Text)> Samples(string markdown)
    {
        var lines = markdown.Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            if (lines[i].StartsWith("```cnn", StringComparison.Ordinal))
            {
                var start = ++i;
                while (lines[i] != "```")
                {
                    i++;
                }

                yield return (start + 1, string.Join("\n", lines[start..i]));
            }
        }
    }

    /// <summary>Runs on a stack as small as a host may have, and returns what the action returns.</summary>
    public static T OnSmallStack<T>(Func<T> action)
    {
        T? result = default;
        Exception? failure = null;
        var thread = new Thread(
            () =>
            {
                try
                {
                    result = action();
                }
                catch (Exception exception)
                {
                    failure = exception;
                }
            },
            256 * 1024);
        thread.Start();
        Assert.True(thread.Join(TimeSpan.FromSeconds(60)), "the parser did not come to an end");
        Assert.Null(failure);
        return result!;
    }
}
