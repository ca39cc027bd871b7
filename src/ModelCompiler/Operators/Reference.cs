// The page of operators (grammar/operators.md), written from the signatures themselves so that it cannot be wrong.
using System.Text;

namespace ModelCompiler.Operators;

public static class Reference
{
    /// <summary>The whole page as Markdown.</summary>
    public static string Markdown()
    {
        var page = new StringBuilder();
        page.Append("# Operators\n\n");
        page.Append("Generated from the operators' signatures. Shapes leave the batch out; `input -> name(…)` feeds the first tensor.\n");
        page.Append("Arguments may be given by position in this order, or by name.\n");
        foreach (var op in Catalog.All.Values)
        {
            Append(page, op.Signature);
        }

        return page.ToString();
    }

    /// <summary>How a call reads: <c>conv(channels, kernel, stride = 1, …)</c>.</summary>
    public static string Usage(Signature signature)
    {
        var tensors = signature.Variadic ? ["tensor, …"] : signature.Inputs.Length > 1 ? signature.Inputs.ToArray() : [];
        var arguments = signature.Arguments.Select(argument => argument.Default is null ? argument.Name : $"{argument.Name} = {Value(argument)}");
        var list = string.Join(", ", tensors.Concat(arguments));
        return list.Length == 0 ? signature.Name : $"{signature.Name}({list})";
    }

    private static string Value(ArgumentSpec argument) => argument.Default!.Contains(' ') ? "…" : argument.Default!;

    private static void Append(StringBuilder page, Signature signature)
    {
        page.Append($"\n## {signature.Name}\n\n`{Usage(signature)}`\n\n{signature.Summary}");
        page.Append(signature.Paper.Length == 0 ? "\n" : $" ({signature.Paper})\n");
        if (signature.Arguments.IsEmpty)
        {
            return;
        }

        page.Append("\n| argument | kind | default | meaning |\n| --- | --- | --- | --- |\n");
        foreach (var argument in signature.Arguments)
        {
            page.Append($"| `{argument.Name}` | {Kind(argument)} | {argument.Default ?? "required"} | {argument.Documentation} |\n");
        }
    }

    private static string Kind(ArgumentSpec argument) => argument.Kind switch
    {
        ArgumentKind.Padding => "dims, `same` or `full`",
        ArgumentKind.Word => string.Join(", ", argument.Words.Select(word => $"`{word}`")),
        _ => argument.Kind.ToString().ToLowerInvariant(),
    };
}
