// The one door of this room: text in, syntax and diagnostics out. It never throws and never hangs,
// whatever the text.
using System.Collections.Immutable;

namespace ModelCompiler.Grammar;

/// <summary>The outcome of parsing one file: always a tree, with what could be read of it.</summary>
public sealed record ParseResult(FileSyntax File, ImmutableArray<Diagnostic> Diagnostics);

public static class CnnParser
{
    /// <summary>Parses a file. A statement with a mistake is reported once, at the token at fault, and left out of the tree;
    /// a block or network whose head has a mistake is left out as a whole.</summary>
    public static ParseResult Parse(SourceFile source)
    {
        var report = new Report(source);
        if (Refuse(source) is { } refusal)
        {
            report.Add(refusal.Code, refusal.Span, refusal.Message);
            return new ParseResult(new FileSyntax(source, ImmutableArray<DeclarationSyntax>.Empty, new TextSpan(0, source.Text.Length)), report.ToImmutable());
        }

        var words = Lexis.Read(source);
        var reader = new FileReader(report);
        foreach (var slice in Layout.Read(source, words.Tokens))
        {
            reader.Read(slice);
        }

        if (words.OpenComment is { } openComment)
        {
            report.Add(openComment);
        }

        if (words.Tokens.Length == 0 && report.IsEmpty)
        {
            report.Add("CNN1015", new TextSpan(0, 0), "this file declares nothing: write a network, as in 'network Name { … }', or blocks for other files to use");
        }

        return new ParseResult(new FileSyntax(source, reader.Result, new TextSpan(0, source.Text.Length)), report.ToImmutable());
    }

    private static SyntaxError? Refuse(SourceFile source)
    {
        var text = source.Text;
        if (text.Length > Limits.FileCharacters)
        {
            return new SyntaxError("CNN5002", new TextSpan(0, 0), FormattableString.Invariant(
                $"this file has {text.Length} characters; a .cnn file has at most {Limits.FileCharacters}: spread it over several files with 'use'"));
        }

        var zero = text.IndexOf('\0');
        return zero < 0 ? null : new SyntaxError("CNN1016", new TextSpan(zero, 1), "this is not a text file: it contains a zero character");
    }
}

/// <summary>The diagnostics of a file, up to <see cref="Limits.Diagnostics"/>.</summary>
internal sealed class Report
{
    private readonly SourceFile source;
    private readonly List<Diagnostic> diagnostics = new();

    public Report(SourceFile source) => this.source = source;

    public bool IsEmpty => diagnostics.Count == 0;

    public void Add(string code, TextSpan span, string message) =>
        Add(new Diagnostic(code, Severity.Error, new SourceSpan(source, span), message));

    public void Add(Diagnostic diagnostic)
    {
        if (diagnostics.Count < Limits.Diagnostics)
        {
            diagnostics.Add(diagnostic);
        }
        else if (diagnostics.Count == Limits.Diagnostics)
        {
            diagnostics.Add(new Diagnostic("CNN5003", Severity.Info, diagnostic.Place, "there are more mistakes from here on; they are not shown"));
        }
    }

    /// <summary>In the order of the text.</summary>
    public ImmutableArray<Diagnostic> ToImmutable() => diagnostics.OrderBy(diagnostic => diagnostic.Place.Span.Start).ToImmutableArray();
}
