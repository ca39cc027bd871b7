// Slices to declarations: runs the grammar over each slice and keeps track of the body it belongs to.
using System.Collections.Immutable;
using Sprache;

namespace ModelCompiler.Grammar;

internal sealed class FileReader
{
    private readonly Report report;
    private readonly ImmutableArray<DeclarationSyntax>.Builder declarations = ImmutableArray.CreateBuilder<DeclarationSyntax>();
    private readonly Stack<Body> bodies = new();

    public FileReader(Report report) => this.report = report;

    /// <summary>A body being read; without a head when that had a mistake, so that its statements are checked and dropped.</summary>
    private readonly record struct Body(Head? Head, ImmutableArray<StatementSyntax>.Builder Statements);

    /// <summary>What was read so far, outermost level.</summary>
    public ImmutableArray<DeclarationSyntax> Result => declarations.ToImmutable();

    public void Read(Slice slice)
    {
        switch (slice.Kind)
        {
            case SliceKind.BodyStart:
                bodies.Push(new Body(ReadHead(slice), ImmutableArray.CreateBuilder<StatementSyntax>()));
                break;
            case SliceKind.BodyEnd:
                Close(bodies.Pop(), slice.Brace!);
                break;
            default:
                ReadStatement(slice);
                break;
        }
    }

    private Head? ReadHead(Slice slice)
    {
        if (slice.Problem is null && slice.Tokens.Length == 0)
        {
            report.Add("CNN1013", slice.Brace!.Span, "a body needs a head: 'block Name { … }' or 'network Name { … }'");
            return null;
        }

        var isHead = slice.Problem is not null || slice.Tokens[0] is { Kind: TokenKind.Keyword, Text: "block" or "network" };
        if (!isHead)
        {
            ReadForeignHead(slice);
            return null;
        }

        var head = Run(slice, Declarations.Head);
        if (head?.Word.Text == "network" && bodies.Count > 0)
        {
            ReportMisplaced(head.Word);
            return null;
        }

        return head;
    }

    /// <summary>Something with a body that is neither a block nor a network: its own mistake, if it has one, says most.</summary>
    private void ReadForeignHead(Slice slice)
    {
        if (Run(slice, Declarations.Statement) is not null)
        {
            report.Add("CNN1001", slice.Brace!.Span, "'{' opens the body of a block or network: write 'block Name { … }' or 'network Name { … }'");
        }
    }

    private void ReadStatement(Slice slice)
    {
        if (slice.Problem is null && slice.Tokens[0] is { Kind: TokenKind.Keyword, Text: "use" or "network" or "block" } word
            && !(slice.Tokens.Length > 1 && slice.Tokens[1].IsSign("=")))
        {
            ReadLine(slice, word);
            return;
        }

        if (Run(slice, Declarations.Statement) is { } statement)
        {
            Add(statement);
        }
    }

    private void ReadLine(Slice slice, Token word)
    {
        var hasValue = slice.Tokens.Any(token => token.IsSign("="));
        if (word.Text == "block" || (word.Text == "network" && !hasValue))
        {
            // Read for its other mistakes first: a body is only missing when the head is right.
            if (Run(slice, Declarations.Head) is not null)
            {
                var end = slice.Tokens[slice.Tokens.Length - 1].Span.End;
                report.Add("CNN1018", new TextSpan(end, 0), $"the body of this {word.Text} is missing: '{{ … }}'");
            }
        }
        else if (Run(slice, Declarations.Line) is { } declaration)
        {
            if (bodies.Count > 0)
            {
                ReportMisplaced(word);
            }
            else
            {
                declarations.Add(declaration);
            }
        }
    }

    private void ReportMisplaced(Token word) =>
        report.Add("CNN1014", word.Span, $"'{word.Text}' stands outside of blocks and networks: move it to the top level of the file");

    private void Close(Body body, Token brace)
    {
        if (body.Head is not { } head)
        {
            return;
        }

        var span = head.Word.Span.Through(brace.Span);
        var statements = body.Statements.ToImmutable();
        if (head.Word.Text == "network")
        {
            declarations.Add(new NetworkSyntax(head.Name, head.Parameters, statements, span));
            return;
        }

        var block = new BlockSyntax(head.Name, head.Parameters, statements, span);
        if (bodies.Count == 0)
        {
            declarations.Add(block);
        }
        else
        {
            bodies.Peek().Statements.Add(new LocalBlockSyntax(block, span));
        }
    }

    private void Add(StatementSyntax statement)
    {
        if (bodies.Count > 0)
        {
            bodies.Peek().Statements.Add(statement);
        }
        else
        {
            declarations.Add(new TopLevelSyntax(statement, statement.Span));
        }
    }

    /// <summary>Runs a parser over a slice: first over the inside of its brackets, innermost first, then over the slice.
    /// Of several mistakes the first one in the text is reported.</summary>
    private T? Run<T>(Slice slice, Parser<T> parser)
        where T : SyntaxNode
    {
        if (slice.Problem is { } problem)
        {
            report.Add(problem);
            return null;
        }

        var allowsClass = slice.Tokens[0].IsKeyword("target");
        SyntaxError? first = null;
        foreach (var group in slice.Groups)
        {
            group.Content = Run(Expressions.Inside(group.Kind), group.Inside, allowsClass, group, ref first) ?? Expressions.Placeholder(group);
        }

        var result = Run(parser, slice.Tokens, allowsClass, null, ref first);
        if (first is null && Depth.Check(result!) is { } tooDeep)
        {
            first = tooDeep;
        }

        if (first is { } error)
        {
            report.Add(error.Code, error.Span, error.Message);
            return null;
        }

        return result;
    }

    private static T? Run<T>(Parser<T> parser, ImmutableArray<Token> tokens, bool allowsClass, Token? group, ref SyntaxError? first)
        where T : class
    {
        var reading = new Reading(tokens, allowsClass);
        var error = Depth.CheckIfs(tokens);
        if (error is null)
        {
            var result = parser(new TokenInput(reading));
            if (result.WasSuccessful)
            {
                return result.Value;
            }

            error = SyntaxErrors.Explain(reading, group);
        }

        if (first is null || error.Value.Span.Start < first.Value.Span.Start)
        {
            first = error;
        }

        return null;
    }
}
