// Convolutions whose tiles are some output channels each: full ones, and the rest where these do not divide.
using ModelCompiler.Emission;

namespace ModelCompiler.Kernels;

internal static class OutputTiles
{
    /// <summary>Writes a kernel whose units are rows, and which calls the helper <c>tile{channels}</c> for the outputs from <c>output</c> on.</summary>
    /// <param name="arguments">Of the helper, for row <c>unit</c>.</param>
    /// <param name="emitTile">Writes the helper for so many channels.</param>
    public static void Emit(KernelWriter writer, int outputs, int tile, Func<string> arguments, Action<int> emitTile)
    {
        var rest = outputs % tile;
        string Call(int channels) => writer.Call($"tile{Literals.Int(channels)}", arguments()) + ";";
        writer.OpenMethod().OpenUnits().Line("int output = 0;");
        writer.Line($"for (; output < {writer.N("outputs", outputs)}{(rest == 0 ? "" : $" - {Literals.Int(rest)}")}; output += {Literals.Int(tile)}) {Call(tile)}");
        if (rest > 0)
        {
            writer.Line(Call(rest));
        }

        writer.Close().Close().Line();
        emitTile(tile);
        if (rest > 0)
        {
            emitTile(rest);
        }
    }
}
