// Sprache over tokens instead of characters. Sprache asks its input only to advance and to say where it is, so a
// token stream serves as well, with two gains: the grammar is free of white space, and the furthest place that any
// alternative reached is remembered. That place, not the one where the outermost parser gave up, is the mistake.
using System.Collections.Immutable;
using Sprache;

namespace ModelCompiler.Grammar;

/// <summary>What became known while one slice or one bracket group was parsed.</summary>
internal sealed class Reading
{
    private readonly HashSet<Expectation> expected = new();

    public Reading(ImmutableArray<Token> tokens, bool allowsClass)
    {
        Tokens = tokens;
        AllowsClass = allowsClass;
    }

    public ImmutableArray<Token> Tokens { get; }

    /// <summary>Whether the word <c>class</c> may stand here, as it may in the shape of a target.</summary>
    public bool AllowsClass { get; }

    /// <summary>Index of the token at fault.</summary>
    public int Furthest { get; private set; }

    public IReadOnlyCollection<Expectation> Expected => expected;

    /// <summary>A mistake that is more than an unexpected token; it goes before all others.</summary>
    public (string Code, TextSpan Span, string Message)? Fault { get; set; }

    public void Expect(int position, Expectation expectation)
    {
        if (position > Furthest)
        {
            Furthest = position;
            expected.Clear();
        }

        if (position == Furthest)
        {
            expected.Add(expectation);
        }
    }
}

/// <summary>What a parser would have liked to see. Weak expectations (a value may always go on with an operator) are
/// named only when there is nothing better to say.</summary>
internal readonly record struct Expectation(string Words, bool Weak = false)
{
    public static readonly Expectation Value = new("a value");
    public static readonly Expectation Name = new("a name");
    public static readonly Expectation End = new("");
}

internal sealed class TokenInput : IInput
{
    private readonly Reading reading;
    private Dictionary<object, object>? memos;

    public TokenInput(Reading reading, int position = 0)
    {
        this.reading = reading;
        Position = position;
    }

    public int Position { get; }

    public Reading Reading => reading;

    public Token Token => reading.Tokens[Position];

    /// <summary>The token after this one, if there is one.</summary>
    public Token? Next => Position + 1 < reading.Tokens.Length ? reading.Tokens[Position + 1] : null;

    public bool AtEnd => Position >= reading.Tokens.Length;

    public IDictionary<object, object> Memos => memos ??= new Dictionary<object, object>();

    // Sprache's own messages are never shown; these members are there for its contract.
    public string Source => "";

    public char Current => Token.Text[0];

    public int Line => 1;

    public int Column => Position + 1;

    public IInput Advance() => new TokenInput(reading, Position + 1);

    public bool Equals(IInput other) => other is TokenInput input && input.reading == reading && input.Position == Position;

    public override bool Equals(object? other) => other is IInput input && Equals(input);

    public override int GetHashCode() => Position;
}
