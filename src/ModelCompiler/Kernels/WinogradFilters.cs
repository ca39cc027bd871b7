// Filters of sixteen outputs to the points of Winograd's algorithm: nine transpositions make vectors of outputs, the rest
// is arithmetic.
using ModelCompiler.Emission;

namespace ModelCompiler.Kernels;

/// <param name="turned">For data gradients: weights are [in][out][3][3], their taps in reverse order.</param>
internal sealed class WinogradFilters(WinogradTransform transform, bool turned, Isa isa)
{
    private string Name => $"Winograd{N(transform.Outputs)}Filters{(turned ? "Turned" : "")}";

    /// <summary>The call that makes [point][block of inputs][depth tap][input][16 outputs] of the flat weights of a block of outputs, inputs <c>step</c>
    /// floats apart.</summary>
    /// <param name="arguments"><c>weight, to, block, pointStride, step, inputs, outputs, depthTaps</c>; the last is 1 for turned weights.</param>
    public string Call(KernelWriter writer, string arguments) => $"{writer.Share(Name, Emit)}({arguments});";

    private static string N(long value) => Literals.Int(value);

    private void Emit(SourceWriter writer)
    {
        var side = transform.Inputs;
        writer.Open(Kernel.Helper(Name, "float* weight, float* to, int block, long pointStride, int step, int inputs, int outputs, int depthTaps"));
        writer.Line("// [channel][depth tap][tap][16 outputs] of sixteen channels; for turned weights [tap][channel][16 outputs].");
        writer.Line("float* taps = stackalloc float[2304 * depthTaps];");
        if (turned)
        {
            writer.Line("float* across = stackalloc float[2304];");
        }

        writer.Line("int lanes = Math.Min(16, outputs - block * 16);");
        writer.Open("for (int first = 0; first < inputs; first += 16)");
        writer.Line("int channels = Math.Min(16, inputs - first);");
        if (turned)
        {
            writer.Line("float* from = weight + ((long)first * outputs + block * 16) * 9;");
            writer.Line("for (int i = 0; i < lanes * 9; i += 16) Transposition.Turn(from + i, outputs * 9, channels, Math.Min(16, lanes * 9 - i), across + i * 16);");
            writer.Line("for (int tap = 0; tap < 9; tap++) Transposition.Turn(across + tap * 16, 144, lanes, channels, taps + (8 - tap) * 256);");
        }
        else
        {
            writer.Line("int perChannel = 9 * depthTaps;");
            writer.Line("float* from = weight + (block * 16L * inputs + first) * perChannel;");
            writer.Line("for (int i = 0; i < channels * perChannel; i += 16) Transposition.Turn(from + i, inputs * perChannel, lanes, Math.Min(16, channels * perChannel - i), taps + i * 16);");
        }

        writer.Open("for (int depth = 0; depth < depthTaps; depth++)");
        writer.Open("for (int channel = 0; channel < channels; channel++, to += step)");
        writer.Line(turned ? "float* g = taps + channel * 16;" : "float* g = taps + (channel * depthTaps + depth) * 144;");
        writer.Open($"for (int lane = 0; lane < 16; lane += {N(isa.Width)})");
        for (var tap = 0; tap < 9; tap++)
        {
            writer.Line($"var g{N(tap)} = {isa.Load($"g + {N(tap * (turned ? 256 : 16))} + lane")};");
        }

        for (var row = 0; row < side; row++)
        {
            writer.Open("");
            for (var column = 0; column < 3; column++)
            {
                writer.Line($"var h{N(column)} = {transform.Filter(isa, row, $"g{N(column)}", $"g{N(column + 3)}", $"g{N(column + 6)}")};");
            }

            for (var column = 0; column < side; column++)
            {
                writer.Line(isa.Store($"to + {N((row * side) + column)} * pointStride + lane", transform.Filter(isa, column, "h0", "h1", "h2")));
            }

            writer.Close();
        }

        writer.Close().Close().Close().Close().Close().Line();
    }
}
