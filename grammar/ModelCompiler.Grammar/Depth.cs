// The guards against deep nesting that are not about brackets (Layout counts those): the 'if's that the grammar recurses
// over, checked before it runs, and the tree it built, checked before anybody else may recurse over that.
using System.Collections.Immutable;

namespace ModelCompiler.Grammar;

internal static class Depth
{
    /// <summary>The first <c>if</c> that stands too deep in conditions and <c>then</c> branches.</summary>
    public static SyntaxError? CheckIfs(ImmutableArray<Token> tokens)
    {
        var open = 0;
        foreach (var token in tokens)
        {
            if (token.IsKeyword("if") && ++open > Limits.OpenIfs)
            {
                return new SyntaxError(
                    "CNN5001", token.Span, $"'if' stands more than {Limits.OpenIfs} deep inside others here: put inner ones in parentheses or bind them to names");
            }

            if (token.IsKeyword("else"))
            {
                open = Math.Max(0, open - 1);
            }
        }

        return null;
    }

    /// <summary>The first node that stands too deep in the tree of a statement.</summary>
    public static SyntaxError? Check(SyntaxNode statement) => SyntaxWalk.Deeper(statement, Limits.Depth) is { } node
        ? new SyntaxError(
            "CNN5001", node.Span, $"this expression nests more than {Limits.Depth} deep: bind parts of it to names, and write a long sum as sum([…])")
        : null;
}
