// The one door of this room: text in, syntax and diagnostics out. It never throws and never hangs,
// whatever the text.
using System.Collections.Immutable;

namespace ModelCompiler.Grammar;

/// <summary>The outcome of parsing one file: always a tree, with what could be read of it.</summary>
public sealed record ParseResult(FileSyntax File, ImmutableArray<Diagnostic> Diagnostics);

public static class CnnParser
{
    public static ParseResult Parse(SourceFile source) => throw new NotImplementedException();
}
