// The grammar of statements and of the heads of declarations; their values are Expressions.
using System.Collections.Immutable;
using Sprache;
using static ModelCompiler.Grammar.Combinators;
using static ModelCompiler.Grammar.Expressions;

namespace ModelCompiler.Grammar;

/// <summary><c>block Name(params)</c> or <c>network Name(params)</c>, before its body.</summary>
internal sealed record Head(Token Word, NameSyntax Name, ImmutableArray<ParameterSyntax> Parameters) : SyntaxNode(Word.Span);

internal static class Declarations
{
    private static readonly Parser<ExpressionSyntax> Bound =
        from equal in Sign("=")
        from value in Expression
        select value;

    private static readonly Parser<ExpressionSyntax> Shape =
        from colon in Sign(":")
        from value in Expression
        select value;

    // ---- statements ----------------------------------------------------------------------------------

    /// <summary>Named arguments behind the shape of a statement.</summary>
    private static readonly Parser<ImmutableArray<ArgumentSyntax>> Options =
        from options in (from comma in Sign(",") from option in Option select option).Many()
        select options.ToImmutableArray();

    private static readonly Parser<StatementSyntax> Input =
        from word in Keyword("input")
        from name in Name
        from shape in Shape
        from options in Options
        select new InputSyntax(name, shape, options, word.Span.Through(End(shape, options)));

    private static readonly Parser<StatementSyntax> Target =
        from word in Keyword("target")
        from name in Name
        from shape in Shape
        select new TargetSyntax(name, shape, word.Span.Through(shape.Span));

    private static readonly Parser<StatementSyntax> FreeParameter =
        from word in Keyword("parameter")
        from name in Name
        from shape in Shape
        from options in Options
        select new FreeParameterSyntax(name, shape, options, word.Span.Through(End(shape, options)));

    private static readonly Parser<StatementSyntax> Shared =
        from word in Keyword("shared")
        from name in Name
        from value in Bound
        select new SharedSyntax(name, value, word.Span.Through(value.Span));

    private static readonly Parser<StatementSyntax> Output =
        from word in Keyword("output")
        from name in (from name in Name from equal in Sign("=", weak: true) select name).Optional()
        from value in Expression
        select new OutputSyntax(name.GetOrDefault(), value, word.Span.Through(value.Span));

    private static readonly Parser<StatementSyntax> Out =
        from word in Keyword("out")
        from values in Expression.DelimitedBy(Sign(",", weak: true))
        select new OutSyntax(values.ToImmutableArray(), word.Span.Through(values.Last().Span));

    private static readonly Parser<StatementSyntax> Loss =
        from word in Keyword("loss")
        from value in Expression
        select new LossSyntax(value, word.Span.Through(value.Span));

    private static readonly Parser<StatementSyntax> Binding =
        from names in Name.DelimitedBy(Sign(","))
        from value in Bound
        select new BindingSyntax(names.ToImmutableArray(), value, names.First().Span.Through(value.Span));

    public static readonly Parser<StatementSyntax> Statement =
        Input.Or(Target).Or(FreeParameter).Or(Shared).Or(Output).Or(Out).Or(Loss).Or(Binding).ThenEnd();

    private static TextSpan End(ExpressionSyntax shape, ImmutableArray<ArgumentSyntax> options) =>
        options.IsEmpty ? shape.Span : options[options.Length - 1].Span;

    // ---- declarations --------------------------------------------------------------------------------

    private static readonly Parser<DeclarationSyntax> Use =
        from word in Keyword("use")
        from path in Match(token => token.Kind == TokenKind.String, new Expectation("the path of a file in quotes"))
        select new UseSyntax((string)path.Value!, path.Span, word.Span.Through(path.Span));

    private static readonly Parser<DeclarationSyntax> DerivedNetwork =
        from word in Keyword("network")
        from name in Name
        from value in Bound
        select new DerivedNetworkSyntax(name, value, word.Span.Through(value.Span));

    /// <summary>A declaration without a body.</summary>
    public static readonly Parser<DeclarationSyntax> Line = Use.Or(DerivedNetwork).ThenEnd();

    /// <summary>The head of a declaration with a body.</summary>
    public static readonly Parser<Head> Head =
        (from word in Keyword("block").Or(Keyword("network"))
         from name in Name
         from parameters in Group(TokenKind.Parameters, new Expectation("'('", Weak: true)).Optional()
         select new Head(word, name, parameters.IsEmpty
             ? ImmutableArray<ParameterSyntax>.Empty
             : Content<ImmutableArray<ParameterSyntax>>(parameters.Get()))).ThenEnd();
}
