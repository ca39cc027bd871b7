// Every form of value, and what binds tighter than what.
using System.Globalization;
using static ModelCompiler.Grammar.Tests.Texts;

namespace ModelCompiler.Grammar.Tests;

public class ExpressionTests
{
    [Theory]
    [InlineData("64", "64")]
    [InlineData("9223372036854775807", "9223372036854775807")]
    [InlineData("0.5", "0.5f")]
    [InlineData(".5", "0.5f")]
    [InlineData("1e-5", "1E-05f")]
    [InlineData("2.5E+3", "2500f")]
    [InlineData("1e3", "1000f")]
    [InlineData("true", "true")]
    [InlineData("false", "false")]
    [InlineData("\"a b.cnn\"", "\"a b.cnn\"")]
    [InlineData("\"\"", "\"\"")]
    [InlineData("\"// no comment\"", "\"// no comment\"")]
    [InlineData("3x3", "3x3")]
    [InlineData("3x224x224", "3x224x224")]
    [InlineData("0x1", "0x1")]
    [InlineData("in", "in")]
    [InlineData("_x1", "_x1")]
    [InlineData("inner", "inner")]
    [InlineData("x3x3", "x3x3")]
    public void Leaves(string text, string tree) => Assert.Equal(tree, Value(text));

    [Theory]
    [InlineData("[]", "[]")]
    [InlineData("[k, 1]", "[k 1]")]
    [InlineData("[a, b,]", "[a b]")]
    [InlineData("[[1, 2], [3]]", "[[1 2] [3]]")]
    [InlineData("[[1, 2],\n [3, 4]]", "[[1 2] [3 4]]")]
    [InlineData("[f(i) for i of 0..n]", "[f(i) for i of (.. 0 n)]")]
    [InlineData("[S(c, n) for c, n of rows]", "[S(c n) for c n of rows]")]
    [InlineData("[a -> b for i of 0..in.count]", "[(-> a b) for i of (.. 0 in.count)]")]
    [InlineData("[c{i}: L(g) for i of 1..n + 1]", "[<c{i}: L(g)> for i of (.. 1 (Add n 1))]")]
    [InlineData("[[i for i of a] for a of b]", "[[i for i of a] for a of b]")]
    [InlineData("[if a then b else c for a of d]", "[(if a b c) for a of d]")]
    public void Lists(string text, string tree) => Assert.Equal(tree, Value(text));

    [Theory]
    [InlineData("f()", "f()")]
    [InlineData("conv(64, 3x3, pad: 1)", "conv(64 3x3 pad:1)")]
    [InlineData("f(a, b,)", "f(a b)")]
    [InlineData("conv (64)", "conv(64)")]
    [InlineData("f(1)(2)", "f(1)(2)")]
    [InlineData("f(a -> b)", "f((-> a b))")]
    [InlineData("f(a: b -> c)", "f(a:(-> b c))")]
    [InlineData("f((a: b))", "f((<a: b>))")]
    [InlineData("f(x -> a: b)", "f((-> x <a: b>))")]
    [InlineData("f(a{1}: b)", "f(<a{1}: b>)")]
    [InlineData("f(init: if a then b else c)", "f(init:(if a b c))")]
    [InlineData("x.shape[0]", "x.shape[0]")]
    [InlineData("in[i].channels", "in[i].channels")]
    [InlineData("list[a -> b]", "list[(-> a b)]")]
    [InlineData("(a -> b).c", "((-> a b)).c")]
    [InlineData("[a, b][0]", "[a b][0]")]
    [InlineData("a.b(c).d", "a.b(c).d")]
    [InlineData("in(3)", "in(3)")]
    public void CallsMembersAndIndices(string text, string tree) => Assert.Equal(tree, Value(text));

    [Theory]
    [InlineData("a + b * c", "(Add a (Multiply b c))")]
    [InlineData("a - b - c", "(Subtract (Subtract a b) c)")]
    [InlineData("a / b * c % d @ e", "(MatrixProduct (Remainder (Multiply (Divide a b) c) d) e)")]
    [InlineData("a ^ b ^ c", "(Power a (Power b c))")]
    [InlineData("2 * a ^ 2", "(Multiply 2 (Power a 2))")]
    [InlineData("-a ^ 2", "(Negate (Power a 2))")]
    [InlineData("2 ^ -1", "(Power 2 (Negate 1))")]
    [InlineData("2 ^ -1 * 3", "(Multiply (Power 2 (Negate 1)) 3)")]
    [InlineData("-a * b", "(Multiply (Negate a) b)")]
    [InlineData("--a", "(Negate (Negate a))")]
    [InlineData("a - -b", "(Subtract a (Negate b))")]
    [InlineData("a -b", "(Subtract a b)")]
    [InlineData("not a == b", "(Not (Equal a b))")]
    [InlineData("not a and b", "(And (Not a) b)")]
    [InlineData("not not a", "(Not (Not a))")]
    [InlineData("a or b and c", "(Or a (And b c))")]
    [InlineData("a and b or c", "(Or (And a b) c)")]
    [InlineData("a + 1 < b * 2 and c", "(And (Less (Add a 1) (Multiply b 2)) c)")]
    [InlineData("a != b or a <= b or a > b or a >= b", "(Or (Or (Or (NotEqual a b) (LessOrEqual a b)) (Greater a b)) (GreaterOrEqual a b))")]
    [InlineData("0..n", "(.. 0 n)")]
    [InlineData("1..n + 1", "(.. 1 (Add n 1))")]
    [InlineData("a..b", "(.. a b)")]
    [InlineData("0..4", "(.. 0 4)")]
    [InlineData("a.b..c.d", "(.. a.b c.d)")]
    [InlineData("(a + b) * c", "(Multiply ((Add a b)) c)")]
    [InlineData("-x.y", "(Negate x.y)")]
    public void Operators(string text, string tree) => Assert.Equal(tree, Value(text));

