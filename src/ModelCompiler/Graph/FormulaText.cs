// A formula as people write it, for comments, graph text and stable names. Never through culture.
using System.Globalization;

namespace ModelCompiler.Graph;

public static class FormulaText
{
    /// <summary>For instance <c>max(a + b, 0)</c>: inputs are a, b, c … in order.</summary>
    public static string Of(Expression formula) => formula switch
    {
        InputFormula input => input.Index < 26 ? ((char)('a' + input.Index)).ToString() : "i" + input.Index.ToString(CultureInfo.InvariantCulture),
        ConstantFormula constant => constant.Value.ToString("R", CultureInfo.InvariantCulture),
        BatchSizeFormula => "batch",
        RandomFormula random => "random" + random.Stream.ToString(CultureInfo.InvariantCulture),
        UnaryFormula { Function: UnaryFunction.Negate } unary => "-" + Of(unary.Operand),
        UnaryFormula unary => $"{Lower(unary.Function.ToString())}({Of(unary.Operand)})",
        BinaryFormula binary => Infix(binary.Function) is { } sign
            ? $"({Of(binary.Left)} {sign} {Of(binary.Right)})"
            : $"{Lower(binary.Function.ToString())}({Of(binary.Left)}, {Of(binary.Right)})",
        SelectFormula select => $"({Of(select.Condition)} ? {Of(select.Then)} : {Of(select.Else)})",
        _ => throw new InvalidOperationException("unknown formula " + formula.GetType().Name),
    };

    private static string? Infix(BinaryFunction function) => function switch
    {
        BinaryFunction.Add => "+",
        BinaryFunction.Subtract => "-",
        BinaryFunction.Multiply => "*",
        BinaryFunction.Divide => "/",
        BinaryFunction.Greater => ">",
        BinaryFunction.GreaterOrEqual => ">=",
        BinaryFunction.Equal => "==",
        _ => null,
    };

    private static string Lower(string name) => char.ToLowerInvariant(name[0]) + name.Substring(1);
}
