// Filters of sixteen outputs to the points of Winograd's algorithm: nine transpositions make vectors of outputs, the rest
// is arithmetic.
using ModelCompiler.Emission;

namespace ModelCompiler.Kernels;

/// <param name="form">Of the weights; turned ones are [in][out][3][3], and their taps are taken in reverse order.</param>
internal sealed class WinogradFilters(WinogradTransform transform, WinogradFilterForm form, Isa isa)
{
    private readonly bool turned = form == WinogradFilterForm.Turned;

    private bool IsOrdered => form == WinogradFilterForm.Ordered;

    public string Name => $"Winograd{N(transform.Outputs)}Filters{(IsOrdered ? "Ordered" : turned ? "Turned" : "")}";

    /// <summary>The call that makes [point][block of inputs][depth tap][input][16 outputs] of the weights of a block of outputs, inputs <c>step</c>
    /// floats apart; of ordered ones [point][block of inputs][depth tap][input][block][16 outputs] of a group's.</summary>
    /// <param name="arguments"><c>weight, to, block, pointStride, step, begin, end, inputs, outputs, depthTaps</c>, inputs from <c>begin</c> to <c>end</c>; the last is 1
    /// for turned weights. Of ordered ones <c>from, to, pointStride, inputs, blocks, depthTaps, begin, end</c>: of the vectors in their order those from
    /// <c>begin</c> to <c>end</c>.</param>
    public string Call(KernelWriter writer, string arguments) => $"{writer.Share(Name, IsOrdered ? EmitOrdered : Emit)}({arguments});";

    private static string N(long value) => Literals.Int(value);

    private void Emit(SourceWriter writer)
    {
        writer.Open(Kernel.Helper(Name, "float* weight, float* to, int block, long pointStride, int step, int begin, int end, int inputs, int outputs, int depthTaps"));
        transform.FilterConstants(writer, isa);
        writer.Line("// [channel][depth tap][tap][16 outputs] of sixteen channels; for turned weights [tap][channel][16 outputs].");
        writer.Line("float* taps = stackalloc float[2304 * depthTaps];");
        if (turned)
        {
            writer.Line("float* across = stackalloc float[2304];");
        }

        writer.Line("int lanes = Math.Min(16, outputs - block * 16);");
        writer.Open("for (int first = begin; first < end; first += 16)");
        writer.Line("int channels = Math.Min(16, end - first);");
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
        EmitVector(writer, tap => $"g + {N(tap * (turned ? 256 : 16))} + lane", "to + lane");
        writer.Close().Close().Close().Close().Close().Line();
    }

    /// <summary>Nine vectors of a block of inputs and a tap along depth lie as far apart as there are inputs and blocks of outputs.</summary>
    private void EmitOrdered(SourceWriter writer)
    {
        writer.Open(Kernel.Helper(Name, "float* from, float* to, long pointStride, int inputs, int blocks, int depthTaps, int begin, int end"));
        transform.FilterConstants(writer, isa);
        writer.Line("begin *= 16;").Line("end *= 16;");
        writer.Open("for (int first = 0; first < inputs; first += 16)");
        writer.Line("int floats = Math.Min(16, inputs - first) * blocks * 16;");
        writer.Open("for (int depth = 0; depth < depthTaps; depth++, from += 9 * floats, to += floats, begin -= floats, end -= floats)");
        writer.Open($"for (int i = Math.Max(begin, 0); i < Math.Min(end, floats); i += {N(isa.Width)})");
        writer.Line("float* g = from + i;");
        EmitVector(writer, tap => tap == 0 ? "g" : $"g + {N(tap)} * floats", "to + i");
        writer.Close().Close().Close().Close().Line();
    }

    /// <summary>A vector of filters from its nine taps to the points.</summary>
    private void EmitVector(SourceWriter writer, Func<int, string> source, string target)
    {
        var side = transform.Inputs;
        for (var tap = 0; tap < 9; tap++)
        {
            writer.Line($"var g{N(tap)} = {isa.Load(source(tap))};");
        }

        for (var column = 0; column < 3; column++)
        {
            transform.Filter(writer, isa, $"c{N(column)}_", $"g{N(column)}", $"g{N(column + 3)}", $"g{N(column + 6)}");
        }

        writer.Line($"float* p = {target};");
        for (var row = 0; row < side; row++)
        {
            writer.Open("");
            transform.Filter(writer, isa, "h", $"c0_{N(row)}", $"c1_{N(row)}", $"c2_{N(row)}");
            for (var column = 0; column < side; column++)
            {
                writer.Line(isa.Store("p", $"h{N(column)}") + " p += pointStride;");
            }

            writer.Close();
        }
    }
}
