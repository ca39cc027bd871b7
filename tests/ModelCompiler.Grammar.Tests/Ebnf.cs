// A reader of cnn.ebnf, and a writer of random files that obey it: the specification is what tests the parser, so the
// two cannot drift apart.
using System.Globalization;
using System.Text;

namespace ModelCompiler.Grammar.Tests;

internal abstract record Rule;

internal sealed record Literal(string Text) : Rule;

internal sealed record CharacterClass(string Allowed) : Rule;

internal sealed record Reference(string Name) : Rule;

internal sealed record Sequence(IReadOnlyList<Rule> Parts) : Rule;

internal sealed record Alternatives(IReadOnlyList<Rule> Parts) : Rule;

internal sealed record Repeated(Rule Inner, int Least, int Most) : Rule;

internal sealed class Ebnf
{
    private readonly string text;
    private int at;

    private Ebnf(string text) => this.text = text;

    public static IReadOnlyDictionary<string, Rule> Read(string text)
    {
        var reader = new Ebnf(text);
        var rules = new Dictionary<string, Rule>();
        while (reader.Skip() && reader.Word() is { } name)
        {
            Assert.True(reader.Take("::="), name);
            rules.Add(name, reader.ReadAlternatives());
        }

        Assert.Equal(text.Length, reader.at);
        return rules;
    }

    private bool Skip()
    {
        while (at < text.Length)
        {
            if (char.IsWhiteSpace(text[at]))
            {
                at++;
            }
            else if (text.AsSpan(at).StartsWith("/*"))
            {
                at = text.IndexOf("*/", at, StringComparison.Ordinal) + 2;
            }
            else
            {
                return true;
            }
        }

        return false;
    }

    private string? Word()
    {
        Skip();
        var start = at;
        while (at < text.Length && char.IsAsciiLetterOrDigit(text[at]))
        {
            at++;
        }

        return at == start ? null : text[start..at];
    }

    private bool Take(string sign)
    {
        Skip();
        if (!text.AsSpan(at).StartsWith(sign))
        {
            return false;
        }

        at += sign.Length;
        return true;
    }

    private Rule ReadAlternatives()
    {
        var parts = new List<Rule> { ReadSequence() };
        while (Take("|"))
        {
            parts.Add(ReadSequence());
        }

        return parts.Count == 1 ? parts[0] : new Alternatives(parts);
    }

    private Rule ReadSequence()
    {
        var parts = new List<Rule>();
        while (ReadPart() is { } part)
        {
            parts.Add(Take("*") ? new Repeated(part, 0, 4) : Take("+") ? new Repeated(part, 1, 4) : Take("?") ? new Repeated(part, 0, 1) : part);
        }

        Assert.NotEmpty(parts);
        return parts.Count == 1 ? parts[0] : new Sequence(parts);
    }

    private Rule? ReadPart()
    {
        if (!Skip())
        {
            return null;
        }

        if (Take("("))
        {
            var inner = ReadAlternatives();
            Assert.True(Take(")"));
            return inner;
        }

        if (Take("'"))
        {
            var end = text.IndexOf('\'', at);
            var literal = new Literal(text[at..end]);
            at = end + 1;
            return literal;
        }

        if (Take("["))
        {
            var end = text.IndexOf(']', at);
            var rule = new CharacterClass(Expand(text[at..end]));
            at = end + 1;
            return rule;
        }

        // A word is a reference unless it is the name of the next production.
        var start = at;
        if (Word() is { } name && !(Skip() && text.AsSpan(at).StartsWith("::=")))
        {
            return new Reference(name);
        }

        at = start;
        return null;
    }

    private static string Expand(string set)
    {
        set = set.Replace("\\n", "\n", StringComparison.Ordinal).Replace("\\r", "\r", StringComparison.Ordinal);
        var negated = set[0] == '^';
        var characters = new StringBuilder();
        for (var i = negated ? 1 : 0; i < set.Length; i++)
        {
            if (i + 2 < set.Length && set[i + 1] == '-')
            {
                for (var c = set[i]; c <= set[i + 2]; c++)
                {
                    characters.Append(c);
                }

                i += 2;
            }
            else
            {
                characters.Append(set[i]);
            }
        }

        return negated
            ? new string([.. "abc XYZ019/.-=(){}[]→é".Where(c => !characters.ToString().Contains(c, StringComparison.Ordinal))])
            : characters.ToString();
    }
}

/// <summary>Derives random files from a grammar.</summary>
internal sealed class Derivation(IReadOnlyDictionary<string, Rule> rules, Random random)
{
    private readonly StringBuilder text = new();
    private readonly HashSet<string> used = [];
    private int brackets;
    private int budget;

