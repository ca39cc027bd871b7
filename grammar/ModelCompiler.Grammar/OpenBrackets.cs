// The brackets that are open at a place. It counts them by kind, because "is there a '[' to close at all" is asked at
// every closing bracket, and a megabyte of brackets must not be searched each time.
using System.Collections.Immutable;

namespace ModelCompiler.Grammar;

/// <param name="Outside">The tokens before the bracket, to be gone on with when it closes.</param>
internal readonly record struct OpenBracket(Token Token, TokenKind Kind, ImmutableArray<Token>.Builder Outside);

internal sealed class OpenBrackets
{
    private readonly List<OpenBracket> stack = new();
    private int round;
    private int square;
    private int curly;

    public int Count => stack.Count;

    public OpenBracket Outermost => stack[0];

    public bool Has(string bracket) => Counter(bracket) > 0;

    public OpenBracket Peek() => stack[stack.Count - 1];

    public void Push(OpenBracket bracket)
    {
        stack.Add(bracket);
        Counter(bracket.Token.Text)++;
    }

    public OpenBracket Pop()
    {
        var top = Peek();
        stack.RemoveAt(stack.Count - 1);
        Counter(top.Token.Text)--;
        return top;
    }

    public void Clear()
    {
        stack.Clear();
        round = square = curly = 0;
    }

    private ref int Counter(string bracket)
    {
        switch (bracket)
        {
            case "(": return ref round;
            case "[": return ref square;
            default: return ref curly;
        }
    }
}
