// The small cases of operators and losses that PyTorch computed, as networks of the language.
using ModelCompiler.Graph;
using ModelCompiler.Runtime;

namespace ModelCompiler.Tests.Oracle;

/// <param name="Inputs">Shape of x, then <c>name shape</c> of each further input.</param>
/// <param name="Text">The operator, or the loss of x and wanted.</param>
/// <param name="Target">Shape of the target, which for operators is that of the result.</param>
internal sealed record GoldenCase(string File, string Name, string[] Inputs, string Text, string Target)
{
    private static readonly Dictionary<string, Dictionary<string, StoredTensor>> Files = new()
    {
        ["operators"] = Golden.Read("operators"),
        ["losses"] = Golden.Read("losses"),
    };

    public int Batch => File == "losses" ? 3 : 2;

    /// <summary>The operator or loss, without what tells its cases apart.</summary>
    public string Operator => Name.Split('/')[0];

    public static IEnumerable<GoldenCase> Read(string file) => System.IO.File.ReadLines(Golden.PathOf(file + ".txt"))
        .Select(line => line.Split(" | ")).Select(parts => new GoldenCase(file, parts[0], parts[1].Split(", "), parts[2], parts[3]));

    public static GoldenCase Find(string file, string name) => Read(file).Single(c => c.Name == name);

    /// <summary>The case as a network. An operator alone is labelled 'op', which is where its parameters' names begin.</summary>
    public string Network(string name)
    {
        var inputs = string.Concat(Inputs.Skip(1).Select(input => $"    input {input.Split(' ')[0]}: {Dims(input.Split(' ')[1])}\n"));
        var label = Text.Contains("->", StringComparison.Ordinal) ? "" : "op: ";
        var (output, loss) = File == "losses" ? ("identity", Text) : ($"{label}{Text}", "mse(y, wanted)");
        return $"network {name} {{\n    input x: {Dims(Inputs[0])}\n{inputs}    target wanted: {(File == "losses" ? Target : Dims(Target))}\n    output y = x -> {output}\n    loss {loss}\n}}\n";
    }

    /// <summary>Blocks that cases use.</summary>
    public const string Blocks = "block TakeFirst { out in[0] }\n";

    public bool Has(string tensor) => Files[File].ContainsKey($"{Name}/{tensor}");

    public StoredTensor Tensor(string tensor) => Files[File][$"{Name}/{tensor}"];

    public int Gradients => Files[File].Keys.Count(key => key.StartsWith($"{Name}/gradient.", StringComparison.Ordinal) && !key.Contains("gradient.input.", StringComparison.Ordinal));

    /// <summary>The name of a parameter in PyTorch's layer.</summary>
    public static string NameOf(string parameter) => parameter["op.".Length..];

    private static string Dims(string dims) => dims.Contains('x') ? dims : $"[{dims}]";
}
