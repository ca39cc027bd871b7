// A first look at the brackets of a whole file, before lines are weighed: only a bracket that has no partner at all
// is allowed to end at the next statement, and only a file that lacks a brace is searched for the place of the loss.
using System.Collections.Immutable;

namespace ModelCompiler.Grammar;

internal sealed class BracketBalance
{
    private readonly HashSet<Token> closed = new(ByReference.Instance);

    public BracketBalance(ImmutableArray<Token> tokens)
    {
        var open = new Stack<Token>();
        foreach (var token in tokens)
        {
            if (token.Kind != TokenKind.Sign)
            {
                continue;
            }

            switch (token.Text)
            {
                case "(" or "[" or "{":
                    open.Push(token);
                    break;
                case ")" or "]" when open.Count > 0 && open.Peek().Text == (token.Text == ")" ? "(" : "["):
                    closed.Add(open.Pop());
                    break;
                case "}":
                    while (open.Count > 0 && open.Pop() is var bracket)
                    {
                        if (bracket.Text == "{")
                        {
                            closed.Add(bracket);
                            break;
                        }
                    }

                    break;
            }
        }

        LacksBrace = open.Any(token => token.Text == "{");
    }

    /// <summary>Whether some <c>{</c> of the file is never closed.</summary>
    public bool LacksBrace { get; }

    public bool IsClosed(Token bracket) => closed.Contains(bracket);

    private sealed class ByReference : IEqualityComparer<Token>
    {
        public static readonly ByReference Instance = new();

        public bool Equals(Token? x, Token? y) => ReferenceEquals(x, y);

        public int GetHashCode(Token token) => token.Span.Start;
    }
}
