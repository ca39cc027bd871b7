// Operators, arguments and other words of the language for a person: the catalogue's own documentation as Markdown.
using ModelCompiler.Evaluation;
using ModelCompiler.Operators;

namespace ModelCompiler.Tool.LanguageServer;

internal static class OperatorText
{
    /// <summary><c>conv(channels, kernel, stride: 1, …)</c></summary>
    public static string Usage(Signature signature) => $"{signature.Name}({string.Join(", ", Parameters(signature, applied: false))})";

    /// <summary>The operator's arguments as a call shows them. One that takes several tensors names them first.</summary>
    /// <param name="applied">Whether a tensor flows in, so that the first one is not written.</param>
    public static IEnumerable<string> Parameters(Signature signature, bool applied)
    {
        var inputs = signature.Variadic ? ["tensors…"] : signature.Inputs.Length > 1 ? signature.Inputs.Skip(applied ? 1 : 0) : [];
        return inputs.Concat(signature.Arguments.Select(spec => spec.Default is { } value ? $"{spec.Name}: {value}" : spec.Name));
    }

    public static string Describe(Signature signature)
    {
        var lines = new List<string> { $"```cnn\n{Usage(signature)}\n```", signature.Summary };
        if (!signature.Arguments.IsEmpty)
        {
            lines.Add(string.Join("\n", signature.Arguments.Select(spec => "- " + Describe(spec))));
        }

        if (signature.Paper.Length > 0)
        {
            lines.Add($"*{signature.Paper}*");
        }

        return string.Join("\n\n", lines);
    }

    public static string Describe(ArgumentSpec spec)
    {
        var range = spec.Default is { } value ? $" Default: {value}." : " Required.";
        return $"`{spec.Name}` ({ArgumentKinds.Expected(spec)}): {spec.Documentation}.{range}";
    }

    /// <summary>A function or initializer; null for other words.</summary>
    public static string? Word(string name) =>
        Vocabulary.IsFunction(name) ? $"```cnn\n{Functions.UsageOf(name)}\n```\na function of numbers and lists, calculated by the compiler"
        : Initializers.Contains(name) ? $"`{name}`: how a parameter starts"
        : null;
}