    /// <summary>Productions that took part so far.</summary>
    public IReadOnlySet<string> Used => used;

    public string File(int size)
    {
        text.Clear();
        brackets = 0;
        budget = size;
        Write("File", depth: 0);
        return text.ToString();
    }

    private void Write(string name, int depth)
    {
        used.Add(name);
        if (name == "END")
        {
            text.Append(random.Next(8) == 0 ? " // end\n\n" : "\n");
        }
        else if (char.IsUpper(name[^1]))
        {
            Space(name);
            text.Append(WriteWord(name));
        }
        else
        {
            WriteRule(rules[name], depth, name);
        }
    }

    private void WriteRule(Rule rule, int depth, string production)
    {
        budget--;
        switch (rule)
        {
            case Literal { Text: "{" } when production == "Label":
                text.Append('{');
                brackets++;
                break;
            case Literal literal:
                brackets -= literal.Text is ")" or "]" || (literal.Text == "}" && production == "Label") ? 1 : 0;
                Space(literal.Text);
                text.Append(literal.Text);
                brackets += literal.Text is "(" or "[" ? 1 : 0;
                break;
            case Reference reference:
                Write(reference.Name, depth + 1);
                break;
            case Sequence sequence:
                foreach (var part in sequence.Parts)
                {
                    WriteRule(part, depth, production);
                }

                break;
            case Alternatives alternatives:
                WriteRule(Choose(alternatives, depth), depth, production);
                break;
            case Repeated repeated:
                var count = Tired(depth) ? repeated.Least : random.Next(repeated.Least, Math.Min(repeated.Most, repeated.Least + 2) + 1);
                for (var i = 0; i < count; i++)
                {
                    WriteRule(repeated.Inner, depth, production);
                }

                break;
        }
    }

    private bool Tired(int depth) => budget < 0 || random.Next(60) < depth;

    /// <summary>When the file is long or deep enough, the way that ends soonest.</summary>
    private Rule Choose(Alternatives alternatives, int depth)
    {
        var ending = alternatives.Parts.Where(part => part is Reference { Name: "Flow" or "Literal" or "Expression" or "NAME" or "INTEGER" or "TopLevel" or "Binding" }).ToList();
        return Tired(depth) && ending.Count > 0 ? ending[random.Next(ending.Count)] : alternatives.Parts[random.Next(alternatives.Parts.Count)];
    }

    private void Space(string next)
    {
        if (text.Length == 0 || text[^1] == '\n')
        {
            return;
        }

        var lineMayEnd = next is "->" or "+" or "and" or "or" or "then" or "else" or "==" || (brackets > 0 && next is not ("(" or "[" or "{"));
        text.Append(random.Next(lineMayEnd ? 12 : 9) switch
        {
            0 => "  ",
            1 => " /* note */ ",
            > 9 => "\n    ",
            > 8 => " // note\n    ",
            _ => " ",
        });
    }

    private string WriteWord(string name)
    {
        while (true)
        {
            var word = new StringBuilder();
            WriteCharacters(rules[name], word);
            var text = word.ToString();
            var isName = name == "NAME" && ((Alternatives)rules["KEYWORD"]).Parts.Any(keyword => ((Literal)keyword).Text == text);
            if (!isName && !(name == "FLOAT" && double.IsInfinity(double.Parse(text, CultureInfo.InvariantCulture))))
            {
                return text;
            }
        }
    }

    private void WriteCharacters(Rule rule, StringBuilder word)
    {
        switch (rule)
        {
            case Literal literal:
                word.Append(literal.Text);
                break;
            case CharacterClass set:
                word.Append(set.Allowed[random.Next(set.Allowed.Length)]);
                break;
            case Reference reference:
                used.Add(reference.Name);
                word.Append(char.IsUpper(reference.Name[^1]) && reference.Name is "NAME" or "KEYWORD" ? WriteWord(reference.Name) : Characters(reference.Name));
                break;
            case Sequence sequence:
                foreach (var part in sequence.Parts)
                {
                    WriteCharacters(part, word);
                }

                break;
            case Alternatives alternatives:
                WriteCharacters(alternatives.Parts[random.Next(alternatives.Parts.Count)], word);
                break;
            case Repeated repeated:
                for (var i = random.Next(repeated.Least, repeated.Most + 1); i > 0; i--)
                {
                    WriteCharacters(repeated.Inner, word);
                }

                break;
        }
    }

    private string Characters(string name)
    {
        var word = new StringBuilder();
        WriteCharacters(rules[name], word);
        return word.ToString();
    }
}
