// The words that say how a parameter starts: zeros, normal(0.02), kaiming, …
using System.Collections.Immutable;
using ModelCompiler.Graph;

namespace ModelCompiler.Evaluation;

internal static class Initializers
{
    /// <summary>Words; the number that stands for a missing one; whether they take one and whether they need it.</summary>
    private static readonly ImmutableDictionary<string, (InitializerKind Kind, double Default, bool Takes, bool Needs)> Known =
        new Dictionary<string, (InitializerKind, double, bool, bool)>(StringComparer.Ordinal)
        {
            ["zeros"] = (InitializerKind.Constant, 0, false, false),
            ["ones"] = (InitializerKind.Constant, 1, false, false),
            ["constant"] = (InitializerKind.Constant, 0, true, true),
            ["normal"] = (InitializerKind.Normal, 1, true, false),
            ["uniform"] = (InitializerKind.Uniform, 1, true, false),
            ["xavier"] = (InitializerKind.XavierUniform, 1, true, false),
            ["xavier_normal"] = (InitializerKind.XavierNormal, 1, true, false),
            ["kaiming"] = (InitializerKind.KaimingNormal, Math.Sqrt(2), true, false),
            ["kaiming_uniform"] = (InitializerKind.KaimingUniform, Math.Sqrt(2), true, false),
            ["orthogonal"] = (InitializerKind.Orthogonal, 1, true, false),
        }.ToImmutableDictionary(StringComparer.Ordinal);

    public static IEnumerable<string> Names => Known.Keys;

    public static bool Contains(string name) => Known.ContainsKey(name);

    /// <summary>Builds the value, or gives the reason why not.</summary>
    public static (InitializerValue? Value, string? Problem) Make(string name, ImmutableArray<Value> arguments)
    {
        var (kind, fallback, takes, needs) = Known[name];
        if (arguments.Length > (takes ? 1 : 0))
        {
            return (null, takes ? $"'{name}' takes one number" : $"'{name}' takes no number");
        }

        if (arguments.IsEmpty)
        {
            return needs
                ? (null, $"'{name}' needs its value: {name}(0.1)")
                : (new InitializerValue(new Initializer(kind, fallback, 0, 0), name), null);
        }

        return ArgumentKinds.Number(arguments[0]) is { } number
            ? (new InitializerValue(new Initializer(kind, number, 0, 0), $"{name}({arguments[0].Text})"), null)
            : (null, $"'{name}' takes a number, and this is {arguments[0].Describe()}");
    }
}
