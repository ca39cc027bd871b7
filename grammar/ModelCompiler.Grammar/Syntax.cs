// The tree the parser builds: what was written and where, with no meaning yet. One record per form of
// the grammar (cnn.ebnf has the same names). Spans cover exactly the text of the node.
using System.Collections.Immutable;

namespace ModelCompiler.Grammar;

public abstract record SyntaxNode(TextSpan Span);

/// <summary>A whole file: what parsed, even where some statements did not.</summary>
public sealed record FileSyntax(SourceFile Source, ImmutableArray<DeclarationSyntax> Declarations, TextSpan Span) : SyntaxNode(Span);

/// <summary>A name as written.</summary>
public sealed record NameSyntax(string Text, TextSpan Span) : SyntaxNode(Span);

// ---- declarations --------------------------------------------------------------------------------

public abstract record DeclarationSyntax(TextSpan Span) : SyntaxNode(Span);

/// <summary><c>use "common/units.cnn"</c></summary>
public sealed record UseSyntax(string Path, TextSpan PathSpan, TextSpan Span) : DeclarationSyntax(Span);

/// <summary>A parameter of a block or network: <c>stride = 1</c>.</summary>
public sealed record ParameterSyntax(NameSyntax Name, ExpressionSyntax? Default, TextSpan Span) : SyntaxNode(Span);

/// <summary><c>block Basic(channels, stride = 1) { … }</c></summary>
public sealed record BlockSyntax(NameSyntax Name, ImmutableArray<ParameterSyntax> Parameters, ImmutableArray<StatementSyntax> Body, TextSpan Span)
    : DeclarationSyntax(Span);

/// <summary><c>network ResNet(depths) { … }</c></summary>
public sealed record NetworkSyntax(NameSyntax Name, ImmutableArray<ParameterSyntax> Parameters, ImmutableArray<StatementSyntax> Body, TextSpan Span)
    : DeclarationSyntax(Span);

/// <summary><c>network ResNet34 = ResNet([3, 4, 6, 3])</c></summary>
public sealed record DerivedNetworkSyntax(NameSyntax Name, ExpressionSyntax Value, TextSpan Span) : DeclarationSyntax(Span);

/// <summary>A binding, <c>shared</c> or other statement outside any block: constants and recipes of the whole file.</summary>
public sealed record TopLevelSyntax(StatementSyntax Statement, TextSpan Span) : DeclarationSyntax(Span);

// ---- statements ----------------------------------------------------------------------------------

public abstract record StatementSyntax(TextSpan Span) : SyntaxNode(Span);

/// <summary><c>input image: 1x28x28</c>, <c>input photo: 3x512x512, objects: 96</c>; the arguments after the shape are named.</summary>
public sealed record InputSyntax(NameSyntax Name, ExpressionSyntax Shape, ImmutableArray<ArgumentSyntax> Options, TextSpan Span) : StatementSyntax(Span);

/// <summary><c>target label: class</c> or <c>target mask: [class, 128, 128]</c>; the word <c>class</c> is a <see cref="ClassSyntax"/>.</summary>
public sealed record TargetSyntax(NameSyntax Name, ExpressionSyntax Shape, TextSpan Span) : StatementSyntax(Span);

/// <summary><c>parameter token: [1, width], init: zeros</c>; the arguments after the shape are named.</summary>
public sealed record FreeParameterSyntax(NameSyntax Name, ExpressionSyntax Shape, ImmutableArray<ArgumentSyntax> Options, TextSpan Span)
    : StatementSyntax(Span);

/// <summary><c>shared head = conv(64, 3x3) -> relu</c></summary>
public sealed record SharedSyntax(NameSyntax Name, ExpressionSyntax Value, TextSpan Span) : StatementSyntax(Span);

/// <summary><c>a = …</c>, or destructuring <c>a, b = …</c></summary>
public sealed record BindingSyntax(ImmutableArray<NameSyntax> Names, ExpressionSyntax Value, TextSpan Span) : StatementSyntax(Span);

/// <summary><c>output probabilities = logits -> softmax</c> or <c>output logits</c></summary>
public sealed record OutputSyntax(NameSyntax? Name, ExpressionSyntax Value, TextSpan Span) : StatementSyntax(Span);

/// <summary>A block's result: <c>out main + skip -> relu</c> or <c>out a, b</c></summary>
public sealed record OutSyntax(ImmutableArray<ExpressionSyntax> Values, TextSpan Span) : StatementSyntax(Span);

/// <summary><c>loss cross_entropy(logits, label)</c></summary>
public sealed record LossSyntax(ExpressionSyntax Value, TextSpan Span) : StatementSyntax(Span);

/// <summary>A block declared inside a block or network; it sees the names around it.</summary>
public sealed record LocalBlockSyntax(BlockSyntax Block, TextSpan Span) : StatementSyntax(Span);

