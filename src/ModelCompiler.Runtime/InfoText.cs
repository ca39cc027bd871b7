// Parameters and layers of a network as text. Generated code keeps them so: hundreds of objects made one by one would be a method
// that the just-in-time compiler works on for longer than the network runs. Numbers are read without a culture: the first that is asked for
// loads the system's tables of all of them, which takes as long as the rest of a small network's construction.
using System.Globalization;

namespace ModelCompiler.Runtime;

internal static class InfoText
{
    private const string Separator = " | ";

    /// <summary>As a new one is; <see cref="NumberFormatInfo.InvariantInfo"/> is that of a culture.</summary>
    internal static readonly NumberFormatInfo Invariant = new();

    /// <summary>In the order of <see cref="InitializerKind"/>; asking the type for its names would need reflection.</summary>
    private static readonly string[] Initializers =
    [
        nameof(InitializerKind.FanInUniform), nameof(InitializerKind.Constant), nameof(InitializerKind.Normal), nameof(InitializerKind.Uniform),
        nameof(InitializerKind.XavierUniform), nameof(InitializerKind.XavierNormal), nameof(InitializerKind.KaimingUniform), nameof(InitializerKind.KaimingNormal),
        nameof(InitializerKind.Orthogonal),
    ];

    public static ParameterInfo[] Parameters(string text)
    {
        var lines = text.Split('\n');
        var parameters = new ParameterInfo[lines.Length];
        for (var i = 0; i < lines.Length; i++)
        {
            var words = Words(lines[i], 8);
            parameters[i] = new ParameterInfo(
                words[0], Shape(words[1]), Int(words[2]), words[3] == "trained", (InitializerKind)Array.IndexOf(Initializers, words[4]),
                float.Parse(words[5], NumberStyles.Float, Invariant), Int(words[6]), Int(words[7]));
        }

        return parameters;
    }

    public static LayerInfo[] Layers(string text)
    {
        var lines = text.Split('\n');
        var layers = new LayerInfo[lines.Length];
        for (var i = 0; i < lines.Length; i++)
        {
            var words = Words(lines[i], 6);
            layers[i] = new LayerInfo(words[0], words[1], Shape(words[2]), Long(words[3]), Long(words[4]), words[5]);
        }

        return layers;
    }

    /// <param name="count">The last one is what is left.</param>
    private static string[] Words(string line, int count)
    {
        var words = line.TrimEnd('\r').Split(Separator, count);
        return words.Length == count ? words : throw new FormatException($"'{line}' has {words.Length} parts, not {count}.");
    }

    private static int[] Shape(string text)
    {
        if (text == "scalar")
        {
            return [];
        }

        var words = text.Split('x');
        var sizes = new int[words.Length];
        for (var i = 0; i < sizes.Length; i++)
        {
            sizes[i] = Int(words[i]);
        }

        return sizes;
    }

    private static int Int(string text) => int.Parse(text, NumberStyles.None, Invariant);

    private static long Long(string text) => long.Parse(text, NumberStyles.None, Invariant);
}
