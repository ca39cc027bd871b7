// The grammar of values, leaves first. Brackets are single tokens whose inside was parsed before (see Token.Content and
// Inside below): so a hundred nested brackets cost a hundred small parses one after the other, not inside each other,
// and neither the stack nor backtracking can blow up. Chains are repeated, never recursed.
using System.Collections.Immutable;
using Sprache;
using static ModelCompiler.Grammar.Combinators;

namespace ModelCompiler.Grammar;

internal static class Expressions
{
    // ---- leaves --------------------------------------------------------------------------------------

    public static readonly Parser<NameSyntax> Name =
        from token in Match(token => token.Kind == TokenKind.Name, Expectation.Name)
        select new NameSyntax(token.Text, token.Span);

    private static readonly Parser<ExpressionSyntax> NameValue =
        from token in Literal(TokenKind.Name)
        select new NameExpression(token.Text, token.Span);

    private static readonly Parser<ExpressionSyntax> Integer =
        from token in Literal(TokenKind.Integer)
        select new IntegerExpression((long)token.Value!, token.Span);

    private static readonly Parser<ExpressionSyntax> Float =
        from token in Literal(TokenKind.Float)
        select new FloatExpression((double)token.Value!, token.Span);

    private static readonly Parser<ExpressionSyntax> Dims =
        from token in Literal(TokenKind.Dims)
        select new DimsExpression((ImmutableArray<int>)token.Value!, token.Span);

    private static readonly Parser<ExpressionSyntax> String =
        from token in Literal(TokenKind.String)
        select new StringExpression((string)token.Value!, token.Span);

    private static readonly Parser<ExpressionSyntax> Boolean =
        from token in ValueWord("true").Or(ValueWord("false"))
        select new BooleanExpression(token.Text == "true", token.Span);

    private static readonly Parser<ExpressionSyntax> In =
        from token in ValueWord("in")
        select new InExpression(token.Span);

    private static readonly Parser<ExpressionSyntax> ClassWord =
        from token in ValueWord("class")
        select new ClassSyntax(token.Span);

    private static readonly Parser<ExpressionSyntax> Class = input =>
        ((TokenInput)input).Reading.AllowsClass ? ClassWord(input) : Result.Failure<ExpressionSyntax>(input, "", Array.Empty<string>());

    private static readonly Parser<ExpressionSyntax> Parentheses =
        from token in Group(TokenKind.Parentheses, Expectation.Value)
        select new ParenthesizedExpression(Content<ExpressionSyntax>(token), token.Span);

    private static readonly Parser<ExpressionSyntax> List =
        from token in Group(TokenKind.List, Expectation.Value)
        select Content<ExpressionSyntax>(token) with { Span = token.Span };

    private static readonly Parser<ExpressionSyntax> Primary =
        NameValue.Or(Integer).Or(Float).Or(Dims).Or(String).Or(Boolean).Or(In).Or(Class).Or(Parentheses).Or(List);

    // ---- calls, members, indices ---------------------------------------------------------------------

    private static readonly Parser<Func<ExpressionSyntax, ExpressionSyntax>> Call =
        from token in Group(TokenKind.Arguments, new Expectation("'('", Weak: true))
        select new Func<ExpressionSyntax, ExpressionSyntax>(callee =>
            new CallExpression(callee, Content<ImmutableArray<ArgumentSyntax>>(token), callee.Span.Through(token.Span)));

    private static readonly Parser<Func<ExpressionSyntax, ExpressionSyntax>> Index =
        from token in Group(TokenKind.Index, new Expectation("'['", Weak: true))
        select new Func<ExpressionSyntax, ExpressionSyntax>(target =>
            new IndexExpression(target, Content<ExpressionSyntax>(token), target.Span.Through(token.Span)));

    private static readonly Parser<Func<ExpressionSyntax, ExpressionSyntax>> Member =
        from dot in Sign(".", weak: true)
        from name in Name
        select new Func<ExpressionSyntax, ExpressionSyntax>(target => new MemberExpression(target, name, target.Span.Through(name.Span)));

    private static readonly Parser<ExpressionSyntax> Postfix =
        from primary in Primary
        from suffixes in Call.Or(Index).Or(Member).Many()
        select suffixes.Aggregate(primary, (target, suffix) => suffix(target));

    // ---- operators -----------------------------------------------------------------------------------

    private static readonly Parser<Operand> Operand =
        from prefixes in Match(Precedence.IsPrefix, Expectation.Value).Many()
        from value in Postfix
        select new Operand(prefixes, value);

    private static readonly Parser<ExpressionSyntax> Operators =
        from first in Operand
        from rest in (from sign in Match(Precedence.IsInfix, new Expectation("an operator", Weak: true))
                      from operand in Operand
                      select new InfixOperand(sign, operand)).Many()
        from value in Precedence.Combine(first, rest)
        select value;

    // ---- labels and flows ----------------------------------------------------------------------------

    /// <summary>A name before a colon. Words of the language are allowed here, so that the names of published weights
    /// (<c>block</c>, <c>output</c>) can be written.</summary>
    private static Parser<NameSyntax> LabelName(Expectation expectation) =>
        from token in LabelWord(expectation)
        select new NameSyntax(token.Text, token.Span);

    private static readonly Parser<Func<ExpressionSyntax, ExpressionSyntax>> Label =
        from name in LabelName(Expectation.Value)
        from number in Group(TokenKind.Number, Expectation.Value).Optional()
        from colon in Sign(":")
        select new Func<ExpressionSyntax, ExpressionSyntax>(value => new LabelExpression(
            name, number.IsEmpty ? null : Content<ExpressionSyntax>(number.Get()), value, name.Span.Through(value.Span)));