// ---- expressions ---------------------------------------------------------------------------------

public abstract record ExpressionSyntax(TextSpan Span) : SyntaxNode(Span);

public sealed record NameExpression(string Name, TextSpan Span) : ExpressionSyntax(Span);

/// <summary>The word <c>in</c>: the input of the enclosing block.</summary>
public sealed record InExpression(TextSpan Span) : ExpressionSyntax(Span);

/// <summary>The word <c>class</c> in the shape of a target.</summary>
public sealed record ClassSyntax(TextSpan Span) : ExpressionSyntax(Span);

public sealed record IntegerExpression(long Value, TextSpan Span) : ExpressionSyntax(Span);

public sealed record FloatExpression(double Value, TextSpan Span) : ExpressionSyntax(Span);

public sealed record BooleanExpression(bool Value, TextSpan Span) : ExpressionSyntax(Span);

public sealed record StringExpression(string Value, TextSpan Span) : ExpressionSyntax(Span);

/// <summary>A dims literal: <c>3x224x224</c>.</summary>
public sealed record DimsExpression(ImmutableArray<int> Values, TextSpan Span) : ExpressionSyntax(Span);

/// <summary><c>[a, b, c]</c>: a list, or dims when all items are numbers and dims are asked for.</summary>
public sealed record ListExpression(ImmutableArray<ExpressionSyntax> Items, TextSpan Span) : ExpressionSyntax(Span);

/// <summary><c>[f(i) for i of 0..n]</c>, <c>[S(c, n) for c, n of rows]</c></summary>
public sealed record ComprehensionExpression(ExpressionSyntax Item, ImmutableArray<NameSyntax> Names, ExpressionSyntax Source, TextSpan Span)
    : ExpressionSyntax(Span);

/// <summary><c>0..n</c>, n excluded.</summary>
public sealed record RangeExpression(ExpressionSyntax From, ExpressionSyntax To, TextSpan Span) : ExpressionSyntax(Span);

/// <summary>An argument, positional or named (<c>pad: 1</c>).</summary>
public sealed record ArgumentSyntax(NameSyntax? Name, ExpressionSyntax Value, TextSpan Span) : SyntaxNode(Span);

/// <summary><c>conv(64, 3x3, pad: 1)</c>; the callee is a name, a member or any expression.</summary>
public sealed record CallExpression(ExpressionSyntax Callee, ImmutableArray<ArgumentSyntax> Arguments, TextSpan Span) : ExpressionSyntax(Span);

/// <summary><c>x.channels</c></summary>
public sealed record MemberExpression(ExpressionSyntax Target, NameSyntax Member, TextSpan Span) : ExpressionSyntax(Span);

/// <summary><c>depths[0]</c></summary>
public sealed record IndexExpression(ExpressionSyntax Target, ExpressionSyntax Index, TextSpan Span) : ExpressionSyntax(Span);

public enum UnaryOperator
{
    Negate,
    Not,
}

public sealed record UnaryExpression(UnaryOperator Operator, ExpressionSyntax Operand, TextSpan Span) : ExpressionSyntax(Span);

public enum BinaryOperator
{
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Power,
    MatrixProduct,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    And,
    Or,
}

/// <summary>An infix operator. <c>*</c> is also repetition of a stage: <c>Basic(64) * 3</c>.</summary>
/// <param name="OperatorSpan">The sign itself.</param>
public sealed record BinaryExpression(BinaryOperator Operator, ExpressionSyntax Left, ExpressionSyntax Right, TextSpan OperatorSpan, TextSpan Span)
    : ExpressionSyntax(Span);

/// <summary><c>a -> b -> c</c>, flattened: First, then each stage in order. Never nested on the left, so that a
/// thousand arrows need no thousand stack frames.</summary>
public sealed record FlowExpression(ExpressionSyntax First, ImmutableArray<ExpressionSyntax> Stages, TextSpan Span) : ExpressionSyntax(Span);

/// <summary><c>conv1: conv(64, 3x3)</c>, <c>denselayer{i}: Layer(32)</c></summary>
/// <param name="Number">The expression in braces, if any.</param>
/// <param name="Value">The labelled stage.</param>
public sealed record LabelExpression(NameSyntax Label, ExpressionSyntax? Number, ExpressionSyntax Value, TextSpan Span) : ExpressionSyntax(Span);

/// <summary>Parentheses are kept: a label in front of them means Sequential numbering.</summary>
public sealed record ParenthesizedExpression(ExpressionSyntax Inner, TextSpan Span) : ExpressionSyntax(Span);

/// <summary><c>if c then a else b</c></summary>
public sealed record IfExpression(ExpressionSyntax Condition, ExpressionSyntax Then, ExpressionSyntax Else, TextSpan Span) : ExpressionSyntax(Span);