    [Theory]
    [InlineData("a -> b -> c", "(-> a b c)")]
    [InlineData("a -> (b -> c)", "(-> a ((-> b c)))")]
    [InlineData("a + b -> c * 2", "(-> (Add a b) (Multiply c 2))")]
    [InlineData("a -> [b, c -> d] -> e", "(-> a [b (-> c d)] e)")]
    [InlineData("l: a", "<l: a>")]
    [InlineData("x -> l: a -> b", "(-> x <l: a> b)")]
    [InlineData("layer1: unit(64) * depths[0]", "<layer1: (Multiply unit(64) depths[0])>")]
    [InlineData("x -> l: (a -> b)", "(-> x <l: ((-> a b))>)")]
    [InlineData("layer{i + 1}: a", "<layer{(Add i 1)}: a>")]
    [InlineData("x -> block: a -> out: b", "(-> x <block: a> <out: b>)")]
    [InlineData("in: a -> if: b", "(-> <in: a> <if: b>)")]
    public void FlowsAndLabels(string text, string tree) => Assert.Equal(tree, Value(text));

    [Theory]
    [InlineData("if a then b else c", "(if a b c)")]
    [InlineData("if a then b else if c then d else e", "(if a b (if c d e))")]
    [InlineData("if a then if b then c else d else e", "(if a (if b c d) e)")]
    [InlineData("if if a then b else c then d else e", "(if (if a b c) d e)")]
    [InlineData("if a == 1 and b then x -> y else x -> z", "(if (And (Equal a 1) b) (-> x y) (-> x z))")]
    [InlineData("x -> (if a then b else c)", "(-> x ((if a b c)))")]
    public void Choices(string text, string tree) => Assert.Equal(tree, Value(text));

    [Fact]
    public void EveryNodeCoversItsOwnText()
    {
        const string text = "x =  a -> l{ i }: conv( 64 , 3x3, pad : -1 ).b[ 0 ] * 2 -> ( c )";
        var spans = All(Tree(text)).Where(node => node is not FileSyntax).Select(node => $"{node.GetType().Name} {At(text, node)}");
        Assert.Equal(
            [
                "TopLevelSyntax " + text,
                "BindingSyntax " + text,
                "NameSyntax x",
                "FlowExpression a -> l{ i }: conv( 64 , 3x3, pad : -1 ).b[ 0 ] * 2 -> ( c )",
                "NameExpression a",
                "LabelExpression l{ i }: conv( 64 , 3x3, pad : -1 ).b[ 0 ] * 2",
                "NameSyntax l",
                "NameExpression i",
                "BinaryExpression conv( 64 , 3x3, pad : -1 ).b[ 0 ] * 2",
                "IndexExpression conv( 64 , 3x3, pad : -1 ).b[ 0 ]",
                "MemberExpression conv( 64 , 3x3, pad : -1 ).b",
                "CallExpression conv( 64 , 3x3, pad : -1 )",
                "NameExpression conv",
                "ArgumentSyntax 64",
                "IntegerExpression 64",
                "ArgumentSyntax 3x3",
                "DimsExpression 3x3",
                "ArgumentSyntax pad : -1",
                "NameSyntax pad",
                "UnaryExpression -1",
                "IntegerExpression 1",
                "NameSyntax b",
                "IntegerExpression 0",
                "IntegerExpression 2",
                "ParenthesizedExpression ( c )",
                "NameExpression c",
            ],
            spans);
    }

    [Fact]
    public void ListsChoicesAndRangesCoverTheirOwnText()
    {
        const string text = "x = [ if a then not b else \"c\" for i , j of 0 .. .5 ] + [ true , ]";
        var spans = All(ValueOf(text.Substring(4))).Select(node => $"{node.GetType().Name} {At(text, node)}");
        Assert.Equal(
            [
                "BinaryExpression [ if a then not b else \"c\" for i , j of 0 .. .5 ] + [ true , ]",
                "ComprehensionExpression [ if a then not b else \"c\" for i , j of 0 .. .5 ]",
                "IfExpression if a then not b else \"c\"",
                "NameExpression a",
                "UnaryExpression not b",
                "NameExpression b",
                "StringExpression \"c\"",
                "NameSyntax i",
                "NameSyntax j",
                "RangeExpression 0 .. .5",
                "IntegerExpression 0",
                "FloatExpression .5",
                "ListExpression [ true , ]",
                "BooleanExpression true",
            ],
            spans);
    }

    /// <summary>A machine that writes 0,5 and a minus of its own reads the same file.</summary>
    [Fact]
    public void TheCultureOfTheMachineHasNoInfluence()
    {
        var before = CultureInfo.CurrentCulture;
        var strange = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        strange.NumberFormat.NumberDecimalSeparator = ",";
        strange.NumberFormat.NumberGroupSeparator = ".";
        strange.NumberFormat.NegativeSign = "\u2212";
        try
        {
            CultureInfo.CurrentCulture = strange;
            Assert.Equal("[0.5f 1E-05f (Negate 3) 1500f]", Value("[0.5, 1e-5, -3, 1.5e3]"));
            Assert.Equal("test.cnn(1,5): error CNN1006: a size in '3x2147483648' is too large: at most 2147483647", Parse("x = 3x2147483648").Diagnostics[0].ToString());
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public void AnOperatorKnowsThePlaceOfItsSign()
    {
        const string text = "x = a  >= b";
        var binary = Assert.IsType<BinaryExpression>(ValueOf("a  >= b"));
        Assert.Equal(">=", text.Substring(binary.OperatorSpan.Start, binary.OperatorSpan.Length));
    }
}