    private static readonly Parser<ExpressionSyntax> Stage =
        (from label in Label
         from value in Operators
         select label(value)).Or(Operators);

    private static readonly Parser<ExpressionSyntax> Flow =
        from stages in Stage.DelimitedBy(Sign("->", weak: true))
        from flow in Flatten(stages.ToImmutableArray())
        select flow;

    // ---- if ------------------------------------------------------------------------------------------

    private static readonly Parser<Branch> Branch =
        from start in Match(token => token.IsKeyword("if"), Expectation.Value)
        from condition in Parse.Ref(() => Expression)
        from then in Keyword("then")
        from value in Parse.Ref(() => Expression)
        from otherwise in Keyword("else")
        select new Branch(start.Span, condition, value);

    private static readonly Parser<ExpressionSyntax> If =
        from branches in Branch.AtLeastOnce()
        from last in Flow
        select branches.Reverse().Aggregate(last, (otherwise, branch) =>
            new IfExpression(branch.Condition, branch.Value, otherwise, branch.Start.Through(otherwise.Span)));

    public static readonly Parser<ExpressionSyntax> Expression = If.Or(Flow);

    // ---- inside brackets -----------------------------------------------------------------------------

    private static Parser<ArgumentSyntax> Named(Expectation expectation) =>
        from name in LabelName(expectation)
        from colon in Sign(":")
        from value in Expression
        select new ArgumentSyntax(name, value, name.Span.Through(value.Span));

    /// <summary>An argument that has to be named.</summary>
    public static readonly Parser<ArgumentSyntax> Option = Named(new Expectation("an option by its name, as in 'init: zeros',"));

    private static readonly Parser<ArgumentSyntax> Argument =
        Named(Expectation.Value).Or(from value in Expression select new ArgumentSyntax(null, value, value.Span));

    private static readonly Parser<ImmutableArray<ArgumentSyntax>> Arguments =
        from items in Argument.CommaSeparated().Optional()
        select items.GetOrElse(Array.Empty<ArgumentSyntax>()).ToImmutableArray();

    private static readonly Parser<ParameterSyntax> Parameter =
        from name in Name
        from value in (from equal in Sign("=") from value in Expression select value).Optional()
        select new ParameterSyntax(name, value.GetOrDefault(), value.IsEmpty ? name.Span : name.Span.Through(value.Get().Span));

    private static readonly Parser<ImmutableArray<ParameterSyntax>> Parameters =
        from items in Parameter.CommaSeparated().Optional()
        select items.GetOrElse(Array.Empty<ParameterSyntax>()).ToImmutableArray();

    private static readonly Parser<ExpressionSyntax> Comprehension =
        from item in Expression
        from start in Keyword("for")
        from names in Name.DelimitedBy(Sign(","))
        from of in Keyword("of")
        from source in Expression
        select new ComprehensionExpression(item, names.ToImmutableArray(), source, default);

    private static readonly Parser<ExpressionSyntax> Items =
        from items in Expression.CommaSeparated().Optional()
        select new ListExpression(items.GetOrElse(Array.Empty<ExpressionSyntax>()).ToImmutableArray(), default);

    /// <summary>What stands inside a bracket of this kind.</summary>
    public static Parser<object> Inside(TokenKind kind) => kind switch
    {
        TokenKind.Arguments => ArgumentsInside,
        TokenKind.Parameters => ParametersInside,
        TokenKind.List => ListInside,
        _ => ValueInside,
    };

    private static readonly Parser<object> ArgumentsInside = Arguments.ThenEnd().Select(arguments => (object)arguments);

    private static readonly Parser<object> ParametersInside = Parameters.ThenEnd().Select(parameters => (object)parameters);

    private static readonly Parser<object> ListInside = Comprehension.ThenEnd().Or(Items.ThenEnd());

    private static readonly Parser<object> ValueInside = Expression.ThenEnd();

    /// <summary>What the inside of a group was parsed to.</summary>
    internal static T Content<T>(Token group) => (T)group.Content!;

    /// <summary>Stands in for an inside that did not parse, while the text around it is searched for an earlier mistake.</summary>
    public static object Placeholder(Token group) => group.Kind switch
    {
        TokenKind.Arguments => ImmutableArray<ArgumentSyntax>.Empty,
        TokenKind.Parameters => ImmutableArray<ParameterSyntax>.Empty,
        _ => new ListExpression(ImmutableArray<ExpressionSyntax>.Empty, group.Span),
    };

    private static Parser<ExpressionSyntax> Flatten(ImmutableArray<ExpressionSyntax> stages) => stages.Length switch
    {
        1 => Parse.Return(stages[0]),
        > Limits.FlowStages => Fault<ExpressionSyntax>(
            "CNN5004", stages[Limits.FlowStages].Span, $"this flow has more than {Limits.FlowStages} stages; equal ones are repeated with '*', as in 'Basic(64) * 3'"),
        _ => Parse.Return(new FlowExpression(stages[0], stages.RemoveAt(0), stages[0].Span.Through(stages[stages.Length - 1].Span))),
    };
}

/// <summary><c>if … then … else</c>, what follows the last word being another branch or the end of the chain.</summary>
internal readonly record struct Branch(TextSpan Start, ExpressionSyntax Condition, ExpressionSyntax Value);
